//! One partition without a broker around it: for a host that has its own time, network and order of syncs, as the
//! simulation (`crates/sim`) has. What it does is what brokers run; here is only what they do by threads and requests.

use std::sync::Arc;
use std::time::Duration;

use ottla_config::ThrottledReplicas;
use ottla_env::Clock;
use ottla_metadata::MetadataImage;
use ottla_replication::{AlterIsr, Durability, LeaderLease, NotReady, PartitionState, Replica, RoleChange};
use ottla_storage::{AppendError, FlushOutcome, Log, LogConfig, ReadError, RecordsSlice};
use ottla_types::{BrokerEpoch, Bytes, LeaderEpoch, NodeId, Offset, TopicIdPartition};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::flush_queue::FlushQueue;
use super::in_sync::InSync;
use super::partition::{Host, Partition};
use super::sync::BegunSync;
use super::{
    AckOutcome, Acks, FollowerPosition, Isolation, NextFetch, PartitionError, ReadRequest, Reader, SyncMode,
    SyncPolicy,
};
use crate::effective_configs::PartitionConfig;
use crate::isr_changes::may_join;

/// One partition whose host says when what happens.
#[derive(Debug)]
pub struct BarePartition {
    partition: Arc<Partition>,
    in_sync: Arc<InSync>,
    flush_queue: Arc<FlushQueue<Partition>>,
}

/// Why a partition refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another one leads, or may by now, or the epoch is another one: refresh the metadata.
    #[error("it does not lead the partition in this epoch, or its lease ran out")]
    NotLeader,
    /// Too few replicas are in sync for acks=all.
    #[error("too few replicas are in sync")]
    NotEnoughReplicas,
    /// The log does not have the offset.
    #[error("the log does not have the offset")]
    OffsetOutOfRange,
    /// A producer's sequence number does not follow.
    #[error("a sequence number does not follow")]
    OutOfOrderSequence,
    /// Whatever else.
    #[error("{0}")]
    Other(String),
}

/// An append's wait for the in-sync replicas.
#[derive(Debug)]
pub struct Acknowledgement(oneshot::Receiver<AckOutcome>);

impl Acknowledgement {
    /// `None` while it waits. `Some(Ok)` once committed on enough replicas; an error if that is not sure.
    pub fn outcome(&mut self) -> Option<Result<(), String>> {
        match self.0.try_recv() {
            Err(TryRecvError::Empty) => None,
            Ok(AckOutcome::Committed) => Some(Ok(())),
            Ok(other) => Some(Err(format!("{other:?}"))),
            Err(TryRecvError::Closed) => Some(Err("dropped".to_owned())),
        }
    }
}

/// From where a follower fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarePosition {
    /// The epoch of the leader that it follows.
    pub leader_epoch: LeaderEpoch,
    /// The end of its log.
    pub fetch_offset: Offset,
    /// The epoch of its last record.
    pub last_fetched_epoch: LeaderEpoch,
}

/// What a follower does next.
#[derive(Debug)]
pub enum BareFetch {
    /// Fetch.
    From(BarePosition),
    /// First sync what it has.
    AfterSync(Acknowledgement),
}

/// What a leader answers to a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BareRead {
    /// Whole batches.
    pub records: Bytes,
    /// Everything below is committed.
    pub high_watermark: Offset,
    /// Where the log begins.
    pub log_start_offset: Offset,
    /// Where the log ends.
    pub log_end_offset: Offset,
    /// The follower's history is another one: this one's largest epoch up to the follower's, and its end.
    pub diverging: Option<(LeaderEpoch, Offset)>,
}

/// A sync that was begun: the device does it meanwhile.
pub struct BareSync(BegunSync);

impl BareSync {
    /// Does it, without the partition.
    pub fn run(self) -> (FlushOutcome, u64) {
        (self.0.job.run(), self.0.bytes)
    }
}

