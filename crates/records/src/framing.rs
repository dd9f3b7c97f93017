//! Checks that records are what their batch says, without keeping any of them.

use ottla_types::TimestampMs;

use crate::cursor::Cursor;
use crate::layout::{HEADER_LEN, RECORDS_COUNT};
use crate::{BatchHeader, RecordsError};

/// Whether records need a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    /// They may have none.
    #[default]
    Optional,
    /// The topic is compacted: a record without a key is refused.
    Required,
}

/// What the records of a batch are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// The smallest timestamp as the producer wrote it, ms.
    pub min_timestamp: TimestampMs,
    /// The largest timestamp as the producer wrote it, ms; what the header should say.
    pub max_timestamp: TimestampMs,
    /// Offset delta of the first record with the largest timestamp.
    pub max_timestamp_delta: i32,
}

/// Walks `records`, what follows `header` decompressed: as many as the header says, offset deltas 0, 1, 2 …,
/// every length within its record, nothing after the last one (`LogValidator`). Allocates nothing.
pub fn validate_framing(header: &BatchHeader, records: &[u8], keys: Keys) -> Result<Framing, RecordsError> {
    if header.records_count < 1 {
        let found = i64::from(header.records_count);
        return Err(RecordsError::invalid("records count", RECORDS_COUNT, "at least 1", found));
    }
    let mut framing = Framing { min_timestamp: i64::MAX, max_timestamp: i64::MIN, max_timestamp_delta: 0 };
    let mut cursor = Cursor::new(records, 0, HEADER_LEN);
    for index in 0..header.records_count {
        let len = cursor.len("record length")?;
        let start = cursor.position();
        let body = cursor.take(len, "record")?;
        let delta = record(&mut Cursor::new(body, 0, HEADER_LEN + start), index, keys)?;
        let timestamp = header.base_timestamp.wrapping_add(delta);
        framing.min_timestamp = framing.min_timestamp.min(timestamp);
        if timestamp > framing.max_timestamp {
            framing.max_timestamp = timestamp;
            framing.max_timestamp_delta = index;
        }
    }
    if cursor.left() > 0 {
        let found = cursor.left() as i64;
        return Err(RecordsError::Mismatch { what: "bytes after the last record", expected: 0, found });
    }
    Ok(framing)
}

/// Walks one record and returns its timestamp delta.
fn record(body: &mut Cursor<'_>, index: i32, keys: Keys) -> Result<i64, RecordsError> {
    body.i8("record attributes")?;
    let timestamp_delta = body.varlong("timestamp delta")?;
    let offset_delta = body.varint("offset delta")?;
    if offset_delta != index {
        let (expected, found) = (i64::from(index), i64::from(offset_delta));
        return Err(RecordsError::Mismatch { what: "offset delta", expected, found });
    }
    match body.nullable_len("key length")? {
        Some(len) => {
            body.take(len, "key")?;
        }
        None if keys == Keys::Required => return Err(RecordsError::MissingKey { index }),
        None => {}
    }
    if let Some(len) = body.nullable_len("value length")? {
        body.take(len, "value")?;
    }
    for _ in 0..body.len("header count")? {
        let len = body.len("header key length")?;
        body.take(len, "header key")?;
        if let Some(len) = body.nullable_len("header value length")? {
            body.take(len, "header value")?;
        }
    }
    if body.left() > 0 {
        let found = body.left() as i64;
        return Err(RecordsError::Mismatch {
            what: "bytes after the last header of a record",
            expected: 0,
            found,
        });
    }
    Ok(timestamp_delta)
}
