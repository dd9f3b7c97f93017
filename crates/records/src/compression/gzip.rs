//! gzip, RFC 1952.

use std::io::{self, Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

pub(super) fn compress(input: &[u8], level: Option<i32>, out: &mut Vec<u8>) -> io::Result<()> {
    let level = level
        .and_then(|l| u32::try_from(l).ok())
        .map_or_else(flate2::Compression::default, |l| flate2::Compression::new(l.clamp(1, 9)));
    let mut encoder = GzEncoder::new(out, level);
    encoder.write_all(input)?;
    encoder.finish().map(drop)
}

/// Java's reader accepts several members in a row; so does this one.
pub(super) fn reader(input: &[u8]) -> impl Read {
    MultiGzDecoder::new(input)
}
