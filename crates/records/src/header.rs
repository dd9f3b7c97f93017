//! The fixed part of a batch.

use ottla_types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, TimestampMs};

use crate::layout::{
    ATTRIBUTES, BASE_OFFSET, BASE_SEQUENCE, BASE_TIMESTAMP, CRC, HEADER_LEN, LAST_OFFSET_DELTA, LENGTH,
    LOG_OVERHEAD, MAGIC, MAGIC_V2, MAX_TIMESTAMP, PARTITION_LEADER_EPOCH, PEEK_LEN, PRODUCER_EPOCH,
    PRODUCER_ID, RECORDS_COUNT,
};
use crate::{Attributes, RecordsError};

/// What the first 17 bytes tell about a batch of any format: enough to walk a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peek {
    /// The base offset; in magic 0 and 1 the message's (of a wrapper: its last inner message's).
    pub base_offset: Offset,
    /// The whole batch, bytes, this part included.
    pub size: usize,
    /// The format: 0, 1 or 2.
    pub magic: i8,
}

impl Peek {
    /// Whether the format is one of Kafka before 0.11: see [`legacy`](crate::legacy).
    pub const fn is_legacy(self) -> bool {
        self.magic < MAGIC_V2
    }
}

/// Reads what any format's first [`PEEK_LEN`] bytes tell. The size is checked against the format's
/// minimum, not against the bytes at hand.
pub fn peek(bytes: &[u8]) -> Result<Peek, RecordsError> {
    let found = bytes.len();
    let too_short = || RecordsError::truncated("batch header", 0, PEEK_LEN, found);
    let base_offset = Offset(i64::from_be_bytes(field(bytes, BASE_OFFSET).ok_or_else(too_short)?));
    let length = i32::from_be_bytes(field(bytes, LENGTH).ok_or_else(too_short)?);
    let magic = i8::from_be_bytes(field(bytes, MAGIC).ok_or_else(too_short)?);
    let (min, rule) = match magic {
        0 => (14, "at least 14 bytes for magic 0"),
        1 => (22, "at least 22 bytes for magic 1"),
        MAGIC_V2 => ((HEADER_LEN - LOG_OVERHEAD) as i32, "at least 49 bytes for magic 2"),
        found => return Err(RecordsError::Magic { found }),
    };
    if length < min {
        return Err(RecordsError::invalid("length", LENGTH, rule, i64::from(length)));
    }
    Ok(Peek { base_offset, size: LOG_OVERHEAD + length as usize, magic })
}

