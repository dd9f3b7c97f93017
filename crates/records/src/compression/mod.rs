//! The five codecs, as Kafka frames them.
//!
//! Decompression streams and stops at the caller's limit, whatever size the compressed bytes claim for their content. Beside
//! that a decoder holds what its format makes it look back at: lz4 up to two blocks of 4 MiB, zstd a window of up to 128 MiB,
//! which the highest levels of producers use; of it only what was decompressed is touched.

mod gzip;
mod lz4;
mod snappy;
mod zstd;

use std::io::{self, Read};

use bytes::Bytes;

use crate::{Codec, RecordsError};

/// How to compress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compression {
    /// The codec.
    pub codec: Codec,
    /// gzip: 1 to 9; zstd: −131072 to 22; the others have none. `None` is Kafka's default (6 and 3).
    pub level: Option<i32>,
}

impl From<Codec> for Compression {
    fn from(codec: Codec) -> Self {
        Self { codec, level: None }
    }
}

/// Appends the compressed form of `input` to `out`.
pub fn compress(compression: Compression, input: &[u8], out: &mut Vec<u8>) -> Result<(), RecordsError> {
    let level = compression.level;
    let result = match compression.codec {
        Codec::None => {
            out.extend_from_slice(input);
            Ok(())
        }
        Codec::Gzip => gzip::compress(input, level, out),
        Codec::Snappy => snappy::compress(input, out),
        Codec::Lz4 => lz4::compress(input, out),
        Codec::Zstd => zstd::compress(input, level, out),
    };
    result.map_err(|e| RecordsError::Compress {
        codec: compression.codec,
        len: input.len(),
        reason: e.to_string(),
    })
}

/// The decompressed form of `input`, or an error if it is more than `limit` bytes. Bytes that are not
/// compressed are shared, not copied, and not limited: they are there already.
pub fn decompress(codec: Codec, input: &Bytes, limit: usize) -> Result<Bytes, RecordsError> {
    match codec {
        Codec::None => Ok(input.clone()),
        Codec::Gzip => read_all(codec, gzip::reader(input), limit),
        Codec::Snappy => snappy::decompress(input, limit),
        Codec::Lz4 => read_all(codec, lz4::reader(input), limit),
        Codec::Zstd => read_all(codec, zstd::reader(input).map_err(|e| failed(codec, &e))?, limit),
    }
}

fn read_all(codec: Codec, reader: impl Read, limit: usize) -> Result<Bytes, RecordsError> {
    let mut out = Vec::new();
    // One byte more than allowed tells "full" from "too large".
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(bound).read_to_end(&mut out).map_err(|e| failed(codec, &e))?;
    if out.len() > limit {
        return Err(RecordsError::TooLarge { codec, limit });
    }
    Ok(out.into())
}

fn failed(codec: Codec, error: &io::Error) -> RecordsError {
    RecordsError::Decompress { codec, reason: error.to_string() }
}
