//! One partition on this broker: its log, its replica's decisions, and who waits for it, under one lock.
//!
//! ```text
//!   append ──▶ log grows ──▶ replica decides ──▶ high watermark ──▶ producers acknowledged, fetches woken
//!                 │                 ▲
//!                 ▼                 │
//!             FlushQueue ──▶ sync thread: fdatasync without the lock
//! ```
//!
//! The lock is taken by `lock`, or by `look` where that is no use of the partition. Every operation is synchronous and
//! short; nothing waits with the lock held. The high watermark listener (a coordinator's shard) is called without the lock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use ottla_env::{Clock, Monotonic};
use ottla_replication::{
    AckStatus, Durability, LeaderLease, LocalLog, NotLeader, PartitionState, Replica, ReplicaProgress,
    RoleChange,
};
use ottla_storage::{Log, StorageError};
use ottla_types::{LeaderEpoch, Offset, TopicIdPartition};
use parking_lot::Mutex;

use super::flush_queue::FlushQueue;
use super::in_sync::InSync;
use super::locked::Locked;
use super::sync::SyncState;
use super::sync_policy::SyncPolicy;
use super::waiters::{AckOutcome, AckWaiters, FetchWaiters, ParkedFetch};
use super::{Acks, PartitionError, Reader};
use crate::effective_configs::PartitionConfig;
use crate::metrics::TopicCounts;
use crate::replication_quota::ReplicationQuotas;

/// Called with the new high watermark.
pub(crate) type HighWatermarkListener = Box<dyn Fn(Offset) + Send + Sync>;

/// What nobody has used for so long holds no file and no memory for speed.
const IDLE_AFTER: Duration = Duration::from_secs(600);

/// One partition on this broker.
pub(crate) struct Partition {
    id: TopicIdPartition,
    pub(super) clock: Arc<dyn Clock>,
    /// Of the directory that it lies in.
    pub(super) flush_queue: ArcSwap<FlushQueue<Self>>,
    pub(super) counts: Arc<TopicCounts>,
    pub(super) in_sync: Arc<InSync>,
    pub(super) quotas: Arc<ReplicationQuotas>,
    lease: Arc<LeaderLease>,
    /// What [`State::failed`] says, for those who look without the lock.
    pub(super) has_failed: AtomicBool,
    state: Mutex<State>,
    listener: Mutex<Option<Arc<HighWatermarkListener>>>,
}

/// What a partition shares with others of its broker.
pub(super) struct Host {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) flush_queue: Arc<FlushQueue<Partition>>,
    pub(super) counts: Arc<TopicCounts>,
    pub(super) in_sync: Arc<InSync>,
    pub(super) quotas: Arc<ReplicationQuotas>,
    pub(super) lease: Arc<LeaderLease>,
}

pub(super) struct State {
    pub(super) log: Log,
    pub(super) replica: Replica,
    pub(super) acks: AckWaiters,
    pub(super) fetches: FetchWaiters,
    pub(super) config: Arc<PartitionConfig>,
    pub(super) sync: SyncState,
    /// As a follower: what the leader said to be committed is here.
    pub(super) is_caught_up: bool,
    /// A panic left this half-changed.
    pub(super) failed: bool,
    /// Used since the last look at whether it is idle; and since when it was not, while it holds anything.
    used: bool,
    idle_since: Option<Monotonic>,
    /// Gone from this broker; whoever still holds the partition is told so.
    retired: bool,
}

impl std::fmt::Debug for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Partition").field(&self.id).finish()
    }
}

/// Where the log's ends are, for metrics and requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartitionOffsets {
    pub(crate) log_start: Offset,
    pub(crate) high_watermark: Offset,
    pub(crate) last_stable: Offset,
    pub(crate) log_end: Offset,
}

/// Ends a parked fetch's registration.
pub(crate) struct WaiterGuard {
    partition: Arc<Partition>,
    id: u64,
}

impl Drop for WaiterGuard {
    fn drop(&mut self) {
        self.partition.look().fetches.deregister(self.id);
    }
}

