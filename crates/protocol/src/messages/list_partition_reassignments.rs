//! Lists partitions on the move (KIP-455).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which partitions to look at.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 46, versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsRequest {
    /// How long the node may take before it answers, ms.
    #[field(default = 60000)]
    pub timeout_ms: i32,
    /// Only these; null for all.
    #[field(default = null)]
    pub topics: Option<Vec<ListPartitionReassignmentsTopics>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ListPartitionReassignmentsRequest {
    type Response = ListPartitionReassignmentsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ListPartitionReassignmentsResponse {
        ListPartitionReassignmentsResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ListPartitionReassignmentsTopics {
    /// The name.
    pub name: ByteString,
    /// The partitions' numbers.
    pub partition_indexes: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Those on the move.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 46, versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The topics.
    pub topics: Vec<OngoingTopicReassignment>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OngoingTopicReassignment {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<OngoingPartitionReassignment>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition on the move.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OngoingPartitionReassignment {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The brokers that hold a replica, the preferred leader first.
    pub replicas: Vec<i32>,
    /// The replicas that a reassignment adds.
    pub adding_replicas: Vec<i32>,
    /// The replicas that a reassignment takes away.
    pub removing_replicas: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
