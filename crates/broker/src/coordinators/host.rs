//! Runs the shards of one internal topic: one for each of its partitions that this broker leads.
//!
//! ```text
//!  request ──▶ slot lock ─▶ HostedShard::handle ─▶ append to the partition ─▶ replies held
//!                                                                               │
//!  sync thread ──▶ high watermark moved ──▶ HostedShard::release ───────────────┴─▶ handler's oneshot
//! ```
//!
//! Lock order: slot, then partition. The partition calls back without its lock held.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ottla_coordinator::{HostedShard, Now, RequestId, Shard};
use ottla_env::{Clock, Monotonic};
use ottla_types::{LeaderEpoch, Offset, PartitionIndex};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, oneshot};

use super::shard_log::{LoadError, PartitionLog, load_into};
use crate::replica_manager::Partition;

/// A shard that failed is loaded again after this.
const RELOAD_AFTER: Duration = Duration::from_secs(5);
/// A lease that ran out is looked at so often.
const LOOK_AT_LEASE: Duration = Duration::from_millis(250);

/// Why a request did not reach a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HostError {
    /// Another broker leads the partition.
    #[error("this broker does not coordinate the group; look the coordinator up again")]
    NotCoordinator,
    /// The partition's records are still being read.
    #[error("the coordinator is loading; retry")]
    Loading,
    /// The partition's records cannot be read or taken over; it is tried again.
    #[error("the coordinator's log cannot be loaded; retry later")]
    Failed,
}

/// The shards of one internal topic on this broker.
pub(crate) struct CoordinatorHost<S: Shard> {
    clock: Arc<dyn Clock>,
    new_shard: Box<dyn Fn() -> S + Send + Sync>,
    commit_timeout: Duration,
    slots: RwLock<HashMap<PartitionIndex, Arc<Slot<S>>>>,
    /// Partitions that this broker will lead once they are open.
    expected: RwLock<HashSet<PartitionIndex>>,
    next_request: AtomicU64,
    deadlines_changed: Notify,
}

struct Slot<S: Shard> {
    partition: Arc<Partition>,
    state: Mutex<SlotState<S>>,
}

struct SlotState<S: Shard> {
    leader_epoch: LeaderEpoch,
    shard: Hosting<S>,
    waiting: HashMap<RequestId, oneshot::Sender<S::Response>>,
    /// The lease ran out: who is refused for that could not show that it lives.
    was_cut_off: bool,
}

enum Hosting<S: Shard> {
    Loading,
    Active(HostedShard<S>),
    /// Loading failed, or the shard met a record it cannot take over; loaded again [`RELOAD_AFTER`] this.
    Failed(Monotonic),
}

impl<S: Shard> Hosting<S> {
    fn active(&self) -> Option<&HostedShard<S>> {
        match self {
            Self::Active(shard) => Some(shard),
            Self::Loading | Self::Failed(_) => None,
        }
    }

    fn active_mut(&mut self) -> Option<&mut HostedShard<S>> {
        match self {
            Self::Active(shard) => Some(shard),
            Self::Loading | Self::Failed(_) => None,
        }
    }
}

impl<S: Shard> std::fmt::Debug for CoordinatorHost<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CoordinatorHost").field("shards", &self.slots.read().len()).finish_non_exhaustive()
    }
}

