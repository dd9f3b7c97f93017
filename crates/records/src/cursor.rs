//! Reads big-endian numbers and zigzag varints without ever running past the end.

use crate::RecordsError;

/// A position in `bytes`; `base` is added to it in errors, so that they count from the batch's start.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(crate) const fn new(bytes: &'a [u8], at: usize, base: usize) -> Self {
        Self { bytes, at, base }
    }

    #[inline]
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    #[inline]
    pub(crate) const fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Where the next byte lies in the batch.
    #[inline]
    pub(crate) const fn place(&self) -> usize {
        self.base + self.at
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], RecordsError> {
        let end = self.at.checked_add(len);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(slice) => {
                self.at += len;
                Ok(slice)
            }
            None => Err(RecordsError::truncated(what, self.place(), len, self.left())),
        }
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], RecordsError> {
        match self.bytes.get(self.at..).and_then(|b| b.first_chunk()) {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(RecordsError::truncated(what, self.place(), N, self.left())),
        }
    }

    #[inline]
    pub(crate) fn i8(&mut self, what: &'static str) -> Result<i8, RecordsError> {
        self.array(what).map(i8::from_be_bytes)
    }

    pub(crate) fn i32(&mut self, what: &'static str) -> Result<i32, RecordsError> {
        self.array(what).map(i32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self, what: &'static str) -> Result<i64, RecordsError> {
        self.array(what).map(i64::from_be_bytes)
    }

    /// A zigzag varint of at most 5 bytes.
    #[inline]
    pub(crate) fn varint(&mut self, what: &'static str) -> Result<i32, RecordsError> {
        let raw = self.raw_varint(what, 5)? as u32;
        Ok((raw >> 1) as i32 ^ -((raw & 1) as i32))
    }

    /// A zigzag varint of at most 10 bytes.
    #[inline]
    pub(crate) fn varlong(&mut self, what: &'static str) -> Result<i64, RecordsError> {
        let raw = self.raw_varint(what, 10)?;
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    /// A length of 0 or more, or −1 for null.
    #[inline]
    pub(crate) fn nullable_len(&mut self, what: &'static str) -> Result<Option<usize>, RecordsError> {
        let at = self.place();
        match self.varint(what)? {
            -1 => Ok(None),
            len if len >= 0 => Ok(Some(len as usize)),
            len => Err(RecordsError::invalid(what, at, "-1 or more", i64::from(len))),
        }
    }

    /// A length or count of 0 or more.
    #[inline]
    pub(crate) fn len(&mut self, what: &'static str) -> Result<usize, RecordsError> {
        let at = self.place();
        match self.varint(what)? {
            len if len >= 0 => Ok(len as usize),
            len => Err(RecordsError::invalid(what, at, "0 or more", i64::from(len))),
        }
    }

    #[inline]
    fn raw_varint(&mut self, what: &'static str, max_len: usize) -> Result<u64, RecordsError> {
        // Hardly a number in a record has more than two bytes.
        match self.bytes.get(self.at..) {
            Some([byte, ..]) if byte & 0x80 == 0 => {
                self.at += 1;
                Ok(u64::from(*byte))
            }
            Some([low, high, ..]) if high & 0x80 == 0 => {
                self.at += 2;
                Ok(u64::from(low & 0x7f) | u64::from(*high) << 7)
            }
            _ => self.long_varint(what, max_len),
        }
    }

    fn long_varint(&mut self, what: &'static str, max_len: usize) -> Result<u64, RecordsError> {
        let start = self.at;
        let mut value = 0_u64;
        for i in 0..max_len {
            let Some(&byte) = self.bytes.get(start + i) else {
                return Err(RecordsError::truncated(what, self.base + start, i + 1, i));
            };
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte & 0x80 == 0 {
                self.at = start + i + 1;
                return Ok(value);
            }
        }
        let rule = if max_len == 5 { "a varint of at most 5 bytes" } else { "a varint of at most 10 bytes" };
        Err(RecordsError::invalid(what, self.base + start, rule, value as i64))
    }
}

/// Appends a zigzag varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, value: i32) {
    put_raw(out, u64::from(((value << 1) ^ (value >> 31)) as u32));
}

/// Appends a zigzag varint.
pub(crate) fn put_varlong(out: &mut Vec<u8>, value: i64) {
    put_raw(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Size of a zigzag varint, bytes.
pub(crate) const fn varint_len(value: i32) -> usize {
    raw_len(((value << 1) ^ (value >> 31)) as u32 as u64)
}

/// Size of a zigzag varint, bytes.
pub(crate) const fn varlong_len(value: i64) -> usize {
    raw_len(((value << 1) ^ (value >> 63)) as u64)
}

fn put_raw(out: &mut Vec<u8>, mut raw: u64) {
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

const fn raw_len(raw: u64) -> usize {
    let bits = 64 - (raw | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_round_trip() {
        for value in [0, 1, -1, 63, -64, 64, 300, 8191, -8192, 8192, i32::MAX, i32::MIN] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value), "{value}");
            assert_eq!(Cursor::new(&out, 0, 0).varint("n").unwrap(), value);
        }
        for value in [0, -1, 1 << 40, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            put_varlong(&mut out, value);
            assert_eq!(out.len(), varlong_len(value), "{value}");
            assert_eq!(Cursor::new(&out, 0, 0).varlong("n").unwrap(), value);
        }
    }

    #[test]
    fn endless_varints_are_refused() {
        assert!(Cursor::new(&[0xff; 20], 0, 0).varint("n").is_err());
        assert!(Cursor::new(&[0xff; 20], 0, 0).varlong("n").is_err());
        assert!(Cursor::new(&[0xff; 2], 0, 0).varint("n").is_err());
    }
}
