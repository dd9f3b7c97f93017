//! Snappy blocks in the stream framing of xerial's snappy-java, as Java clients write them:
//!
//! ```text
//! 82 "SNAPPY" 00 │ version i32 = 1 │ compatible i32 = 1 │ { length i32, block }…
//! ```
//!
//! librdkafka sends one bare block instead; both are read.

use std::io;

use bytes::Bytes;
use snap::raw::{Decoder, Encoder, decompress_len};

use crate::cursor::Cursor;
use crate::{Codec, RecordsError};

const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const HEADER_LEN: usize = 16;
/// snappy-java's default.
const BLOCK_LEN: usize = 32 * 1024;
/// A copy element of 3 bytes yields at most 64, so no block grows more than this.
const MAX_RATIO: usize = 64;

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&1_i32.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    let mut encoder = Encoder::new();
    for block in input.chunks(BLOCK_LEN) {
        let compressed = encoder.compress_vec(block).map_err(io::Error::other)?;
        // A block of 32 KiB compresses to little more than that.
        out.extend_from_slice(&(compressed.len() as i32).to_be_bytes());
        out.extend_from_slice(&compressed);
    }
    Ok(())
}

pub(super) fn decompress(input: &[u8], limit: usize) -> Result<Bytes, RecordsError> {
    let mut out = Vec::new();
    if !input.starts_with(&MAGIC) {
        block(input, limit, &mut out)?;
        return Ok(out.into());
    }
    let mut cursor = Cursor::new(input, 0, 0);
    while cursor.left() > 0 {
        // Streams may follow each other: each starts with a header.
        if input.get(cursor.position()..).is_some_and(|rest| rest.starts_with(&MAGIC)) {
            cursor.take(HEADER_LEN, "snappy stream header")?;
            continue;
        }
        let at = cursor.place();
        let len = cursor.i32("snappy block length")?;
        let len = usize::try_from(len)
            .map_err(|_| RecordsError::invalid("snappy block length", at, "0 or more", i64::from(len)))?;
        block(cursor.take(len, "snappy block")?, limit, &mut out)?;
    }
    Ok(out.into())
}

/// Appends one block's content to `out`, which stays within `limit`.
fn block(input: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), RecordsError> {
    let len = decompress_len(input).map_err(failed)?;
    if len > input.len().saturating_mul(MAX_RATIO) {
        return Err(failed(format!("a block of {} bytes cannot hold {len}", input.len())));
    }
    let start = out.len();
    if len > limit.saturating_sub(start) {
        return Err(RecordsError::TooLarge { codec: Codec::Snappy, limit });
    }
    out.resize(start + len, 0);
    let room = out.get_mut(start..).unwrap_or_default();
    Decoder::new().decompress(input, room).map_err(failed)?;
    Ok(())
}

fn failed(reason: impl ToString) -> RecordsError {
    RecordsError::Decompress { codec: Codec::Snappy, reason: reason.to_string() }
}
