//! Partitions whose folders are being opened. Opening recovers what was not synced, which takes as long as the disk
//! needs, so it happens off the runtime, a few at a time (`num.recovery.threads.per.data.dir`), and the broker serves
//! meanwhile: a request for a partition that is not open yet has it opened next.
//!
//! ```text
//!  apply ──▶ queued ──▶ opening ──▶ installed: serves            failed: damaged
//!               │          │
//!               └──────────┴─ later changes replace its target: another state, another topic of the name, nothing
//! ```

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ottla_metadata::LocalChange;
use ottla_types::{PartitionIndex, TopicId, TopicName, TopicPartition};
use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;
use tokio::time::Instant;

use super::ReplicaManager;
use super::apply::{Unopened, id_of};
use crate::effective_configs::PartitionConfig;

/// More workers than were asked for: what a request waits for shall not wait for the recovery of another partition.
const FOR_THE_AWAITED: usize = 2;

/// The partitions that are not open yet.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    queue: Mutex<Queue>,
    one_ended: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    entries: HashMap<TopicPartition, Entry>,
    /// Whose turn it is, first to last. May name some that are done or under way: they are passed over.
    turns: VecDeque<TopicPartition>,
    workers: usize,
    closed: bool,
}

#[derive(Debug)]
struct Entry {
    /// What shall be there in the end; `None`: nothing, the partition was removed meanwhile.
    target: Option<Target>,
    under_way: bool,
    /// It was put before the others.
    hurried: bool,
    /// Dropped with the entry, which ends every wait.
    done: watch::Sender<()>,
}

/// A partition as it shall be once it is open.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) change: LocalChange,
    pub(super) config: Arc<PartitionConfig>,
}

impl Target {
    pub(super) fn topic_id(&self) -> TopicId {
        self.change.topic.id
    }

    fn at(&self) -> TopicPartition {
        TopicPartition::new(self.change.topic.name.clone(), self.change.index)
    }
}

impl Opening {
    /// Queues a partition.
    pub(super) fn add(&self, target: Target) {
        let at = target.at();
        let mut queue = self.queue.lock();
        queue.turns.push_back(at.clone());
        let done = watch::Sender::new(());
        let entry = Entry { target: Some(target), under_way: false, hurried: false, done };
        queue.entries.insert(at, entry);
    }

    /// Whether one more worker should run, of at most `most`, and a few more while a request waits for a partition that has not
    /// had its turn; counts it if so.
    pub(super) fn needs_worker(&self, most: usize) -> bool {
        let mut queue = self.queue.lock();
        if queue.workers >= most + FOR_THE_AWAITED {
            return false;
        }
        let (mut waiting, mut is_awaited) = (0, false);
        for entry in queue.entries.values().filter(|entry| !entry.under_way) {
            waiting += 1;
            is_awaited |= entry.hurried;
        }
        let most = if is_awaited { most + FOR_THE_AWAITED } else { most };
        let wanted = !queue.closed && queue.workers < most.min(waiting);
        queue.workers += usize::from(wanted);
        wanted
    }

    /// The next partition to open; `None` ends the worker.
    pub(super) fn take(&self) -> Option<Target> {
        let mut queue = self.queue.lock();
        let queue = &mut *queue;
        while let Some(at) = queue.turns.pop_front().filter(|_| !queue.closed) {
            let Some(entry) = queue.entries.get_mut(&at).filter(|entry| !entry.under_way) else { continue };
            if let Some(target) = &entry.target {
                entry.under_way = true;
                return Some(target.clone());
            }
            queue.entries.remove(&at);
        }
        queue.workers -= 1;
        self.one_ended.notify_all();
        None
    }

    /// What shall be there by now, where [`Opening::take`] had given another target. Waits go on until [`Opening::end`].
    pub(super) fn target(&self, at: &TopicPartition) -> Option<Target> {
        self.queue.lock().entries.get(at)?.target.clone()
    }

    /// The partition is installed, damaged or gone: ends the waits for it.
    pub(super) fn end(&self, at: &TopicPartition) {
        self.queue.lock().entries.remove(at);
    }

    /// Gives a queued partition another target, and returns whether it is queued.
    pub(super) fn retarget(&self, at: &TopicPartition, target: impl FnOnce() -> Target) -> bool {
        match self.queue.lock().entries.get_mut(at) {
            Some(entry) => {
                entry.target = Some(target());
                true
            }
            None => false,
        }
    }

    /// The partition shall not be here any more. Returns whether it is being opened right now: whoever does deletes it.
    pub(super) fn remove(&self, at: &TopicPartition) -> bool {
        let mut queue = self.queue.lock();
        match queue.entries.get_mut(at) {
            Some(entry) if entry.under_way => {
                entry.target = None;
                true
            }
            _ => {
                queue.entries.remove(at);
                false
            }
        }
    }

    /// Whether the partition is not open yet, in whatever state it shall be.
    pub(super) fn contains(&self, at: &TopicPartition) -> bool {
        self.queue.lock().entries.contains_key(at)
    }

