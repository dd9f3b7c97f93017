use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 46, versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsRequest {
    #[field(default = 60000)]
    pub timeout_ms: i32,
    #[field(default = null)]
    pub topics: Option<Vec<ListPartitionReassignmentsTopics>>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ListPartitionReassignmentsRequest {
    type Response = ListPartitionReassignmentsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ListPartitionReassignmentsResponse {
        ListPartitionReassignmentsResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ListPartitionReassignmentsTopics {
    pub name: ByteString,
    pub partition_indexes: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 46, versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub error_message: Option<ByteString>,
    pub topics: Vec<OngoingTopicReassignment>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OngoingTopicReassignment {
    pub name: ByteString,
    pub partitions: Vec<OngoingPartitionReassignment>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OngoingPartitionReassignment {
    pub partition_index: i32,
    pub replicas: Vec<i32>,
    pub adding_replicas: Vec<i32>,
    pub removing_replicas: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}
