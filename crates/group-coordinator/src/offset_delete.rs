//! OffsetDelete: an administrator removes offsets of topics that the group no longer consumes (KIP-496).
//!
//! Errors: INVALID_GROUP_ID, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP for a group with members whose
//! subscriptions cannot be known; per partition GROUP_SUBSCRIBED_TO_TOPIC.

use ottla_types::{GroupId, PartitionIndex, TopicName, TopicPartition};

use crate::error::GroupError;
use crate::records;
use crate::shard::{GroupShard, Out};

/// An OffsetDelete request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetDelete {
    /// The group.
    pub group_id: GroupId,
    /// Topics and their partitions.
    pub topics: Vec<(TopicName, Vec<PartitionIndex>)>,
}

/// What became of a topic's offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedTopicOffsets {
    /// The topic.
    pub topic: TopicName,
    /// Whether each is gone, in the order of the request.
    pub partitions: Vec<(PartitionIndex, Result<(), GroupError>)>,
}

impl GroupShard {
    pub(crate) fn offset_delete(
        &mut self,
        request: OffsetDelete,
        out: &mut Out,
    ) -> Result<Vec<DeletedTopicOffsets>, GroupError> {
        let OffsetDelete { group_id, topics } = request;
        if group_id.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        let Some(group) = self.groups.get(&group_id) else {
            return Err(GroupError::GroupIdNotFound { group_id });
        };
        if !group.is_empty() && !group.uses_consumer_protocol() {
            return Err(GroupError::NonEmptyGroup { state: group.state });
        }
        let mut deleted = Vec::new();
        for (topic, partitions) in topics {
            let is_subscribed = group.is_subscribed_to(topic.as_str());
            let mut results = Vec::new();
            for partition in partitions {
                let result = if is_subscribed {
                    Err(GroupError::GroupSubscribedToTopic { topic: topic.clone() })
                } else {
                    self.delete_offset(&group_id, TopicPartition::new(topic.clone(), partition), out)
                };
                results.push((partition, result));
            }
            deleted.push(DeletedTopicOffsets { topic, partitions: results });
        }
        self.counters.offset_deletions += out.records.len() as u64;
        Ok(deleted)
    }

    /// Removes an offset if there is one, or will be when an open transaction ends.
    fn delete_offset(
        &self,
        group_id: &GroupId,
        partition: TopicPartition,
        out: &mut Out,
    ) -> Result<(), GroupError> {
        let exists = self.offsets.get(group_id, partition.topic.as_str(), partition.partition).is_some();
        if exists || self.offsets.is_pending(group_id, &partition) {
            out.records.push(records::offset_tombstone(group_id, &partition)?);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "offset_delete_test.rs"]
mod tests;
