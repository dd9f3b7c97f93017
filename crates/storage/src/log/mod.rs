//! One partition's log.
//!
//! ```text
//!  log start        high watermark      flushed          end
//!     │                   │                │              │
//!  ───┬───────┬───────────┼────┬───────────┼──────────────┬──▶
//!     │ sealed│   sealed  │    │     active segment       │
//!     └───────┴───────────┴────┴──────────────────────────┘
//!                  synced: only damage    not synced: recovery may cut
//!                  can take it away       a suffix of it
//! ```
//!
//! [`Log`] is not shared: its host holds a lock around it, and runs a [`FlushJob`] outside of that lock.

mod append;
mod clean;
mod flush;
mod follow;
mod future;
pub(crate) mod gaps;
mod lookup;
mod losses;
mod mark;
mod open;
mod read;
mod recover;
mod retention;
mod roll;
mod swap;
mod truncate;
mod validate;

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Weak};

use ottla_types::{LeaderEpoch, Offset, ProducerId, TimestampMs, TopicIdPartition};

pub use clean::Dirtiness;
pub use flush::{FlushJob, FlushOutcome};
pub use future::{CopyError, FutureLog, NextCopy};
pub use lookup::TimestampOffset;
pub use losses::Loss;
pub use retention::Deleted;
pub use swap::Swap;

pub(crate) use append::end_marker;

use crate::config::LogConfig;
use crate::context::Context;
use crate::dir::checkpoints::Progress;
use crate::epoch_cache::EpochCache;
use crate::error::StorageError;
use crate::producer::Producers;
use crate::segment::Segment;
use crate::tail_cache::Tail;

/// One partition's log. See the module.
#[derive(Debug)]
pub struct Log {
    ctx: Context,
    id: u64,
    config: Arc<LogConfig>,
    /// Oldest first; the last one is active. None before the first append.
    segments: VecDeque<Segment>,
    log_start: i64,
    end: i64,
    flushed: i64,
    epochs: EpochCache,
    /// `leader-epoch-checkpoint` is behind.
    epochs_dirty: bool,
    producers: Producers,
    /// Offsets of the snapshot files that are on disk.
    snapshots: BTreeSet<i64>,
    /// Snapshots that the next flush writes.
    pending_snapshots: Vec<(i64, Vec<u8>)>,
    since_snapshot: u64,
    /// The offset of the mark that is on disk.
    mark: Option<i64>,
    since_mark: u64,
    tail: Tail,
    progress: Arc<Progress>,
    folder: Folder,
    /// Files were created since the folder was synced.
    names_dirty: bool,
    /// The log was found by a start and not flushed since. A process that died may have cut it, or moved its start, without
    /// a sync.
    found: bool,
    /// Indexes of sealed segments were written since the last flush began.
    seals_dirty: bool,
    /// A flush is under way up to this offset.
    flushing: Option<i64>,
    /// Bytes appended since the last completed flush began.
    unflushed: u64,
    poisoned: bool,
    /// Offsets may be missing: `ottla-gaps` is there.
    has_gaps: bool,
    /// The compaction that is under way.
    compaction: Weak<()>,
    /// Files that a swap which is under way has to remove.
    swapping: swap::Sources,
    /// Draws `segment.jitter.ms`.
    rolls: u64,
    /// What the start did not find.
    losses: Vec<Loss>,
}

/// What the disk knows of the partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folder {
    /// Nothing.
    None,
    /// There is a folder, perhaps only in the page cache.
    Written,
    /// The folder is durable, and noted so.
    Recorded,
}

/// One segment, for metrics and tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its first offset.
    pub base_offset: Offset,
    /// Its batches, bytes.
    pub size: u64,
    /// Whether it is appended to.
    pub active: bool,
}

impl Log {
    /// The partition.
    pub fn partition(&self) -> &TopicIdPartition {
        &self.ctx.partition
    }

    /// The partition's folder.
    pub fn path(&self) -> &Path {
        &self.ctx.dir
    }

    /// Whether anything of it is on disk.
    pub fn is_materialised(&self) -> bool {
        self.folder != Folder::None
    }

    /// Its settings.
    pub fn config(&self) -> &LogConfig {
        &self.config
    }

    /// New settings; they hold from the next operation on.
    pub fn update_config(&mut self, config: impl Into<Arc<LogConfig>>) {
        self.config = config.into();
    }

    /// The first offset that can be read.
    pub fn log_start_offset(&self) -> Offset {
        Offset(self.log_start)
    }

