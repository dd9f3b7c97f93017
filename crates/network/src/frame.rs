//! From a byte stream to frames: a 4-byte length, then as many bytes.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::time::Instant;

use crate::budget::SHORT;
use crate::{Lease, RequestBudget};

/// Bytes of the length in front of a frame.
const LENGTH: usize = 4;
/// A connection with nothing buffered reads into the stack, so that neither an idle one nor one with small requests
/// holds a buffer, until a read fills this.
const SCRATCH: usize = 4 * 1024;
/// Read-ahead buffer, at first and at most; it doubles when a read fills it.
const READ_MIN: usize = 8 * 1024;
const READ_MAX: usize = 64 * 1024;
/// While the next request may not start, no more than this is read ahead: enough to notice that the peer left.
const MUTED_READ_AHEAD: usize = 4 * 1024;
/// Frames up to this length share the buffer that their connection is read into, bytes: whoever keeps one keeps up to 64 KiB.
/// Longer ones get a buffer of their own and are read straight into it.
pub const SHARED_FRAME: usize = SHORT;
/// A body's own buffer starts with this and doubles as bytes arrive, up to the length of the body.
const FIRST_STEP: usize = 64 * 1024;
/// A connection that delivered a large body gets as much at once for its next, up to this, and no copy for growing.
const PROVEN_MAX: usize = 4 * 1024 * 1024;
/// How fast a body has to arrive for as long as others wait for the bytes that it holds, bytes a second.
const MIN_PACE: u64 = 256 * 1024;

/// Why the length of a frame is not acceptable.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FrameError {
    /// The length is negative.
    #[error("frame length {0} is negative; the peer does not speak the Kafka protocol, or expects TLS")]
    Negative(i32),
    /// The length is above the limit.
    #[error(
        "frame length {length} is above the limit of {limit} bytes (socket.request.max.bytes); \
         the peer does not speak the Kafka protocol, expects TLS, or must send smaller requests"
    )]
    TooLarge {
        /// What the peer announced.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
}

/// Receives the frames of one connection.
///
/// Memory: nothing while idle; at most 96 KiB of read-ahead, which no budget counts; and the body that is being
/// received, which grows with the bytes that arrived and never past what the budget granted.
#[derive(Debug)]
pub(crate) struct FrameReader {
    budget: Arc<RequestBudget>,
    limit: usize,
    buffer: BytesMut,
    read_size: usize,
    /// First step of the next body's own buffer: what the last one came to.
    first_step: usize,
    body: Option<Body>,
}

#[derive(Debug)]
struct Body {
    len: usize,
    lease: Lease,
    /// Only of bodies above `SHARED_FRAME`.
    direct: Vec<u8>,
    since: Instant,
}

impl FrameReader {
    /// Frames of at most `limit` bytes, admitted by `budget`.
    pub(crate) fn new(limit: usize, budget: Arc<RequestBudget>) -> Self {
        Self {
            budget,
            limit,
            buffer: BytesMut::new(),
            read_size: READ_MIN,
            first_step: FIRST_STEP,
            body: None,
        }
    }

    /// The next frame from what was received; `None` if it is not complete. Pending while the budget is used up.
    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<(Bytes, Lease)>, FrameError>> {
        let Some(mut body) = self.body.take().map_or_else(|| self.begin(), |body| Ok(Some(body)))? else {
            return Poll::Ready(Ok(None));
        };
        let frame = if body.len <= SHARED_FRAME {
            self.poll_buffered(cx, &mut body)
        } else {
            self.poll_direct(cx, &mut body)
        };
        match frame {
            Poll::Ready(Some(frame)) => Poll::Ready(Ok(Some((frame, body.lease)))),
            incomplete => {
                self.body = Some(body);
                incomplete.map(|_| Ok(None))
            }
        }
    }

