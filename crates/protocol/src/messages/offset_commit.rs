//! Stores a group's offsets.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The offsets, and the member that commits them.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 8, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitRequest {
    /// The group.
    pub group_id: ByteString,
    /// The member's generation in a classic group, its epoch in a consumer group; −1 for a commit from outside
    /// of the group.
    #[field(default = -1)]
    pub generation_id_or_member_epoch: i32,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    #[field(versions = "7+", default = null)]
    pub group_instance_id: Option<ByteString>,
    /// How long to keep the offsets, ms; −1 for the broker's default.
    #[field(versions = "2-4", default = -1, ignorable)]
    pub retention_time_ms: i64,
    /// The topics.
    pub topics: Vec<OffsetCommitRequestTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for OffsetCommitRequest {
    type Response = OffsetCommitResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> OffsetCommitResponse {
        let topics = self.topics.iter().map(|topic| OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: (topic.partitions.iter())
                .map(|partition| OffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetCommitRequestTopic {
    /// The name.
    #[field(versions = "2-9", ignorable)]
    pub name: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<OffsetCommitRequestPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One offset.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetCommitRequestPartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The offset; −1 if the group has committed none.
    pub committed_offset: i64,
    /// The leader epoch of the last record before it; −1 if not known.
    #[field(versions = "6+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// The client's own note; null for none.
    pub committed_metadata: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 8, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<OffsetCommitResponseTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetCommitResponseTopic {
    /// The name.
    #[field(versions = "2-9", ignorable)]
    pub name: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<OffsetCommitResponsePartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one offset.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetCommitResponsePartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why the offset was not committed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
