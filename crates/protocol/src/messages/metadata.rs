use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 3, versions = "0-13", flexible = "9+")]
pub struct MetadataRequest {
    #[field(nullable = "1+")]
    pub topics: Option<Vec<MetadataRequestTopic>>,
    #[field(versions = "4+", default = true)]
    pub allow_auto_topic_creation: bool,
    #[field(versions = "8-10")]
    pub include_cluster_authorized_operations: bool,
    #[field(versions = "8+")]
    pub include_topic_authorized_operations: bool,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for MetadataRequest {
    type Response = MetadataResponse;

    fn error_response(&self, version: Version, error: ErrorCode) -> MetadataResponse {
        let topics = self.topics.iter().flatten().map(|topic| MetadataResponseTopic {
            // Null names came with version 12; before that the name of a topic asked for by id is empty.
            name: if version < 12 {
                Some(topic.name.clone().unwrap_or_default())
            } else {
                topic.name.clone()
            },
            topic_id: topic.topic_id,
            error_code: error,
            ..Default::default()
        });
        MetadataResponse { topics: topics.collect(), error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MetadataRequestTopic {
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    #[field(nullable = "10+")]
    pub name: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 3, versions = "0-13", flexible = "9+")]
pub struct MetadataResponse {
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    pub brokers: Vec<MetadataResponseBroker>,
    #[field(versions = "2+", default = null, ignorable)]
    pub cluster_id: Option<ByteString>,
    #[field(versions = "1+", default = -1, ignorable)]
    pub controller_id: i32,
    pub topics: Vec<MetadataResponseTopic>,
    #[field(versions = "8-10", default = i32::MIN)]
    pub cluster_authorized_operations: i32,
    #[field(versions = "13+", ignorable)]
    pub error_code: ErrorCode,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MetadataResponseBroker {
    pub node_id: i32,
    pub host: ByteString,
    pub port: i32,
    #[field(versions = "1+", default = null, ignorable)]
    pub rack: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MetadataResponseTopic {
    pub error_code: ErrorCode,
    #[field(nullable = "12+")]
    pub name: Option<ByteString>,
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    #[field(versions = "1+", ignorable)]
    pub is_internal: bool,
    pub partitions: Vec<MetadataResponsePartition>,
    #[field(versions = "8+", default = i32::MIN)]
    pub topic_authorized_operations: i32,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MetadataResponsePartition {
    pub error_code: ErrorCode,
    pub partition_index: i32,
    pub leader_id: i32,
    #[field(versions = "7+", default = -1, ignorable)]
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    #[field(versions = "5+", ignorable)]
    pub offline_replicas: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}