impl Partition {
    pub(super) fn new(
        id: TopicIdPartition,
        log: Log,
        replica: Replica,
        config: Arc<PartitionConfig>,
        host: Host,
    ) -> Arc<Self> {
        let Host { clock, flush_queue, counts, in_sync, quotas, lease } = host;
        let state = State {
            log,
            replica,
            acks: AckWaiters::default(),
            fetches: FetchWaiters::default(),
            config,
            sync: SyncState::default(),
            is_caught_up: false,
            failed: false,
            used: true,
            idle_since: None,
            retired: false,
        };
        Arc::new(Self {
            id,
            clock,
            flush_queue: ArcSwap::new(flush_queue),
            counts,
            in_sync,
            quotas,
            lease,
            has_failed: AtomicBool::new(false),
            state: Mutex::new(state),
            listener: Mutex::new(None),
        })
    }

    pub(crate) fn id(&self) -> &TopicIdPartition {
        &self.id
    }

    /// The time as replicas count it.
    pub(super) fn now(&self) -> Duration {
        Duration::from_nanos(self.clock.now().0)
    }

    pub(crate) fn offsets(&self) -> PartitionOffsets {
        self.look().offsets()
    }

    /// Whether the log has no record.
    pub(crate) fn is_empty(&self) -> bool {
        let offsets = self.offsets();
        offsets.log_start == offsets.log_end
    }

