//! The expiry of offsets that nobody needs any more, and of groups that have nothing left (KIP-211).
//!
//! | group | its offsets expire `offsets.retention.minutes` after |
//! |---|---|
//! | with members, protocol type `consumer`, stable | the commit, for topics that no member subscribes to |
//! | with members, any other | never |
//! | empty | it became empty |
//! | that only ever committed offsets | the commit |
//!
//! An offset with an expiry of its own (OffsetCommit v2–4) goes by that. A group without offsets and
//! members goes with the next check.

use ottla_types::{GroupId, TimestampMs, TopicPartition};

use crate::group::ClassicGroup;
use crate::offsets::CommittedOffset;
use crate::records;
use crate::shard::{Cx, GroupShard, Out};
use crate::state::GroupState;
use crate::timer::GroupTimer;
use crate::undo::{Change, GroupUndo};

/// How many bytes of tombstones one batch carries at most: well under the topic's `max.message.bytes`.
pub(crate) const SWEEP_BYTES: usize = 256 * 1024;

impl GroupShard {
    /// Writes tombstones for what has expired, one batch at a time.
    pub(crate) fn expire_offsets(&mut self, cx: Cx<'_>, out: &mut Out) {
        let mut sweep = Sweep::default();
        for group_id in self.groups.ids() {
            let Some(group) = self.groups.get(group_id) else { continue };
            self.expire_group(cx, group_id, &group, &mut sweep, out);
            if sweep.is_full() {
                break;
            }
        }
        self.counters.offset_expirations += sweep.offsets;
        sweep.schedule_next(GroupTimer::Expiration, cx, out);
        if !sweep.is_full() {
            out.set_timer(GroupTimer::Expiration, cx.next_check());
        }
    }

    fn expire_group(
        &self,
        cx: Cx<'_>,
        group_id: &GroupId,
        group: &ClassicGroup,
        sweep: &mut Sweep,
        out: &mut Out,
    ) {
        let mut has_offsets_left = self.offsets.has_pending(group_id);
        for (topic, partitions) in self.offsets.group(group_id).into_iter().flatten() {
            let is_subscribed = group.is_subscribed_to(topic.as_str());
            for (&index, committed) in partitions {
                let partition = TopicPartition::new(topic.clone(), index);
                let is_expired = !is_subscribed
                    && is_expired(cx, group, committed)
                    && !self.offsets.is_pending(group_id, &partition);
                if !is_expired || sweep.is_full() {
                    has_offsets_left = true;
                } else if let Ok(record) = records::offset_tombstone(group_id, &partition) {
                    sweep.offsets += 1;
                    sweep.push(record, out);
                }
            }
        }
        // A pending member is about to join; Kafka deletes the group under it.
        if group.is_empty()
            && !has_offsets_left
            && group.pending_join.is_empty()
            && let Ok(record) = records::group_tombstone(group_id)
        {
            sweep.push(record, out);
        }
    }
}

/// Tombstones gathered for one batch.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    bytes: usize,
    pub(crate) offsets: u64,
}

impl Sweep {
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= SWEEP_BYTES
    }

    pub(crate) fn push(&mut self, record: ottla_coordinator::KeyValueRecord, out: &mut Out) {
        self.bytes += record.key.len();
        out.records.push(record);
    }

    /// If the batch is full, more remains: `timer` goes on with it at once, or after a failed append later.
    pub(crate) fn schedule_next(&self, timer: GroupTimer, cx: Cx<'_>, out: &mut Out) {
        if self.bytes > 0 {
            out.undo = Some(GroupUndo(Change::Sweep(timer.clone())));
        }
        if self.is_full() {
            out.set_timer(timer, cx.now.monotonic);
        }
    }
}

fn is_expired(cx: Cx<'_>, group: &ClassicGroup, committed: &CommittedOffset) -> bool {
    let Some(base_ms) = retention_begins_ms(group, committed) else { return false };
    match committed.expire_timestamp_ms {
        Some(expire_ms) => cx.now.wall_ms >= expire_ms,
        None => cx.now.wall_ms.saturating_sub(base_ms) >= cx.config.offsets_retention_ms,
    }
}

/// Since when the retention runs; `None` while the offset may not expire.
fn retention_begins_ms(group: &ClassicGroup, committed: &CommittedOffset) -> Option<TimestampMs> {
    if group.protocol_type.is_none() {
        return Some(committed.commit_timestamp_ms);
    }
    match group.state {
        GroupState::Empty => Some(group.state_since_ms.unwrap_or(committed.commit_timestamp_ms)),
        GroupState::Stable if group.uses_consumer_protocol() && group.subscribed_topics.is_some() => {
            Some(committed.commit_timestamp_ms)
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "expire_offsets_test.rs"]
mod tests;
