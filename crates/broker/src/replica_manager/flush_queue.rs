//! Which partitions are to be synced, and by when. Sync threads take them in order of deadline; appends that arrive
//! while a partition is being synced share its next sync (group commit, docs/adr/0002-durability.md).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ottla_telemetry::Timer;
use parking_lot::{Condvar, Mutex};

/// When a partition must be synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlushBy {
    /// At once: an acknowledgement waits for it.
    Now,
    /// Within the time given.
    Within(Duration),
}

/// Names what is queued, by when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    deadline: Instant,
    sequence: u64,
}

impl Ticket {
    /// Whether it is due within `wait` from now.
    pub(crate) fn is_due_within(&self, wait: Duration) -> bool {
        self.deadline <= Instant::now() + wait
    }
}

/// Work with deadlines. `T` is shared with the sync threads that run it.
#[derive(Debug)]
pub(crate) struct FlushQueue<T> {
    inner: Mutex<Inner<T>>,
    wake: Condvar,
    /// How long its syncs take.
    pub(crate) times: Timer,
}

#[derive(Debug)]
struct Inner<T> {
    /// The first is due first. What is wanted at once is due when it was queued: it does not overtake what is overdue.
    queued: BTreeMap<Ticket, Arc<T>>,
    sequence: u64,
    closed: bool,
}

impl<T> Default for FlushQueue<T> {
    fn default() -> Self {
        let inner = Inner { queued: BTreeMap::new(), sequence: 0, closed: false };
        Self { inner: Mutex::new(inner), wake: Condvar::new(), times: Timer::default() }
    }
}

impl<T> FlushQueue<T> {
    /// Queues `item` in the place of `former`, if that still waits. The caller sees to it that an item is queued once.
    pub(crate) fn push(&self, item: Arc<T>, by: FlushBy, former: Option<Ticket>) -> Ticket {
        let wait = match by {
            FlushBy::Now => Duration::ZERO,
            FlushBy::Within(wait) => wait,
        };
        let mut inner = self.inner.lock();
        former.and_then(|former| inner.queued.remove(&former));
        inner.sequence += 1;
        let ticket = Ticket { deadline: Instant::now() + wait, sequence: inner.sequence };
        inner.queued.insert(ticket, item);
        drop(inner);
        self.wake.notify_one();
        ticket
    }

    /// Takes back what was queued, if it still waits.
    pub(crate) fn cancel(&self, ticket: Ticket) {
        let cancelled = self.inner.lock().queued.remove(&ticket);
        // What it held may go with it: not under the lock.
        drop(cancelled);
    }

    /// Waits for the next item; `None` once closed and empty.
    pub(crate) fn take(&self) -> Option<Arc<T>> {
        let mut inner = self.inner.lock();
        loop {
            let Some(deadline) = inner.queued.first_key_value().map(|(ticket, _)| ticket.deadline) else {
                if inner.closed {
                    return None;
                }
                self.wake.wait(&mut inner);
                continue;
            };
            if deadline > Instant::now() && !inner.closed {
                self.wake.wait_until(&mut inner, deadline);
                continue;
            }
            let item = inner.queued.pop_first().map(|(_, item)| item);
            // This thread may be the one that watched the next deadline: somebody else has to.
            if !inner.queued.is_empty() {
                self.wake.notify_one();
            }
            return item;
        }
    }

    /// Lets the sync threads finish what is queued and stop.
    pub(crate) fn close(&self) {
        self.inner.lock().closed = true;
        self.wake.notify_all();
    }

    /// How much is queued.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.inner.lock().queued.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_in_order_and_before_what_is_not() {
        let queue = FlushQueue::default();
        queue.push(Arc::new("later"), FlushBy::Within(Duration::from_secs(3600)), None);
        queue.push(Arc::new("overdue"), FlushBy::Within(Duration::ZERO), None);
        queue.push(Arc::new("now"), FlushBy::Now, None);
        // However much is wanted at once, what was due before it is not put off.
        assert_eq!(queue.take().as_deref(), Some(&"overdue"));
        queue.push(Arc::new("now again"), FlushBy::Now, None);
        assert_eq!(queue.take().as_deref(), Some(&"now"));
        assert_eq!(queue.take().as_deref(), Some(&"now again"));
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn closing_hands_out_the_rest_first() {
        let queue = FlushQueue::default();
        queue.push(Arc::new(1), FlushBy::Within(Duration::from_secs(3600)), None);
        queue.push(Arc::new(2), FlushBy::Within(Duration::from_secs(1800)), None);
        queue.close();
        assert_eq!(
            [queue.take(), queue.take(), queue.take()].map(|i| i.map(|i| *i)),
            [Some(2), Some(1), None]
        );
    }

    #[test]
    fn another_deadline_takes_the_place_of_the_former() {
        let queue = FlushQueue::default();
        let hour = FlushBy::Within(Duration::from_secs(3600));
        let late = queue.push(Arc::new("a"), hour, None);
        let soon = queue.push(Arc::new("a"), FlushBy::Within(Duration::ZERO), Some(late));
        assert!(soon < late && queue.len() == 1);
        assert_eq!(queue.take().as_deref(), Some(&"a"));
        // The former was taken already.
        let late = queue.push(Arc::new("a"), hour, Some(soon));
        queue.push(Arc::new("a"), FlushBy::Now, Some(late));
        assert_eq!(queue.len(), 1);
        queue.cancel(late);
        assert_eq!(queue.len(), 1);
    }
}
