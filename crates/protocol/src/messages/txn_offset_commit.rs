//! Commits offsets of a group within a transaction (KIP-98).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The offsets, which count once the transaction is committed.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 28, versions = "0-6", flexible = "3+")]
pub struct TxnOffsetCommitRequest {
    /// The transactional id; null without transactions.
    pub transactional_id: ByteString,
    /// The group.
    pub group_id: ByteString,
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The producer's epoch: fences its former incarnations.
    pub producer_epoch: i16,
    /// The member's generation in a classic group, its epoch in a consumer group; −1 for a commit from outside
    /// of the group.
    #[field(versions = "3+", default = -1)]
    pub generation_id_or_member_epoch: i32,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    #[field(versions = "3+")]
    pub member_id: ByteString,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    #[field(versions = "3+", default = null)]
    pub group_instance_id: Option<ByteString>,
    /// The topics.
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for TxnOffsetCommitRequest {
    type Response = TxnOffsetCommitResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> TxnOffsetCommitResponse {
        let topics = self.topics.iter().map(|topic| TxnOffsetCommitResponseTopic {
            topic_id: topic.topic_id,
            name: topic.name.clone(),
            partitions: (topic.partitions.iter())
                .map(|partition| TxnOffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        TxnOffsetCommitResponse { topics: topics.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TxnOffsetCommitRequestTopic {
    /// The name.
    #[field(versions = "0-5", ignorable)]
    pub name: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition's offset.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TxnOffsetCommitRequestPartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The offset; −1 if the group has committed none.
    pub committed_offset: i64,
    /// The leader epoch of the last record before it; −1 if not known.
    #[field(versions = "2+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// The client's own note; null for none.
    pub committed_metadata: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 28, versions = "0-6", flexible = "3+")]
pub struct TxnOffsetCommitResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TxnOffsetCommitResponseTopic {
    /// The name.
    #[field(versions = "0-5", ignorable)]
    pub name: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TxnOffsetCommitResponsePartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
