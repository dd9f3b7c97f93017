//! Sets where a share group starts to read (KIP-932).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The group and its new start offsets.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 91, versions = "0", flexible = "0+")]
pub struct AlterShareGroupOffsetsRequest {
    /// The group.
    pub group_id: ByteString,
    /// The topics.
    pub topics: Vec<AlterShareGroupOffsetsRequestTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AlterShareGroupOffsetsRequest {
    type Response = AlterShareGroupOffsetsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AlterShareGroupOffsetsResponse {
        AlterShareGroupOffsetsResponse { error_code: error, ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterShareGroupOffsetsRequestTopic {
    /// The topic's name.
    pub topic_name: ByteString,
    /// The partitions.
    pub partitions: Vec<AlterShareGroupOffsetsRequestPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition's new start offset.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterShareGroupOffsetsRequestPartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The first offset that the group shall read.
    pub start_offset: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 91, versions = "0", flexible = "0+")]
pub struct AlterShareGroupOffsetsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// The outcome of each.
    pub responses: Vec<AlterShareGroupOffsetsResponseTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterShareGroupOffsetsResponseTopic {
    /// The topic's name.
    pub topic_name: ByteString,
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<AlterShareGroupOffsetsResponsePartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterShareGroupOffsetsResponsePartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
