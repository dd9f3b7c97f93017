//! Walks the batches of a segment file.

use std::io;

use bytes::Bytes;
use ottla_env::File;
use ottla_records::layout::{HEADER_LEN, LOG_OVERHEAD};
use ottla_records::{BatchHeader, BatchView};

/// What the first read brings: enough for one lookup. Each further read brings twice as much, up to the second number.
const FIRST_CHUNK_BYTES: usize = 4 << 10;
const MAX_CHUNK_BYTES: usize = 128 << 10;
/// Of large batches only the headers are read.
const HEADER_CHUNK_BYTES: usize = 1 << 10;
const LARGE_BATCH_BYTES: usize = 16 << 10;

/// Walks `position..end` of a segment file, batch by batch.
pub(crate) struct Scan<'a> {
    file: &'a dyn File,
    position: u64,
    end: u64,
    buffer: Bytes,
    buffer_at: u64,
    last_size: usize,
    chunk: usize,
}

/// What was found at a position.
#[derive(Debug)]
pub(crate) enum Found {
    /// A batch with a sane header.
    Batch { position: u64, header: BatchHeader },
    /// The end, exactly after a batch.
    End,
    /// No batch: what is wrong with the bytes at this position.
    Bad { position: u64, reason: String },
}

impl<'a> Scan<'a> {
    pub(crate) fn new(file: &'a dyn File, position: u64, end: u64) -> Self {
        Self {
            file,
            position,
            end,
            buffer: Bytes::new(),
            buffer_at: 0,
            last_size: 0,
            chunk: FIRST_CHUNK_BYTES,
        }
    }

    /// The next batch's header; the walk ends at the first thing that is no batch.
    pub(crate) fn next(&mut self) -> io::Result<Found> {
        let position = self.position;
        let left = self.end.saturating_sub(position);
        if left == 0 {
            return Ok(Found::End);
        }
        let bad = |reason: String| Ok(Found::Bad { position, reason });
        if left < HEADER_LEN as u64 {
            return bad(format!("{left} bytes are too few for a batch header"));
        }
        let header = match BatchHeader::parse(&self.bytes_at(position, HEADER_LEN)?) {
            Ok(header) => header,
            Err(e) => return bad(e.to_string()),
        };
        if header.size() as u64 > left {
            return bad(format!("a batch of {} bytes is cut off after {left}", header.size()));
        }
        if header.last_offset_delta < 0 || header.base_offset.0 < 0 {
            return bad(format!("offsets {}+{}", header.base_offset, header.last_offset_delta));
        }
        self.position = position + header.size() as u64;
        self.last_size = header.size();
        Ok(Found::Batch { position, header })
    }

    /// The whole batch that [`Scan::next`] found at `position`.
    pub(crate) fn batch(&mut self, position: u64, header: &BatchHeader) -> io::Result<BatchView> {
        let bytes = self.bytes_at(position, header.size())?;
        BatchView::parse(&bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    }

    fn bytes_at(&mut self, at: u64, len: usize) -> io::Result<Bytes> {
        let start = at.checked_sub(self.buffer_at).and_then(|n| usize::try_from(n).ok());
        if let Some(start) = start
            && start + len <= self.buffer.len()
        {
            return Ok(self.buffer.slice(start..start + len));
        }
        let chunk = if self.last_size > LARGE_BATCH_BYTES && len < LOG_OVERHEAD + HEADER_LEN {
            HEADER_CHUNK_BYTES
        } else {
            let chunk = self.chunk;
            self.chunk = (chunk * 2).min(MAX_CHUNK_BYTES);
            chunk
        };
        let left = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; chunk.max(len).min(left)];
        self.file.read_exact_at(&mut buffer, at)?;
        self.buffer = buffer.into();
        self.buffer_at = at;
        self.buffer
            .get(..len)
            .map(|_| self.buffer.slice(..len))
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
