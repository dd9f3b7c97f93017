//! One share of the bytes that request bodies may take up, and the line of those that wait for some.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A number of bytes, shared by all connections of a process.
///
/// A body is admitted in steps as its bytes arrive, first come first served. Because many half-received bodies
/// could wait for each other for ever, the first in line may overdraw: at most one lease at a time, so that
/// the total stays below `limit` plus one request.
#[derive(Debug)]
pub(crate) struct Share {
    limit: usize,
    used: AtomicUsize,
    /// Entries in `Line::waiters`; while there are any, nobody overtakes them.
    waiting: AtomicUsize,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    next_ticket: u64,
    waiters: BTreeMap<u64, Waiter>,
    overdrawn: bool,
}

#[derive(Debug)]
struct Waiter {
    bytes: usize,
    waker: Waker,
    granted: Option<Grant>,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    overdraft: bool,
}

impl Share {
    /// A share of `limit` bytes.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            line: Mutex::new(Line::default()),
        })
    }

    /// Bytes held by requests at this moment.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Connections that wait for bytes at this moment.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A lease of nothing yet.
    pub(crate) fn lease(self: &Arc<Self>) -> Lease {
        Lease { share: Arc::clone(self), held: 0, overdraft: false, ticket: None }
    }

    fn try_take(&self, bytes: usize) -> bool {
        let room = |used: usize| used.checked_add(bytes).filter(|total| *total <= self.limit);
        self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, room).is_ok()
    }

    fn give_back(&self, bytes: usize, overdraft: bool) {
        self.used.fetch_sub(bytes, Ordering::SeqCst);
        if overdraft || self.waiting.load(Ordering::SeqCst) > 0 {
            let mut line = self.line();
            line.overdrawn &= !overdraft;
            self.serve(&mut line);
        }
    }

    /// Grants from the head of the line for as long as there is room.
    fn serve(&self, line: &mut Line) {
        let Line { waiters, overdrawn, .. } = line;
        for waiter in waiters.values_mut().filter(|waiter| waiter.granted.is_none()) {
            let overdraft = !self.try_take(waiter.bytes);
            if overdraft {
                if *overdrawn {
                    return;
                }
                *overdrawn = true;
                self.used.fetch_add(waiter.bytes, Ordering::SeqCst);
            }
            waiter.granted = Some(Grant { overdraft });
            waiter.waker.wake_by_ref();
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes that one request holds; given back when dropped.
#[derive(Debug)]
pub struct Lease {
    share: Arc<Share>,
    held: usize,
    overdraft: bool,
    /// Place in line and the bytes asked for.
    ticket: Option<(u64, usize)>,
}

impl Lease {
    /// Bytes held.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Whether it stands in line for more.
    pub fn is_waiting(&self) -> bool {
        self.ticket.is_some()
    }

    /// Adds `bytes`, waiting in line when there is no room. Ask again with the same number until it is ready.
    pub fn poll_grow(&mut self, cx: &mut Context<'_>, bytes: usize) -> Poll<()> {
        if let Some((ticket, asked)) = self.ticket {
            return self.poll_ticket(cx, ticket, asked);
        }
        if self.overdraft {
            self.share.used.fetch_add(bytes, Ordering::SeqCst);
            self.held += bytes;
            return Poll::Ready(());
        }
        let nobody_waits = self.share.waiting.load(Ordering::SeqCst) == 0;
        if nobody_waits && self.share.try_take(bytes) {
            self.held += bytes;
            return Poll::Ready(());
        }
        let ticket = self.stand_in_line(cx, bytes);
        self.poll_ticket(cx, ticket, bytes)
    }

    /// Adds what a request takes besides its bytes, such as the containers that they were decoded into. It does not
    /// wait, for the memory is taken already: those in line wait for longer.
    pub fn charge(&mut self, bytes: usize) {
        self.share.used.fetch_add(bytes, Ordering::SeqCst);
        self.held += bytes;
    }

    fn stand_in_line(&mut self, cx: &Context<'_>, bytes: usize) -> u64 {
        let mut line = self.share.line();
        let ticket = line.next_ticket;
        line.next_ticket += 1;
        line.waiters.insert(ticket, Waiter { bytes, waker: cx.waker().clone(), granted: None });
        // Counted before the attempt inside `serve`: whoever gives back after it, sees us.
        self.share.waiting.fetch_add(1, Ordering::SeqCst);
        self.share.serve(&mut line);
        drop(line);
        self.ticket = Some((ticket, bytes));
        ticket
    }

    fn poll_ticket(&mut self, cx: &Context<'_>, ticket: u64, bytes: usize) -> Poll<()> {
        let mut line = self.share.line();
        let Some(waiter) = line.waiters.get_mut(&ticket) else {
            return Poll::Pending; // not reachable: only this lease removes its ticket
        };
        let Some(grant) = waiter.granted else {
            waiter.waker.clone_from(cx.waker());
            return Poll::Pending;
        };
        line.waiters.remove(&ticket);
        self.share.waiting.fetch_sub(1, Ordering::SeqCst);
        drop(line);
        self.ticket = None;
        self.overdraft |= grant.overdraft;
        self.held += bytes;
        Poll::Ready(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut bytes = self.held;
        let mut overdraft = self.overdraft;
        if let Some((ticket, asked)) = self.ticket {
            let left = self.share.line().waiters.remove(&ticket);
            self.share.waiting.fetch_sub(1, Ordering::SeqCst);
            if let Some(grant) = left.and_then(|waiter| waiter.granted) {
                bytes += asked;
                overdraft |= grant.overdraft;
            }
        }
        if bytes > 0 || overdraft || self.ticket.is_some() {
            self.share.give_back(bytes, overdraft);
        }
    }
}

#[cfg(test)]
#[path = "share_test.rs"]
mod tests;
