//! One partition on this broker: its log, its replica's decisions, and who waits for it, under one lock.
//!
//! ```text
//!   append ──▶ log grows ──▶ replica decides ──▶ high watermark ──▶ producers acknowledged, fetches woken
//!                 │                 ▲
//!                 ▼                 │
//!             FlushQueue ──▶ sync thread: fdatasync without the lock
//! ```
//!
//! Every operation is synchronous and short; nothing waits with the lock held. The high watermark listener (a
//! coordinator's shard) is called without the lock.

use std::sync::Arc;
use std::time::Duration;

use ottla_env::Clock;
use ottla_replication::{
    AckStatus, Durability, LocalLog, NotLeader, PartitionState, Replica, ReplicaProgress, RoleChange,
};
use ottla_storage::{Log, LogConfig, StorageError};
use ottla_types::{LeaderEpoch, Offset, TopicIdPartition};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::flush_queue::{FlushBy, FlushQueue};
use super::sync_policy::{SyncPolicy, Unsynced};
use super::waiters::{AckOutcome, AckWaiters, FetchWaiters};
use super::{Acks, PartitionError};
use crate::metrics::TopicCounts;

/// Called with the new high watermark.
pub(crate) type HighWatermarkListener = Box<dyn Fn(Offset) + Send + Sync>;

/// One partition on this broker.
pub(crate) struct Partition {
    id: TopicIdPartition,
    pub(super) clock: Arc<dyn Clock>,
    flush_queue: Arc<FlushQueue<Self>>,
    pub(super) counts: Arc<TopicCounts>,
    state: Mutex<State>,
    listener: Mutex<Option<Arc<HighWatermarkListener>>>,
}

pub(super) struct State {
    pub(super) log: Log,
    pub(super) replica: Replica,
    pub(super) acks: AckWaiters,
    pub(super) fetches: FetchWaiters,
    pub(super) sync: SyncPolicy,
    queued: Option<Queued>,
    syncing: bool,
    /// Gone from this broker; whoever still holds the partition is told so.
    retired: bool,
    /// Appended since the last sync began.
    unsynced_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queued {
    Later,
    Now,
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
        self.partition.state.lock().fetches.deregister(self.id);
    }
}

impl Partition {
    pub(super) fn new(
        id: TopicIdPartition,
        log: Log,
        replica: Replica,
        sync: SyncPolicy,
        clock: Arc<dyn Clock>,
        flush_queue: Arc<FlushQueue<Self>>,
        counts: Arc<TopicCounts>,
    ) -> Arc<Self> {
        let state = State {
            log,
            replica,
            acks: AckWaiters::default(),
            fetches: FetchWaiters::default(),
            sync,
            queued: None,
            syncing: false,
            retired: false,
            unsynced_bytes: 0,
        };
        Arc::new(Self {
            id,
            clock,
            flush_queue,
            counts,
            state: Mutex::new(state),
            listener: Mutex::new(None),
        })
    }

    pub(crate) fn id(&self) -> &TopicIdPartition {
        &self.id
    }

    pub(crate) fn offsets(&self) -> PartitionOffsets {
        self.state.lock().offsets()
    }

    /// Whether the log has no record.
    pub(crate) fn is_empty(&self) -> bool {
        let offsets = self.offsets();
        offsets.log_start == offsets.log_end
    }

