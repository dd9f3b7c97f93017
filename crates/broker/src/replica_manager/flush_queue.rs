//! Which partitions are to be synced, and by when. Sync threads take them in order of deadline; appends that arrive
//! while a partition is being synced share its next sync (group commit, docs/adr/0002-durability.md).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
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

/// Keyed work with deadlines. `T` is shared with the sync threads that run it.
#[derive(Debug)]
pub(crate) struct FlushQueue<T> {
    inner: Mutex<Inner<T>>,
    wake: Condvar,
}

#[derive(Debug)]
struct Inner<T> {
    due: VecDeque<Arc<T>>,
    later: BinaryHeap<Reverse<Later<T>>>,
    sequence: u64,
    closed: bool,
}

#[derive(Debug)]
struct Later<T> {
    deadline: Instant,
    sequence: u64,
    item: Arc<T>,
}

impl<T> PartialEq for Later<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Later<T> {}

impl<T> PartialOrd for Later<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Later<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.deadline, self.sequence).cmp(&(other.deadline, other.sequence))
    }
}

impl<T> Default for FlushQueue<T> {
    fn default() -> Self {
        let inner = Inner { due: VecDeque::new(), later: BinaryHeap::new(), sequence: 0, closed: false };
        Self { inner: Mutex::new(inner), wake: Condvar::new() }
    }
}

impl<T> FlushQueue<T> {
    /// Queues `item`. The caller sees to it that an item is not queued twice for the same deadline.
    pub(crate) fn push(&self, item: Arc<T>, by: FlushBy) {
        let mut inner = self.inner.lock();
        match by {
            FlushBy::Now => inner.due.push_back(item),
            FlushBy::Within(wait) => {
                inner.sequence += 1;
                let later = Later { deadline: Instant::now() + wait, sequence: inner.sequence, item };
                inner.later.push(Reverse(later));
            }
        }
        drop(inner);
        self.wake.notify_one();
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
                return inner.later.pop().map(|Reverse(later)| later.item);
            }
            match inner.later.peek().map(|Reverse(later)| later.deadline) {
                None => self.wake.wait(&mut inner),
                Some(deadline) if deadline <= Instant::now() => {
                    let item = inner.later.pop().map(|Reverse(later)| later.item);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_items_come_before_later_ones() {
        let queue = FlushQueue::default();
        queue.push(Arc::new("later"), FlushBy::Within(Duration::ZERO));
        queue.push(Arc::new("now"), FlushBy::Now);
        assert_eq!(queue.take().as_deref(), Some(&"now"));
        assert_eq!(queue.take().as_deref(), Some(&"later"));
    }

    #[test]
    fn closing_hands_out_the_rest_first() {
        let queue = FlushQueue::default();
        queue.push(Arc::new(1), FlushBy::Within(Duration::from_secs(3600)));
        queue.push(Arc::new(2), FlushBy::Within(Duration::from_secs(1800)));
        queue.close();
        assert_eq!(
            [queue.take(), queue.take(), queue.take()].map(|i| i.map(|i| *i)),
            [Some(2), Some(1), None]
        );
    }
}
