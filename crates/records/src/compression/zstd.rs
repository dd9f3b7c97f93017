//! zstd, RFC 8878.

use std::io::{self, Read, Write};

pub(super) fn compress(input: &[u8], level: Option<i32>, out: &mut Vec<u8>) -> io::Result<()> {
    let level = level.unwrap_or(::zstd::DEFAULT_COMPRESSION_LEVEL);
    let mut encoder = ::zstd::stream::write::Encoder::new(out, level)?;
    // Lets the encoder pick a window no larger than the input, which a decoder then has to reserve.
    encoder.set_pledged_src_size(Some(input.len() as u64))?;
    encoder.write_all(input)?;
    encoder.finish().map(drop)
}

/// The largest window of any level, as a power of two; a larger one is an error.
const MAX_WINDOW_LOG: u32 = 27;

pub(super) fn reader(input: &[u8]) -> io::Result<impl Read> {
    let mut decoder = ::zstd::stream::read::Decoder::with_buffer(input)?;
    decoder.window_log_max(MAX_WINDOW_LOG)?;
    Ok(decoder)
}