impl BarePartition {
    /// The replica of `me`, which acknowledges what is synced, and serves clients while `lease` lasts. Begins without a role, not throttled.
    pub fn new(
        id: TopicIdPartition,
        me: NodeId,
        log: Log,
        config: Arc<LogConfig>,
        min_insync_replicas: usize,
        clock: Arc<dyn Clock>,
        lease: Arc<LeaderLease>,
    ) -> Self {
        let (in_sync, flush_queue) = (Arc::<InSync>::default(), Arc::<FlushQueue<Partition>>::default());
        let sync = SyncPolicy { mode: SyncMode::Fsync, flush_messages: i64::MAX, flush_within: None };
        let config = Arc::new(PartitionConfig {
            log: config,
            sync,
            min_insync_replicas,
            leader_throttled: ThrottledReplicas::default(),
            follower_throttled: ThrottledReplicas::default(),
        });
        let host = Host {
            clock,
            flush_queue: Arc::clone(&flush_queue),
            counts: Arc::default(),
            in_sync: Arc::clone(&in_sync),
            quotas: Arc::default(),
            lease,
        };
        let replica = Replica::new(me, Durability::Flushed);
        Self { partition: Partition::new(id, log, replica, config, host), in_sync, flush_queue }
    }

    /// The metadata changed.
    pub fn handle_partition_state(&self, state: PartitionState) -> RoleChange {
        self.partition.handle_partition_state(state)
    }

    /// A producer's batch. Where it went, and the wait for its acknowledgement if there is one.
    pub fn append(&self, records: Bytes, all: bool) -> Result<(Offset, Option<Acknowledgement>), Refused> {
        let acks = if all { Acks::All } else { Acks::Leader };
        let appended = self.partition.append(records, acks).map_err(refused)?;
        Ok((appended.base_offset, appended.acknowledged.map(Acknowledgement)))
    }

    /// A follower's fetch, with the epoch of its broker.
    pub fn fetch_as_follower(
        &self,
        id: NodeId,
        epoch: BrokerEpoch,
        position: BarePosition,
        max_bytes: usize,
    ) -> Result<BareRead, Refused> {
        self.read(ReadRequest {
            reader: Reader::Follower { id, epoch: Some(epoch) },
            isolation: Isolation::LogEnd,
            from: position.fetch_offset,
            max_bytes,
            at_least_one_batch: true,
            current_leader_epoch: position.leader_epoch,
            last_fetched_epoch: position.last_fetched_epoch,
            log_start: Offset::ZERO,
        })
    }

    /// A consumer's fetch, in the epoch of the leader that it knows: what is committed.
    pub fn fetch_as_consumer(
        &self,
        leader_epoch: LeaderEpoch,
        from: Offset,
        max_bytes: usize,
    ) -> Result<BareRead, Refused> {
        self.read(ReadRequest {
            reader: Reader::Consumer { reads_from_followers: false },
            isolation: Isolation::HighWatermark,
            from,
            max_bytes,
            at_least_one_batch: true,
            current_leader_epoch: leader_epoch,
            last_fetched_epoch: LeaderEpoch::NONE,
            log_start: Offset::NONE,
        })
    }

    fn read(&self, request: ReadRequest) -> Result<BareRead, Refused> {
        let read = self.partition.read(&request).map_err(refused)?;
        let mut records = Vec::with_capacity(read.bytes);
        for slice in read.slices.iter().map(RecordsSlice::load) {
            records.extend_from_slice(&slice.map_err(|error| Refused::Other(error.to_string()))?);
        }
        Ok(BareRead {
            records: records.into(),
            high_watermark: read.high_watermark,
            log_start_offset: read.log_start_offset,
            log_end_offset: self.partition.offsets().log_end,
            diverging: read.diverging,
        })
    }

    /// What this replica, a follower, does next.
    pub fn next_fetch(&self) -> Result<BareFetch, Refused> {
        Ok(match self.partition.next_fetch().map_err(refused)? {
            NextFetch::From(FollowerPosition { leader_epoch, fetch_offset, last_fetched_epoch, .. }) => {
                BareFetch::From(BarePosition { leader_epoch, fetch_offset, last_fetched_epoch })
            }
            NextFetch::AfterSync(synced) => BareFetch::AfterSync(Acknowledgement(synced)),
            NextFetch::Later => return Err(Refused::Other("throttled".to_owned())),
        })
    }

