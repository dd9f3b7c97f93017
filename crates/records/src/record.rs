//! The records of one batch.

use std::borrow::Cow;
use std::iter::FusedIterator;

use bytes::Bytes;
use ottla_types::{Offset, TimestampMs};

use crate::cursor::Cursor;
use crate::layout::HEADER_LEN;
use crate::{BatchHeader, RecordsError, TimestampType};

/// One record. Key, value and headers are slices of the bytes that the batch came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its position in the partition.
    pub offset: Offset,
    /// Milliseconds since 1970; −1 if it has none.
    pub timestamp: TimestampMs,
    /// `None` is Kafka's null.
    pub key: Option<Bytes>,
    /// `None` is Kafka's null: on a compacted topic it deletes the key.
    pub value: Option<Bytes>,
    /// In the order in which they were written; keys may repeat.
    pub headers: Vec<RecordHeader>,
}

/// A name and a value beside a record's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordHeader {
    /// Meant to be UTF-8; nobody checks.
    pub key: Bytes,
    /// `None` is Kafka's null.
    pub value: Option<Bytes>,
}

impl RecordHeader {
    /// A header with a value.
    pub fn new(key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        Self { key: key.into(), value: Some(value.into()) }
    }

    /// The key as text; what is no UTF-8 is replaced.
    pub fn key_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.key)
    }
}

/// The records of one batch, in order. An error ends the walk; so does a record count that the bytes do
/// not bear out, as an error.
#[derive(Clone, Debug)]
pub struct Records {
    bytes: Bytes,
    at: usize,
    base_offset: Offset,
    base_timestamp: TimestampMs,
    append_time: Option<TimestampMs>,
    left: i32,
}

impl Records {
    /// Over `payload`: what follows `header`, decompressed.
    pub fn new(header: &BatchHeader, payload: Bytes) -> Self {
        let append_time = match header.attributes.timestamp_type() {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(header.max_timestamp),
        };
        Self {
            bytes: payload,
            at: 0,
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_time,
            left: header.records_count,
        }
    }

    fn read(&mut self) -> Result<Record, RecordsError> {
        let mut outer = Cursor::new(&self.bytes, self.at, HEADER_LEN);
        let len = outer.len("record length")?;
        let start = outer.position();
        outer.take(len, "record")?;
        let end = outer.position();
        let mut body = Cursor::new(self.bytes.get(..end).unwrap_or_default(), start, HEADER_LEN);
        body.i8("record attributes")?;
        let timestamp_delta = body.varlong("timestamp delta")?;
        let offset_delta = body.varint("offset delta")?;
        let key = self.nullable(&mut body, "key length", "key")?;
        let value = self.nullable(&mut body, "value length", "value")?;
        let headers = self.headers(&mut body)?;
        if body.left() > 0 {
            return Err(RecordsError::Mismatch {
                what: "record length",
                expected: (len - body.left()) as i64,
                found: len as i64,
            });
        }
        self.at = end;
        Ok(Record {
            offset: self.base_offset + i64::from(offset_delta),
            timestamp: match self.append_time {
                Some(time) => time,
                None => self.base_timestamp.wrapping_add(timestamp_delta),
            },
            key,
            value,
            headers,
        })
    }

    #[inline]
    fn headers(&self, body: &mut Cursor<'_>) -> Result<Vec<RecordHeader>, RecordsError> {
        let count = body.len("header count")?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut headers = Vec::new();
        for _ in 0..count {
            let len = body.len("header key length")?;
            let key = self.slice(body, len, "header key")?;
            let value = self.nullable(body, "header value length", "header value")?;
            headers.push(RecordHeader { key, value });
        }
        Ok(headers)
    }

    #[inline]
    fn nullable(
        &self,
        body: &mut Cursor<'_>,
        len: &'static str,
        what: &'static str,
    ) -> Result<Option<Bytes>, RecordsError> {
        body.nullable_len(len)?.map(|len| self.slice(body, len, what)).transpose()
    }

    #[inline]
    fn slice(&self, body: &mut Cursor<'_>, len: usize, what: &'static str) -> Result<Bytes, RecordsError> {
        let start = body.position();
        body.take(len, what)?;
        Ok(self.bytes.slice(start..start + len))
    }
}

impl Iterator for Records {
    type Item = Result<Record, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left < 0 {
            return None;
        }
        if self.left == 0 {
            self.left = -1;
            let rest = self.bytes.len() - self.at;
            return (rest > 0).then(|| {
                Err(RecordsError::Mismatch {
                    what: "bytes after the last record",
                    expected: 0,
                    found: rest as i64,
                })
            });
        }
        self.left -= 1;
        let record = self.read();
        if record.is_err() {
            self.left = -1;
        }
        Some(record)
    }
}

impl FusedIterator for Records {}
