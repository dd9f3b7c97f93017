//! Moves partitions to other brokers (KIP-455).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Starts, changes or cancels reassignments.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 45, versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsRequest {
    /// How long the node may take before it answers, ms.
    #[field(default = 60000)]
    pub timeout_ms: i32,
    /// Whether a reassignment may change the number of replicas.
    #[field(versions = "1+", default = true)]
    pub allow_replication_factor_change: bool,
    /// The topics.
    pub topics: Vec<ReassignableTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AlterPartitionReassignmentsRequest {
    type Response = AlterPartitionReassignmentsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AlterPartitionReassignmentsResponse {
        AlterPartitionReassignmentsResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReassignableTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<ReassignablePartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where a partition shall be.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReassignablePartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The replicas to be; null to cancel a reassignment.
    #[field(default = null)]
    pub replicas: Option<Vec<i32>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 45, versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Whether a reassignment may change the number of replicas.
    #[field(versions = "1+", default = true, ignorable)]
    pub allow_replication_factor_change: bool,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The outcome of each.
    pub responses: Vec<ReassignableTopicResponse>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReassignableTopicResponse {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<ReassignablePartitionResponse>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReassignablePartitionResponse {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
