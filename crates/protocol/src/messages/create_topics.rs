//! Creates topics.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The topics to create.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 19, versions = "2-7", flexible = "5+")]
pub struct CreateTopicsRequest {
    /// The topics.
    pub topics: Vec<CreatableTopic>,
    /// How long the node may take before it answers, ms.
    #[field(default = 60000)]
    pub timeout_ms: i32,
    /// Whether to check only, and change nothing.
    pub validate_only: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for CreateTopicsRequest {
    type Response = CreateTopicsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> CreateTopicsResponse {
        let topics = self.topics.iter().map(|topic| CreatableTopicResult {
            name: topic.name.clone(),
            error_code: error,
            error_message: None,
            ..Default::default()
        });
        CreateTopicsResponse { topics: topics.collect(), ..Default::default() }
    }
}

/// A topic to create.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CreatableTopic {
    /// The topic's name.
    pub name: ByteString,
    /// How many partitions; −1 for the broker's default, or if assigned by hand.
    pub num_partitions: i32,
    /// How many replicas each partition has; −1 for the broker's default, or if assigned by hand.
    pub replication_factor: i16,
    /// Which brokers hold which partition; empty for the controller's choice.
    pub assignments: Vec<CreatableReplicaAssignment>,
    /// The configuration entries.
    pub configs: Vec<CreatableTopicConfig>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where one partition shall be.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CreatableReplicaAssignment {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The brokers that hold a replica, the preferred leader first.
    pub broker_ids: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One configuration entry to set.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CreatableTopicConfig {
    /// The key.
    pub name: ByteString,
    /// The value.
    pub value: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 19, versions = "2-7", flexible = "5+")]
pub struct CreateTopicsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<CreatableTopicResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CreatableTopicResult {
    /// The topic's name.
    pub name: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "7+", ignorable)]
    pub topic_id: Uuid,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Why the topic's configuration is not told, or 0.
    #[field(versions = "5+", tag = 0, ignorable)]
    pub topic_config_error_code: ErrorCode,
    /// How many partitions.
    #[field(versions = "5+", default = -1, ignorable)]
    pub num_partitions: i32,
    /// How many replicas each partition has.
    #[field(versions = "5+", default = -1, ignorable)]
    pub replication_factor: i16,
    /// The configuration entries.
    #[field(versions = "5+", ignorable)]
    pub configs: Option<Vec<CreatableTopicConfigs>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One configuration entry in force.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CreatableTopicConfigs {
    /// The key.
    pub name: ByteString,
    /// The value; null for secrets.
    pub value: Option<ByteString>,
    /// Whether it cannot be changed while the broker runs.
    pub read_only: bool,
    /// Where the value comes from: 1 topic, 2 broker, 3 cluster default, 4 static, 5 default, 6 logger, 8
    /// group.
    #[field(default = -1)]
    pub config_source: i8,
    /// Whether the value is a secret; it is null then.
    pub is_sensitive: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
