//! Writes one batch.

use bytes::Bytes;
use ottla_types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, TimestampMs};

use crate::compression::{Compression, compress};
use crate::cursor::{put_varint, put_varlong, varint_len, varlong_len};
use crate::header::put;
use crate::layout::{ATTRIBUTES, CRC, HEADER_LEN, LOG_OVERHEAD};
use crate::{Attributes, BatchHeader, Record, RecordHeader, RecordsError, TimestampType, crc32c};

/// Collects records into one v2 batch.
///
/// ```
/// use ottla_records::{batches, BatchBuilder, Codec};
///
/// let mut builder = BatchBuilder::new().compression(Codec::Lz4);
/// builder.append(1_700_000_000_000, Some(b"key"), Some(b"value"), &[])?;
/// let bytes = builder.build()?;
/// let batch = batches(&bytes).next().unwrap()?;
/// assert_eq!(batch.records(1 << 20)?.next().unwrap()?.value.unwrap(), "value");
/// # Ok::<(), ottla_records::RecordsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    header: BatchHeader,
    compression: Compression,
    /// The header's place, then the records.
    buffer: Vec<u8>,
    /// The deltas' base; taken from the first record unless it was given.
    base_timestamp: Option<TimestampMs>,
    /// Set where a batch keeps the offsets of the one that it replaces.
    fixed: bool,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch at offset 0: no compression, no producer, no leader epoch.
    pub fn new() -> Self {
        let header = BatchHeader {
            base_offset: Offset::ZERO,
            length: 0,
            partition_leader_epoch: LeaderEpoch::NONE,
            crc: 0,
            attributes: Attributes::default(),
            last_offset_delta: -1,
            base_timestamp: -1,
            max_timestamp: -1,
            producer_id: ProducerId::NONE,
            producer_epoch: ProducerEpoch::NONE,
            base_sequence: -1,
            records_count: 0,
        };
        let compression = Compression::default();
        Self { header, compression, buffer: vec![0; HEADER_LEN], base_timestamp: None, fixed: false }
    }

    /// A batch that takes the place of the one under `header` with some of its records, as compaction
    /// does: offsets, sequence, producer, epoch, codec and flags stay; the largest timestamp is that of what is left.
    /// Add the records with [`BatchBuilder::append_record`]; if there are none, see [`BatchBuilder::emptied`].
    pub fn replacing(header: &BatchHeader) -> Result<Self, RecordsError> {
        let compression = header.attributes.codec()?.into();
        let base_timestamp = Some(header.base_timestamp);
        let mut header = BatchHeader { records_count: 0, ..*header };
        if header.attributes.timestamp_type() == TimestampType::CreateTime {
            header.max_timestamp = -1;
        }
        Ok(Self { header, compression, buffer: vec![0; HEADER_LEN], base_timestamp, fixed: true })
    }

    /// The batch under `header` without any record, as compaction leaves one whose offsets and sequence numbers must not
    /// be lost (`DefaultRecordBatch.writeEmptyHeader`).
    pub fn emptied(header: &BatchHeader) -> Bytes {
        let attributes = header.attributes.with_codec(crate::Codec::None).with_delete_horizon(false);
        let header = BatchHeader { attributes, base_timestamp: -1, records_count: 0, ..*header };
        let mut bytes = BatchHeader { length: (HEADER_LEN - LOG_OVERHEAD) as i32, ..header }.to_bytes();
        let crc = crc32c(bytes.get(ATTRIBUTES..).unwrap_or_default());
        put(&mut bytes, CRC, crc.to_be_bytes());
        Bytes::copy_from_slice(&bytes)
    }

    /// Compresses the records.
    #[must_use]
    pub fn compression(mut self, compression: impl Into<Compression>) -> Self {
        self.compression = compression.into();
        self
    }

    /// Sets the first record's offset.
    #[must_use]
    pub const fn base_offset(mut self, offset: Offset) -> Self {
        self.header.base_offset = offset;
        self
    }

    /// Sets the epoch of the appending leader.
    #[must_use]
    pub const fn leader_epoch(mut self, epoch: LeaderEpoch) -> Self {
        self.header.partition_leader_epoch = epoch;
        self
    }

    /// Marks the batch as part of a transaction.
    #[must_use]
    pub const fn transactional(mut self, on: bool) -> Self {
        self.header.attributes = self.header.attributes.with_transactional(on);
        self
    }

    /// Marks the batch as one of control records.
    #[must_use]
    pub const fn control(mut self, on: bool) -> Self {
        self.header.attributes = self.header.attributes.with_control(on);
        self
    }

    /// Sets who wrote the timestamps.
    #[must_use]
    pub const fn timestamp_type(mut self, kind: TimestampType) -> Self {
        self.header.attributes = self.header.attributes.with_timestamp_type(kind);
        self
    }

    /// Sets the time after which compaction drops the batch's tombstones and markers, ms (KIP-534).
    /// Only before the first record: timestamps count from it.
    #[must_use]
    pub const fn delete_horizon(mut self, horizon: TimestampMs) -> Self {
        self.header.attributes = self.header.attributes.with_delete_horizon(true);
        self.base_timestamp = Some(horizon);
        self
    }

    /// Sets the idempotent producer and the first record's sequence number. May be called until
    /// [`BatchBuilder::build`].
    pub const fn set_producer(&mut self, id: ProducerId, epoch: ProducerEpoch, base_sequence: i32) {
        self.header.producer_id = id;
        self.header.producer_epoch = epoch;
        self.header.base_sequence = base_sequence;
    }

    /// How many records there are.
    pub const fn count(&self) -> i32 {
        self.header.records_count
    }

    /// Size of the batch so far, uncompressed, bytes.
    pub fn size(&self) -> usize {
        self.buffer.len()
    }

    /// By how much a record would grow the batch at most, bytes.
    pub fn size_of(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[RecordHeader]) -> usize {
        // Length and timestamp delta at their longest.
        5 + 10 + 5 + fixed_len(key, value, headers)
    }

    /// Adds a record and returns its offset delta.
    pub fn append(
        &mut self,
        timestamp: TimestampMs,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[RecordHeader],
    ) -> Result<i32, RecordsError> {
        let delta =
            self.header.last_offset_delta.checked_add(1).ok_or_else(|| too_many(i32::MAX as u64 + 1))?;
        self.write(delta, timestamp, key, value, headers)?;
        Ok(delta)
    }

    /// Adds a record of the batch that this one replaces, at its offset.
    pub fn append_record(&mut self, record: &Record) -> Result<(), RecordsError> {
        let delta = record.offset - self.header.base_offset;
        let in_range = i32::try_from(delta).ok().filter(|d| *d >= 0);
        let delta = in_range.ok_or(RecordsError::Mismatch {
            what: "record offset",
            expected: self.header.base_offset.0,
            found: record.offset.0,
        })?;
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        self.write(delta, record.timestamp, key, value, &record.headers)
    }

    /// The batch's bytes.
    pub fn build(mut self) -> Result<Bytes, RecordsError> {
        let codec = self.compression.codec;
        if codec != crate::Codec::None {
            let records = std::mem::replace(&mut self.buffer, vec![0; HEADER_LEN]);
            let records = records.get(HEADER_LEN..).unwrap_or_default();
            self.buffer.reserve(records.len() / 2);
            compress(self.compression, records, &mut self.buffer)?;
        }
        let len = self.buffer.len() - LOG_OVERHEAD;
        self.header.length = i32::try_from(len).map_err(|_| too_large(len))?;
        self.header.attributes = self.header.attributes.with_codec(codec);
        self.header.base_timestamp = self.base_timestamp.unwrap_or(-1);
        put(&mut self.buffer, 0, self.header.to_bytes());
        let crc = crc32c(self.buffer.get(ATTRIBUTES..).unwrap_or_default());
        put(&mut self.buffer, CRC, crc.to_be_bytes());
        Ok(self.buffer.into())
    }

    fn write(
        &mut self,
        delta: i32,
        timestamp: TimestampMs,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[RecordHeader],
    ) -> Result<(), RecordsError> {
        let base = *self.base_timestamp.get_or_insert(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(base);
        let body = varlong_len(timestamp_delta) + varint_len(delta) + fixed_len(key, value, headers);
        let total = self.buffer.len().saturating_add(body).saturating_add(5);
        let body = match i32::try_from(body) {
            Ok(body) if total <= i32::MAX as usize => body,
            _ => return Err(too_large(total)),
        };
        let out = &mut self.buffer;
        put_varint(out, body);
        out.push(0);
        put_varlong(out, timestamp_delta);
        put_varint(out, delta);
        put_nullable(out, key);
        put_nullable(out, value);
        put_varint(out, headers.len() as i32);
        for header in headers {
            put_nullable(out, Some(&header.key));
            put_nullable(out, header.value.as_deref());
        }
        self.header.records_count += 1;
        if !self.fixed {
            self.header.last_offset_delta = delta;
        }
        if !self.fixed || self.header.attributes.timestamp_type() == TimestampType::CreateTime {
            self.header.max_timestamp = self.header.max_timestamp.max(timestamp);
        }
        Ok(())
    }
}

/// Size of what follows the offset delta, and of the attributes, bytes.
fn fixed_len(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[RecordHeader]) -> usize {
    let headers_len: usize =
        headers.iter().map(|h| nullable_len(Some(&h.key)) + nullable_len(h.value.as_deref())).sum();
    1 + nullable_len(key) + nullable_len(value) + varint_len(headers.len() as i32) + headers_len
}

fn nullable_len(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |b| varint_len(b.len() as i32) + b.len())
}

fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(b) => {
            put_varint(out, b.len() as i32);
            out.extend_from_slice(b);
        }
        None => put_varint(out, -1),
    }
}

fn too_large(found: usize) -> RecordsError {
    RecordsError::BatchFull { what: "a size", found: found as u64, limit: i32::MAX as u64 }
}

fn too_many(found: u64) -> RecordsError {
    RecordsError::BatchFull { what: "a record count", found, limit: i32::MAX as u64 }
}
