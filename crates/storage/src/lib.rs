//! One log directory: partitions as segments in Kafka's own file layout, durable by group commit.
//!
//! ```text
//!  host ──▶ LogDir ── meta.properties, checkpoints, which partitions there must be
//!    └────▶ Log    ── append ─▶ page cache ─▶ FlushJob ─▶ flushed offset      read ─▶ slices of memory or files
//! ```
//!
//! Boundary: synchronous, over [`ottla_env::Disk`] only; owns no thread, timer or clock, names no broker, replica or
//! wire format. When to flush, delete and write checkpoints is the host's policy; what that makes durable is known here.
//!
//! Invariants:
//! - Below the flushed offset nothing is ever cut on a start: what is missing or changed there is damage, and told.
//! - What is read continues what was asked for, or is an error that names file and position. Checksums of what lies below the
//!   recovery point are not looked at again, at a start or at a read: as with Kafka, who consumes it does.
//! - Files are Kafka's, names and bytes (its DumpLogSegments reads them); what is added is `ottla-partitions`, `ottla-clock`,
//!   `ottla-broker-epoch`, `ottla-gaps` and `%020d.written`, which Kafka ignores.
//! - The first failed sync or write takes the directory offline; a full disk refuses appends and takes nothing offline.
//! - A partition has no file, handle or thread before its first append.
//! - Compaction changes no offset, and after power loss at any step each segment is as before or as cleaned.
//! - No mmap; files are opened as needed, a bounded number at a time.
//!
//! Not here: replication, transactions' index of aborted batches (but for cleaned segments).
//!
//! Start at [`LogDir`], then [`Log`].

mod append;
mod compact;
mod config;
mod context;
mod dir;
mod epoch_cache;
mod error;
mod handles;
mod health;
pub mod inspect;
mod log;
mod producer;
mod read;
mod segment;
mod tail_cache;
mod text_file;
mod writers;

pub use crate::append::{AppendInfo, AppendOrigin, LeaderAppend};
pub use crate::compact::{Cleaned, CompactError, Compaction, OffsetMap, Pace};
pub use crate::config::{CompressionType, LogConfig, LogDirOptions, RecordValidation};
pub use crate::dir::{
    FoundPartition, LogDir, MetaProperties, OpenReport, ReplaceError, find_home, holds_partitions,
};
pub use crate::error::{AppendError, OpenError, ReadError, RecordError, StorageError};
pub use crate::log::{
    CopyError, Deleted, Dirtiness, FlushJob, FlushOutcome, FutureLog, Log, Loss, NextCopy, SegmentInfo, Swap,
    TimestampOffset,
};
pub use crate::read::{ReadResult, RecordsSlice};

#[cfg(test)]
mod tests;
