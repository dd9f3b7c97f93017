//! Reads a segment batch by batch. A batch counts as a whole or not at all.

use std::io;
use std::path::Path;
use std::sync::Arc;

use ottla_env::File;
use ottla_types::DirectoryId;

use crate::error::StartError;
use crate::log::frame::{FORMAT, Frame, LAST_OF_BATCH, format_of_start};
use crate::log::memory::Place;
use crate::log::scan::{Scanner, WINDOW_BYTES};

/// Walks over the complete batches at the beginning of a segment.
#[derive(Debug)]
pub(super) struct BatchReader<'a> {
    path: &'a Path,
    file: &'a Arc<dyn File>,
    directory_id: DirectoryId,
    scanner: Scanner<'a>,
    /// Of the segment's first frame.
    base: u64,
    /// Of the next frame.
    pub(super) next_number: u64,
    /// The last complete batch, when its number is known.
    pub(super) last_batch: Option<u64>,
    /// Behind the last complete batch.
    pub(super) end: u64,
}

impl<'a> BatchReader<'a> {
    /// Reads the segment whose first frame has number `base`; `last_batch` is the batch before it, if that is known.
    pub(super) fn new(
        path: &'a Path,
        file: &'a Arc<dyn File>,
        directory_id: DirectoryId,
        base: u64,
        last_batch: Option<u64>,
    ) -> Result<Self, StartError> {
        let scanner =
            Scanner::new(file.as_ref()).map_err(|source| StartError::Io { path: path.to_owned(), source })?;
        Ok(Self { path, file, directory_id, scanner, base, next_number: base, last_batch, end: 0 })
    }

    /// The next complete batch; `None` at the first byte that is not part of one.
    pub(super) fn next_batch(&mut self) -> Result<Option<Vec<(Frame, Place)>>, StartError> {
        let mut frames = Vec::new();
        let mut number = self.next_number;
        let mut batch = self.last_batch.map(|last| last + 1);
        loop {
            let found = self
                .scanner
                .next()
                .map_err(|source| StartError::Io { path: self.path.to_owned(), source })?;
            let Some(found) = found else { return Ok(None) };
            let header = found.header;
            if header.number != number || header.batch != *batch.get_or_insert(header.batch) {
                return Ok(None);
            }
            if let Some(format) = format_of_start(header.kind, found.body).filter(|&format| format > FORMAT) {
                return Err(StartError::Format {
                    path: self.path.to_owned(),
                    found: format,
                    supported: FORMAT,
                });
            }
            let place =
                Place { file: Arc::clone(self.file), position: found.position, body_len: header.body_len };
            let frame = Frame::parse(header.kind, found.body);
            let frame = self.check(frame, number, place.position)?;
            frames.push((frame, place));
            number += 1;
            if header.flags & LAST_OF_BATCH != 0 {
                self.next_number = number;
                self.last_batch = batch;
                self.end = self.scanner.position;
                return Ok(Some(frames));
            }
        }
    }

    /// The end of the last byte that is no zero; not before the end of the last complete batch.
    pub(super) fn written_end(&self) -> io::Result<u64> {
        let mut bytes = vec![0; WINDOW_BYTES];
        let (mut position, mut end) = (self.end, self.end);
        loop {
            let read = self.file.read_at(&mut bytes, position)?;
            let last = bytes.iter().take(read).rposition(|byte| *byte != 0);
            end = last.map_or(end, |last| position + last as u64 + 1);
            position += read as u64;
            if read == 0 {
                return Ok(end);
            }
        }
    }

    /// Bytes behind the last complete batch.
    pub(super) const fn rest_bytes(&self) -> u64 {
        self.scanner.file_len().saturating_sub(self.end)
    }

    /// The batch after the last complete one may be torn. An intact frame of a still later one proves that it had been
    /// synced, and so is damaged: returns where that frame is.
    pub(super) fn find_proof_of_damage(&mut self) -> io::Result<Option<u64>> {
        self.scanner.position = self.end;
        self.scanner.find_batch_from(self.last_batch.map_or(0, |last| last + 2))
    }

    fn check(&self, frame: Option<Frame>, number: u64, position: u64) -> Result<Frame, StartError> {
        let damaged =
            |what: &str| StartError::Damaged { path: self.path.to_owned(), position, what: what.to_owned() };
        match frame {
            None => Err(damaged("its checksum is right, but it is not a frame of this format")),
            Some(Frame::Start(start)) if start.directory_id != self.directory_id => {
                Err(StartError::WrongDirectory {
                    path: self.path.to_owned(),
                    found: start.directory_id,
                    expected: self.directory_id,
                })
            }
            Some(frame) if matches!(frame, Frame::Start(_)) != (number == self.base) => {
                Err(damaged("a start frame belongs at the beginning of a file, and only there"))
            }
            Some(frame) => Ok(frame),
        }
    }
}
