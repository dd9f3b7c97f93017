//! Reads from a partition: what this broker leads, and as consumers may read it from followers too (KIP-392).

use std::sync::Arc;

use ottla_replication::{ReplicaProgress, Role, select_rack_aware};
use ottla_storage::{ReadError, RecordsSlice, StorageError, TimestampOffset};
use ottla_types::{BrokerEpoch, Bytes, LeaderEpoch, NodeId, Offset, TimestampMs};

use super::partition::{Partition, State};
use super::{DeleteRecordsError, PartitionError};

/// Up to where a reader may see the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// Followers: all of it.
    LogEnd,
    /// read_uncommitted: what is committed.
    HighWatermark,
    /// read_committed: what is committed and before the first open transaction.
    LastStableOffset,
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Some know of leaders only.
    Consumer { reads_from_followers: bool },
    /// With its broker epoch, where it tells one.
    Follower { id: NodeId, epoch: Option<BrokerEpoch> },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadRequest {
    pub(crate) reader: Reader,
    pub(crate) isolation: Isolation,
    pub(crate) from: Offset,
    pub(crate) max_bytes: usize,
    /// Return the first batch even if it is larger than `max_bytes` (KIP-74).
    pub(crate) at_least_one_batch: bool,
    pub(crate) current_leader_epoch: LeaderEpoch,
    pub(crate) last_fetched_epoch: LeaderEpoch,
    /// Where a follower's own log starts.
    pub(crate) log_start: Offset,
}

/// What was read, and the ends of the log then.
#[derive(Debug)]
pub(crate) struct PartitionRead {
    pub(crate) slices: Vec<RecordsSlice>,
    pub(crate) bytes: usize,
    pub(crate) high_watermark: Offset,
    pub(crate) last_stable_offset: Offset,
    pub(crate) log_start_offset: Offset,
    /// The reader's log is not a prefix of this one: it truncates to the end of this epoch.
    pub(crate) diverging: Option<(LeaderEpoch, Offset)>,
    pub(crate) read_committed: bool,
    /// The replica that a consumer had better read from.
    pub(crate) preferred_read_replica: Option<NodeId>,
    /// What was read holds as long as this broker leads.
    pub(crate) is_of_leader: bool,
}

/// What to look for in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffsetSpec {
    Latest,
    Earliest,
    /// The first record at or after a time.
    Timestamp(TimestampMs),
    /// The record with the largest timestamp.
    MaxTimestamp,
    /// Something that this log has none of.
    Nothing,
}

/// A record's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) timestamp_ms: TimestampMs,
    pub(crate) offset: Offset,
    pub(crate) leader_epoch: LeaderEpoch,
}

impl Partition {
    /// Reads whole batches from the one that holds `request.from` on.
    pub(crate) fn read(self: &Arc<Self>, request: &ReadRequest) -> Result<PartitionRead, PartitionError> {
        let mut moved = None;
        let mut read = self.read_and_note(request, &mut moved);
        if request.is_of_consumer() && read.as_ref().is_ok_and(|read| read.is_of_leader) {
            read = self.check_lease().and(read);
        }
        if let Some(high_watermark) = moved {
            self.notify(high_watermark);
        }
        read
    }

    /// `moved` is the new high watermark, if a follower that reads moves it.
    fn read_and_note(
        self: &Arc<Self>,
        request: &ReadRequest,
        moved: &mut Option<Offset>,
    ) -> Result<PartitionRead, PartitionError> {
        let mut state = self.lock();
        state.check_readable(request)?;
        if let Reader::Follower { id, epoch } = request.reader {
            state.replica.leader()?.check_follower(id, epoch, request.current_leader_epoch)?;
        }
        if let Some(diverging) = state.diverging(request) {
            return Ok(state.nothing_read(request, Some(diverging)));
        }
        let offsets = state.offsets();
        if request.from > offsets.log_end || request.from < offsets.log_start {
            return Err(ReadError::OffsetOutOfRange {
                offset: request.from,
                log_start: offsets.log_start,
                end: offsets.log_end,
            }
            .into());
        }
        if let Reader::Follower { id, epoch } = request.reader {
            *moved = self.note_follower(&mut state, id, epoch, request)?;
            if self.must_wait(&state, id) {
                return Ok(state.nothing_read(request, None));
            }
        }
        let end = state.end(request.isolation);
        if request.from >= end || (request.max_bytes == 0 && !request.at_least_one_batch) {
            return Ok(state.nothing_read(request, None));
        }
        let read = state.log.read(request.from, request.max_bytes as u64, end, request.at_least_one_batch)?;
        let bytes = usize::try_from(read.bytes).unwrap_or(usize::MAX);
        Ok(PartitionRead { slices: read.slices, bytes, ..state.nothing_read(request, None) })
    }