    /// The leader of `epoch` answered a fetch. Whether this log is another one than before, or was cut.
    pub fn take_fetched(&self, epoch: LeaderEpoch, read: &BareRead) -> Result<bool, Refused> {
        if let Some(leaders) = read.diverging {
            return self.partition.truncate(epoch, leaders).map_err(refused);
        }
        let (high_watermark, log_start) = (read.high_watermark, read.log_start_offset);
        self.partition.append_fetched(epoch, &read.records, high_watermark, log_start).map_err(refused)?;
        Ok(false)
    }

    /// The leader of `epoch` has other offsets, from `offset` on.
    pub fn start_anew(&self, epoch: LeaderEpoch, offset: Offset) -> Result<(), Refused> {
        self.partition.start_anew(epoch, offset).map_err(refused)
    }

    /// Whether the in-sync set should be looked at before the next round.
    pub fn take_noted(&self) -> bool {
        !self.in_sync.take_noted().is_empty()
    }

    /// What to ask the controller for, as the leader of the epoch named. `image` tells whom it would take.
    pub fn wanted_isr(&self, lag_max: Duration, image: &MetadataImage) -> Option<(LeaderEpoch, AlterIsr)> {
        self.partition.wanted_isr(lag_max, |id, epoch| may_join(image, id, epoch))
    }

    /// The controller made the change.
    pub fn isr_changed(&self, leader_epoch: LeaderEpoch, change: &AlterIsr) {
        self.partition.isr_changed(leader_epoch, change);
    }

    /// The controller refused the change, and made none.
    pub fn isr_refused(&self, leader_epoch: LeaderEpoch, change: &AlterIsr) {
        self.partition.isr_refused(leader_epoch, change);
    }

    /// Whether a sync is queued, and if so whether at once.
    pub fn sync_queued(&self) -> Option<bool> {
        self.partition.look().sync.is_queued()
    }

    /// Begins the sync that is queued, if there is anything to sync and none runs.
    pub fn begin_sync(&self) -> Option<BareSync> {
        self.partition.begin_sync().map(BareSync)
    }

    /// Takes note of a sync.
    pub fn end_sync(&self, (done, bytes): (FlushOutcome, u64)) {
        self.partition.end_sync(done, bytes);
    }

    /// Its log, its high watermark and the newest leader epoch that it knows.
    pub fn look<T>(&self, look: impl FnOnce(&mut Log, Offset, LeaderEpoch) -> T) -> T {
        let mut state = self.partition.look();
        let (high_watermark, epoch) = (state.replica.high_watermark(), state.replica.leader_epoch());
        look(&mut state.log, high_watermark, epoch)
    }

    /// The lease ran out: answers whoever waits for what this broker leads.
    pub fn lease_ran_out(&self) {
        self.partition.lease_ran_out();
    }

    /// The replica was moved away: answers whoever waits; its files may be deleted.
    pub fn leave(&self) {
        self.partition.retire();
        self.partition.with_log(|log, _| log.abandon());
    }

    /// Whether it leads.
    pub fn is_leader(&self) -> bool {
        self.partition.is_leader()
    }
}

impl std::fmt::Debug for BareSync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("BareSync").field(&self.0.job).finish()
    }
}

impl Drop for BarePartition {
    fn drop(&mut self) {
        // The queue and what is queued hold each other, as do a partition and who looks after its in-sync set.
        self.partition.retire();
        self.flush_queue.close();
        while self.flush_queue.take().is_some() {}
    }
}

fn refused(error: PartitionError) -> Refused {
    match error {
        PartitionError::NotLeader(_)
        | PartitionError::Epoch(_)
        | PartitionError::LeaseRanOut
        | PartitionError::NotReady(NotReady::NotLeader(_)) => Refused::NotLeader,
        PartitionError::NotReady(NotReady::NotEnoughReplicas { .. }) => Refused::NotEnoughReplicas,
        PartitionError::Read(ReadError::OffsetOutOfRange { .. }) => Refused::OffsetOutOfRange,
        PartitionError::Append(AppendError::OutOfOrderSequence { .. }) => Refused::OutOfOrderSequence,
        other => Refused::Other(other.to_string()),
    }
}
