//! Who waits for a partition: producers for the high watermark to pass their records, fetches for anything new.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use ottla_types::Offset;
use tokio::sync::{Notify, oneshot};

/// How the wait of an acks=all append ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AckOutcome {
    /// Committed on enough replicas.
    Committed,
    /// Committed, but fewer than `min.insync.replicas` are in sync.
    NotEnoughReplicasAfterAppend,
    /// Another broker leads now; whether the records stay is for the new leader to say.
    NotLeader,
    /// The log failed before the records were durable.
    StorageFailed,
}

/// Appends whose records are not committed yet, by the offset that they wait for.
#[derive(Debug, Default)]
pub(crate) struct AckWaiters(VecDeque<(Offset, oneshot::Sender<AckOutcome>)>);

impl AckWaiters {
    /// Waits until the high watermark reaches `required`, one past the last record.
    pub(crate) fn wait_for(&mut self, required: Offset) -> oneshot::Receiver<AckOutcome> {
        let (done, wait) = oneshot::channel();
        // Nearly always the last; a batch that was sent twice waits for where it was put the first time.
        let at = self.0.partition_point(|(other, _)| *other <= required);
        self.0.insert(at, (required, done));
        wait
    }

    /// Answers those that `high_watermark` has reached.
    pub(crate) fn release(&mut self, high_watermark: Offset, outcome: AckOutcome) {
        while self.0.front().is_some_and(|(required, _)| *required <= high_watermark) {
            if let Some((_, done)) = self.0.pop_front() {
                // The producer may have given up.
                let _ = done.send(outcome);
            }
        }
    }

    /// Answers all.
    pub(crate) fn fail(&mut self, outcome: AckOutcome) {
        self.release(Offset(i64::MAX), outcome);
    }
}

/// Parked fetches, woken by any progress. A waiter registers before it reads, so that no wake-up is lost.
#[derive(Debug, Default)]
pub(crate) struct FetchWaiters {
    next_id: u64,
    parked: HashMap<u64, Arc<Notify>>,
}

impl FetchWaiters {
    pub(crate) fn register(&mut self, wake: Arc<Notify>) -> u64 {
        self.next_id += 1;
        self.parked.insert(self.next_id, wake);
        self.next_id
    }

    pub(crate) fn deregister(&mut self, id: u64) {
        self.parked.remove(&id);
        if self.parked.is_empty() {
            self.parked.shrink_to_fit();
        }
    }

    pub(crate) fn wake_all(&self) {
        for wake in self.parked.values() {
            // Keeps a permit if the waiter is not polling yet.
            wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acks_are_released_in_order_up_to_the_high_watermark() {
        let mut waiters = AckWaiters::default();
        let mut first = waiters.wait_for(Offset(5));
        let mut second = waiters.wait_for(Offset(9));
        waiters.release(Offset(4), AckOutcome::Committed);
        assert!(first.try_recv().is_err());
        waiters.release(Offset(5), AckOutcome::Committed);
        assert_eq!(first.try_recv(), Ok(AckOutcome::Committed));
        assert!(second.try_recv().is_err());
        waiters.fail(AckOutcome::NotLeader);
        assert_eq!(second.try_recv(), Ok(AckOutcome::NotLeader));
    }

    #[test]
    fn a_batch_that_was_sent_twice_does_not_wait_for_later_ones() {
        let mut waiters = AckWaiters::default();
        let _first = waiters.wait_for(Offset(5));
        let mut second = waiters.wait_for(Offset(9));
        let mut first_again = waiters.wait_for(Offset(5));
        waiters.release(Offset(5), AckOutcome::Committed);
        assert_eq!(first_again.try_recv(), Ok(AckOutcome::Committed));
        assert!(second.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_wake_up_before_the_wait_is_kept() {
        let mut waiters = FetchWaiters::default();
        let wake = Arc::new(Notify::new());
        let id = waiters.register(Arc::clone(&wake));
        waiters.wake_all();
        wake.notified().await;
        waiters.deregister(id);
        assert!(waiters.parked.is_empty());
    }
}
