//! A partition leader reads the state of share partitions from the share coordinator (KIP-932).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The group and its partitions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 84, versions = "0", flexible = "0+")]
pub struct ReadShareGroupStateRequest {
    /// The group.
    pub group_id: ByteString,
    /// The topics.
    pub topics: Vec<ReadStateData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ReadShareGroupStateRequest {
    type Response = ReadShareGroupStateResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ReadShareGroupStateResponse {
        let results = self.topics.iter().map(|topic| ReadStateResult {
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
        ReadShareGroupStateResponse { results: results.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReadStateData {
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
    /// The leader's epoch.
    pub leader_epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The states.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 84, versions = "0", flexible = "0+")]
pub struct ReadShareGroupStateResponse {
    /// The outcome of each.
    pub results: Vec<ReadStateResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReadStateResult {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<PartitionResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition's state.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionResult {
    /// The partition's number in its topic.
    pub partition: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// The epoch of the share partition's state: grows when the group's offsets are reset (KIP-932).
    pub state_epoch: i32,
    /// The first offset.
    pub start_offset: i64,
    /// The states of records at and after the start offset.
    pub state_batches: Vec<StateBatch>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Records in a row that share a state.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct StateBatch {
    /// The first offset.
    pub first_offset: i64,
    /// The last offset.
    pub last_offset: i64,
    /// 0 available, 2 acknowledged, 4 archived.
    pub delivery_state: i8,
    /// How often the records were delivered.
    pub delivery_count: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
