//! Takes values from a frame.

use bytes::Bytes;
use ottla_types::ByteString;

use crate::error::{DecodeError, DecodeErrorKind as Kind};
use crate::tagged::{TaggedField, TaggedFields};

/// What decoded values may take in memory: this much, and …
const BASE_MEMORY: usize = 48 << 10;
/// … this many times the first mebibyte of the frame, and …
const MEMORY_FACTOR: usize = 32;
/// … this many times the rest. Real messages stay below 12 times even with names of one letter.
const MEMORY_FACTOR_BEYOND: usize = 12;
const SMALL_FRAME: usize = 1 << 20;
/// Tagged fields that one struct may have. Kafka's own have at most a dozen.
const MAX_TAGGED_FIELDS: usize = 1024;

/// Takes values from a frame, front to back. Strings and byte fields are slices that share the frame's memory.
///
/// A peer's counts are checked against the bytes that are left, and all containers of one frame are charged against
/// one memory budget, so a small frame cannot make a large value.
#[derive(Debug)]
pub struct Reader<'a> {
    frame: &'a Bytes,
    /// What is not read yet: up to the end of the frame, or of the tagged field being read.
    rest: &'a [u8],
    /// Bytes of the frame behind `rest`.
    behind: usize,
    flexible: bool,
    memory_limit: usize,
    memory_left: usize,
}

impl<'a> Reader<'a> {
    /// Reads `frame` from its start.
    pub fn new(frame: &'a Bytes) -> Self {
        let small = frame.len().min(SMALL_FRAME);
        let beyond = (frame.len() - small).saturating_mul(MEMORY_FACTOR_BEYOND);
        let limit = (BASE_MEMORY + small * MEMORY_FACTOR).saturating_add(beyond);
        Self { frame, rest: frame, behind: 0, flexible: false, memory_limit: limit, memory_left: limit }
    }

    /// The same, where values may take at most `limit` bytes in memory.
    #[must_use]
    pub fn at_most(mut self, limit: usize) -> Self {
        self.memory_limit = self.memory_limit.min(limit);
        self.memory_left = self.memory_left.min(limit);
        self
    }

    /// Bytes not yet read.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Bytes read.
    #[inline]
    pub fn position(&self) -> usize {
        self.frame.len() - self.behind - self.rest.len()
    }

    /// What the containers of the values read so far take in memory, bytes.
    pub fn memory_used(&self) -> usize {
        self.memory_limit - self.memory_left
    }

    /// Everything not yet read.
    pub fn into_rest(self) -> Bytes {
        self.frame.slice_ref(self.rest)
    }

