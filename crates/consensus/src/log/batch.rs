//! Builds the bytes of one write.

use crate::log::LogEntry;
use crate::log::frame::{ALIGN, Frame, HEADER_BYTES, LAST_OF_BATCH, MAGIC, crc, write_entry};

/// Frames that are written and synced together.
#[derive(Debug)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Where each frame starts in `bytes`.
    starts: Vec<usize>,
    first_number: u64,
    number: u64,
}

impl Batch {
    /// An empty batch whose first frame gets `first_number`; reuses the allocation of `bytes`.
    pub(super) fn new(mut bytes: Vec<u8>, first_number: u64, number: u64) -> Self {
        bytes.clear();
        Self { bytes, starts: Vec::new(), first_number, number }
    }

    /// Adds a frame.
    pub(super) fn push(&mut self, frame: &Frame) {
        self.push_with(frame.kind(), |out| frame.write_body(out));
    }

    /// Adds an entry; returns where its frame starts in the batch and how long its body is.
    pub(super) fn push_entry(&mut self, entry: &LogEntry) -> (usize, usize) {
        let start = self.bytes.len();
        let body_len = self.push_with(2, |out| write_entry(out, entry));
        (start, body_len)
    }

    /// Completes the frames. The bytes, and the number of the frame that comes after them.
    pub(super) fn finish(mut self) -> (Vec<u8>, u64) {
        let next = self.first_number + self.starts.len() as u64;
        if let Some(flags) = self.starts.last().and_then(|&last| self.bytes.get_mut(last + 13)) {
            *flags = LAST_OF_BATCH;
        }
        let ends = self.starts.iter().skip(1).copied().chain([self.bytes.len()]);
        let frames: Vec<_> = self.starts.iter().copied().zip(ends).collect();
        for (start, end) in frames {
            if let Some(frame) = self.bytes.get_mut(start..end) {
                let sum = crc(frame.get(8..).unwrap_or_default());
                if let Some(place) = frame.get_mut(4..8) {
                    place.copy_from_slice(&sum);
                }
            }
        }
        (self.bytes, next)
    }

    fn push_with(&mut self, kind: u8, write_body: impl FnOnce(&mut Vec<u8>)) -> usize {
        let start = self.bytes.len();
        let number = self.first_number + self.starts.len() as u64;
        self.starts.push(start);
        self.bytes.extend_from_slice(&MAGIC);
        // CRC and length follow when they are known.
        self.bytes.extend_from_slice(&[0; 8]);
        self.bytes.extend_from_slice(&[kind, 0, 0, 0]);
        self.bytes.extend_from_slice(&number.to_be_bytes());
        self.bytes.extend_from_slice(&self.number.to_be_bytes());
        write_body(&mut self.bytes);
        let body_len = self.bytes.len() - start - HEADER_BYTES;
        // Proposals are limited far below 4 GiB before they come here.
        let len = u32::try_from(body_len).unwrap_or(u32::MAX).to_be_bytes();
        if let Some(place) = self.bytes.get_mut(start + 8..start + 12) {
            place.copy_from_slice(&len);
        }
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGN), 0);
        body_len
    }
}
