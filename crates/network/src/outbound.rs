//! Bytes on their way out: many small replies leave in one `writev`, files by `sendfile`.

use std::collections::VecDeque;
use std::io::{self, Cursor, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};

use crate::residency::Residency;
use crate::{FileRange, ReplySegment, Transport};

/// One `sendfile` call sends no more, so that one reader cannot keep a worker busy for long.
const MAX_SENDFILE: u64 = 1024 * 1024;
/// What a stream without `sendfile` reads of a file at a time.
const COPY_CHUNK: u64 = 128 * 1024;
/// Pieces given to one `writev`.
const MAX_PIECES: usize = 64;
/// What a queued piece costs besides its bytes, in the account of unsent bytes.
const PIECE_OVERHEAD: u64 = 64;

/// The queue of unsent bytes of one connection.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    pieces: VecDeque<Piece>,
    unsent: u64,
    flush: bool,
    /// Whether the front file may be read without waiting for the disk.
    residency: Residency,
}

#[derive(Debug)]
enum Piece {
    Frame(Cursor<Vec<u8>>),
    Heap(Bytes),
    File(FileRange),
}

impl Outbound {
    /// Queues a frame in one piece.
    pub(crate) fn push_frame(&mut self, frame: Vec<u8>) {
        self.push(Piece::Frame(Cursor::new(frame)));
    }

    /// Queues a frame that is in pieces.
    pub(crate) fn push_segments(&mut self, segments: Vec<ReplySegment>) {
        for segment in segments {
            match segment {
                ReplySegment::Bytes(bytes) => self.push(Piece::Heap(bytes)),
                ReplySegment::File(range) => self.push(Piece::File(range)),
            }
        }
    }

    fn push(&mut self, piece: Piece) {
        let len = piece.remaining();
        if len > 0 {
            self.unsent += len + PIECE_OVERHEAD;
            self.pieces.push_back(piece);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && !self.flush
    }

    /// Gives memory back that a burst left behind.
    pub(crate) fn shrink(&mut self) {
        if self.pieces.is_empty() {
            self.pieces = VecDeque::new();
        }
    }

    /// Bytes that wait to be sent, with what their bookkeeping takes up.
    pub(crate) fn unsent(&self) -> u64 {
        self.unsent
    }

    /// Sends what the stream takes now. Ready with the bytes sent in this call: 0 when there was nothing to do.
    pub(crate) fn poll_send<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut T,
    ) -> Poll<io::Result<u64>> {
        let mut total = 0;
        loop {
            let sent = match self.pieces.front() {
                None => break,
                Some(Piece::File(_)) => self.poll_front_file(cx, stream),
                Some(_) => self.poll_heap(cx, stream),
            };
            match sent {
                Poll::Ready(Ok(sent)) => total += sent,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if total > 0 => return Poll::Ready(Ok(total)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.flush {
            match Pin::new(stream).poll_flush(cx) {
                Poll::Ready(result) => {
                    result?;
                    self.flush = false;
                }
                Poll::Pending if total > 0 => {}
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(total))
    }

    fn poll_heap<T: Transport>(&mut self, cx: &mut Context<'_>, stream: &mut T) -> Poll<io::Result<u64>> {
        let mut slices = [IoSlice::new(&[]); MAX_PIECES];
        let mut count = 0;
        for (slot, piece) in slices.iter_mut().zip(self.pieces.iter()) {
            *slot = match piece {
                Piece::Frame(frame) => IoSlice::new(frame.chunk()),
                Piece::Heap(bytes) => IoSlice::new(bytes),
                Piece::File(_) => break,
            };
            count += 1;
        }
        let more = count < self.pieces.len();
        let sent = ready!(stream.poll_send(cx, &slices[..count], more))?;
        if sent == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.flush = true;
        self.advance(sent);
        Poll::Ready(Ok(sent as u64))
    }

    /// Takes `sent` bytes off the front pieces, which are in memory.
    fn advance(&mut self, mut sent: usize) {
        self.unsent -= sent as u64;
        while sent > 0 {
            let Some(front) = self.pieces.front_mut() else { return };
            let remaining = usize::try_from(front.remaining()).unwrap_or(usize::MAX);
            if sent < remaining {
                match front {
                    Piece::Frame(frame) => frame.advance(sent),
                    Piece::Heap(bytes) => bytes.advance(sent),
                    Piece::File(range) => range.advance(sent as u64),
                }
                return;
            }
            sent -= remaining;
            self.pop();
        }
    }

    fn pop(&mut self) {
        if self.pieces.pop_front().is_some() {
            self.unsent -= PIECE_OVERHEAD;
            self.residency = Residency::default();
        }
    }

    fn poll_front_file<T: Transport>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut T,
    ) -> Poll<io::Result<u64>> {
        let Some(Piece::File(range)) = self.pieces.front_mut() else { return Poll::Ready(Ok(0)) };
        ready!(self.residency.poll_resident(cx, range, MAX_SENDFILE));
        if let Some(file) = range.file.as_std() {
            let len = usize::try_from(range.len.min(MAX_SENDFILE)).unwrap_or(usize::MAX);
            if let Some(sent) = ready!(stream.poll_send_file(cx, file, range.position, len))? {
                if sent == 0 {
                    return Poll::Ready(Err(too_short(range)));
                }
                range.advance(sent as u64);
                let done = range.len == 0;
                self.unsent -= sent as u64;
                self.flush = true;
                if done {
                    self.pop();
                }
                return Poll::Ready(Ok(sent as u64));
            }
        }
        self.load_chunk()?;
        Poll::Ready(Ok(0))
    }

    /// Moves the front of the front file into memory.
    fn load_chunk(&mut self) -> io::Result<()> {
        let Some(Piece::File(range)) = self.pieces.front_mut() else { return Ok(()) };
        let mut chunk = vec![0; usize::try_from(range.len.min(COPY_CHUNK)).unwrap_or(0)];
        let mut filled = 0;
        while filled < chunk.len() {
            match range.file.read_at(&mut chunk[filled..], range.position + filled as u64) {
                Ok(0) => return Err(too_short(range)),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        range.advance(filled as u64);
        if range.len == 0 {
            self.pieces.pop_front();
            self.residency = Residency::default();
        } else {
            self.unsent += PIECE_OVERHEAD;
        }
        self.pieces.push_front(Piece::Frame(Cursor::new(chunk)));
        Ok(())
    }
}

impl Piece {
    fn remaining(&self) -> u64 {
        match self {
            Self::Frame(frame) => frame.remaining() as u64,
            Self::Heap(bytes) => bytes.len() as u64,
            Self::File(range) => range.len,
        }
    }
}

fn too_short(range: &FileRange) -> io::Error {
    let message = format!("file ends before the promised {} bytes at {}", range.len, range.position);
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}
