//! Drops the start of partitions (KIP-107).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// From where on to keep which partitions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 21, versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsRequest {
    /// The topics.
    pub topics: Vec<DeleteRecordsTopic>,
    /// How long the node may take before it answers, ms.
    pub timeout_ms: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DeleteRecordsRequest {
    type Response = DeleteRecordsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DeleteRecordsResponse {
        let topics = self.topics.iter().map(|topic| DeleteRecordsTopicResult {
            name: topic.name.clone(),
            partitions: (topic.partitions.iter())
                .map(|partition| DeleteRecordsPartitionResult {
                    partition_index: partition.partition_index,
                    low_watermark: -1,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        DeleteRecordsResponse { topics: topics.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteRecordsTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<DeleteRecordsPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What to keep of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteRecordsPartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The first offset to keep; −1 for the high watermark.
    pub offset: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What is left.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 21, versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<DeleteRecordsTopicResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteRecordsTopicResult {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<DeleteRecordsPartitionResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What is left of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteRecordsPartitionResult {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The first offset that is left; −1 on errors.
    pub low_watermark: i64,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