    /// What a queued partition shall obey.
    pub(super) fn update_config(&self, at: &TopicPartition, config: &Arc<PartitionConfig>) {
        if let Some(entry) = self.queue.lock().entries.get_mut(at)
            && let Some(target) = &mut entry.target
        {
            target.config = Arc::clone(config);
        }
    }

    /// Whether every partition is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.lock().entries.is_empty()
    }

    /// Has a partition opened next that is not open yet; whether it is one.
    pub(crate) fn hurry(&self, topic: &str, index: PartitionIndex) -> bool {
        self.wait(topic, index).is_some()
    }

    /// Has a partition opened next, if it is not open yet, and waits for it until `deadline`.
    pub(crate) async fn opened(&self, topic: &str, index: PartitionIndex, deadline: Instant) {
        if let Some(mut done) = self.wait(topic, index) {
            // Ends with the sender, or in time; whoever asked sees what there is then.
            let _ = tokio::time::timeout_at(deadline, done.changed()).await;
        }
    }

    fn wait(&self, topic: &str, index: PartitionIndex) -> Option<watch::Receiver<()>> {
        let mut queue = self.queue.lock();
        let at = at(topic, index);
        let entry = queue.entries.get_mut(&at)?;
        let done = entry.done.subscribe();
        // Once: it stays where it was too, and would be named as often as it is asked for.
        if !entry.under_way && !std::mem::replace(&mut entry.hurried, true) {
            queue.turns.push_front(at);
        }
        Some(done)
    }

    /// Opens nothing more, and waits for what is under way. Returns whether everything had been opened.
    pub(super) fn close(&self) -> bool {
        let mut queue = self.queue.lock();
        queue.closed = true;
        while queue.workers > 0 {
            self.one_ended.wait(&mut queue);
        }
        let complete = queue.entries.is_empty();
        queue.entries.clear();
        complete
    }
}

impl ReplicaManager {
    /// Starts as many workers as there is work for. Call it on the runtime, or on one of its blocking threads.
    pub(crate) fn start_opening(self: &Arc<Self>) {
        while self.opening.needs_worker(self.open_at_once) {
            let manager = Arc::clone(self);
            tokio::task::spawn_blocking(move || {
                while let Some(target) = manager.opening.take() {
                    manager.open_and_install(target);
                }
            });
        }
    }

    fn open_and_install(&self, mut target: Target) {
        let at = target.at();
        loop {
            let opened = guarded(|| self.open(&target)).unwrap_or_else(|| {
                Err(Unopened::now("its recovery met a fault of the broker; report it".to_owned()))
            });
            let changing = self.changing.lock();
            match self.opening.target(&at) {
                Some(now) if now.topic_id() == target.topic_id() => {
                    if guarded(|| self.install(&now, opened)).is_none() {
                        self.forget(&id_of(&now.change));
                        let reason = "taking it into service met a fault of the broker; report it";
                        self.refuse(&now.change, Unopened::now(reason.to_owned()));
                    }
                }
                Some(other) => {
                    drop(changing);
                    guarded(|| self.discard(&target, opened));
                    target = other;
                    continue;
                }
                None => {
                    guarded(|| self.discard(&target, opened));
                }
            }
            return self.opening.end(&at);
        }
    }
}

/// `None` if it panics: a fault in one partition costs that partition.
fn guarded<T>(step: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(step)).ok()
}

fn at(topic: &str, index: PartitionIndex) -> TopicPartition {
    TopicPartition::new(TopicName::from(topic), index)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, created};
    use super::*;

    fn queued(partitions: i32) -> Opening {
        let opening = Opening::default();
        for change in created("t", 1, partitions).1 {
            opening.add(Target { change, config: config().into() });
        }
        opening
    }

    #[test]
    fn asking_often_for_what_is_not_open_yet_costs_nothing() {
        let opening = queued(3);
        for i in 0..1000 {
            assert!(opening.hurry("t", PartitionIndex(i % 3)));
        }
        assert!(opening.queue.lock().turns.len() <= 6);
        let opened: Vec<_> = std::iter::from_fn(|| {
            opening.queue.lock().workers = 1;
            opening.take().map(|target| target.change.index.0)
        })
        .collect();
        assert_eq!(opened, [2, 1, 0]);
    }

    #[test]
    fn what_a_request_waits_for_does_not_wait_for_others() {
        let opening = queued(5);
        let workers = || std::iter::from_fn(|| opening.needs_worker(1).then_some(())).count();
        assert_eq!(workers(), 1);
        opening.take().unwrap();
        assert_eq!(workers(), 0);
        assert!(opening.hurry("t", PartitionIndex(3)));
        assert_eq!(workers(), FOR_THE_AWAITED);
        assert_eq!(opening.take().unwrap().change.index, PartitionIndex(3));
        assert_eq!(workers(), 0, "nobody waits for the others");
    }

    #[test]
    fn what_nobody_opens_yet_is_deleted_by_whoever_removes_it() {
        let opening = queued(2);
        let at = |index: i32| TopicPartition::new("t", index);
        assert!(!opening.remove(&at(1)) && !opening.contains(&at(1)));
        assert!(opening.take().is_some_and(|target| target.at() == at(0)));
        assert!(opening.remove(&at(0)) && opening.contains(&at(0)));
    }
}