    /// A follower has everything below where it reads, as safely as acknowledgements ask for: it fetches on only then.
    fn note_follower(
        self: &Arc<Self>,
        state: &mut State,
        id: NodeId,
        epoch: Option<BrokerEpoch>,
        request: &ReadRequest,
    ) -> Result<Option<Offset>, PartitionError> {
        let from = request.from;
        let now = self.now();
        let leader = state.replica.leader_mut()?;
        let progress = ReplicaProgress { log_end_offset: from, flushed_offset: from };
        if leader.log_start_of(id).is_some_and(|before| before != request.log_start) {
            self.in_sync.log_start_moved();
        }
        let moved = leader.handle_follower_fetch(now, id, progress, request.log_start, epoch);
        if leader.may_join_isr(id) {
            self.in_sync.look_at(self);
        }
        if let Some(high_watermark) = moved {
            state.publish(high_watermark);
        }
        Ok(moved)
    }

    /// How many bytes [`read`](Self::read) would find if nothing limited them, without reading them; `None` if that is not known,
    /// or it would find something else.
    pub(crate) fn readable(&self, request: &ReadRequest) -> Option<usize> {
        let mut state = self.lock();
        state.check_readable(request).ok()?;
        if request.is_of_consumer() && state.replica.leader().is_ok() {
            self.check_lease().ok()?;
        }
        if state.diverging(request).is_some() {
            return None;
        }
        if let Reader::Follower { id, .. } = request.reader
            && self.must_wait(&state, id)
        {
            return Some(0);
        }
        let end = state.end(request.isolation);
        usize::try_from(state.log.bytes_between(request.from, end)?).ok()
    }

    /// The follower that a consumer had better read from, given who is in its rack; `None` if that is this broker.
    pub(crate) fn preferred_read_replica(
        &self,
        from: Offset,
        is_near: impl Fn(NodeId) -> bool,
    ) -> Option<NodeId> {
        let (now, state) = (self.now(), self.look());
        let leader = state.replica.leader().ok()?;
        select_rack_aware(state.replica.me(), leader.readable_followers(now, from), is_near)
    }

    /// Reads nothing, so that the consumer reads from `replica`.
    pub(crate) fn refer_to(
        &self,
        replica: NodeId,
        request: &ReadRequest,
    ) -> Result<PartitionRead, PartitionError> {
        let mut state = self.lock();
        state.check_readable(request)?;
        let nothing = state.nothing_read(request, None);
        Ok(PartitionRead { preferred_read_replica: Some(replica), ..nothing })
    }

    /// Reads from `from` on, whoever leads and whatever is committed: a coordinator loads what its log has.
    pub(crate) fn read_for_load(&self, from: Offset, max_bytes: usize) -> Result<Bytes, PartitionError> {
        let read = {
            let mut state = self.lock();
            let end = state.log.log_end_offset();
            state.log.read(from, max_bytes as u64, end, true)?
        };
        let failed = |source| StorageError::Io {
            op: "read",
            path: self.id().topic_partition.to_string().into(),
            source: Arc::new(source),
        };
        Ok(read.load().map_err(failed)?)
    }

    /// Looks an offset up; `None` if no record is meant. Records beyond `isolation` are not found.
    pub(crate) fn find_offset(
        &self,
        current_leader_epoch: LeaderEpoch,
        spec: OffsetSpec,
        isolation: Isolation,
    ) -> Result<Option<Found>, PartitionError> {
        let found = self.look_up(current_leader_epoch, spec, isolation)?;
        // Followers ask for the log's end.
        if isolation != Isolation::LogEnd {
            self.check_lease()?;
        }
        Ok(found)
    }

    fn look_up(
        &self,
        current_leader_epoch: LeaderEpoch,
        spec: OffsetSpec,
        isolation: Isolation,
    ) -> Result<Option<Found>, PartitionError> {
        let mut state = self.lock();
        state.check_leader(current_leader_epoch)?;
        let end = state.end(isolation);
        let found = match spec {
            OffsetSpec::Nothing => None,
            OffsetSpec::Latest => {
                state.check_high_watermark(isolation)?;
                let leader_epoch = state.replica.leader_epoch();
                return Ok(Some(Found { timestamp_ms: -1, offset: end, leader_epoch }));
            }
            OffsetSpec::Earliest => {
                let offset = state.log.log_start_offset();
                let leader_epoch = state.log.epoch_at(offset).unwrap_or(LeaderEpoch::NONE);
                return Ok(Some(Found { timestamp_ms: -1, offset, leader_epoch }));
            }
            OffsetSpec::Timestamp(timestamp_ms) => state.log.offset_for_timestamp(timestamp_ms)?,
            OffsetSpec::MaxTimestamp => state.log.max_timestamp_offset()?,
        };
        let visible = |found: &TimestampOffset| found.offset < end;
        if !found.as_ref().is_none_or(visible) {
            state.check_high_watermark(isolation)?;
        }
        let found = found.filter(visible);
        Ok(found.map(|found| Found {
            timestamp_ms: found.timestamp_ms,
            offset: found.offset,
            leader_epoch: found.leader_epoch,
        }))
    }