    /// Reads what the stream has into the place where it belongs. Ready(0) is the end of the stream.
    pub(crate) fn poll_fill<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut R,
    ) -> Poll<io::Result<usize>> {
        let mut wanted = 0;
        match &mut self.body {
            Some(body) if body.len <= SHARED_FRAME => wanted = body.len.saturating_sub(self.buffer.len()),
            Some(body) if body.direct.len() < body.lease.held() => {
                let room = body.lease.held() - body.direct.len();
                let mut direct = (&mut body.direct).limit(room);
                return pin!(stream.read_buf(&mut direct)).poll(cx);
            }
            _ => {}
        }
        if self.buffer.is_empty() && self.read_size == READ_MIN && wanted == 0 {
            return self.poll_fill_from_scratch(cx, stream);
        }
        if self.buffer.capacity() - self.buffer.len() < wanted.max(SCRATCH) {
            self.buffer.reserve(wanted.max(self.read_size));
        }
        let room = self.buffer.capacity() - self.buffer.len();
        let read = ready!(pin!(stream.read_buf(&mut self.buffer)).poll(cx))?;
        if read == room {
            self.read_size = (self.read_size * 2).min(READ_MAX);
        }
        Poll::Ready(Ok(read))
    }

    /// Whether `poll_fill` may be called while the next frame must not start.
    pub(crate) fn may_read_ahead(&self) -> bool {
        self.buffer.len() < MUTED_READ_AHEAD
    }

    /// Whether bytes are there that belong to a frame that has not been handed out.
    pub(crate) fn is_mid_frame(&self) -> bool {
        self.body.is_some() || !self.buffer.is_empty()
    }

    /// Whether a whole frame, or a bad length, waits to be handed out.
    pub(crate) fn has_frame(&self) -> bool {
        match (&self.body, self.peek_length()) {
            (Some(body), _) => body.direct.len() + self.buffer.len() >= body.len,
            (None, Some(length)) => usize::try_from(length)
                .map_or(true, |len| self.buffer.len() - LENGTH >= len || len > self.limit),
            (None, None) => false,
        }
    }

    /// Whether it stands in line for the budget.
    pub(crate) fn waits_for_budget(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.lease.is_waiting())
    }

    /// Bytes of the current body that came and how long that took, if it took longer than `patience` and they came slower
    /// than others who wait for its memory have to bear with.
    pub(crate) fn too_slow(&self, patience: Duration) -> Option<(usize, Duration)> {
        let body = self.body.as_ref().filter(|body| body.len > SHARED_FRAME)?;
        let (came, took) = (body.direct.len(), body.since.elapsed());
        (took > patience && (came as u64) < MIN_PACE * took.as_secs()).then_some((came, took))
    }

    /// Gives the read-ahead buffer back when nothing is in it.
    pub(crate) fn shrink(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
            self.read_size = READ_MIN;
            self.first_step = FIRST_STEP;
        }
    }

    fn peek_length(&self) -> Option<i32> {
        self.buffer.first_chunk::<LENGTH>().map(|length| i32::from_be_bytes(*length))
    }

    /// Takes a length off the buffer. Nothing is reserved for it yet.
    fn begin(&mut self) -> Result<Option<Body>, FrameError> {
        let Some(length) = self.peek_length() else { return Ok(None) };
        let len = usize::try_from(length).map_err(|_| FrameError::Negative(length))?;
        if len > self.limit {
            return Err(FrameError::TooLarge { length: len, limit: self.limit });
        }
        self.buffer.advance(LENGTH);
        let lease = self.budget.lease(len);
        Ok(Some(Body { len, lease, direct: Vec::new(), since: Instant::now() }))
    }

    fn poll_buffered(&mut self, cx: &mut Context<'_>, body: &mut Body) -> Poll<Option<Bytes>> {
        if self.buffer.len() < body.len {
            return Poll::Ready(None);
        }
        ready!(body.lease.poll_grow(cx, body.len));
        Poll::Ready(Some(self.buffer.split_to(body.len).freeze()))
    }

    fn poll_direct(&mut self, cx: &mut Context<'_>, body: &mut Body) -> Poll<Option<Bytes>> {
        loop {
            let granted = body.lease.held();
            if body.direct.len() == granted {
                let next = body.len.min(self.first_step.max(granted.saturating_mul(2)));
                ready!(body.lease.poll_grow(cx, next - granted));
                body.direct.reserve_exact(next - granted);
            }
            let take = self.buffer.len().min(body.lease.held() - body.direct.len());
            body.direct.extend_from_slice(&self.buffer[..take]);
            self.buffer.advance(take);
            if body.direct.len() == body.len {
                self.first_step = body.len.clamp(FIRST_STEP, PROVEN_MAX);
                // The next one is likely to be as large: what is read ahead of its own buffer has to be copied there.
                self.read_size = READ_MIN;
                return Poll::Ready(Some(std::mem::take(&mut body.direct).into()));
            }
            if self.buffer.is_empty() && body.direct.len() < body.lease.held() {
                return Poll::Ready(None);
            }
        }
    }

    fn poll_fill_from_scratch<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut R,
    ) -> Poll<io::Result<usize>> {
        let mut scratch = [const { MaybeUninit::<u8>::uninit() }; SCRATCH];
        let mut read = ReadBuf::uninit(&mut scratch);
        ready!(Pin::new(stream).poll_read(cx, &mut read))?;
        let filled = read.filled();
        if filled.len() == SCRATCH {
            self.read_size *= 2;
            self.buffer.reserve(self.read_size);
        }
        self.buffer.extend_from_slice(filled);
        Poll::Ready(Ok(filled.len()))
    }
}

#[cfg(test)]
#[path = "frame_test.rs"]
mod tests;
