//! Tells how far share groups have read (KIP-932).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// Which groups and partitions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 90, versions = "0-1", flexible = "0+")]
pub struct DescribeShareGroupOffsetsRequest {
    /// The groups.
    pub groups: Vec<DescribeShareGroupOffsetsRequestGroup>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeShareGroupOffsetsRequest {
    type Response = DescribeShareGroupOffsetsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeShareGroupOffsetsResponse {
        let groups = self.groups.iter().map(|group| DescribeShareGroupOffsetsResponseGroup {
            group_id: group.group_id.clone(),
            error_code: error,
            ..Default::default()
        });
        DescribeShareGroupOffsetsResponse { groups: groups.collect(), ..Default::default() }
    }
}

/// One group; null topics mean all.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeShareGroupOffsetsRequestGroup {
    /// The group.
    pub group_id: ByteString,
    /// The topics.
    pub topics: Option<Vec<DescribeShareGroupOffsetsRequestTopic>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeShareGroupOffsetsRequestTopic {
    /// The topic's name.
    pub topic_name: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 90, versions = "0-1", flexible = "0+")]
pub struct DescribeShareGroupOffsetsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The groups.
    pub groups: Vec<DescribeShareGroupOffsetsResponseGroup>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeShareGroupOffsetsResponseGroup {
    /// The group.
    pub group_id: ByteString,
    /// The topics.
    pub topics: Vec<DescribeShareGroupOffsetsResponseTopic>,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeShareGroupOffsetsResponseTopic {
    /// The topic's name.
    pub topic_name: ByteString,
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<DescribeShareGroupOffsetsResponsePartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// How far the group has read one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeShareGroupOffsetsResponsePartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The first offset that the group has not finished; −1 if it has no state yet.
    pub start_offset: i64,
    /// The epoch of the partition's leader.
    pub leader_epoch: i32,
    /// How many records are still to be delivered; −1 if not known (KIP-1226).
    #[field(versions = "1+", default = -1, ignorable)]
    pub lag: i64,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
