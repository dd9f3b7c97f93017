//! Appends to a partition that this broker leads.

use std::sync::Arc;

use ottla_storage::{AppendOrigin, LeaderAppend};
use ottla_types::{Bytes, LeaderEpoch, Offset, TimestampMs};
use tokio::sync::oneshot;

use super::partition::Partition;
use super::{AckOutcome, PartitionError};

/// Which replicas must have a record before it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acks {
    /// At most the leader.
    Leader,
    /// All in-sync replicas.
    All,
}

/// Where a batch went.
#[derive(Debug)]
pub(crate) struct Appended {
    pub(crate) base_offset: Offset,
    /// −1 unless the topic stamps records itself.
    pub(crate) log_append_time_ms: TimestampMs,
    pub(crate) log_start_offset: Offset,
    /// Resolves when the records are committed; `None` if that needs no wait.
    pub(crate) acknowledged: Option<oneshot::Receiver<AckOutcome>>,
}

impl Partition {
    /// Appends a producer's batch.
    pub(crate) fn append(self: &Arc<Self>, records: Bytes, acks: Acks) -> Result<Appended, PartitionError> {
        self.counts.produce_requests.inc();
        let appended = self.append_batch(records, acks);
        match &appended {
            Ok(_) => {}
            Err(_) => self.counts.failed_produce_requests.inc(),
        }
        appended
    }

    fn append_batch(self: &Arc<Self>, records: Bytes, acks: Acks) -> Result<Appended, PartitionError> {
        let now_ms = self.clock.wall_ms();
        let mut state = self.lock();
        state.check_append(acks)?;
        self.check_lease()?;
        let leader_epoch = state.replica.leader_epoch();
        let append = LeaderAppend { leader_epoch, now_ms, origin: AppendOrigin::Client };
        let info = state.log.append_as_leader(records, &append)?;
        self.counts.messages_in.add(info.records);
        self.counts.bytes_in.add(info.bytes);
        let moved = self.appended(&mut state, info.bytes, acks == Acks::All);
        let required = info.last_offset.next();
        let acknowledged = (acks == Acks::All && state.replica.high_watermark() < required)
            .then(|| state.acks.wait_for(required));
        drop(state);
        if let Some(high_watermark) = moved {
            self.notify(high_watermark);
        }
        Ok(Appended {
            base_offset: info.base_offset,
            log_append_time_ms: info.log_append_time_ms,
            log_start_offset: info.log_start_offset,
            acknowledged,
        })
    }

    /// Appends a coordinator's batch, if this broker still leads in `leader_epoch`. The caller sees the high watermark
    /// itself, so the listener is not called for this append.
    pub(crate) fn append_as_coordinator(
        self: &Arc<Self>,
        records: Bytes,
        leader_epoch: LeaderEpoch,
    ) -> Result<Offset, PartitionError> {
        let now_ms = self.clock.wall_ms();
        let mut state = self.lock();
        state.replica.check_leader_epoch(leader_epoch)?;
        state.check_append(Acks::All)?;
        let append = LeaderAppend { leader_epoch, now_ms, origin: AppendOrigin::Coordinator };
        let info = state.log.append_as_leader(records, &append)?;
        self.counts.messages_in.add(info.records);
        self.counts.bytes_in.add(info.bytes);
        self.appended(&mut state, info.bytes, true);
        Ok(info.base_offset)
    }
}
