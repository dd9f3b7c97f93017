//! A broker tells in which log directories its replicas are (KIP-858).

use crate::{ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// Replicas by directory.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 73, versions = "0", flexible = "0+")]
pub struct AssignReplicasToDirsRequest {
    /// The broker.
    pub broker_id: i32,
    /// The broker's epoch: which of its registrations this is; −1 if not known.
    #[field(default = -1)]
    pub broker_epoch: i64,
    /// The ids of the log directories, one per replica (KIP-858).
    pub directories: Vec<DirectoryData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AssignReplicasToDirsRequest {
    type Response = AssignReplicasToDirsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AssignReplicasToDirsResponse {
        AssignReplicasToDirsResponse { error_code: error, ..Default::default() }
    }
}

/// A directory and the replicas in it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DirectoryData {
    /// The id.
    pub id: Uuid,
    /// The topics.
    pub topics: Vec<TopicData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicData {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<PartitionData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 73, versions = "0", flexible = "0+")]
pub struct AssignReplicasToDirsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The ids of the log directories, one per replica (KIP-858).
    pub directories: Vec<AssignReplicasToDirsResponseDirectoryData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A directory and the replicas in it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AssignReplicasToDirsResponseDirectoryData {
    /// The id.
    pub id: Uuid,
    /// The topics.
    pub topics: Vec<AssignReplicasToDirsResponseTopicData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AssignReplicasToDirsResponseTopicData {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<AssignReplicasToDirsResponsePartitionData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AssignReplicasToDirsResponsePartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