    /// Bytes on disk.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.look().log.size()
    }

    /// Whether anything of it is on disk.
    pub(super) fn is_materialised(&self) -> bool {
        self.look().log.is_materialised()
    }

    /// Goes on with the log that `replace` makes of the present one, if it makes one; whether it did. Syncs go to `queue` then.
    pub(super) fn replace_log<E>(
        self: &Arc<Self>,
        queue: &Arc<FlushQueue<Self>>,
        replace: impl FnOnce(&mut Log) -> Result<Option<Log>, E>,
    ) -> Result<bool, E> {
        let mut state = self.look();
        if state.retired || state.failed {
            return Ok(false);
        }
        let Some(log) = replace(&mut state.log)? else { return Ok(false) };
        state.log = log;
        let config = Arc::clone(&state.config.log);
        state.log.update_config(config);
        self.flush_queue.store(Arc::clone(queue));
        // All of it is synced.
        let moved = state.advance();
        drop(state);
        if let Some(high_watermark) = moved {
            self.notify(high_watermark);
        }
        Ok(true)
    }

    /// How many segments the log has.
    pub(crate) fn segment_count(&self) -> usize {
        self.look().log.segments().count()
    }

    /// Whether the topic stores zstd whatever its producers send, which fetches below version 10 cannot read.
    pub(crate) fn is_zstd(&self) -> bool {
        let state = self.look();
        state.log.config().compression == ottla_storage::CompressionType::Codec(ottla_records::Codec::Zstd)
    }

    /// Its topic's counts.
    pub(crate) fn counts(&self) -> &TopicCounts {
        &self.counts
    }

    /// Whether fewer replicas are in sync than `min.insync.replicas`.
    pub(crate) fn is_under_min_isr(&self) -> bool {
        self.look().replica.leader().is_ok_and(|leader| !leader.has_enough_replicas())
    }

    /// Whether the loss of one more replica would be one too many.
    pub(crate) fn is_at_min_isr(&self) -> bool {
        let state = self.look();
        state
            .replica
            .leader()
            .is_ok_and(|leader| leader.state().isr.len() == leader.state().effective_min_isr())
    }

    /// Syncs and closes the log.
    pub(crate) fn close(&self) -> Result<(), StorageError> {
        self.look().log.close()
    }

    /// Refuses clients when another broker may lead by now, without this one having heard. To be asked after what they are answered with
    /// was read: the process may stand still anywhere before.
    pub(crate) fn check_lease(&self) -> Result<(), PartitionError> {
        if self.lease.is_valid(self.now()) { Ok(()) } else { Err(PartitionError::LeaseRanOut) }
    }

    /// Answers producers and fetches that wait, if this broker leads it.
    pub(super) fn lease_ran_out(&self) {
        let mut state = self.look();
        if state.replica.leader().is_ok() {
            state.acks.fail(AckOutcome::NotLeader);
            state.fetches.wake_all();
        }
    }

    /// Whether this broker leads it.
    pub(crate) fn is_leader(&self) -> bool {
        self.look().replica.leader().is_ok()
    }

    /// Calls `listener` whenever the high watermark moves other than by an append of the listener's own.
    pub(crate) fn on_high_watermark(&self, listener: HighWatermarkListener) {
        *self.listener.lock() = Some(Arc::new(listener));
    }

    /// Wakes `fetch` at any progress until the guard is dropped, which has the partition in that place.
    pub(crate) fn register_fetch(
        partition: &Arc<Self>,
        fetch: &Arc<ParkedFetch>,
        place: usize,
        reader: Reader,
    ) -> WaiterGuard {
        let mut state = partition.look();
        let id = match reader {
            Reader::Consumer { .. } => state.fetches.register(Arc::clone(fetch), place),
            Reader::Follower { .. } => state.fetches.register_follower(Arc::clone(fetch), place),
        };
        drop(state);
        WaiterGuard { partition: Arc::clone(partition), id }
    }

    /// The cluster's metadata about this partition changed.
    pub(crate) fn handle_partition_state(self: &Arc<Self>, metadata: PartitionState) -> RoleChange {
        let now = self.now();
        let mut state = self.look();
        let high_watermark = state.log.checkpointed_high_watermark().unwrap_or_default();
        let local = LocalLog { progress: state.progress(), high_watermark };
        let before = state.replica.high_watermark();
        let led_before = state.replica.leader().is_ok();
        let change = state.replica.handle_partition_state(now, metadata, local);
        let mut moved = None;
        match change {
            RoleChange::None => {}
            RoleChange::BecameLeader { .. } | RoleChange::LeaderUpdated => {
                if matches!(change, RoleChange::BecameLeader { .. }) {
                    let epoch = state.replica.leader_epoch();
                    state.log.start_leader_epoch(epoch);
                    // Those of the follower that this was. A leader that stays goes on with its log: what was appended in a former
                    // epoch is acknowledged once the replicas that are in sync in this one have it.
                    if !led_before {
                        state.acks.fail(AckOutcome::NotLeader);
                    }
                }
                let high_watermark = state.replica.high_watermark();
                state.publish(high_watermark);
                moved = (high_watermark > before).then_some(high_watermark);
                let by = state.config.sync.after_opening();
                self.schedule_sync(&mut state, by);
                if state.replica.leader().is_ok_and(|leader| leader.state().replicas.len() > 1) {
                    self.in_sync.lead(self);
                }
            }
            RoleChange::BecameFollower { .. } | RoleChange::WentOffline => {
                state.is_caught_up = false;
                // The epoch of a leadership without records is none of this log's history.
                let (end, now_ms) = (state.log.log_end_offset(), self.clock.wall_ms());
                if let Err(error) = state.log.truncate_to(end, now_ms) {
                    tracing::error!("{}: {error}", self.id.topic_partition);
                }
                state.acks.fail(AckOutcome::NotLeader);
                state.fetches.wake_all();
                self.in_sync.forget(&self.id);
            }
        }
        drop(state);
        if let Some(high_watermark) = moved {
            self.notify(high_watermark);
        }
        change
    }

    /// The topic's settings changed.
    pub(super) fn update_config(self: &Arc<Self>, config: Arc<PartitionConfig>) {
        let mut state = self.look();
        state.log.update_config(Arc::clone(&config.log));
        state.config = config;
        self.reschedule_sync(&mut state);
    }

    /// What it obeys.
    pub(super) fn config(&self) -> Arc<PartitionConfig> {
        Arc::clone(&self.look().config)
    }

    /// Whether a panic left it half-changed.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Frees what it holds for speed, if nobody has used it for [`IDLE_AFTER`]. Call it about every minute.
    pub(super) fn release_if_idle(&self, now: Monotonic) {
        let mut state = self.look();
        if std::mem::take(&mut state.used) {
            state.idle_since = Some(now);
        } else if state.idle_since.is_some_and(|since| now.since(since) >= IDLE_AFTER) && state.log.release()
        {
            state.idle_since = None;
        }
    }

    /// Answers whoever waits: the partition leaves this broker.
    pub(crate) fn retire(&self) {
        let mut state = self.look();
        state.retired = true;
        state.acks.fail(AckOutcome::NotLeader);
        state.fetches.wake_all();
        drop(state);
        self.in_sync.forget(&self.id);
        *self.listener.lock() = None;
    }

    /// Takes part in the maintenance of the log, with its lock.
    pub(crate) fn with_log<T>(&self, work: impl FnOnce(&mut Log, Offset) -> T) -> T {
        let mut state = self.look();
        let high_watermark = state.replica.high_watermark();
        work(&mut state.log, high_watermark)
    }

    /// For requests.
    pub(super) fn lock(&self) -> Locked<'_> {
        let mut state = self.look();
        state.used = true;
        state
    }

    /// For what does not keep the partition from being idle.
    pub(super) fn look(&self) -> Locked<'_> {
        Locked::new(self, self.state.lock())
    }

    /// The log grew: lets the replica decide, and sees to the sync that `acks` or the policy asks for.
    /// Returns the new high watermark if it moved.
    pub(super) fn appended(
        self: &Arc<Self>,
        state: &mut State,
        bytes: u64,
        waits_for_sync: bool,
    ) -> Option<Offset> {
        let moved = state.advance();
        state.fetches.wake_followers();
        state.sync.appended(bytes);
        let by = state.sync_by(waits_for_sync);
        self.schedule_sync(state, by);
        moved
    }

    /// Calls the listener, whose faults are its own.
    pub(super) fn notify(&self, high_watermark: Offset) {
        let listener = self.listener.lock().clone();
        if let Some(listener) = listener
            && catch_unwind(AssertUnwindSafe(|| listener(high_watermark))).is_err()
        {
            tracing::error!(
                "who follows the high watermark of {} panicked: report it",
                self.id.topic_partition
            );
        }
    }
}