    /// Bytes on disk.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.state.lock().log.size()
    }

    /// How many segments the log has.
    pub(crate) fn segment_count(&self) -> usize {
        self.state.lock().log.segments().count()
    }

    /// Whether the topic stores zstd whatever its producers send, which fetches below version 10 cannot read.
    pub(crate) fn is_zstd(&self) -> bool {
        let state = self.state.lock();
        state.log.config().compression == ottla_storage::CompressionType::Codec(ottla_records::Codec::Zstd)
    }

    /// Its topic's counts.
    pub(crate) fn counts(&self) -> &TopicCounts {
        &self.counts
    }

    /// Whether fewer replicas are in sync than `min.insync.replicas`.
    pub(crate) fn is_under_min_isr(&self) -> bool {
        self.state.lock().replica.leader().is_ok_and(|leader| !leader.has_enough_replicas())
    }

    /// Whether the loss of one more replica would be one too many.
    pub(crate) fn is_at_min_isr(&self) -> bool {
        let state = self.state.lock();
        state
            .replica
            .leader()
            .is_ok_and(|leader| leader.state().isr.len() == leader.state().effective_min_isr())
    }

    /// Syncs and closes the log.
    pub(crate) fn close(&self) -> Result<(), StorageError> {
        self.state.lock().log.close()
    }

    /// Whether this broker leads it.
    pub(crate) fn is_leader(&self) -> bool {
        self.state.lock().replica.leader().is_ok()
    }

    /// Calls `listener` whenever the high watermark moves other than by an append of the listener's own.
    pub(crate) fn on_high_watermark(&self, listener: HighWatermarkListener) {
        *self.listener.lock() = Some(Arc::new(listener));
    }

    /// Wakes `wake` at any progress until the guard is dropped.
    pub(crate) fn register_fetch(partition: &Arc<Self>, wake: &Arc<Notify>) -> WaiterGuard {
        let id = partition.state.lock().fetches.register(Arc::clone(wake));
        WaiterGuard { partition: Arc::clone(partition), id }
    }

    /// The cluster's metadata about this partition changed.
    pub(crate) fn handle_partition_state(self: &Arc<Self>, metadata: PartitionState) -> RoleChange {
        let now = Duration::from_nanos(self.clock.now().0);
        let mut state = self.state.lock();
        let high_watermark = state.log.checkpointed_high_watermark().unwrap_or_default();
        let local = LocalLog { progress: state.progress(), high_watermark };
        let change = state.replica.handle_partition_state(now, metadata, local);
        match change {
            RoleChange::None => {}
            RoleChange::BecameLeader { .. } | RoleChange::LeaderUpdated => {
                if matches!(change, RoleChange::BecameLeader { .. }) {
                    let epoch = state.replica.leader_epoch();
                    state.log.start_leader_epoch(epoch);
                }
                let high_watermark = state.replica.high_watermark();
                state.publish(high_watermark);
                self.schedule_sync(&mut state, FlushBy::Now);
            }
            RoleChange::BecameFollower { .. } | RoleChange::WentOffline => {
                state.acks.fail(AckOutcome::NotLeader);
                state.fetches.wake_all();
            }
        }
        change
    }

    /// The topic's settings changed.
    pub(crate) fn update_config(&self, config: LogConfig, sync: SyncPolicy) {
        let mut state = self.state.lock();
        state.log.update_config(config);
        state.sync = sync;
    }

    /// Answers whoever waits: the partition leaves this broker.
    pub(crate) fn retire(&self) {
        let mut state = self.state.lock();
        state.retired = true;
        state.acks.fail(AckOutcome::NotLeader);
        state.fetches.wake_all();
        drop(state);
        *self.listener.lock() = None;
    }

    /// Takes part in the maintenance of the log, with its lock.
    pub(crate) fn with_log<T>(&self, work: impl FnOnce(&mut Log, Offset) -> T) -> T {
        let mut state = self.state.lock();
        let high_watermark = state.replica.high_watermark();
        work(&mut state.log, high_watermark)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
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
        state.unsynced_bytes += bytes;
        let unsynced = Unsynced {
            records: state.log.log_end_offset() - state.log.flushed_offset(),
            bytes: state.unsynced_bytes,
        };
        let by = state.sync.after_append(waits_for_sync, unsynced);
        self.schedule_sync(state, by);
        moved
    }

    pub(super) fn notify(&self, high_watermark: Offset) {
        let listener = self.listener.lock().clone();
        if let Some(listener) = listener {
            listener(high_watermark);
        }
    }

    fn schedule_sync(self: &Arc<Self>, state: &mut State, by: FlushBy) {
        let wanted = if by == FlushBy::Now { Queued::Now } else { Queued::Later };
        let already = match state.queued {
            None => false,
            Some(queued) => queued == Queued::Now || queued == wanted,
        };
        if already {
            return;
        }
        state.queued = Some(wanted);
        // While a sync runs its end queues the next one.
        if !(state.syncing && wanted == Queued::Now) {
            self.flush_queue.push(Arc::clone(self), by);
        }
    }

    /// Syncs what is not yet durable; run by a sync thread.
    pub(super) fn sync(self: &Arc<Self>) {
        let job = {
            let mut state = self.state.lock();
            if state.syncing {
                // Its turn came while a sync runs: the end of that one queues the next.
                state.queued = state.queued.map(|_| Queued::Now);
                return;
            }
            state.queued = None;
            let Some(job) = state.log.begin_flush() else { return };
            state.unsynced_bytes = 0;
            state.syncing = true;
            job
        };
        let done = job.run();
        let mut state = self.state.lock();
        state.syncing = false;
        let moved = match state.log.complete_flush(done) {
            Ok(_) => state.advance(),
            Err(error) => {
                self.storage_failed(&mut state, &error);
                None
            }
        };
        if state.queued == Some(Queued::Now) {
            self.flush_queue.push(Arc::clone(self), FlushBy::Now);
        }
        drop(state);
        if let Some(high_watermark) = moved {
            self.notify(high_watermark);
        }
    }

    fn storage_failed(&self, state: &mut State, error: &StorageError) {
        tracing::error!("{}: {error}", self.id.topic_partition);
        state.acks.fail(AckOutcome::StorageFailed);
        state.fetches.wake_all();
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

    fn check_not_retired(&self) -> Result<(), PartitionError> {
        if self.retired { Err(PartitionError::NotHosted) } else { Ok(()) }
    }

    fn progress(&self) -> ReplicaProgress {
        ReplicaProgress {
            log_end_offset: self.log.log_end_offset(),
            flushed_offset: self.log.flushed_offset(),
        }
    }

    fn advance(&mut self) -> Option<Offset> {
        let progress = self.progress();
        let moved = match self.replica.leader_mut() {
            Ok(leader) => leader.handle_local_progress(progress)?,
            Err(NotLeader { .. }) => return None,
        };
        self.publish(moved);
        Some(moved)
    }

    fn publish(&mut self, high_watermark: Offset) {
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
