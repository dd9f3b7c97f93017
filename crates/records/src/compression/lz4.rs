//! The LZ4 frame format as Kafka writes it: independent blocks of 64 KiB, no checksums
//! (`Lz4BlockOutputStream`). Any valid frame is read.

use std::io::{self, Read, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    encoder.write_all(input)?;
    encoder.finish().map(drop).map_err(io::Error::other)
}

pub(super) fn reader(input: &[u8]) -> impl Read {
    FrameDecoder::new(input)
}
