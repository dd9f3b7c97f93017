//! Appends record batches. Decoding copies no records.

use crate::{ByteString, ErrorCode, Few, Message, Records, Request, TaggedFields, Uuid, Version};

/// One batch per partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 0, versions = "3-13", flexible = "9+")]
pub struct ProduceRequest {
    /// The transactional id; null without transactions.
    #[field(default = null)]
    pub transactional_id: Option<ByteString>,
    /// How many replicas must have the records before the answer: 0 no answer, 1 the leader, −1 the ISR.
    pub acks: i16,
    /// How long to wait for `acks`, ms.
    pub timeout_ms: i32,
    /// The records by topic.
    pub topic_data: Few<TopicProduceData>,
    /// Tagged fields of newer versions.
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

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicProduceData {
    /// The name.
    #[field(versions = "3-12", ignorable)]
    pub name: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// The records per partition.
    pub partition_data: Few<PartitionProduceData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition's batch.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionProduceData {
    /// The partition's number in its topic.
    pub index: i32,
    /// One record batch.
    pub records: Option<Records>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where the batches went. There is none to acks 0.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 0, versions = "3-13", flexible = "9+")]
pub struct ProduceResponse {
    /// The outcome of each.
    pub responses: Few<TopicProduceResponse>,
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Where the leaders named in this response are reached (KIP-951).
    #[field(versions = "10+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicProduceResponse {
    /// The name.
    #[field(versions = "3-12", ignorable)]
    pub name: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// The outcome per partition.
    pub partition_responses: Few<PartitionProduceResponse>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where a broker is reached.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct NodeEndpoint {
    /// The broker.
    pub node_id: i32,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: i32,
    /// Where the node stands (`broker.rack`); null if it does not say.
    #[field(default = null)]
    pub rack: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where one batch went.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionProduceResponse {
    /// The partition's number in its topic.
    pub index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The offset of the first record; −1 on errors.
    pub base_offset: i64,
    /// When the broker appended the batch if the topic uses LogAppendTime, ms since 1970; else −1.
    #[field(default = -1)]
    pub log_append_time_ms: i64,
    /// The first offset that the partition still has; −1 if not known.
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// The records that are at fault (KIP-467).
    #[field(versions = "8+", ignorable)]
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// What a person should know about the error; null if the code says it all.
    #[field(versions = "8+", default = null, ignorable)]
    pub error_message: Option<ByteString>,
    /// The leader now, if the request went to a former one (KIP-951).
    #[field(versions = "10+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A record at fault.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct BatchIndexAndErrorMessage {
    /// The record's number in its batch.
    pub batch_index: i32,
    /// What is wrong with the record.
    #[field(default = null)]
    pub batch_index_error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition's leader.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct LeaderIdAndEpoch {
    /// The leader's node id; −1 if there is none.
    #[field(default = -1)]
    pub leader_id: i32,
    /// The epoch of the partition's leader.
    #[field(default = -1)]
    pub leader_epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
