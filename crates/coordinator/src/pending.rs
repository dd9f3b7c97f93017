//! Replies that wait for the high watermark.

use std::collections::VecDeque;
use std::time::Duration;

use ottla_env::Monotonic;
use ottla_types::Offset;

use crate::effects::RequestId;

/// Replies in the order of the offsets they were decided at.
///
/// ```text
///             high watermark
///                  │
///  ────────────────┼──────────────────────▶ Offset
///    released      │  41   44   44   50      decided at: log end offset after the decision's own records
/// ```
#[derive(Clone, Debug)]
pub struct PendingReplies<R> {
    queue: VecDeque<Waiting<R>>,
}

#[derive(Clone, Debug)]
struct Waiting<R> {
    offset: Offset,
    since: Monotonic,
    id: RequestId,
    response: R,
}

impl<R> Default for PendingReplies<R> {
    fn default() -> Self {
        Self { queue: VecDeque::new() }
    }
}

impl<R> PendingReplies<R> {
    /// Holds `response` until the high watermark is at `offset` or beyond. Offsets must not fall: one
    /// that does waits as long as its predecessor.
    pub fn hold(&mut self, offset: Offset, since: Monotonic, id: RequestId, response: R) {
        let offset = self.queue.back().map_or(offset, |last| last.offset.max(offset));
        self.queue.push_back(Waiting { offset, since, id, response });
    }

    /// Takes out what the high watermark `hw` allows to leave, in order.
    pub fn release(&mut self, hw: Offset) -> impl Iterator<Item = (RequestId, R)> + '_ {
        let count = self.queue.partition_point(|waiting| waiting.offset <= hw);
        self.queue.drain(..count).map(|waiting| (waiting.id, waiting.response))
    }

    /// Takes out what has waited for `timeout` at `now`. Its decision stands and may yet be committed;
    /// the answer must say that this is unknown.
    pub fn expire(&mut self, now: Monotonic, timeout: Duration) -> impl Iterator<Item = RequestId> + '_ {
        let count = self.queue.partition_point(|waiting| now.since(waiting.since) >= timeout);
        self.queue.drain(..count).map(|waiting| waiting.id)
    }

    /// Takes out everything.
    pub fn drain(&mut self) -> impl Iterator<Item = RequestId> + '_ {
        self.queue.drain(..).map(|waiting| waiting.id)
    }

    /// Since when the oldest one waits.
    pub fn oldest(&self) -> Option<Monotonic> {
        self.queue.front().map(|waiting| waiting.since)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn held(offsets: &[i64]) -> PendingReplies<i64> {
        let mut pending = PendingReplies::default();
        for (id, &offset) in offsets.iter().enumerate() {
            pending.hold(Offset(offset), Monotonic(id as u64), RequestId(id as u64), offset);
        }
        pending
    }

    #[test]
    fn a_reply_leaves_when_the_high_watermark_reaches_its_offset() {
        let mut pending = held(&[1, 4, 4, 9]);
        assert_eq!(pending.release(Offset(0)).count(), 0);
        assert_eq!(
            pending.release(Offset(4)).collect::<Vec<_>>(),
            [(RequestId(0), 1), (RequestId(1), 4), (RequestId(2), 4)]
        );
        assert_eq!(pending.release(Offset(8)).count(), 0);
        assert_eq!(pending.len(), 1);
    }

    #[test]
    fn replies_that_waited_too_long_are_given_up_oldest_first() {
        let mut pending = held(&[5, 5, 5]);
        let timeout = Duration::from_nanos(10);
        assert_eq!(pending.expire(Monotonic(9), timeout).count(), 0);
        assert_eq!(pending.expire(Monotonic(11), timeout).collect::<Vec<_>>(), [RequestId(0), RequestId(1)]);
        assert_eq!(pending.oldest(), Some(Monotonic(2)));
        assert_eq!(pending.drain().collect::<Vec<_>>(), [RequestId(2)]);
        assert!(pending.is_empty());
    }

    proptest! {
        /// Each reply leaves exactly once, in order, and never before its own offset.
        #[test]
        fn each_leaves_once_in_order_and_not_early(
            offsets in prop::collection::vec(0_i64..50, 0..40),
            mut marks in prop::collection::vec(0_i64..60, 0..10),
        ) {
            marks.sort_unstable();
            marks.push(i64::MAX);
            let mut pending = held(&offsets);
            let mut seen = Vec::new();
            for mark in marks {
                for (id, offset) in pending.release(Offset(mark)) {
                    prop_assert!(offset <= mark);
                    seen.push(id.0);
                }
            }
            prop_assert_eq!(seen, (0..offsets.len() as u64).collect::<Vec<_>>());
        }
    }
}
