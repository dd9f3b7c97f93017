//! A group coordinator has the share coordinator create the state of share partitions (KIP-932).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The group and its partitions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 83, versions = "0", flexible = "0+")]
pub struct InitializeShareGroupStateRequest {
    /// The group.
    pub group_id: ByteString,
    /// The topics.
    pub topics: Vec<InitializeStateData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for InitializeShareGroupStateRequest {
    type Response = InitializeShareGroupStateResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> InitializeShareGroupStateResponse {
        let results = self.topics.iter().map(|topic| InitializeStateResult {
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
        InitializeShareGroupStateResponse { results: results.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct InitializeStateData {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<PartitionData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where one partition starts.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition: i32,
    /// The epoch of the share partition's state: grows when the group's offsets are reset (KIP-932).
    pub state_epoch: i32,
    /// The first offset.
    pub start_offset: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 83, versions = "0", flexible = "0+")]
pub struct InitializeShareGroupStateResponse {
    /// The outcome of each.
    pub results: Vec<InitializeStateResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct InitializeStateResult {
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
