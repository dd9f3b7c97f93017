//! Finds offsets by time, and the ends of partitions.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// What to look up.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 2, versions = "1-11", flexible = "6+")]
pub struct ListOffsetsRequest {
    /// The broker that asks; −1 for a client.
    pub replica_id: i32,
    /// 0 read_uncommitted, 1 read_committed.
    #[field(versions = "2+")]
    pub isolation_level: i8,
    /// The topics.
    pub topics: Vec<ListOffsetsTopic>,
    /// How long to wait for tiered storage, ms (KIP-1075).
    #[field(versions = "10+", ignorable)]
    pub timeout_ms: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ListOffsetsRequest {
    type Response = ListOffsetsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ListOffsetsResponse {
        let topics = self.topics.iter().map(|topic| ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: (topic.partitions.iter())
                .map(|partition| ListOffsetsPartitionResponse {
                    partition_index: partition.partition_index,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ListOffsetsTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<ListOffsetsPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What to look up in one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ListOffsetsPartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The leader's epoch as the asker knows it, which fences a stale leader or asker (KIP-320); −1 to skip
    /// that.
    #[field(versions = "4+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// From when on, ms since 1970; −1 latest, −2 earliest, −3 with the largest timestamp, −4 earliest local,
    /// −5 last tiered, −6 earliest not yet tiered.
    pub timestamp: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The offsets found.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 2, versions = "1-11", flexible = "6+")]
pub struct ListOffsetsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<ListOffsetsTopicResponse>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ListOffsetsTopicResponse {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<ListOffsetsPartitionResponse>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What was found in one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ListOffsetsPartitionResponse {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Its record's timestamp; −1 if it was not looked up by one.
    #[field(default = -1)]
    pub timestamp: i64,
    /// The offset found; −1 for none.
    #[field(default = -1)]
    pub offset: i64,
    /// The leader epoch of the record; −1 if not known.
    #[field(versions = "4+", default = -1)]
    pub leader_epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