    /// Refuses bytes behind the message.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            trailing => Err(self.error(Kind::Trailing(trailing))),
        }
    }

    /// Whether lengths are compact and structs end in tagged fields.
    pub fn flexible(&self) -> bool {
        self.flexible
    }

    /// Sets the notation, and gives the one before.
    pub fn set_flexible(&mut self, flexible: bool) -> bool {
        std::mem::replace(&mut self.flexible, flexible)
    }

    /// `N` bytes.
    #[inline]
    pub fn read_array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk() {
            Some((chunk, rest)) => {
                self.rest = rest;
                Ok(*chunk)
            }
            None => Err(self.truncated(N)),
        }
    }

    /// `count` times `N` bytes.
    #[inline]
    pub(crate) fn read_chunks<const N: usize>(&mut self, count: usize) -> Result<&'a [[u8; N]], DecodeError> {
        let len = count.saturating_mul(N);
        match self.rest.split_at_checked(len) {
            Some((chunks, rest)) => {
                self.rest = rest;
                Ok(chunks.as_chunks().0)
            }
            None => Err(self.truncated(len)),
        }
    }

    /// `len` bytes, shared with the frame.
    #[inline]
    pub fn read_slice(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        let start = self.position();
        match self.rest.split_at_checked(len) {
            Some((_, rest)) => {
                self.rest = rest;
                Ok(self.frame.slice(start..start + len))
            }
            None => Err(self.truncated(len)),
        }
    }

    /// An unsigned variable-length number of at most 32 bits: seven bits a byte, lowest first.
    #[inline]
    pub fn read_varint(&mut self) -> Result<u32, DecodeError> {
        match self.rest {
            [byte, rest @ ..] if byte & 0x80 == 0 => {
                self.rest = rest;
                Ok(u32::from(*byte))
            }
            _ => self.read_long_varint(),
        }
    }

    #[inline]
    fn read_long_varint(&mut self) -> Result<u32, DecodeError> {
        // The lengths of record batches have three bytes as good as always.
        if let [low, middle, high, rest @ ..] = self.rest
            && low & middle & 0x80 != 0
            && high & 0x80 == 0
        {
            self.rest = rest;
            return Ok(u32::from(low & 0x7f) | u32::from(middle & 0x7f) << 7 | u32::from(*high) << 14);
        }
        self.read_any_varint()
    }

    fn read_any_varint(&mut self) -> Result<u32, DecodeError> {
        let start = self.position();
        let mut value: u32 = 0;
        for place in 0..5 {
            let [byte] = self.read_array()?;
            if place == 4 && byte > 0x0f {
                break;
            }
            value |= u32::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::new(Kind::Varint, start))
    }

    /// The length of a string, or nothing for null.
    #[inline]
    pub(crate) fn read_string_len(&mut self) -> Result<Option<usize>, DecodeError> {
        if self.flexible {
            self.read_compact_len()
        } else {
            self.length(|r| r.read_array().map(i16::from_be_bytes))
        }
    }

    /// The length of a byte field or the count of an array, or nothing for null.
    #[inline]
    pub(crate) fn read_len(&mut self) -> Result<Option<usize>, DecodeError> {
        if self.flexible {
            self.read_compact_len()
        } else {
            self.length(|r| r.read_array().map(i32::from_be_bytes))
        }
    }

    #[inline]
    fn length<N: Into<i64>>(
        &mut self,
        read: impl Fn(&mut Self) -> Result<N, DecodeError>,
    ) -> Result<Option<usize>, DecodeError> {
        let start = self.position();
        let length: i64 = read(self)?.into();
        match usize::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(DecodeError::new(Kind::NegativeLength(length), start)),
        }
    }

    /// One more than the length, so that 0 can stand for null.
    #[inline]
    fn read_compact_len(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok(self.read_varint()?.checked_sub(1).map(|length| length as usize))
    }

    #[inline]
    pub(crate) fn read_text(&mut self, len: usize) -> Result<ByteString, DecodeError> {
        let start = self.position();
        let slice = self.read_slice(len)?;
        ByteString::try_from(slice).map_err(|_| DecodeError::new(Kind::Utf8, start))
    }

    /// Whether the bytes that are left and the memory budget allow `count` elements of at least `min_size` bytes on the wire
    /// and `size` in memory each, and so a reservation for them.
    pub(crate) fn admit(&mut self, count: usize, min_size: usize, size: usize) -> Result<(), DecodeError> {
        if count > self.remaining() / min_size.max(1) {
            return Err(self.error(Kind::Count { count, remaining: self.remaining() }));
        }
        self.charge(count.saturating_mul(size))
    }

    fn charge(&mut self, memory: usize) -> Result<(), DecodeError> {
        match self.memory_left.checked_sub(memory) {
            Some(left) => {
                self.memory_left = left;
                Ok(())
            }
            None => Err(self.error(Kind::Memory { limit: self.memory_limit })),
        }
    }

    /// The tagged fields at the end of a struct, if the notation has any. `known` reads the value of a tag that it
    /// knows and tells whether it did; the others are kept.
    pub fn read_tagged_fields(
        &mut self,
        mut known: impl FnMut(&mut Self, u32) -> Result<bool, DecodeError>,
    ) -> Result<TaggedFields, DecodeError> {
        let mut unknown = TaggedFields::default();
        if !self.flexible {
            return Ok(unknown);
        }
        let count = self.read_varint()? as usize;
        if count > (self.remaining() / 2).min(MAX_TAGGED_FIELDS) {
            return Err(self.error(Kind::Count { count, remaining: self.remaining() }));
        }
        for _ in 0..count {
            let tag = self.read_varint()?;
            let declared = self.read_varint()? as usize;
            let Some((value, rest)) = self.rest.split_at_checked(declared) else {
                return Err(self.truncated(declared));
            };
            self.rest = value;
            self.behind += rest.len();
            if known(self, tag)? {
                if !self.rest.is_empty() {
                    let used = declared - self.rest.len();
                    return Err(self.error(Kind::TagLength { tag, declared, used }));
                }
            } else {
                // A vector that grows has up to twice its length, and holds both while it moves.
                self.charge(3 * size_of::<TaggedField>())?;
                unknown.push(TaggedField { tag, value: self.read_slice(declared)? });
            }
            self.behind -= rest.len();
            self.rest = rest;
        }
        Ok(unknown)
    }

    /// The tagged fields at the end of a struct that knows none.
    #[inline]
    pub fn read_unknown_tags(&mut self) -> Result<TaggedFields, DecodeError> {
        // As good as always.
        if self.flexible
            && let [0, rest @ ..] = self.rest
        {
            self.rest = rest;
            return Ok(TaggedFields::default());
        }
        self.read_tagged_fields(|_, _| Ok(false))
    }

    #[cold]
    fn truncated(&self, needed: usize) -> DecodeError {
        self.error(Kind::Truncated { needed, remaining: self.remaining() })
    }

    #[cold]
    pub(crate) fn error(&self, kind: Kind) -> DecodeError {
        DecodeError::new(kind, self.position())
    }
}
