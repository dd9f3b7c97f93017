//! Puts values into a frame.

use bytes::Bytes;

use crate::error::{EncodeError, EncodeErrorKind as Kind};
use crate::segment::Segment;
use crate::tagged::{TaggedField, TaggedFields};

/// Byte fields at least this long become segments of their own instead of being copied.
const MIN_SEGMENT_LEN: usize = 1024;

/// Puts values into a frame, front to back.
#[derive(Debug, Default)]
pub struct Writer {
    buf: Vec<u8>,
    flexible: bool,
    /// Payloads that stay outside of `buf`, each with its place in it; `None` when all are copied.
    outside: Option<Vec<(usize, Segment)>>,
}

impl Writer {
    /// A writer that copies everything into one buffer.
    pub fn new() -> Self {
        Self::with_capacity(128)
    }

    /// A writer with room for `capacity` bytes; it grows as needed.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { buf: Vec::with_capacity(capacity), flexible: false, outside: None }
    }

    /// A writer that leaves long byte fields and external records outside of its buffer.
    pub fn segmented(capacity: usize) -> Self {
        Self { outside: Some(Vec::new()), ..Self::with_capacity(capacity) }
    }

    /// Bytes written, those outside of the buffer included.
    pub fn len(&self) -> usize {
        let outside = self.outside.iter().flatten().map(|(_, segment)| segment.len());
        outside.fold(self.buf.len(), usize::saturating_add)
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything written, if nothing stayed outside.
    pub fn into_bytes(self) -> Bytes {
        self.into_vec().into()
    }

    /// The same, to be taken by whoever needs no more than one reference.
    pub fn into_vec(self) -> Vec<u8> {
        self.buf
    }

    /// Everything written, in order.
    pub fn into_segments(self) -> Vec<Segment> {
        let mut buf = Bytes::from(self.buf);
        let outside = self.outside.unwrap_or_default();
        let mut segments = Vec::with_capacity(outside.len() * 2 + 1);
        let mut taken = 0;
        for (place, segment) in outside {
            if place > taken {
                segments.push(Segment::Bytes(buf.split_to(place - taken)));
                taken = place;
            }
            segments.push(segment);
        }
        if !buf.is_empty() {
            segments.push(Segment::Bytes(buf));
        }
        segments
    }

    /// Overwrites four bytes at `place` with the number of bytes written behind them.
    pub(crate) fn set_frame_len(&mut self, place: usize) -> Result<(), EncodeError> {
        let len = self.len() - place - 4;
        let len = i32::try_from(len).map_err(|_| EncodeError::new(Kind::TooLong(len)))?;
        self.buf[place..place + 4].copy_from_slice(&len.to_be_bytes());
        Ok(())
    }

    /// Whether lengths are compact and structs end in tagged fields.
    pub fn flexible(&self) -> bool {
        self.flexible
    }

    /// Sets the notation, and gives the one before.
    pub fn set_flexible(&mut self, flexible: bool) -> bool {
        std::mem::replace(&mut self.flexible, flexible)
    }

    /// Bytes as they are.
    #[inline]
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    /// An unsigned variable-length number: seven bits a byte, lowest first.
    #[inline]
    pub fn put_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.buf.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.buf.push(value as u8);
    }

    /// The length of a string. Kafka refuses text of over 32,767 bytes in either notation.
    #[inline]
    pub(crate) fn put_string_len(&mut self, len: usize) -> Result<(), EncodeError> {
        let short = i16::try_from(len).map_err(|_| EncodeError::new(Kind::TooLong(len)))?;
        if self.flexible {
            self.put_compact_len(len)?
        } else {
            self.put_slice(&short.to_be_bytes())
        }
        Ok(())
    }

    /// The length of a byte field or the count of an array.
    #[inline]
    pub(crate) fn put_len(&mut self, len: usize) -> Result<(), EncodeError> {
        if self.flexible {
            return self.put_compact_len(len);
        }
        let len = i32::try_from(len).map_err(|_| EncodeError::new(Kind::TooLong(len)))?;
        self.put_slice(&len.to_be_bytes());
        Ok(())
    }

    #[inline]
    fn put_compact_len(&mut self, len: usize) -> Result<(), EncodeError> {
        // Kafka's lengths are of 31 bits in either notation.
        let len = i32::try_from(len).map_err(|_| EncodeError::new(Kind::TooLong(len)))?;
        self.put_varint(len.unsigned_abs() + 1);
        Ok(())
    }

    /// The length that stands for a null string.
    pub(crate) fn put_null_string(&mut self) {
        if self.flexible { self.put_varint(0) } else { self.put_slice(&(-1_i16).to_be_bytes()) }
    }

    /// The length or count that stands for a null byte field or array.
    pub(crate) fn put_null(&mut self) {
        if self.flexible { self.put_varint(0) } else { self.put_slice(&(-1_i32).to_be_bytes()) }
    }

    /// A byte field's bytes, copied or left outside.
    pub(crate) fn put_payload(&mut self, bytes: &Bytes) {
        match &mut self.outside {
            Some(outside) if bytes.len() >= MIN_SEGMENT_LEN => {
                outside.push((self.buf.len(), Segment::Bytes(bytes.clone())));
            }
            _ => self.buf.extend_from_slice(bytes),
        }
    }

    /// Notes that the sender inserts `len` bytes here.
    pub(crate) fn put_external(&mut self, index: usize, len: usize) -> Result<(), EncodeError> {
        let outside = self.outside.as_mut().ok_or_else(|| EncodeError::new(Kind::External))?;
        if len > 0 {
            outside.push((self.buf.len(), Segment::External { index, len }));
        }
        Ok(())
    }

    /// Starts the tagged fields of a struct: `known` of its own and all of `unknown`, which come back sorted.
    pub fn put_tag_count<'a>(
        &mut self,
        known: usize,
        unknown: &'a TaggedFields,
    ) -> Result<UnknownTags<'a>, EncodeError> {
        let mut fields: Vec<_> = unknown.as_slice().iter().collect();
        fields.sort_by_key(|field| field.tag);
        if let Some([first, _]) = fields.array_windows().find(|[a, b]| a.tag == b.tag) {
            return Err(EncodeError::new(Kind::DuplicateTag(first.tag)));
        }
        let count = known + fields.len();
        self.put_varint(u32::try_from(count).map_err(|_| EncodeError::new(Kind::TooLong(count)))?);
        Ok(UnknownTags(fields.into_iter().peekable()))
    }

    /// Writes those of `unknown` that sort before `tag`, which is about to be written.
    pub fn put_unknown_below<'a>(
        &mut self,
        mut unknown: UnknownTags<'a>,
        tag: u32,
    ) -> Result<UnknownTags<'a>, EncodeError> {
        while let Some(field) = unknown.0.next_if(|field| field.tag <= tag) {
            if field.tag == tag {
                return Err(EncodeError::new(Kind::DuplicateTag(tag)));
            }
            self.put_unknown(field)?;
        }
        Ok(unknown)
    }

    /// Writes what is left of `unknown`.
    pub fn put_unknown_rest(&mut self, unknown: UnknownTags<'_>) -> Result<(), EncodeError> {
        unknown.0.into_iter().try_for_each(|field| self.put_unknown(field))
    }

    /// The tagged fields of a struct that has none of its own, if the notation has any.
    #[inline]
    pub fn put_unknown_tags(&mut self, unknown: &TaggedFields) -> Result<(), EncodeError> {
        if !self.flexible {
            return Ok(());
        }
        if unknown.as_slice().is_empty() {
            self.put_varint(0);
            return Ok(());
        }
        let unknown = self.put_tag_count(0, unknown)?;
        self.put_unknown_rest(unknown)
    }

    fn put_unknown(&mut self, field: &TaggedField) -> Result<(), EncodeError> {
        let len = field.value.len();
        self.put_varint(field.tag);
        self.put_varint(u32::try_from(len).map_err(|_| EncodeError::new(Kind::TooLong(len)))?);
        self.put_payload(&field.value);
        Ok(())
    }

    /// One tagged field: its number, its length and what `value` writes.
    pub fn put_tagged(
        &mut self,
        tag: u32,
        value: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.put_varint(tag);
        // The length goes before a value whose length is known only behind it. Nothing may stay outside meanwhile,
        // for its place would shift.
        let outside = self.outside.take();
        let start = self.buf.len();
        let written = value(self);
        self.outside = outside;
        written?;
        let len = self.buf.len() - start;
        let prefix = u32::try_from(len).map_err(|_| EncodeError::new(Kind::TooLong(len)))?;
        self.put_varint(prefix);
        self.buf[start..].rotate_left(len);
        Ok(())
    }
}

/// Unknown tagged fields that are still to be written, by ascending tag.
#[derive(Debug)]
pub struct UnknownTags<'a>(std::iter::Peekable<std::vec::IntoIter<&'a TaggedField>>);
