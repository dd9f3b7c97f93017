//! Moves replicas between the log directories of a broker (KIP-113).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which replicas shall be where.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 34, versions = "1-2", flexible = "2+")]
pub struct AlterReplicaLogDirsRequest {
    /// The log directories.
    pub dirs: Vec<AlterReplicaLogDir>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AlterReplicaLogDirsRequest {
    type Response = AlterReplicaLogDirsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AlterReplicaLogDirsResponse {
        let topics = self.dirs.iter().flat_map(|dir| &dir.topics);
        let results = topics.map(|topic| AlterReplicaLogDirTopicResult {
            topic_name: topic.name.clone(),
            partitions: (topic.partitions.iter())
                .map(|&partition_index| AlterReplicaLogDirPartitionResult {
                    partition_index,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        AlterReplicaLogDirsResponse { results: results.collect(), ..Default::default() }
    }
}

/// A directory and the replicas that shall be in it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterReplicaLogDir {
    /// The directory's absolute path.
    pub path: ByteString,
    /// The topics.
    pub topics: Vec<AlterReplicaLogDirTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterReplicaLogDirTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Which moves have begun.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 34, versions = "1-2", flexible = "2+")]
pub struct AlterReplicaLogDirsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The outcome of each.
    pub results: Vec<AlterReplicaLogDirTopicResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterReplicaLogDirTopicResult {
    /// The topic's name.
    pub topic_name: ByteString,
    /// The partitions.
    pub partitions: Vec<AlterReplicaLogDirPartitionResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterReplicaLogDirPartitionResult {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
