//! A batch as a slice of the bytes that it came in.

use std::iter::FusedIterator;
use std::ops::Deref;

use bytes::Bytes;

use crate::compression::decompress;
use crate::header::peek;
use crate::layout::{ATTRIBUTES, HEADER_LEN};
use crate::{BatchHeader, Codec, Framing, Keys, Records, RecordsError, crc32c, validate_framing};

/// A whole v2 batch: its parsed header and its bytes, shared with whatever they were cut from.
/// Header fields are read through it: `view.base_offset`.
#[derive(Clone, Debug)]
pub struct BatchView {
    header: BatchHeader,
    bytes: Bytes,
}

impl BatchView {
    /// The batch that `bytes` starts with; what follows it is dropped. The CRC is not checked:
    /// see [`BatchView::check_crc`].
    pub fn parse(bytes: &Bytes) -> Result<Self, RecordsError> {
        let header = BatchHeader::parse(bytes)?;
        let size = header.size();
        if bytes.len() < size {
            return Err(RecordsError::truncated("batch", 0, size, bytes.len()));
        }
        Ok(Self { header, bytes: bytes.slice(..size) })
    }

    /// The parsed header.
    pub const fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch, exactly.
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The whole batch, exactly.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// What follows the header: records, or their compressed form.
    pub fn payload(&self) -> Bytes {
        self.bytes.slice(HEADER_LEN..)
    }

    /// The records' bytes, decompressed to at most `limit` bytes.
    pub fn decompressed(&self, limit: usize) -> Result<Bytes, RecordsError> {
        decompress(self.attributes.codec()?, &self.payload(), limit)
    }

    /// The records. `limit` bounds what decompression may yield, bytes.
    pub fn records(&self, limit: usize) -> Result<Records, RecordsError> {
        Ok(Records::new(&self.header, self.decompressed(limit)?))
    }

    /// Checks the framing of the records as [`validate_framing`] does; of compressed ones only if `limit`
    /// allows decompression to that many bytes, otherwise `None`.
    pub fn validate_framing(
        &self,
        keys: Keys,
        limit: Option<usize>,
    ) -> Result<Option<Framing>, RecordsError> {
        if self.attributes.codec()? == Codec::None {
            let records = self.bytes.get(HEADER_LEN..).unwrap_or_default();
            return validate_framing(&self.header, records, keys).map(Some);
        }
        let Some(limit) = limit else { return Ok(None) };
        validate_framing(&self.header, &self.decompressed(limit)?, keys).map(Some)
    }

    /// Whether the batch is what was checksummed.
    pub fn check_crc(&self) -> Result<(), RecordsError> {
        let found = crc32c(self.bytes.get(ATTRIBUTES..).unwrap_or_default());
        if found == self.header.crc {
            return Ok(());
        }
        Err(RecordsError::Crc { base_offset: self.header.base_offset.0, expected: self.header.crc, found })
    }
}

impl Deref for BatchView {
    type Target = BatchHeader;

    fn deref(&self) -> &BatchHeader {
        &self.header
    }
}

/// The v2 batches of `bytes`, in order, without copying.
///
/// A batch that the bytes end in the middle of ends the walk silently, because the last batch of a fetch
/// may be cut off; [`Batches::rest`] tells. Anything else that is no batch is an error, which ends the
/// walk too.
pub fn batches(bytes: &Bytes) -> Batches {
    Batches { rest: bytes.clone(), failed: false }
}

/// See [`batches`].
#[derive(Clone, Debug)]
pub struct Batches {
    rest: Bytes,
    failed: bool,
}

impl Batches {
    /// What has not been walked; after the last batch, a cut-off one or nothing.
    pub const fn rest(&self) -> &Bytes {
        &self.rest
    }
}

impl Iterator for Batches {
    type Item = Result<BatchView, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.rest.len() < crate::layout::PEEK_LEN {
            return None;
        }
        let parsed = peek(&self.rest).map(|p| p.size).and_then(|size| {
            if self.rest.len() < size { Ok(None) } else { BatchView::parse(&self.rest).map(Some) }
        });
        match parsed {
            Ok(Some(view)) => {
                self.rest = self.rest.slice(view.bytes.len()..);
                Some(Ok(view))
            }
            Ok(None) => None,
            Err(e) => {
                self.failed = true;
                Some(Err(e))
            }
        }
    }
}

impl FusedIterator for Batches {}