impl State {
    pub(super) fn offsets(&mut self) -> PartitionOffsets {
        let high_watermark = self.replica.high_watermark();
        PartitionOffsets {
            log_start: self.log.log_start_offset(),
            high_watermark,
            last_stable: self.log.last_stable_offset(high_watermark),
            log_end: self.log.log_end_offset(),
        }
    }

    pub(super) fn check_append(&self, acks: Acks) -> Result<(), PartitionError> {
        self.check_not_retired()?;
        self.replica.check_append(acks == Acks::All)?;
        Ok(())
    }

    pub(super) fn check_leader(&self, current_leader_epoch: LeaderEpoch) -> Result<(), PartitionError> {
        self.check_not_retired()?;
        self.replica.check_leader_epoch(current_leader_epoch)?;
        self.replica.leader()?;
        Ok(())
    }

    pub(super) fn check_not_retired(&self) -> Result<(), PartitionError> {
        if self.failed {
            let reason =
                "a fault of the broker left it half-changed, and it is being opened anew; retry".to_owned();
            return Err(PartitionError::Damaged { reason });
        }
        if self.retired { Err(PartitionError::NotHosted) } else { Ok(()) }
    }

    pub(super) fn progress(&self) -> ReplicaProgress {
        ReplicaProgress {
            log_end_offset: self.log.log_end_offset(),
            flushed_offset: self.log.flushed_offset(),
        }
    }

    pub(super) fn advance(&mut self) -> Option<Offset> {
        let progress = self.progress();
        let moved = match self.replica.leader_mut() {
            Ok(leader) => leader.handle_local_progress(progress)?,
            Err(NotLeader { .. }) => {
                self.acks.release(progress.flushed_offset, AckOutcome::Committed);
                return None;
            }
        };
        self.publish(moved);
        Some(moved)
    }

    pub(super) fn publish(&mut self, high_watermark: Offset) {
        self.log.record_high_watermark(high_watermark);
        let outcome = match self.replica.leader().map(|leader| leader.ack_status(high_watermark)) {
            Ok(AckStatus::Committed | AckStatus::Waiting) => AckOutcome::Committed,
            Ok(AckStatus::NotEnoughReplicasAfterAppend) => AckOutcome::NotEnoughReplicasAfterAppend,
            Err(NotLeader { .. }) => AckOutcome::NotLeader,
        };
        self.acks.release(high_watermark, outcome);
        self.fetches.wake_all();
    }
}

/// The replication rule that goes with a durability mode.
pub(super) fn durability_of(sync: &SyncPolicy) -> Durability {
    if sync.is_fsync() { Durability::Flushed } else { Durability::Written }
}