    /// The largest epoch at or below `leader_epoch`, and where it ends in this log.
    pub(crate) fn end_offset_for_epoch(
        &self,
        current_leader_epoch: LeaderEpoch,
        leader_epoch: LeaderEpoch,
    ) -> Result<Option<(LeaderEpoch, Offset)>, PartitionError> {
        let found = {
            let state = self.lock();
            state.check_leader(current_leader_epoch)?;
            state.log.end_offset_for_epoch(leader_epoch)
        };
        self.check_lease()?;
        Ok(found)
    }

    /// Moves the log start up to `offset`, or to the high watermark for −1. Returns up to where that is.
    pub(crate) fn delete_records(&self, offset: Offset) -> Result<Offset, DeleteRecordsError> {
        let mut state = self.lock();
        state.check_leader(LeaderEpoch::NONE)?;
        self.check_lease()?;
        if !state.log.config().cleanup_delete {
            return Err(DeleteRecordsError::NotDeletable);
        }
        let high_watermark = state.replica.high_watermark();
        let upto = if offset == Offset::NONE { high_watermark } else { offset };
        if upto < Offset::ZERO || upto > high_watermark {
            return Err(DeleteRecordsError::OutOfRange { offset, high_watermark });
        }
        state.log.delete_records_before(upto).map_err(PartitionError::from)?;
        Ok(upto)
    }

    /// Below this no replica on brokers that are `alive` has records any more.
    pub(crate) fn low_watermark(&self, alive: impl Fn(NodeId) -> bool) -> Result<Offset, PartitionError> {
        let low = {
            let state = self.lock();
            state.check_leader(LeaderEpoch::NONE)?;
            state.replica.leader()?.low_watermark(state.log.log_start_offset(), alive)
        };
        self.check_lease()?;
        Ok(low)
    }
}

impl ReadRequest {
    fn is_of_consumer(&self) -> bool {
        matches!(self.reader, Reader::Consumer { .. })
    }
}

impl State {
    /// Whether this replica may be read by who asks.
    fn check_readable(&self, request: &ReadRequest) -> Result<(), PartitionError> {
        let follows = matches!(self.replica.role(), Role::Follower { .. });
        if follows && request.reader == (Reader::Consumer { reads_from_followers: true }) {
            self.check_not_retired()?;
            self.replica.check_leader_epoch(request.current_leader_epoch)?;
            return Ok(());
        }
        self.check_leader(request.current_leader_epoch)
    }

    fn end(&mut self, isolation: Isolation) -> Offset {
        let offsets = self.offsets();
        match isolation {
            Isolation::LogEnd => offsets.log_end,
            Isolation::HighWatermark => offsets.high_watermark,
            Isolation::LastStableOffset => offsets.last_stable,
        }
    }

    /// What a former leader has shown to consumers may lie beyond a new one's high watermark (KIP-207).
    fn check_high_watermark(&self, isolation: Isolation) -> Result<(), PartitionError> {
        if isolation == Isolation::LogEnd {
            return Ok(());
        }
        let leader = self.replica.leader()?;
        let (high_watermark, epoch_start) = (leader.high_watermark(), leader.epoch_start());
        if high_watermark < epoch_start {
            return Err(PartitionError::HighWatermarkBehind { high_watermark, epoch_start });
        }
        Ok(())
    }

    /// Whether the reader's last epoch ended elsewhere than in this log (KIP-595).
    fn diverging(&self, request: &ReadRequest) -> Option<(LeaderEpoch, Offset)> {
        if !request.last_fetched_epoch.is_some() {
            return None;
        }
        match self.log.end_offset_for_epoch(request.last_fetched_epoch) {
            Some((epoch, end)) if epoch < request.last_fetched_epoch || end < request.from => {
                Some((epoch, end))
            }
            _ => None,
        }
    }

    fn nothing_read(
        &mut self,
        request: &ReadRequest,
        diverging: Option<(LeaderEpoch, Offset)>,
    ) -> PartitionRead {
        let offsets = self.offsets();
        PartitionRead {
            slices: Vec::new(),
            bytes: 0,
            high_watermark: offsets.high_watermark,
            last_stable_offset: offsets.last_stable,
            log_start_offset: offsets.log_start,
            diverging,
            read_committed: request.isolation == Isolation::LastStableOffset,
            preferred_read_replica: None,
            is_of_leader: self.replica.leader().is_ok(),
        }
    }
}
