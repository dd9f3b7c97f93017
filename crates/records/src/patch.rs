//! What a broker changes in a batch on append, without copying its body.
//!
//! A batch is written as two slices: [`prefix`] and the batch from byte [`PREFIX_LEN`] on. When timestamps
//! are the broker's, as [`log_append_time_header`] and the payload.

use bytes::Bytes;
use ottla_types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, TimestampMs};

use crate::header::put;
use crate::layout::{
    ATTRIBUTES, BASE_OFFSET, BASE_SEQUENCE, CRC, HEADER_LEN, LENGTH, PARTITION_LEADER_EPOCH, PREFIX_LEN,
    PRODUCER_EPOCH, PRODUCER_ID,
};
use crate::{BatchHeader, BatchView, RecordsError, TimestampType, crc32c};

/// The first 16 bytes of the batch under `header` at `base_offset`, appended in `leader_epoch`.
pub fn prefix(header: &BatchHeader, base_offset: Offset, leader_epoch: LeaderEpoch) -> [u8; PREFIX_LEN] {
    let mut out = [0; PREFIX_LEN];
    put(&mut out, BASE_OFFSET, base_offset.0.to_be_bytes());
    put(&mut out, LENGTH, header.length.to_be_bytes());
    put(&mut out, PARTITION_LEADER_EPOCH, leader_epoch.0.to_be_bytes());
    out
}

/// The header of `batch` at `base_offset`, appended in `leader_epoch`, with `now` as every record's
/// timestamp and a CRC that covers the unchanged payload.
pub fn log_append_time_header(
    batch: &BatchView,
    base_offset: Offset,
    leader_epoch: LeaderEpoch,
    now: TimestampMs,
) -> [u8; HEADER_LEN] {
    let kind = TimestampType::LogAppendTime;
    max_timestamp_header(batch, base_offset, leader_epoch, kind, now)
}

/// The header of `batch` with another timestamp type and max timestamp, and the CRC that fits.
/// For batches whose producer wrote a max timestamp that its records do not bear out.
pub fn max_timestamp_header(
    batch: &BatchView,
    base_offset: Offset,
    leader_epoch: LeaderEpoch,
    kind: TimestampType,
    max_timestamp: TimestampMs,
) -> [u8; HEADER_LEN] {
    let mut header = BatchHeader {
        base_offset,
        partition_leader_epoch: leader_epoch,
        attributes: batch.attributes.with_timestamp_type(kind),
        max_timestamp,
        ..*batch.header()
    };
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    digest.update(header.to_bytes().get(ATTRIBUTES..).unwrap_or_default());
    digest.update(batch.bytes().get(HEADER_LEN..).unwrap_or_default());
    header.crc = digest.finalize() as u32;
    header.to_bytes()
}

/// Sets base offset and leader epoch of the batch at the start of `batch`; the CRC stays right.
pub fn set_offset_and_epoch(batch: &mut [u8], base_offset: Offset, leader_epoch: LeaderEpoch) {
    put(batch, BASE_OFFSET, base_offset.0.to_be_bytes());
    put(batch, PARTITION_LEADER_EPOCH, leader_epoch.0.to_be_bytes());
}

/// The same batch from another producer incarnation: what a producer sends again after its epoch was
/// bumped. Copies the batch.
pub fn with_producer(
    batch: &Bytes,
    producer_id: ProducerId,
    epoch: ProducerEpoch,
    base_sequence: i32,
) -> Result<Bytes, RecordsError> {
    let size = BatchView::parse(batch)?.bytes().len();
    let mut out = batch.get(..size).unwrap_or_default().to_vec();
    put(&mut out, PRODUCER_ID, producer_id.0.to_be_bytes());
    put(&mut out, PRODUCER_EPOCH, epoch.0.to_be_bytes());
    put(&mut out, BASE_SEQUENCE, base_sequence.to_be_bytes());
    let crc = crc32c(out.get(ATTRIBUTES..).unwrap_or_default());
    put(&mut out, CRC, crc.to_be_bytes());
    Ok(out.into())
}
