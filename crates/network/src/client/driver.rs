//! The loop of an outgoing connection.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use ottla_protocol::frame::peek_correlation_id;
use tokio::sync::{mpsc, oneshot, watch};

use crate::client::{ClientOptions, ConnectionEnd};
use crate::frame::FrameReader;
use crate::outbound::Outbound;
use crate::{ReplySegment, RequestBudget, Transport};

/// Unsent bytes above which further requests wait.
const MAX_UNSENT: u64 = 4 * 1024 * 1024;

/// A request to send.
pub(crate) struct Outgoing {
    /// Length, header, body.
    pub(crate) frame: Vec<Bytes>,
    /// Who waits for the response with which correlation id.
    pub(crate) reply: Option<(i32, oneshot::Sender<Bytes>)>,
}

pub(crate) async fn run<T: Transport>(
    stream: T,
    commands: mpsc::Receiver<Outgoing>,
    options: ClientOptions,
    ended: watch::Sender<Option<ConnectionEnd>>,
) {
    let metrics = options.metrics.clone();
    metrics.connections.add(1);
    let mut driver = Driver {
        stream,
        commands,
        reader: FrameReader::new(options.max_response_bytes, RequestBudget::unlimited()),
        options,
        outbound: Outbound::default(),
        waiting: VecDeque::new(),
    };
    let end = poll_fn(|cx| driver.poll(cx)).await;
    // First the reason, then the senders: whoever finds the response missing, finds out why.
    ended.send_replace(Some(end));
    drop(driver);
    metrics.connections.sub(1);
}

struct Driver<T> {
    stream: T,
    commands: mpsc::Receiver<Outgoing>,
    reader: FrameReader,
    options: ClientOptions,
    outbound: Outbound,
    /// Who waits for a response, in the order of the requests.
    waiting: VecDeque<(i32, oneshot::Sender<Bytes>)>,
}

impl<T: Transport> Driver<T> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionEnd> {
        match self.poll_steps(cx) {
            Ok(()) => Poll::Pending,
            Err(end) => Poll::Ready(end),
        }
    }

    fn poll_steps(&mut self, cx: &mut Context<'_>) -> Result<(), ConnectionEnd> {
        loop {
            self.take_requests(cx)?;
            let mut progress = self.send(cx)?;
            progress |= self.receive(cx)?;
            if !progress {
                return Ok(());
            }
        }
    }

    fn take_requests(&mut self, cx: &mut Context<'_>) -> Result<(), ConnectionEnd> {
        while self.waiting.len() < self.options.max_in_flight && self.outbound.unsent() < MAX_UNSENT {
            match self.commands.poll_recv(cx) {
                Poll::Pending => break,
                // Every clone is gone, and with it everybody who could wait; what is queued still leaves.
                Poll::Ready(None) if self.outbound.is_empty() => return Err(ConnectionEnd::Unused),
                Poll::Ready(None) => break,
                Poll::Ready(Some(Outgoing { frame, reply })) => {
                    self.options.metrics.requests.add(1);
                    self.outbound.push_segments(frame.into_iter().map(ReplySegment::Bytes).collect());
                    self.waiting.extend(reply);
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, cx: &mut Context<'_>) -> Result<bool, ConnectionEnd> {
        if self.outbound.is_empty() {
            return Ok(false);
        }
        match self.outbound.poll_send(cx, &mut self.stream) {
            Poll::Pending => Ok(false),
            Poll::Ready(sent) => {
                let sent = sent?;
                self.options.metrics.bytes_out.add(sent);
                Ok(sent > 0)
            }
        }
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> Result<bool, ConnectionEnd> {
        let read = match self.reader.poll_fill(cx, &mut self.stream) {
            Poll::Pending => return Ok(false),
            Poll::Ready(read) => read?,
        };
        if read == 0 {
            return Err(ConnectionEnd::Closed);
        }
        self.options.metrics.bytes_in.add(read as u64);
        loop {
            match self.reader.poll_frame(cx) {
                Poll::Ready(Ok(Some((frame, _)))) => self.deliver(frame)?,
                Poll::Ready(Ok(None)) | Poll::Pending => break,
                Poll::Ready(Err(error)) => return Err(ConnectionEnd::Protocol(error.to_string())),
            }
        }
        if self.waiting.is_empty() {
            self.reader.shrink();
        }
        Ok(true)
    }

    fn deliver(&mut self, frame: Bytes) -> Result<(), ConnectionEnd> {
        let id = peek_correlation_id(&frame).map_err(|error| ConnectionEnd::Protocol(error.to_string()))?;
        match self.waiting.pop_front() {
            Some((expected, reply)) if expected == id => {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(frame);
                Ok(())
            }
            Some((expected, _)) => Err(ConnectionEnd::Protocol(format!(
                "response to correlation id {id} where {expected} is due"
            ))),
            None => Err(ConnectionEnd::Protocol(format!("response to correlation id {id} that nobody sent"))),
        }
    }
}
