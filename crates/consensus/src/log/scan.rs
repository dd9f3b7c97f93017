//! Reads the frames of a segment, and judges where they stop making sense.

use std::io;

use ottla_env::File;

use crate::log::frame::{ALIGN, HEADER_BYTES, Header, MAGIC, crc_is_right, frame_bytes, parse_header};

/// Bytes read at a time.
pub(super) const WINDOW_BYTES: usize = 64 << 10;

/// Walks over the frames of a file.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    file: &'a dyn File,
    file_len: u64,
    /// Where the next frame starts.
    pub(super) position: u64,
    window: Vec<u8>,
    window_start: u64,
}

/// A frame as it was found.
#[derive(Debug)]
pub(super) struct Scanned<'a> {
    pub(super) header: Header,
    pub(super) body: &'a [u8],
    /// Of the frame in the file.
    pub(super) position: u64,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(file: &'a dyn File) -> io::Result<Self> {
        Ok(Self { file, file_len: file.len()?, position: 0, window: Vec::new(), window_start: 0 })
    }

    pub(super) const fn file_len(&self) -> u64 {
        self.file_len
    }

    /// The frame at the position, if a whole and undamaged one is there; then moves behind it.
    pub(super) fn next(&mut self) -> io::Result<Option<Scanned<'_>>> {
        let position = self.position;
        let Some(header) = self.header_at(position)? else { return Ok(None) };
        let size = frame_bytes(header.body_len);
        if !self.load(position, size)? || !crc_is_right(self.slice(position, size)) {
            return Ok(None);
        }
        self.position = position + size as u64;
        let frame = self.slice(position, size);
        let body = frame.get(HEADER_BYTES..HEADER_BYTES + header.body_len).unwrap_or_default();
        Ok(Some(Scanned { header, body, position }))
    }

    /// Looks behind the position for an undamaged frame of batch `batch` or a later one, wherever it may start.
    pub(super) fn find_batch_from(&mut self, batch: u64) -> io::Result<Option<u64>> {
        let mut position = self.position;
        while position < self.file_len {
            if let Some(header) = self.header_at(position)?
                && header.batch >= batch
                && self.load(position, frame_bytes(header.body_len))?
                && crc_is_right(self.slice(position, frame_bytes(header.body_len)))
            {
                return Ok(Some(position));
            }
            position += ALIGN as u64;
        }
        Ok(None)
    }

    fn header_at(&mut self, position: u64) -> io::Result<Option<Header>> {
        if !self.load(position, HEADER_BYTES)? {
            return Ok(None);
        }
        let bytes = self.slice(position, HEADER_BYTES);
        Ok(if bytes.starts_with(&MAGIC) { parse_header(bytes) } else { None })
    }

    /// Brings bytes into the window; `false` if the file ends before.
    fn load(&mut self, position: u64, size: usize) -> io::Result<bool> {
        if position.checked_add(size as u64).is_none_or(|end| end > self.file_len) {
            return Ok(false);
        }
        let window_end = self.window_start + self.window.len() as u64;
        if position >= self.window_start && position + size as u64 <= window_end {
            return Ok(true);
        }
        // The file is at least this long, so a length in a damaged header cannot make this large.
        let rest = usize::try_from(self.file_len - position).unwrap_or(usize::MAX);
        self.window.resize(size.max(WINDOW_BYTES).min(rest), 0);
        self.window_start = position;
        self.file.read_exact_at(&mut self.window, position)?;
        Ok(true)
    }

    fn slice(&self, position: u64, size: usize) -> &[u8] {
        let start = usize::try_from(position.saturating_sub(self.window_start)).unwrap_or(usize::MAX);
        self.window.get(start..start.saturating_add(size)).unwrap_or_default()
    }
}