    /// The offset of the next record.
    pub fn log_end_offset(&self) -> Offset {
        Offset(self.end)
    }

    /// Everything below was synced.
    pub fn flushed_offset(&self) -> Offset {
        Offset(self.flushed)
    }

    /// Bytes appended and not yet synced, for a policy that flushes by size.
    pub fn unflushed_bytes(&self) -> u64 {
        if self.flushed >= self.end { 0 } else { self.unflushed }
    }

    /// Whether a flush should not be put off: the first since a start, which left of its predecessor may have much that is not synced,
    /// or one that many rolled segments wait for, each with a file that is open and a snapshot in memory.
    pub fn wants_flush(&self) -> bool {
        const SEGMENTS: usize = 8;
        self.found || self.pending_snapshots.len() > SEGMENTS
    }

    /// The end of what a consumer may read that wants committed records only: the high watermark, or the first open
    /// transaction below it.
    pub fn last_stable_offset(&mut self, high_watermark: Offset) -> Offset {
        self.producers.on_high_watermark(high_watermark.0);
        self.producers
            .first_unstable_offset()
            .map_or(high_watermark, |first| high_watermark.min(Offset(first)))
    }

    /// The high watermark, to be written with the checkpoints.
    pub fn record_high_watermark(&mut self, high_watermark: Offset) {
        self.progress.set_high_watermark(high_watermark.0);
    }

    /// The high watermark that was last written, for a start.
    pub fn checkpointed_high_watermark(&self) -> Option<Offset> {
        self.progress.high_watermark()
    }

    /// All segments, bytes.
    pub fn size(&self) -> u64 {
        self.segments.iter().map(|s| s.size).sum()
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> impl Iterator<Item = SegmentInfo> {
        let last = self.segments.len().saturating_sub(1);
        self.segments.iter().enumerate().map(move |(i, s)| SegmentInfo {
            base_offset: Offset(s.base),
            size: s.size,
            active: i == last,
        })
    }

    /// Idempotent producers that the log remembers.
    pub fn producer_count(&self) -> usize {
        self.producers.len()
    }

    /// Whether the log remembers this producer.
    pub fn knows_producer(&self, producer: ProducerId) -> bool {
        self.producers.get(producer).is_some()
    }

    /// Forgets producers that were silent for `producer.id.expiration.ms`.
    pub fn expire_producers(&mut self, now_ms: TimestampMs) {
        self.producers.expire(now_ms, self.config.producer_id_expiration_ms);
    }

    /// The latest leader epoch that the log has.
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.latest()
    }

    /// The largest epoch up to `epoch`, and where it ended (OffsetForLeaderEpoch, KIP-101). `None`: not known.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        self.epochs.end_offset_for(epoch, Offset(self.end))
    }

    /// The epoch that the record at `offset` was appended in.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.epochs.epoch_at(offset)
    }

    /// A leadership starts: its epoch begins at the log's end, before any append.
    pub fn start_leader_epoch(&mut self, epoch: LeaderEpoch) {
        self.epochs_dirty |= self.epochs.assign(epoch, Offset(self.end));
    }

    /// Drops what is held for speed, for a partition that nobody uses: the tail cache, the open file, pages of indexes.
    /// All of it comes back when it is needed. False, and nothing is dropped, while something is not synced: a file that
    /// was closed in between might not tell of a failed write.
    pub fn release(&mut self) -> bool {
        let is_synced = self.flushed >= self.end && self.flushing.is_none();
        if is_synced {
            self.drop_held();
        }
        is_synced
    }

    /// Writes are refused until the log is opened anew: a fault of the program may have left it half-changed.
    pub fn poison(&mut self) {
        self.poisoned = true;
    }

    fn drop_held(&mut self) {
        self.tail.clear(&self.ctx.shared.tail);
        for segment in &mut self.segments {
            segment.offsets.drop_page();
            segment.times.drop_page();
        }
        if let Some(active) = self.segments.back_mut() {
            active.release_writer();
        }
    }

    pub(crate) fn check_usable(&self) -> Result<(), StorageError> {
        self.ctx.health.check()?;
        if self.poisoned {
            return Err(StorageError::Poisoned { path: self.ctx.dir.clone() });
        }
        Ok(())
    }

    /// The offset after segment `i`.
    fn segment_end(&self, i: usize) -> i64 {
        self.segments.get(i + 1).map_or(self.end, |next| next.base)
    }

    /// The segment that holds `offset`, or would.
    fn segment_of(&self, offset: i64) -> Option<usize> {
        self.segments.partition_point(|s| s.base <= offset).checked_sub(1)
    }
}
