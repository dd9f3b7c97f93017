//! A group coordinator reads how far share partitions have got (KIP-932).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The group and its partitions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 87, versions = "0-1", flexible = "0+")]
pub struct ReadShareGroupStateSummaryRequest {
    /// The group.
    pub group_id: ByteString,
    /// The topics.
    pub topics: Vec<ReadStateSummaryData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ReadShareGroupStateSummaryRequest {
    type Response = ReadShareGroupStateSummaryResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ReadShareGroupStateSummaryResponse {
        let results = self.topics.iter().map(|topic| ReadStateSummaryResult {
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
        ReadShareGroupStateSummaryResponse { results: results.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReadStateSummaryData {
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

/// The summaries.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 87, versions = "0-1", flexible = "0+")]
pub struct ReadShareGroupStateSummaryResponse {
    /// The outcome of each.
    pub results: Vec<ReadStateSummaryResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReadStateSummaryResult {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<PartitionResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition's summary.
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
    /// The epoch of the partition's leader.
    pub leader_epoch: i32,
    /// The first offset.
    pub start_offset: i64,
    /// How many records from the start offset on need no delivery any more; −1 if not known (KIP-1226).
    #[field(versions = "1+", default = -1, ignorable)]
    pub delivery_complete_count: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
