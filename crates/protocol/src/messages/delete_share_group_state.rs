//! A group coordinator has the share coordinator delete the state of share partitions (KIP-932).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The group and its partitions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 86, versions = "0", flexible = "0+")]
pub struct DeleteShareGroupStateRequest {
    /// The group.
    pub group_id: ByteString,
    /// The topics.
    pub topics: Vec<DeleteStateData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DeleteShareGroupStateRequest {
    type Response = DeleteShareGroupStateResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DeleteShareGroupStateResponse {
        let results = self.topics.iter().map(|topic| DeleteStateResult {
            topic_id: topic.topic_id,
            partitions: (topic.partitions.iter())
                .map(|partition| PartitionResult {
                    partition: partition.partition,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        DeleteShareGroupStateResponse { results: results.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteStateData {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<PartitionData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 86, versions = "0", flexible = "0+")]
pub struct DeleteShareGroupStateResponse {
    /// The outcome of each.
    pub results: Vec<DeleteStateResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteStateResult {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<PartitionResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionResult {
    /// The partition's number in its topic.
    pub partition: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
