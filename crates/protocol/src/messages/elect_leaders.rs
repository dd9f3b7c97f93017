//! Elects leaders by hand (KIP-460).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which partitions need a leader; null for all.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 43, versions = "0-2", flexible = "2+")]
pub struct ElectLeadersRequest {
    /// 0 preferred leader, 1 unclean.
    #[field(versions = "1+")]
    pub election_type: i8,
    /// The partitions by topic.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// How long the node may take before it answers, ms.
    #[field(default = 60000)]
    pub timeout_ms: i32,
    /// Tagged fields of newer versions.
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

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicPartitions {
    /// The topic's name.
    pub topic: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 43, versions = "0-2", flexible = "2+")]
pub struct ElectLeadersResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    #[field(versions = "1+")]
    pub error_code: ErrorCode,
    /// The outcome of each election.
    pub replica_election_results: Vec<ReplicaElectionResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReplicaElectionResult {
    /// The topic's name.
    pub topic: ByteString,
    /// The outcome per partition.
    pub partition_result: Vec<PartitionResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionResult {
    /// The partition's number in its topic.
    pub partition_id: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
