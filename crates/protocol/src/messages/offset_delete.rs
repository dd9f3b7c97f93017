//! Deletes a group's offsets of topics that it does not read any more (KIP-496). Never flexible.

use crate::{ByteString, ErrorCode, Message, Request, Version};

/// The offsets to delete.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 47, versions = "0", flexible = "none")]
pub struct OffsetDeleteRequest {
    /// The group.
    pub group_id: ByteString,
    /// The topics.
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

impl Request for OffsetDeleteRequest {
    type Response = OffsetDeleteResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> OffsetDeleteResponse {
        OffsetDeleteResponse { error_code: error, ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetDeleteRequestTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetDeleteRequestPartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 47, versions = "0", flexible = "none")]
pub struct OffsetDeleteResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetDeleteResponseTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetDeleteResponsePartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
}