/// The 61 bytes before the records of a v2 batch. Only the length is checked on parsing; see
/// [`BatchHeader::validate_from_client`] for what a broker demands of producers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record (kept when compaction drops that record).
    pub base_offset: Offset,
    /// Bytes after the length field: the batch without its first 12.
    pub length: i32,
    /// Epoch of the leader that appended the batch; producers send −1.
    pub partition_leader_epoch: LeaderEpoch,
    /// CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Codec, timestamp type, flags.
    pub attributes: Attributes,
    /// Last offset minus base offset.
    pub last_offset_delta: i32,
    /// Timestamp of the first record, ms; or the delete horizon.
    pub base_timestamp: TimestampMs,
    /// The largest timestamp, ms; of every record if the timestamp type is LogAppendTime.
    pub max_timestamp: TimestampMs,
    /// The idempotent producer, or none.
    pub producer_id: ProducerId,
    /// Its epoch, or none.
    pub producer_epoch: ProducerEpoch,
    /// Sequence number of the first record, or −1; wraps to 0 after 2³¹ − 1.
    pub base_sequence: i32,
    /// How many records follow.
    pub records_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`. The rest of the batch need not be there.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordsError> {
        let peek = peek(bytes)?;
        if peek.is_legacy() {
            return Err(RecordsError::Legacy { found: peek.magic });
        }
        Self::read(bytes).ok_or_else(|| RecordsError::truncated("batch header", 0, HEADER_LEN, bytes.len()))
    }

    fn read(b: &[u8]) -> Option<Self> {
        Some(Self {
            base_offset: Offset(i64::from_be_bytes(field(b, BASE_OFFSET)?)),
            length: i32::from_be_bytes(field(b, LENGTH)?),
            partition_leader_epoch: LeaderEpoch(i32::from_be_bytes(field(b, PARTITION_LEADER_EPOCH)?)),
            crc: u32::from_be_bytes(field(b, CRC)?),
            attributes: Attributes(i16::from_be_bytes(field(b, ATTRIBUTES)?)),
            last_offset_delta: i32::from_be_bytes(field(b, LAST_OFFSET_DELTA)?),
            base_timestamp: i64::from_be_bytes(field(b, BASE_TIMESTAMP)?),
            max_timestamp: i64::from_be_bytes(field(b, MAX_TIMESTAMP)?),
            producer_id: ProducerId(i64::from_be_bytes(field(b, PRODUCER_ID)?)),
            producer_epoch: ProducerEpoch(i16::from_be_bytes(field(b, PRODUCER_EPOCH)?)),
            base_sequence: i32::from_be_bytes(field(b, BASE_SEQUENCE)?),
            records_count: i32::from_be_bytes(field(b, RECORDS_COUNT)?),
        })
    }

    /// The header's 61 bytes.
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        put(&mut out, BASE_OFFSET, self.base_offset.0.to_be_bytes());
        put(&mut out, LENGTH, self.length.to_be_bytes());
        put(&mut out, PARTITION_LEADER_EPOCH, self.partition_leader_epoch.0.to_be_bytes());
        put(&mut out, MAGIC, MAGIC_V2.to_be_bytes());
        put(&mut out, CRC, self.crc.to_be_bytes());
        put(&mut out, ATTRIBUTES, self.attributes.0.to_be_bytes());
        put(&mut out, LAST_OFFSET_DELTA, self.last_offset_delta.to_be_bytes());
        put(&mut out, BASE_TIMESTAMP, self.base_timestamp.to_be_bytes());
        put(&mut out, MAX_TIMESTAMP, self.max_timestamp.to_be_bytes());
        put(&mut out, PRODUCER_ID, self.producer_id.0.to_be_bytes());
        put(&mut out, PRODUCER_EPOCH, self.producer_epoch.0.to_be_bytes());
        put(&mut out, BASE_SEQUENCE, self.base_sequence.to_be_bytes());
        put(&mut out, RECORDS_COUNT, self.records_count.to_be_bytes());
        out
    }

    /// The whole batch, bytes.
    pub const fn size(&self) -> usize {
        LOG_OVERHEAD + self.length as usize
    }

    /// Offset of the last record (kept when compaction drops that record).
    pub fn last_offset(&self) -> Offset {
        self.base_offset + i64::from(self.last_offset_delta)
    }

    /// The offset after the batch.
    pub fn next_offset(&self) -> Offset {
        self.last_offset().next()
    }

    /// Whether an idempotent producer wrote the batch.
    pub fn has_producer_id(&self) -> bool {
        self.producer_id.is_some()
    }

    /// Sequence number of the last record, or −1; wraps to 0 after 2³¹ − 1.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return -1;
        }
        add_sequence(self.base_sequence, self.last_offset_delta)
    }

    /// When tombstones and markers of the batch may be dropped, ms (KIP-534).
    pub fn delete_horizon(&self) -> Option<TimestampMs> {
        self.attributes.has_delete_horizon().then_some(self.base_timestamp)
    }

    /// The rules that a broker holds a producer's batch to before it looks at the records
    /// (`LogValidator.validateBatch`): at least one record, a count that matches the offsets, no control
    /// batch, sequence numbers if there is a producer id.
    pub fn validate_from_client(&self) -> Result<(), RecordsError> {
        self.attributes.codec()?;
        let at_least_one = "at least 1";
        if self.records_count < 1 {
            let found = i64::from(self.records_count);
            return Err(RecordsError::invalid("records count", RECORDS_COUNT, at_least_one, found));
        }
        let count = i64::from(self.last_offset_delta) + 1;
        if count != i64::from(self.records_count) {
            return Err(RecordsError::Mismatch {
                what: "records count",
                expected: count,
                found: i64::from(self.records_count),
            });
        }
        if self.attributes.is_control() {
            let found = i64::from(self.attributes.0);
            return Err(RecordsError::invalid(
                "attributes",
                ATTRIBUTES,
                "no control batch from a client",
                found,
            ));
        }
        if self.attributes.is_transactional() && !self.has_producer_id() {
            let found = self.producer_id.0;
            return Err(RecordsError::invalid("producer id", PRODUCER_ID, "one in a transaction", found));
        }
        if self.has_producer_id() && self.base_sequence < 0 {
            let found = i64::from(self.base_sequence);
            return Err(RecordsError::invalid(
                "base sequence",
                BASE_SEQUENCE,
                "0 or more with a producer id",
                found,
            ));
        }
        Ok(())
    }
}

/// Moves a sequence number on; 0 comes after 2³¹ − 1 (`DefaultRecordBatch.incrementSequence`).
pub const fn add_sequence(sequence: i32, records: i32) -> i32 {
    sequence.wrapping_add(records) & i32::MAX
}

pub(crate) fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub(crate) fn put<const N: usize>(out: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(slot) = out.get_mut(at..at + N) {
        slot.copy_from_slice(&value);
    }
}
