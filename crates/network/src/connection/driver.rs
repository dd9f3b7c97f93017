//! The loop of one connection, as a state machine that one task polls.
//!
//! ```text
//!  stream ──fill──▶ FrameReader ──call──▶ InFlight ──reply──▶ Outbound ──send──▶ stream
//!                       ▲  next request only while in flight + unsent stay below their limits,
//!                       └─ and only behind requests that may be pipelined
//! ```

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::Instant;

use crate::connection::in_flight::InFlight;
use crate::connection::{CloseReason, ConnectionOptions, Shared};
use crate::frame::FrameReader;
use crate::outbound::Outbound;
use crate::{ConnectionContext, Reply, Service, Transport};

/// How long a connection reads, calls and sends before others get their turn. The call that is under way then ends first.
const TURN: std::time::Duration = std::time::Duration::from_micros(500);

pub(crate) struct Driver<'a, T, S: Service> {
    stream: T,
    service: &'a S,
    options: &'a ConnectionOptions,
    session: S::Session,
    reader: FrameReader,
    in_flight: InFlight,
    outbound: Outbound,
    /// Bytes moved since the last tick.
    moved: u64,
    last_moved: Instant,
    end_of_stream: bool,
    draining: bool,
    /// Ends once the replies before it have left.
    closing: Option<CloseReason>,
}

impl<'a, T: Transport, S: Service> Driver<'a, T, S> {
    pub(crate) fn new(stream: T, shared: &'a Shared<S>, context: &Arc<ConnectionContext>) -> Self {
        let options = &shared.options;
        Self {
            stream,
            service: &shared.service,
            session: shared.service.open(context),
            reader: FrameReader::new(options.max_request_bytes, Arc::clone(&options.budget)),
            options,
            in_flight: InFlight::default(),
            outbound: Outbound::default(),
            moved: 0,
            last_moved: Instant::now(),
            end_of_stream: false,
            draining: false,
            closing: None,
        }
    }

    /// Goes on until nothing can be done; ready when the connection is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        match self.poll_steps(cx) {
            Ok(()) => Poll::Pending,
            Err(reason) => Poll::Ready(reason),
        }
    }

    /// Called now and then: ready if the peer has been silent, or in others' way, for too long.
    pub(crate) fn tick(&mut self) -> Poll<CloseReason> {
        let peer_owes_bytes =
            self.reader.is_mid_frame() && self.may_start() && !self.reader.waits_for_budget();
        if peer_owes_bytes
            && self.options.budget.is_contended()
            && let Some((came, took)) = self.reader.too_slow(self.options.max_stall)
        {
            return Poll::Ready(CloseReason::TooSlow { came, took });
        }
        let now = Instant::now();
        if std::mem::take(&mut self.moved) > 0 {
            self.last_moved = now;
            return Poll::Pending;
        }
        self.reader.shrink();
        self.in_flight.shrink();
        self.outbound.shrink();
        let silent = now.duration_since(self.last_moved);
        if peer_owes_bytes && silent >= self.options.max_stall {
            return Poll::Ready(CloseReason::Stalled(silent));
        }
        if self.in_flight.is_empty() && !self.reader.waits_for_budget() && silent >= self.options.max_idle {
            return Poll::Ready(CloseReason::Idle(silent));
        }
        Poll::Pending
    }

    /// Starts no further request, and ends when those in flight are answered.
    pub(crate) fn drain(&mut self) {
        self.draining = true;
    }

    fn poll_steps(&mut self, cx: &mut Context<'_>) -> Result<(), CloseReason> {
        let turn_ends = std::time::Instant::now() + TURN;
        self.in_flight.poll(cx)?;
        loop {
            self.queue_replies();
            let mut progress = self.start_requests(cx, turn_ends)?;
            progress |= self.send(cx)?;
            self.check_end()?;
            progress |= self.fill(cx)?;
            if !progress {
                return Ok(());
            }
            if std::time::Instant::now() >= turn_ends {
                cx.waker().wake_by_ref();
                return Ok(());
            }
        }
    }

    /// Whether the next request may start.
    fn may_start(&self) -> bool {
        let unanswered = self.in_flight.bytes() + self.outbound.unsent();
        !self.draining
            && self.closing.is_none()
            && self.in_flight.may_pipeline()
            && self.in_flight.len() < self.options.max_in_flight
            && unanswered < self.options.max_in_flight_bytes
    }

    /// Starts what has arrived, until the turn is over. Whether it started anything.
    fn start_requests(
        &mut self,
        cx: &mut Context<'_>,
        turn_ends: std::time::Instant,
    ) -> Result<bool, CloseReason> {
        let mut started = false;
        while self.may_start() && !(started && std::time::Instant::now() >= turn_ends) {
            let frame = match self.reader.poll_frame(cx) {
                Poll::Ready(Ok(Some(frame))) => frame,
                Poll::Ready(Ok(None)) | Poll::Pending => return Ok(started),
                Poll::Ready(Err(error)) => {
                    self.closing = Some(error.into());
                    return Ok(started);
                }
            };
            started = true;
            self.options.metrics.requests.add(1);
            let (bytes, lease) = frame;
            let (service, session) = (self.service, &mut self.session);
            self.in_flight.start(cx, lease, |lease| service.call(session, bytes, lease))?;
            self.queue_replies();
        }
        Ok(started)
    }

    /// Moves the replies that are next in order to the outbound queue.
    fn queue_replies(&mut self) {
        loop {
            match self.in_flight.pop() {
                None => return,
                Some(Reply::None) => {}
                Some(Reply::Frame(frame)) => self.outbound.push_frame(frame),
                Some(Reply::Segments(segments)) => self.outbound.push_segments(segments),
                Some(Reply::Close { reason }) => {
                    self.closing = Some(CloseReason::Refused(reason));
                    self.in_flight = InFlight::default();
                }
            }
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) -> Result<bool, CloseReason> {
        if self.outbound.is_empty() {
            return Ok(false);
        }
        match self.outbound.poll_send(cx, &mut self.stream) {
            Poll::Pending => Ok(false),
            Poll::Ready(sent) => {
                let sent = sent?;
                self.moved += sent;
                self.options.metrics.bytes_out.add(sent);
                Ok(sent > 0)
            }
        }
    }

    fn fill(&mut self, cx: &mut Context<'_>) -> Result<bool, CloseReason> {
        // What has arrived is started first: a peer that sends faster than it is served must not fill the memory.
        let waits = !self.may_start() || self.reader.waits_for_budget() || self.reader.has_frame();
        if self.end_of_stream || (waits && !self.reader.may_read_ahead()) {
            return Ok(false);
        }
        match self.reader.poll_fill(cx, &mut self.stream) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Ok(0)) => self.end_of_stream = true,
            Poll::Ready(Ok(read)) => {
                self.moved += read as u64;
                self.options.metrics.bytes_in.add(read as u64);
            }
            Poll::Ready(Err(error)) => return Err(error.into()),
        }
        Ok(true)
    }

    /// Errors when the connection is over.
    fn check_end(&mut self) -> Result<(), CloseReason> {
        if self.closing.is_none() && self.end_of_stream && !self.reader.has_frame() {
            // Nobody is left to wait for the requests in flight; replies that are there still go out.
            self.closing = Some(CloseReason::PeerClosed);
            self.in_flight = InFlight::default();
        }
        if self.draining && self.closing.is_none() && self.in_flight.is_empty() {
            self.closing = Some(CloseReason::Stopping);
        }
        if self.outbound.is_empty() && self.in_flight.is_empty() {
            return self.closing.take().map_or(Ok(()), Err);
        }
        Ok(())
    }
}
