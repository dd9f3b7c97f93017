//! Tells which producers have state in partitions (KIP-664).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which partitions to look at.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 61, versions = "0", flexible = "0+")]
pub struct DescribeProducersRequest {
    /// The topics.
    pub topics: Vec<TopicRequest>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeProducersRequest {
    type Response = DescribeProducersResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeProducersResponse {
        let topics = self.topics.iter().map(|topic| TopicResponse {
            name: topic.name.clone(),
            partitions: (topic.partition_indexes.iter())
                .map(|partition| PartitionResponse {
                    partition_index: *partition,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        DescribeProducersResponse { topics: topics.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicRequest {
    /// The name.
    pub name: ByteString,
    /// The partitions' numbers.
    pub partition_indexes: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Their producers.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 61, versions = "0", flexible = "0+")]
pub struct DescribeProducersResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<TopicResponse>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicResponse {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<PartitionResponse>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition's producers.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionResponse {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// The producers with state in the partition.
    pub active_producers: Vec<ProducerState>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One producer.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ProducerState {
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The producer's epoch: fences its former incarnations.
    pub producer_epoch: i32,
    /// The sequence number of the producer's last record; −1 if not known.
    #[field(default = -1)]
    pub last_sequence: i32,
    /// The timestamp of the producer's last batch; −1 if not known.
    #[field(default = -1)]
    pub last_timestamp: i64,
    /// The epoch of the transaction coordinator.
    pub coordinator_epoch: i32,
    /// Where the producer's open transaction starts; −1 without one.
    #[field(default = -1)]
    pub current_txn_start_offset: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
