//! The requests of one connection that have started and whose replies are not queued yet, in order.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use crate::{Call, CloseReason, Lease, Reply, ReplyFuture};

#[derive(Default)]
pub(crate) struct InFlight {
    slots: VecDeque<Slot>,
    bytes: u64,
    /// Slots whose successors must wait.
    barriers: usize,
}

struct Slot {
    state: State,
    /// What the request holds of the budget, until its reply is queued.
    lease: Lease,
}

enum State {
    Waiting { reply: ReplyFuture, may_pipeline: bool },
    Answered(Reply),
}

impl InFlight {
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Bytes of the requests.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether all requests in flight let the next one start.
    pub(crate) fn may_pipeline(&self) -> bool {
        self.barriers == 0
    }

    /// Gives memory back that a burst left behind.
    pub(crate) fn shrink(&mut self) {
        if self.slots.is_empty() {
            self.slots = VecDeque::new();
        }
    }

    /// Starts a request: `call` and the first poll of its future happen here, in the order of arrival.
    pub(crate) fn start(
        &mut self,
        cx: &mut Context<'_>,
        mut lease: Lease,
        call: impl FnOnce(&mut Lease) -> Call,
    ) -> Result<(), CloseReason> {
        let state = match guard(|| call(&mut lease))? {
            Call::Ready(reply) => State::Answered(reply),
            Call::Pending { mut reply, may_pipeline } => match guard(|| reply.as_mut().poll(cx))? {
                Poll::Ready(reply) => State::Answered(reply),
                Poll::Pending => State::Waiting { reply, may_pipeline },
            },
        };
        self.barriers += usize::from(state.is_barrier());
        self.bytes += lease.held() as u64;
        self.slots.push_back(Slot { state, lease });
        Ok(())
    }

    /// Polls every request that has no reply yet.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Result<(), CloseReason> {
        for slot in &mut self.slots {
            let State::Waiting { reply, .. } = &mut slot.state else { continue };
            if let Poll::Ready(reply) = guard(|| reply.as_mut().poll(cx))? {
                self.barriers -= usize::from(slot.state.is_barrier());
                slot.state = State::Answered(reply);
            }
        }
        Ok(())
    }

    /// The oldest request's reply, if it has one.
    pub(crate) fn pop(&mut self) -> Option<Reply> {
        let Some(Slot { state: State::Answered(_), .. }) = self.slots.front() else { return None };
        let slot = self.slots.pop_front()?;
        self.bytes -= slot.lease.held() as u64;
        match slot.state {
            State::Answered(reply) => Some(reply),
            State::Waiting { .. } => None,
        }
    }
}

impl State {
    fn is_barrier(&self) -> bool {
        matches!(self, Self::Waiting { may_pipeline: false, .. })
    }
}

/// Runs a piece of the service. What it shares with others is its own to keep whole: a partition or shard that
/// panicked while locked takes itself offline.
fn guard<T>(run: impl FnOnce() -> T) -> Result<T, CloseReason> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| CloseReason::Panicked(message(&*panic)))
}

fn message(panic: &(dyn Any + Send)) -> String {
    if let Some(message) = panic.downcast_ref::<&str>() {
        return (*message).to_owned();
    }
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "no message".to_owned())
}
