//! What happens next: events by virtual time, and in the order in which they were scheduled where times are equal.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Events to come.
#[derive(Debug)]
pub(crate) struct Scheduler<E> {
    heap: BinaryHeap<Entry<E>>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry<E> {
    at: Duration,
    sequence: u64,
    event: E,
}

impl<E> Default for Scheduler<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), sequence: 0 }
    }
}

impl<E> Scheduler<E> {
    /// Has `event` happen at `at`.
    pub(crate) fn push(&mut self, at: Duration, event: E) {
        self.sequence += 1;
        self.heap.push(Entry { at, sequence: self.sequence, event });
    }

    /// The next event, and when it happens.
    pub(crate) fn pop(&mut self) -> Option<(Duration, E)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }
}

impl<E> Entry<E> {
    const fn key(&self) -> (Duration, u64) {
        (self.at, self.sequence)
    }
}

/// The greatest of the heap is the first in time.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_then_in_the_order_they_were_scheduled_in() {
        let mut scheduler = Scheduler::default();
        for (ms, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (2, 'b')] {
            scheduler.push(Duration::from_millis(ms), event);
        }
        let order: String = std::iter::from_fn(|| scheduler.pop().map(|(_, event)| event)).collect();
        assert_eq!(order, "abcd");
    }
}
