//! Adds partitions to topics (KIP-195).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Raises the number of partitions of topics.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 37, versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsRequest {
    /// The topics.
    pub topics: Vec<CreatePartitionsTopic>,
    /// How long the node may take before it answers, ms.
    pub timeout_ms: i32,
    /// Whether to check only, and change nothing.
    pub validate_only: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for CreatePartitionsRequest {
    type Response = CreatePartitionsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> CreatePartitionsResponse {
        let results = self.topics.iter().map(|topic| CreatePartitionsTopicResult {
            name: topic.name.clone(),
            error_code: error,
            ..Default::default()
        });
        CreatePartitionsResponse { results: results.collect(), ..Default::default() }
    }
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CreatePartitionsTopic {
    /// The topic's name.
    pub name: ByteString,
    /// How many partitions the topic shall have.
    pub count: i32,
    /// Which brokers hold each new partition; null for the controller's choice.
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where one new partition shall be.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CreatePartitionsAssignment {
    /// The brokers that hold a replica, the preferred leader first.
    pub broker_ids: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 37, versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The outcome of each.
    pub results: Vec<CreatePartitionsTopicResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CreatePartitionsTopicResult {
    /// The name.
    pub name: ByteString,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