impl<S> CoordinatorHost<S>
where
    S: Shard + Send + 'static,
    S::Response: Send,
    S::Timer: Send,
    S::Undo: Send,
{
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        commit_timeout: Duration,
        new_shard: impl Fn() -> S + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            clock,
            new_shard: Box::new(new_shard),
            commit_timeout,
            slots: RwLock::default(),
            expected: RwLock::default(),
            next_request: AtomicU64::new(0),
            deadlines_changed: Notify::new(),
        })
    }

    /// Asks the shard of `partition` and waits until its answer may leave.
    pub(crate) async fn request(
        &self,
        partition: PartitionIndex,
        request: S::Request,
    ) -> Result<S::Response, HostError> {
        let slot = self.slot(partition)?;
        self.check_lease(&slot)?;
        let answer = {
            let mut state = slot.state.lock();
            let id = RequestId(self.next_request.fetch_add(1, Ordering::Relaxed));
            let (done, answer) = oneshot::channel();
            match state.shard {
                Hosting::Active(_) => {}
                Hosting::Loading => return Err(HostError::Loading),
                Hosting::Failed(_) => return Err(HostError::Failed),
            }
            state.waiting.insert(id, done);
            self.drive(partition, &slot, &mut state, |shard, now, log| shard.handle(now, log, id, request));
            answer
        };
        // The sender goes only when the slot does.
        let answer = answer.await.map_err(|_| HostError::NotCoordinator)?;
        self.check_lease(&slot)?;
        Ok(answer)
    }

    fn check_lease(&self, slot: &Slot<S>) -> Result<(), HostError> {
        slot.partition.check_lease().map_err(|_| {
            // The lease may be back before the timers are looked at.
            if !std::mem::replace(&mut slot.state.lock().was_cut_off, true) {
                self.deadlines_changed.notify_one();
            }
            HostError::NotCoordinator
        })
    }

    /// Reads facts off every loaded shard.
    pub(crate) fn for_each(&self, mut look: impl FnMut(PartitionIndex, &S)) {
        let slots: Vec<_> =
            self.slots.read().iter().map(|(&index, slot)| (index, Arc::clone(slot))).collect();
        for (index, slot) in slots {
            if let Some(shard) = slot.state.lock().shard.active() {
                look(index, shard.shard());
            }
        }
    }

    /// Asks every loaded shard the same; for requests about all groups of this broker. An error if any has no answer:
    /// what it holds must not look as if it were not there.
    pub(crate) async fn request_all(
        &self,
        request: impl Fn() -> S::Request,
    ) -> Result<Vec<S::Response>, HostError> {
        let mut missing = (!self.expected.read().is_empty()).then_some(HostError::Loading);
        let partitions: Vec<PartitionIndex> = self.slots.read().keys().copied().collect();
        let mut answers = Vec::with_capacity(partitions.len());
        for partition in partitions {
            match self.request(partition, request()).await {
                Ok(answer) => answers.push(answer),
                // Another broker's from now on.
                Err(HostError::NotCoordinator) => {}
                Err(error) => missing = Some(error),
            }
        }
        missing.map_or(Ok(answers), Err)
    }

    /// This broker is about to lead `partition`: its shard counts as loading.
    pub(crate) fn will_lead(&self, partition: PartitionIndex) {
        self.expected.write().insert(partition);
    }

    /// This broker leads `partition` now: loads its shard in the background. One that stays the leader in a new epoch, as when a
    /// reassignment ends, keeps its shard: that has replayed all that the log has.
    pub(crate) fn became_leader(self: &Arc<Self>, partition: Arc<Partition>, leader_epoch: LeaderEpoch) {
        let index = partition.id().topic_partition.partition;
        let hosted = self.slots.read().get(&index).map(Arc::clone);
        if let Some(slot) = hosted.filter(|slot| Arc::ptr_eq(&slot.partition, &partition)) {
            slot.state.lock().leader_epoch = leader_epoch;
            return;
        }
        let state =
            SlotState { leader_epoch, shard: Hosting::Loading, waiting: HashMap::new(), was_cut_off: false };
        let slot = Arc::new(Slot { partition, state: Mutex::new(state) });
        let former = self.slots.write().insert(index, Arc::clone(&slot));
        self.expected.write().remove(&index);
        if let Some(former) = former {
            unload(&former);
        }
        let host = Arc::downgrade(self);
        slot.partition.on_high_watermark(Box::new(move |hw| {
            if let Some(host) = host.upgrade() {
                host.release(index, hw);
            }
        }));
        let host = Arc::clone(self);
        // An untouched log is loaded on the spot: most partitions of an internal topic are empty.
        if slot.partition.is_empty() {
            host.load(index, &slot);
        } else {
            tokio::task::spawn_blocking(move || host.load(index, &slot));
        }
    }

    /// This broker no longer leads `partition`: answers whoever waits.
    pub(crate) fn lost_leadership(&self, partition: PartitionIndex) {
        self.expected.write().remove(&partition);
        if let Some(slot) = self.slots.write().remove(&partition) {
            unload(&slot);
        }
    }

    /// Fires timers for as long as the host lives.
    pub(crate) async fn run_timers(self: Arc<Self>) {
        loop {
            let next = self.tick();
            let wait = next.map_or(Duration::from_secs(60), |deadline| deadline.since(self.clock.now()));
            tokio::select! {
                biased;
                () = self.deadlines_changed.notified() => {}
                () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => {}
            }
        }
    }

    /// Fires what is due; when there will be something to do next.
    fn tick(self: &Arc<Self>) -> Option<Monotonic> {
        let slots: Vec<_> =
            self.slots.read().iter().map(|(&index, slot)| (index, Arc::clone(slot))).collect();
        let now = self.clock.now();
        slots.iter().filter_map(|(index, slot)| self.tick_slot(*index, slot, now)).min()
    }

    fn tick_slot(
        self: &Arc<Self>,
        index: PartitionIndex,
        slot: &Arc<Slot<S>>,
        now: Monotonic,
    ) -> Option<Monotonic> {
        let mut state = slot.state.lock();
        if let Hosting::Failed(since) = state.shard {
            if now.since(since) < RELOAD_AFTER {
                return Some(since + RELOAD_AFTER);
            }
            state.shard = Hosting::Loading;
            let (host, slot) = (Arc::clone(self), Arc::clone(slot));
            tokio::task::spawn_blocking(move || host.load(index, &slot));
            return None;
        }
        // Nobody is late for a coordinator that refuses whoever comes.
        if slot.partition.check_lease().is_err() {
            state.was_cut_off = true;
            self.drive(index, slot, &mut state, |shard, now, _| Ok(shard.expire(now)));
            return Some(now + LOOK_AT_LEASE);
        }
        if std::mem::take(&mut state.was_cut_off) {
            self.drive(index, slot, &mut state, |shard, now, log| shard.resume(now, log));
        }
        let due = state.shard.active().and_then(HostedShard::next_deadline);
        if due.is_some_and(|deadline| deadline <= now) {
            self.drive(index, slot, &mut state, |shard, now, log| shard.fire(now, log));
        }
        state.shard.active().and_then(HostedShard::next_deadline)
    }

    fn slot(&self, partition: PartitionIndex) -> Result<Arc<Slot<S>>, HostError> {
        if let Some(slot) = self.slots.read().get(&partition) {
            return Ok(Arc::clone(slot));
        }
        let expected = self.expected.read().contains(&partition);
        Err(if expected { HostError::Loading } else { HostError::NotCoordinator })
    }

    fn load(&self, index: PartitionIndex, slot: &Arc<Slot<S>>) {
        let mut shard = HostedShard::new((self.new_shard)(), self.commit_timeout);
        let loaded = catch_unwind(AssertUnwindSafe(|| load_into(&slot.partition, &mut shard)));
        if let Err(error) = loaded.unwrap_or(Err(LoadError::Panicked)) {
            tracing::error!("cannot load {}: {error}; trying again", slot.partition.id().topic_partition);
            slot.state.lock().shard = Hosting::Failed(self.clock.now());
            self.deadlines_changed.notify_one();
            return;
        }
        let mut state = slot.state.lock();
        state.shard = Hosting::Active(shard);
        self.drive(index, slot, &mut state, |shard, now, log| shard.loaded(now, log));
    }

    fn release(&self, index: PartitionIndex, hw: Offset) {
        let Ok(slot) = self.slot(index) else { return };
        let mut state = slot.state.lock();
        self.drive(index, &slot, &mut state, |shard, _, _| Ok(shard.release(hw)));
    }

    /// Runs one step of the shard and delivers the replies that may leave.
    fn drive(
        &self,
        index: PartitionIndex,
        slot: &Arc<Slot<S>>,
        state: &mut SlotState<S>,
        step: impl FnOnce(
            &mut HostedShard<S>,
            Now,
            &mut PartitionLog<'_>,
        ) -> Result<Vec<(RequestId, S::Response)>, ottla_coordinator::ReplayError>,
    ) {
        let Some(shard) = state.shard.active_mut() else { return };
        let before = shard.next_deadline();
        let now = Now { monotonic: self.clock.now(), wall_ms: self.clock.wall_ms() };
        let mut log = PartitionLog::new(&slot.partition, state.leader_epoch);
        // Nobody knows in what state a panic left the shard: its log does.
        match catch_unwind(AssertUnwindSafe(|| step(shard, now, &mut log))) {
            Err(_) => {
                let topic = &slot.partition.id().topic_partition.topic;
                tracing::error!("shard {index} of {topic} panicked; it is loaded again");
                state.shard = Hosting::Failed(now.monotonic);
                state.waiting.clear();
                self.deadlines_changed.notify_one();
            }
            Ok(Ok(replies)) => {
                if shard.next_deadline() != before {
                    self.deadlines_changed.notify_one();
                }
                answer(state, replies);
            }
            Ok(Err(error)) => {
                tracing::error!(
                    "shard {index} of {} stops: {error}",
                    slot.partition.id().topic_partition.topic
                );
                take_down(state, Hosting::Failed(now.monotonic));
                self.deadlines_changed.notify_one();
            }
        }
    }
}

fn answer<S: Shard>(state: &mut SlotState<S>, replies: Vec<(RequestId, S::Response)>) {
    for (id, response) in replies {
        if let Some(done) = state.waiting.remove(&id) {
            // The client may have gone.
            let _ = done.send(response);
        }
    }
}

fn unload<S: Shard>(slot: &Slot<S>) {
    take_down(&mut slot.state.lock(), Hosting::Loading);
}

fn take_down<S: Shard>(state: &mut SlotState<S>, next: Hosting<S>) {
    if let Hosting::Active(shard) = std::mem::replace(&mut state.shard, next) {
        let replies = shard.unload();
        answer(state, replies);
    }
    state.waiting.clear();
}

#[cfg(test)]
#[path = "host_test.rs"]
mod tests;
