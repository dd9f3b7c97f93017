//! A follower's side of a partition: from where on it fetches, and what it does with the answer.
//!
//! ```text
//!  next_fetch ─▶ Fetch ─▶ append_fetched ─▶ synced, where that counts ─▶ next_fetch tells the leader of it
//!                   ├───▶ truncate: the leader's history is another one
//!                   └───▶ start_anew: the leader does not have the offset any more
//! ```
//!
//! All of them name the leader epoch that they were fetched in, and do nothing once another one began.

use std::sync::Arc;

use ottla_replication::truncation_point;
use ottla_types::{Bytes, LeaderEpoch, Offset};
use tokio::sync::oneshot;

use super::flush_queue::FlushBy;
use super::partition::{Partition, State};
use super::{AckOutcome, PartitionError};

/// From where on a follower fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FollowerPosition {
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) fetch_offset: Offset,
    /// Of its last record.
    pub(crate) last_fetched_epoch: LeaderEpoch,
    pub(crate) log_start_offset: Offset,
}

/// What a follower does next.
#[derive(Debug)]
pub(crate) enum NextFetch {
    From(FollowerPosition),
    /// To fetch on tells the leader that all before is stored, and it is not synced yet.
    AfterSync(oneshot::Receiver<AckOutcome>),
    /// It is throttled, and too much was fetched lately.
    Later,
}

impl Partition {
    /// From where on to fetch from the leader.
    pub(crate) fn next_fetch(self: &Arc<Self>) -> Result<NextFetch, PartitionError> {
        let mut state = self.look();
        state.check_not_retired()?;
        let leader_epoch = state.replica.leader_epoch();
        state.replica.check_follows(leader_epoch)?;
        if self.must_not_fetch(&state) {
            return Ok(NextFetch::Later);
        }
        let progress = state.progress();
        if !state.replica.has_stored(progress) {
            let synced = state.acks.wait_for(progress.log_end_offset);
            self.schedule_sync(&mut state, FlushBy::Now);
            return Ok(NextFetch::AfterSync(synced));
        }
        Ok(NextFetch::From(FollowerPosition {
            leader_epoch,
            fetch_offset: progress.log_end_offset,
            last_fetched_epoch: state.log.latest_epoch().unwrap_or(LeaderEpoch::NONE),
            log_start_offset: state.log.log_start_offset(),
        }))
    }

    /// Appends what the leader of `leader_epoch` sent, and notes how much of it is committed.
    pub(crate) fn append_fetched(
        self: &Arc<Self>,
        leader_epoch: LeaderEpoch,
        records: &Bytes,
        high_watermark: Offset,
        leader_log_start: Offset,
    ) -> Result<(), PartitionError> {
        let now_ms = self.clock.wall_ms();
        let mut state = self.lock();
        state.check_follows(leader_epoch)?;
        if !records.is_empty() {
            let info = state.log.append_as_follower(records, now_ms)?;
            state.sync.appended(info.bytes);
            let by = state.sync_by(true);
            self.schedule_sync(&mut state, by);
        }
        self.count_fetched(&state, records.len());
        let end = state.log.log_end_offset();
        state.is_caught_up = end >= high_watermark;
        if let Some(moved) = state.replica.handle_leader_high_watermark(high_watermark, end) {
            state.log.record_high_watermark(moved);
            // Consumers that read here wait for it.
            state.fetches.wake_all();
        }
        if leader_log_start > state.log.log_start_offset() {
            let upto = leader_log_start.min(state.replica.high_watermark());
            state.log.delete_records_before(upto)?;
        }
        Ok(())
    }

    /// Cuts off what the leader does not have: `leaders` is its largest epoch up to this log's last, and its end there.
    /// Blocks on syncs. Whether anything changed.
    pub(crate) fn truncate(
        &self,
        leader_epoch: LeaderEpoch,
        leaders: (LeaderEpoch, Offset),
    ) -> Result<bool, PartitionError> {
        let now_ms = self.clock.wall_ms();
        let mut state = self.lock();
        state.check_follows(leader_epoch)?;
        let (end, epoch) = (state.log.log_end_offset(), state.log.latest_epoch());
        let to = truncation_point(leaders, state.log.end_offset_for_epoch(leaders.0), end);
        let high_watermark = state.replica.high_watermark();
        if to < high_watermark {
            // After an unclean election. Whoever asked for that one was told.
            tracing::warn!(
                "{}: the leader of epoch {leader_epoch} lacks committed records: {to} to {high_watermark} go",
                self.id().topic_partition
            );
        }
        tracing::info!(
            "{}: truncated from {end} to {to}, where the log of the leader of epoch {leader_epoch} goes on otherwise",
            self.id().topic_partition
        );
        state.log.truncate_to(to, now_ms)?;
        state.truncated();
        Ok(state.log.log_end_offset() < end || state.log.latest_epoch() != epoch)
    }

    /// Drops everything and begins at `offset`, the leader's first. Blocks on syncs.
    pub(crate) fn start_anew(&self, leader_epoch: LeaderEpoch, offset: Offset) -> Result<(), PartitionError> {
        let now_ms = self.clock.wall_ms();
        let mut state = self.lock();
        state.check_follows(leader_epoch)?;
        let (start, end) = (state.log.log_start_offset(), state.log.log_end_offset());
        tracing::warn!(
            "{}: {start} to {end} is not what the leader has, which begins at {offset}: starting anew there",
            self.id().topic_partition
        );
        state.log.truncate_fully_and_start_at(offset, now_ms)?;
        state.truncated();
        Ok(())
    }
}

impl State {
    fn check_follows(&self, leader_epoch: LeaderEpoch) -> Result<(), PartitionError> {
        self.check_not_retired()?;
        self.replica.check_follows(leader_epoch)?;
        Ok(())
    }

    fn truncated(&mut self) {
        let end = self.log.log_end_offset();
        self.replica.handle_truncation(end);
        let high_watermark = self.replica.high_watermark();
        self.log.record_high_watermark(high_watermark);
    }
}
