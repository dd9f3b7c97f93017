//! A topic is gone from the metadata: so are the offsets in it.
//!
//! The host tells every shard. It is soft: what a failover interrupts stays until it expires, as in Kafka;
//! topic ids keep such offsets from being taken for a new topic's of the same name.

use ottla_types::{PartitionIndex, TopicId, TopicName, TopicPartition};

use crate::expire_offsets::Sweep;
use crate::offsets::CommittedOffset;
use crate::records;
use crate::shard::{Cx, GroupShard, Out};
use crate::timer::GroupTimer;

/// A topic that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedTopic {
    /// Its name.
    pub topic: TopicName,
    /// Its id: a topic created anew under the name is another one.
    pub topic_id: TopicId,
}

impl GroupShard {
    pub(crate) fn topics_deleted(&mut self, cx: Cx<'_>, topics: Vec<DeletedTopic>, out: &mut Out) {
        self.deleted_topics.extend(topics);
        out.set_timer(GroupTimer::TopicsDeleted, cx.now.monotonic);
    }

    /// Writes tombstones for offsets in deleted topics, one batch at a time.
    pub(crate) fn remove_deleted_topics(&mut self, cx: Cx<'_>, out: &mut Out) {
        let mut sweep = Sweep::default();
        for topic in &self.deleted_topics {
            self.remove_deleted_topic(topic, &mut sweep, out);
        }
        self.counters.offset_deletions += sweep.offsets;
        if sweep.offsets == 0 {
            // Nothing was left, or what was is in the log.
            self.deleted_topics.clear();
        } else {
            // Look again, in case the batch was full or fails.
            sweep.schedule_next(GroupTimer::TopicsDeleted, cx, out);
            out.set_timer(GroupTimer::TopicsDeleted, cx.now.monotonic);
        }
    }

    fn remove_deleted_topic(&self, deleted: &DeletedTopic, sweep: &mut Sweep, out: &mut Out) {
        let is_of = |committed: &CommittedOffset| {
            committed.topic_id.is_zero() || committed.topic_id == deleted.topic_id
        };
        let doomed = |partition: PartitionIndex| TopicPartition::new(deleted.topic.clone(), partition);
        for (group_id, topics) in self.offsets.groups() {
            for (&partition, committed) in topics.get(&deleted.topic).into_iter().flatten() {
                if is_of(committed) && !sweep.is_full() {
                    let partition = doomed(partition);
                    if let Ok(record) = records::offset_tombstone(group_id, &partition) {
                        sweep.offsets += 1;
                        sweep.push(record, out);
                    }
                }
            }
        }
        for (group_id, partition, pending) in self.offsets.all_pending() {
            let has_committed =
                self.offsets.get(group_id, partition.topic.as_str(), partition.partition).is_some();
            let is_doomed = partition.topic == deleted.topic && pending.values().any(is_of) && !has_committed;
            if is_doomed
                && !sweep.is_full()
                && let Ok(record) = records::offset_tombstone(group_id, partition)
            {
                sweep.offsets += 1;
                sweep.push(record, out);
            }
        }
    }
}

#[cfg(test)]
#[path = "topics_deleted_test.rs"]
mod tests;
