//! OffsetCommit: remember up to where a group has consumed.
//!
//! A member commits under its generation. Who manages partitions alone, or an administrator, commits
//! without one, which is allowed only while the group has no members; a group that does not exist yet
//! comes into being by its offsets.
//!
//! Versions: 2–4 may choose the retention; 6 brings leader epochs, 7 static members, 10 topic ids. Below 9
//! a group that does not exist is ILLEGAL_GENERATION and not GROUP_ID_NOT_FOUND.
//!
//! Errors: GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION,
//! REBALANCE_IN_PROGRESS; per partition OFFSET_METADATA_TOO_LARGE.

use ottla_types::{
    ByteString, GroupId, LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName, TopicPartition,
};

use crate::error::GroupError;
use crate::group::ClassicGroup;
use crate::member::{InstanceId, MemberId};
use crate::offsets::CommittedOffset;
use crate::records;
use crate::shard::{Cx, GroupShard, Out};
use crate::state::GroupState;

/// An OffsetCommit request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetCommit {
    /// The group. May be empty, as old clients without a group send it.
    pub group_id: GroupId,
    /// Empty for who is no member.
    pub member_id: MemberId,
    /// Set for a static member.
    pub instance_id: Option<InstanceId>,
    /// −1 for who is no member.
    pub generation: i32,
    /// How long to keep the offsets, milliseconds, where the client chose (versions 2–4, not −1).
    pub retention_ms: Option<i64>,
    /// The offsets.
    pub topics: Vec<CommitTopic>,
}

/// A topic's offsets to commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitTopic {
    /// The topic.
    pub topic: TopicName,
    /// Its id; zero if the client did not use ids.
    pub topic_id: TopicId,
    /// Its partitions.
    pub partitions: Vec<CommitPartition>,
}

/// A partition's offset to commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPartition {
    /// The partition.
    pub partition: PartitionIndex,
    /// The next record that the group will consume.
    pub offset: Offset,
    /// The leader epoch of the last consumed record, if known.
    pub leader_epoch: LeaderEpoch,
    /// What the client wishes to remember.
    pub metadata: Option<ByteString>,
}

/// What became of a topic's offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedTopic {
    /// As in the request.
    pub topic: TopicName,
    /// As in the request.
    pub topic_id: TopicId,
    /// Whether each was committed, in the order of the request.
    pub partitions: Vec<(PartitionIndex, Result<(), GroupError>)>,
}

impl GroupShard {
    pub(crate) fn offset_commit(
        &mut self,
        cx: Cx<'_>,
        request: OffsetCommit,
        out: &mut Out,
    ) -> Result<Vec<CommittedTopic>, GroupError> {
        match self.groups.get(&request.group_id) {
            Some(group) => {
                group.validate_commit(&request)?;
                if matches!(group.state, GroupState::Stable | GroupState::PreparingRebalance) {
                    group.renew_session(&request.member_id, cx, out);
                }
            }
            None if request.generation < 0 => {}
            None => return Err(GroupError::GroupIdNotFound { group_id: request.group_id }),
        }
        let expire_timestamp_ms =
            request.retention_ms.map(|retention_ms| cx.now.wall_ms.saturating_add(retention_ms));
        let mut committed = Vec::new();
        for topic in request.topics {
            let mut results = Vec::new();
            for partition in topic.partitions {
                let index = partition.partition;
                let result = commit(
                    cx,
                    &request.group_id,
                    TopicPartition::new(topic.topic.clone(), index),
                    topic.topic_id,
                    partition,
                    expire_timestamp_ms,
                );
                results.push((index, result.map(|record| out.records.push(record))));
            }
            committed.push(CommittedTopic {
                topic: topic.topic,
                topic_id: topic.topic_id,
                partitions: results,
            });
        }
        self.counters.offset_commits += out.records.len() as u64;
        Ok(committed)
    }
}

impl ClassicGroup {
    /// Whether the group's offsets may be committed by who asks (Kafka: `validateOffsetCommit`).
    fn validate_commit(&self, request: &OffsetCommit) -> Result<(), GroupError> {
        if request.generation < 0 && self.is_empty() {
            return Ok(());
        }
        let is_member =
            request.generation >= 0 || !request.member_id.is_empty() || request.instance_id.is_some();
        if is_member || !self.is_empty() {
            self.validate_member(&request.member_id, request.instance_id.as_ref())?;
            self.validate_generation(request.generation)?;
        }
        match self.state {
            // Its member has been told of the new generation, and not yet what it may consume.
            GroupState::CompletingRebalance => Err(GroupError::RebalanceInProgress),
            _ => Ok(()),
        }
    }
}

fn commit(
    cx: Cx<'_>,
    group_id: &GroupId,
    topic_partition: TopicPartition,
    topic_id: TopicId,
    partition: CommitPartition,
    expire_timestamp_ms: Option<i64>,
) -> Result<ottla_coordinator::KeyValueRecord, GroupError> {
    let metadata = partition.metadata.unwrap_or_default();
    check_metadata(&metadata, cx.config.offset_metadata_max_bytes)?;
    let committed = CommittedOffset {
        offset: partition.offset,
        leader_epoch: partition.leader_epoch,
        metadata,
        commit_timestamp_ms: cx.now.wall_ms,
        expire_timestamp_ms,
        topic_id,
        record_offset: Offset::NONE,
    };
    records::offset_commit(group_id, &topic_partition, &committed)
}

/// Kafka counts `String.length`, UTF-16 units, against `offset.metadata.max.bytes`.
fn check_metadata(metadata: &str, max: usize) -> Result<(), GroupError> {
    if metadata.len() <= max {
        return Ok(());
    }
    let len = metadata.encode_utf16().count();
    if len <= max { Ok(()) } else { Err(GroupError::OffsetMetadataTooLarge { len, max }) }
}

#[cfg(test)]
#[path = "offset_commit_test.rs"]
mod tests;
