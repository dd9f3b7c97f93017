use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 43, versions = "0-2", flexible = "2+")]
pub struct ElectLeadersRequest {
    #[field(versions = "1+")]
    pub election_type: i8,
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    #[field(default = 60000)]
    pub timeout_ms: i32,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ElectLeadersRequest {
    type Response = ElectLeadersResponse;

    fn error_response(&self, version: Version, error: ErrorCode) -> ElectLeadersResponse {
        let topics = self.topic_partitions.iter().flatten().map(|topic| ReplicaElectionResult {
            topic: topic.topic.clone(),
            partition_result: (topic.partitions.iter())
                .map(|partition| PartitionResult {
                    partition_id: *partition,
                    error_code: error,
                    error_message: None,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        ElectLeadersResponse {
            // Version 0 has no error of its own.
            error_code: if version == 0 { ErrorCode::NONE } else { error },
            replica_election_results: topics.collect(),
            ..Default::default()
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicPartitions {
    pub topic: ByteString,
    pub partitions: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 43, versions = "0-2", flexible = "2+")]
pub struct ElectLeadersResponse {
    pub throttle_time_ms: i32,
    #[field(versions = "1+")]
    pub error_code: ErrorCode,
    pub replica_election_results: Vec<ReplicaElectionResult>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReplicaElectionResult {
    pub topic: ByteString,
    pub partition_result: Vec<PartitionResult>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionResult {
    pub partition_id: i32,
    pub error_code: ErrorCode,
    pub error_message: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}
