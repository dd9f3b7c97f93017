use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 61, versions = "0", flexible = "0+")]
pub struct DescribeProducersRequest {
    pub topics: Vec<TopicRequest>,
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

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicRequest {
    pub name: ByteString,
    pub partition_indexes: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 61, versions = "0", flexible = "0+")]
pub struct DescribeProducersResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<TopicResponse>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicResponse {
    pub name: ByteString,
    pub partitions: Vec<PartitionResponse>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionResponse {
    pub partition_index: i32,
    pub error_code: ErrorCode,
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    pub active_producers: Vec<ProducerState>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ProducerState {
    pub producer_id: i64,
    pub producer_epoch: i32,
    #[field(default = -1)]
    pub last_sequence: i32,
    #[field(default = -1)]
    pub last_timestamp: i64,
    pub coordinator_epoch: i32,
    #[field(default = -1)]
    pub current_txn_start_offset: i64,
    pub unknown_tagged_fields: TaggedFields,
}
