//! Record batches, compression, CRC-32C and control records.
//!
//! What lies between a request's `records` field and a log segment: [`BatchView`] reads a v2 batch where
//! it lies, [`BatchBuilder`] writes one, [`patch`] changes what a broker sets on append.
//! Bytes in, values out: no I/O, no clock, no policy (which batches a topic accepts is storage's).
//!
//! Invariants: nothing here panics or reserves memory on the word of the bytes that it reads;
//! decompression always has a limit; a batch is never copied to be read.

mod attributes;
#[cfg(test)]
mod batch_test;
mod builder;
pub mod compression;
pub mod control;
mod crc;
mod cursor;
mod error;
mod framing;
mod header;
#[cfg(test)]
mod kafka_vectors_test;
pub mod layout;
pub mod legacy;
pub mod patch;
mod record;
mod view;

pub use crate::attributes::{Attributes, Codec, CodecNameError, TimestampType};
pub use crate::builder::BatchBuilder;
pub use crate::compression::Compression;
pub use crate::control::{ControlType, EndTxnMarker};
pub use crate::crc::crc32c;
pub use crate::error::RecordsError;
pub use crate::framing::{Framing, Keys, validate_framing};
pub use crate::header::{BatchHeader, Peek, add_sequence, peek};
pub use crate::record::{Record, RecordHeader, RecordView, RecordViews, Records};
pub use crate::view::{BatchView, Batches, batches};
