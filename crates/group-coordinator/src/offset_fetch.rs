//! OffsetFetch: up to where a group has consumed.
//!
//! A group that does not exist has no offsets, and that is no error.
//!
//! Versions: 2 asks for all topics, 7 brings RequireStable, 8 several groups (the host asks for each), 10
//! topic ids.
//!
//! Errors: per partition UNSTABLE_OFFSET_COMMIT.

use ottla_types::{GroupId, PartitionIndex, TopicId, TopicName, TopicPartition};

use crate::error::GroupError;
use crate::offsets::CommittedOffset;
use crate::shard::GroupShard;

/// An OffsetFetch request, for one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetFetch {
    /// The group.
    pub group_id: GroupId,
    /// Which offsets; `None` for all that the group has.
    pub topics: Option<Vec<FetchTopic>>,
    /// Refuse an offset that an open transaction is about to change.
    pub require_stable: bool,
}

/// A topic whose offsets are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchTopic {
    /// The topic.
    pub topic: TopicName,
    /// Its id; zero if the client does not use ids.
    pub topic_id: TopicId,
    /// Its partitions.
    pub partitions: Vec<PartitionIndex>,
}

/// A topic's offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedTopic {
    /// The topic.
    pub topic: TopicName,
    /// As in the request; zero if all topics were asked for: the host resolves the name.
    pub topic_id: TopicId,
    /// Each partition's offset, if it has one.
    pub partitions: Vec<FetchedPartition>,
}

/// A partition's offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedPartition {
    /// The partition.
    pub partition: PartitionIndex,
    /// The offset; without one the protocol says −1.
    pub result: Result<Option<CommittedOffset>, GroupError>,
}

impl GroupShard {
    pub(crate) fn offset_fetch(&self, request: &OffsetFetch) -> Vec<FetchedTopic> {
        let group_exists = self.groups.contains(&request.group_id);
        match &request.topics {
            Some(topics) => {
                topics.iter().map(|topic| self.fetch_topic(request, topic, group_exists)).collect()
            }
            None if group_exists => self.fetch_all(request),
            None => Vec::new(),
        }
    }

    fn fetch_topic(&self, request: &OffsetFetch, topic: &FetchTopic, group_exists: bool) -> FetchedTopic {
        let partitions = topic.partitions.iter().map(|&partition| {
            let committed = self
                .offsets
                .get(&request.group_id, topic.topic.as_str(), partition)
                .filter(|committed| group_exists && is_of(committed, topic.topic_id));
            self.fetched(request, &topic.topic, partition, committed)
        });
        FetchedTopic {
            topic: topic.topic.clone(),
            topic_id: topic.topic_id,
            partitions: partitions.collect(),
        }
    }

    fn fetch_all(&self, request: &OffsetFetch) -> Vec<FetchedTopic> {
        let topics = self.offsets.group(&request.group_id).into_iter().flatten();
        let fetched = topics.map(|(topic, partitions)| FetchedTopic {
            topic: topic.clone(),
            topic_id: TopicId::ZERO,
            partitions: partitions
                .iter()
                .map(|(&partition, committed)| self.fetched(request, topic, partition, Some(committed)))
                .collect(),
        });
        fetched.collect()
    }

    fn fetched(
        &self,
        request: &OffsetFetch,
        topic: &TopicName,
        partition: PartitionIndex,
        committed: Option<&CommittedOffset>,
    ) -> FetchedPartition {
        let is_unstable = request.require_stable
            && self.offsets.is_pending(&request.group_id, &TopicPartition::new(topic.clone(), partition));
        let result = if is_unstable { Err(GroupError::UnstableOffsetCommit) } else { Ok(committed.cloned()) };
        FetchedPartition { partition, result }
    }
}

/// Whether the offset belongs to the topic asked for and not to a deleted one of the same name.
fn is_of(committed: &CommittedOffset, topic_id: TopicId) -> bool {
    topic_id.is_zero() || committed.topic_id.is_zero() || committed.topic_id == topic_id
}

#[cfg(test)]
#[path = "offset_fetch_test.rs"]
mod tests;
