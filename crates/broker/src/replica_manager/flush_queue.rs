//! Which partitions are to be synced, and by when. Sync threads take them in order of deadline; appends that arrive
//! while a partition is being synced share its next sync (group commit, docs/adr/0002-durability.md).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// When a partition must be synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlushBy {
    /// At once: an acknowledgement waits for it.
    Now,
    /// Within the time given.
    Within(Duration),
}

/// Names what is queued for later, by when it is due.
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
}

#[derive(Debug)]
struct Inner<T> {
    due: VecDeque<Arc<T>>,
    later: BTreeMap<Ticket, Arc<T>>,
    sequence: u64,
    closed: bool,
}

impl<T> Default for FlushQueue<T> {
    fn default() -> Self {
        let inner = Inner { due: VecDeque::new(), later: BTreeMap::new(), sequence: 0, closed: false };
        Self { inner: Mutex::new(inner), wake: Condvar::new() }
    }
}

impl<T> FlushQueue<T> {
    /// Queues `item` in the place of `former`, if that still waits. The caller sees to it that an item is queued once.
    pub(crate) fn push(&self, item: Arc<T>, by: FlushBy, former: Option<Ticket>) -> Option<Ticket> {
        let mut inner = self.inner.lock();
        former.and_then(|former| inner.later.remove(&former));
        let ticket = match by {
            FlushBy::Now => {
                inner.due.push_back(item);
                None
            }
            FlushBy::Within(wait) => {
                inner.sequence += 1;
                let ticket = Ticket { deadline: Instant::now() + wait, sequence: inner.sequence };
                inner.later.insert(ticket, item);
                Some(ticket)
            }
        };
        drop(inner);
        self.wake.notify_one();
        ticket
    }

    /// Takes back what was queued for later, if it still waits.
    pub(crate) fn cancel(&self, ticket: Ticket) {
        let cancelled = self.inner.lock().later.remove(&ticket);
        // What it held may go with it: not under the lock.
        drop(cancelled);
    }

    /// Waits for the next item; `None` once closed and empty of what is due.
    pub(crate) fn take(&self) -> Option<Arc<T>> {
        let mut inner = self.inner.lock();
        loop {
            if let Some(item) = inner.due.pop_front() {
                // This thread may be the one that watched the next deadline: somebody else has to.
                if !(inner.due.is_empty() && inner.later.is_empty()) {
                    self.wake.notify_one();
                }
                return Some(item);
            }
            if inner.closed {
                return inner.later.pop_first().map(|(_, item)| item);
            }
            match inner.later.first_key_value().map(|(ticket, _)| ticket.deadline) {
                None => self.wake.wait(&mut inner),
                Some(deadline) if deadline <= Instant::now() => {
                    let item = inner.later.pop_first().map(|(_, item)| item);
                    if !inner.later.is_empty() {
                        self.wake.notify_one();
                    }
                    return item;
                }
                Some(deadline) => {
                    self.wake.wait_until(&mut inner, deadline);
                }
            }
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
        let inner = self.inner.lock();
        inner.due.len() + inner.later.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_items_come_before_later_ones() {
        let queue = FlushQueue::default();
        queue.push(Arc::new("later"), FlushBy::Within(Duration::ZERO), None);
        queue.push(Arc::new("now"), FlushBy::Now, None);
        assert_eq!(queue.take().as_deref(), Some(&"now"));
        assert_eq!(queue.take().as_deref(), Some(&"later"));
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
        let soon = queue.push(Arc::new("a"), FlushBy::Within(Duration::ZERO), late);
        assert!(soon < late && queue.len() == 1);
        assert_eq!(queue.take().as_deref(), Some(&"a"));
        // The former was taken already.
        let late = queue.push(Arc::new("a"), hour, soon);
        queue.push(Arc::new("a"), FlushBy::Now, late);
        assert_eq!(queue.len(), 1);
        late.into_iter().for_each(|late| queue.cancel(late));
        assert_eq!(queue.len(), 1);
    }
}
