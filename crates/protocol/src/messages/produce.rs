use crate::{ByteString, ErrorCode, Message, Records, Request, TaggedFields, Uuid, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 0, versions = "3-13", flexible = "9+")]
pub struct ProduceRequest {
    #[field(default = null)]
    pub transactional_id: Option<ByteString>,
    pub acks: i16,
    pub timeout_ms: i32,
    pub topic_data: Vec<TopicProduceData>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ProduceRequest {
    type Response = ProduceResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ProduceResponse {
        let topics = self.topic_data.iter().map(|topic| TopicProduceResponse {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partition_responses: (topic.partition_data.iter())
                .map(|partition| PartitionProduceResponse {
                    index: partition.index,
                    error_code: error,
                    base_offset: -1,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        ProduceResponse { responses: topics.collect(), ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicProduceData {
    #[field(versions = "3-12", ignorable)]
    pub name: ByteString,
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partition_data: Vec<PartitionProduceData>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionProduceData {
    pub index: i32,
    pub records: Option<Records>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 0, versions = "3-13", flexible = "9+")]
pub struct ProduceResponse {
    pub responses: Vec<TopicProduceResponse>,
    pub throttle_time_ms: i32,
    #[field(versions = "10+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicProduceResponse {
    #[field(versions = "3-12", ignorable)]
    pub name: ByteString,
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partition_responses: Vec<PartitionProduceResponse>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: ByteString,
    pub port: i32,
    #[field(default = null)]
    pub rack: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionProduceResponse {
    pub index: i32,
    pub error_code: ErrorCode,
    pub base_offset: i64,
    #[field(default = -1)]
    pub log_append_time_ms: i64,
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    #[field(versions = "8+", ignorable)]
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    #[field(versions = "8+", default = null, ignorable)]
    pub error_message: Option<ByteString>,
    #[field(versions = "10+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct BatchIndexAndErrorMessage {
    pub batch_index: i32,
    #[field(default = null)]
    pub batch_index_error_message: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct LeaderIdAndEpoch {
    #[field(default = -1)]
    pub leader_id: i32,
    #[field(default = -1)]
    pub leader_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}
