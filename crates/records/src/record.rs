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

/// One record where it lies in its batch. [`Record`] is the one that keeps its bytes alive, for which it counts
/// references: the larger half of what reading a record costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Its position in the partition.
    pub offset: Offset,
    /// Milliseconds since 1970; −1 if it has none.
    pub timestamp: TimestampMs,
    /// `None` is Kafka's null.
    pub key: Option<&'a [u8]>,
    /// `None` is Kafka's null: on a compacted topic it deletes the key.
    pub value: Option<&'a [u8]>,
    header_count: usize,
    header_bytes: &'a [u8],
}

impl<'a> RecordView<'a> {
    /// Names and values of the headers, in the order in which they were written.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut cursor = Cursor::new(self.header_bytes, 0, 0);
        // They were walked when the record was read.
        (0..self.header_count).map_while(move |_| header(&mut cursor).ok())
    }

    /// The record on its own; `bytes` are those that it lies in.
    fn to_record(self, bytes: &Bytes) -> Record {
        let own = |slice| bytes.slice_ref(slice);
        Record {
            offset: self.offset,
            timestamp: self.timestamp,
            key: self.key.map(own),
            value: self.value.map(own),
            headers: self
                .headers()
                .map(|(key, value)| RecordHeader { key: own(key), value: value.map(own) })
                .collect(),
        }
    }
}

#[inline]
fn header<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a [u8], Option<&'a [u8]>), RecordsError> {
    let len = cursor.len("header key length")?;
    let key = cursor.take(len, "header key")?;
    Ok((key, nullable(cursor, "header value length", "header value")?))
}

#[inline]
fn nullable<'a>(
    cursor: &mut Cursor<'a>,
    len: &'static str,
    what: &'static str,
) -> Result<Option<&'a [u8]>, RecordsError> {
    cursor.nullable_len(len)?.map(|len| cursor.take(len, what)).transpose()
}

/// What a batch says of all its records, and how far they were walked.
#[derive(Clone, Copy, Debug)]
struct Walk {
    base_offset: Offset,
    base_timestamp: TimestampMs,
    append_time: Option<TimestampMs>,
    at: usize,
    /// −1 once it has ended.
    left: i32,
}

impl Walk {
    fn new(header: &BatchHeader) -> Self {
        let append_time = match header.attributes.timestamp_type() {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(header.max_timestamp),
        };
        Self {
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_time,
            at: 0,
            left: header.records_count,
        }
    }

    #[inline]
    fn next<'a>(&mut self, bytes: &'a [u8]) -> Option<Result<RecordView<'a>, RecordsError>> {
        if self.left <= 0 {
            return self.end(bytes);
        }
        self.left -= 1;
        let record = self.read(bytes);
        if record.is_err() {
            self.left = -1;
        }
        Some(record)
    }

    #[cold]
    fn end<'a>(&mut self, bytes: &[u8]) -> Option<Result<RecordView<'a>, RecordsError>> {
        let rest = bytes.len() - self.at;
        let is_first_time = self.left == 0;
        self.left = -1;
        (is_first_time && rest > 0).then_some(Err(RecordsError::Mismatch {
            what: "bytes after the last record",
            expected: 0,
            found: rest as i64,
        }))
    }

    #[inline]
    fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<RecordView<'a>, RecordsError> {
        let mut outer = Cursor::new(bytes, self.at, HEADER_LEN);
        let len = outer.len("record length")?;
        let start = outer.position();
        outer.take(len, "record")?;
        let end = outer.position();
        let mut body = Cursor::new(bytes.get(..end).unwrap_or_default(), start, HEADER_LEN);
        body.i8("record attributes")?;
        let timestamp_delta = body.varlong("timestamp delta")?;
        let offset_delta = body.varint("offset delta")?;
        let key = nullable(&mut body, "key length", "key")?;
        let value = nullable(&mut body, "value length", "value")?;
        let header_count = body.len("header count")?;
        let headers_start = body.position();
        for _ in 0..header_count {
            header(&mut body)?;
        }
        if body.left() > 0 {
            return Err(RecordsError::Mismatch {
                what: "record length",
                expected: (len - body.left()) as i64,
                found: len as i64,
            });
        }
        self.at = end;
        Ok(RecordView {
            offset: self.base_offset + i64::from(offset_delta),
            timestamp: match self.append_time {
                Some(time) => time,
                None => self.base_timestamp.wrapping_add(timestamp_delta),
            },
            key,
            value,
            header_count,
            header_bytes: bytes.get(headers_start..end).unwrap_or_default(),
        })
    }
}

/// The records of one batch, in order. An error ends the walk; so does a record count that the bytes do
/// not bear out, as an error.
#[derive(Clone, Debug)]
pub struct Records {
    bytes: Bytes,
    walk: Walk,
}

impl Records {
    /// Over `payload`: what follows `header`, decompressed.
    pub fn new(header: &BatchHeader, payload: Bytes) -> Self {
        Self { bytes: payload, walk: Walk::new(header) }
    }

    /// The records that were not walked yet, without keeping any of them.
    pub fn views(&self) -> RecordViews<'_> {
        RecordViews { bytes: &self.bytes, walk: self.walk }
    }
}

impl Iterator for Records {
    type Item = Result<Record, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.walk.next(&self.bytes)?.map(|view| view.to_record(&self.bytes)))
    }
}

impl FusedIterator for Records {}

/// See [`Records::views`].
#[derive(Clone, Debug)]
pub struct RecordViews<'a> {
    bytes: &'a [u8],
    walk: Walk,
}

impl<'a> Iterator for RecordViews<'a> {
    type Item = Result<RecordView<'a>, RecordsError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.walk.next(self.bytes)
    }
}

impl FusedIterator for RecordViews<'_> {}
