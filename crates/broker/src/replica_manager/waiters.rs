//! Who waits for a partition: producers for the high watermark to pass their records, fetches for anything new.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use ottla_types::Offset;
use parking_lot::Mutex;
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

/// Appends whose records are not committed yet, by the offset that they wait for. On a follower, where nothing is produced:
/// what was fetched and is not synced yet.
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

/// A parked fetch, and which of its partitions have moved since it last looked: only those are worth another look.
#[derive(Debug, Default)]
pub(crate) struct ParkedFetch {
    wake: Notify,
    moved: Mutex<BTreeSet<usize>>,
}

impl ParkedFetch {
    /// Waits for a partition to move, and gives the places of those that have.
    pub(crate) async fn moved(&self) -> BTreeSet<usize> {
        self.wake.notified().await;
        self.take_moved()
    }

    /// The places of the partitions that have moved.
    pub(crate) fn take_moved(&self) -> BTreeSet<usize> {
        std::mem::take(&mut *self.moved.lock())
    }

    fn mark(&self, place: usize) {
        self.moved.lock().insert(place);
        // Keeps a permit if the waiter is not polling yet.
        self.wake.notify_one();
    }
}

/// The parked fetches of a partition, woken by any progress. A waiter registers before it reads, so that no wake-up is lost.
#[derive(Debug, Default)]
pub(crate) struct FetchWaiters {
    next_id: u64,
    /// With the partition's place in the fetch.
    parked: HashMap<u64, (Arc<ParkedFetch>, usize)>,
    /// Those that read up to the log's end.
    followers: BTreeSet<u64>,
}

impl FetchWaiters {
    pub(crate) fn register(&mut self, fetch: Arc<ParkedFetch>, place: usize) -> u64 {
        self.next_id += 1;
        self.parked.insert(self.next_id, (fetch, place));
        self.next_id
    }

    /// The same for a follower's fetch.
    pub(crate) fn register_follower(&mut self, fetch: Arc<ParkedFetch>, place: usize) -> u64 {
        let id = self.register(fetch, place);
        self.followers.insert(id);
        id
    }

    pub(crate) fn deregister(&mut self, id: u64) {
        self.followers.remove(&id);
        self.parked.remove(&id);
        if self.parked.is_empty() {
            self.parked.shrink_to_fit();
        }
    }

    /// The log grew, and no more than that.
    pub(crate) fn wake_followers(&self) {
        for (fetch, place) in self.followers.iter().filter_map(|id| self.parked.get(id)) {
            fetch.mark(*place);
        }
    }

    pub(crate) fn wake_all(&self) {
        for (fetch, place) in self.parked.values() {
            fetch.mark(*place);
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
    async fn a_wake_up_before_the_wait_is_kept_and_says_who_moved() {
        let fetch = Arc::new(ParkedFetch::default());
        let mut partitions: [FetchWaiters; 3] = Default::default();
        let ids: Vec<_> = (0..3).map(|place| partitions[place].register(Arc::clone(&fetch), place)).collect();
        partitions[2].wake_all();
        partitions[0].wake_all();
        partitions[2].wake_all();
        assert_eq!(fetch.moved().await, [0, 2].into());
        assert!(fetch.take_moved().is_empty());
        for (partition, id) in partitions.iter_mut().zip(ids) {
            partition.deregister(id);
            assert!(partition.parked.is_empty());
        }
    }
}
