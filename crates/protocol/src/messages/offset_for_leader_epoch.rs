//! Tells where leader epochs end, so that logs can be compared (KIP-101, KIP-320).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which epochs' ends to tell.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 23, versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochRequest {
    /// The follower that asks; −1 for a consumer, −2 for a debugging one.
    #[field(versions = "3+", default = -2, ignorable)]
    pub replica_id: i32,
    /// The topics.
    pub topics: Vec<OffsetForLeaderTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for OffsetForLeaderEpochRequest {
    type Response = OffsetForLeaderEpochResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> OffsetForLeaderEpochResponse {
        let topics = self.topics.iter().map(|topic| OffsetForLeaderTopicResult {
            topic: topic.topic.clone(),
            partitions: (topic.partitions.iter())
                .map(|partition| EpochEndOffset {
                    partition: partition.partition,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetForLeaderTopic {
    /// The topic's name.
    pub topic: ByteString,
    /// The partitions.
    pub partitions: Vec<OffsetForLeaderPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// An epoch of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetForLeaderPartition {
    /// The partition's number in its topic.
    pub partition: i32,
    /// The leader's epoch as the asker knows it, which fences a stale leader or asker (KIP-320); −1 to skip
    /// that.
    #[field(default = -1)]
    pub current_leader_epoch: i32,
    /// The epoch whose end is wanted.
    pub leader_epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The ends.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 23, versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<OffsetForLeaderTopicResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetForLeaderTopicResult {
    /// The topic's name.
    pub topic: ByteString,
    /// The partitions.
    pub partitions: Vec<EpochEndOffset>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where an epoch of one partition ends.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct EpochEndOffset {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The partition's number in its topic.
    pub partition: i32,
    /// The epoch that the answer is about: the one asked for, or the largest below; −1 if not known.
    #[field(default = -1)]
    pub leader_epoch: i32,
    /// The first offset that the leader does not have in this epoch; −1 if not known.
    #[field(default = -1)]
    pub end_offset: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
