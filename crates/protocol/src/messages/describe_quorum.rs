//! Tells who votes and follows in the metadata quorum (KIP-595).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// Which partition to describe: that of `__cluster_metadata`.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 55, versions = "0-2", flexible = "0+")]
pub struct DescribeQuorumRequest {
    /// The topics.
    pub topics: Vec<TopicData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeQuorumRequest {
    type Response = DescribeQuorumResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeQuorumResponse {
        DescribeQuorumResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicData {
    /// The topic's name.
    pub topic_name: ByteString,
    /// The partitions.
    pub partitions: Vec<PartitionData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The quorum.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 55, versions = "0-2", flexible = "0+")]
pub struct DescribeQuorumResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(versions = "2+", ignorable)]
    pub error_message: Option<ByteString>,
    /// The topics.
    pub topics: Vec<DescribeQuorumResponseTopicData>,
    /// Where the voters and observers are reached.
    #[field(versions = "2+")]
    pub nodes: Vec<Node>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeQuorumResponseTopicData {
    /// The topic's name.
    pub topic_name: ByteString,
    /// The partitions.
    pub partitions: Vec<DescribeQuorumResponsePartitionData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Node {
    /// The node.
    pub node_id: i32,
    /// The listeners.
    pub listeners: Vec<Listener>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition's leader, voters and observers.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeQuorumResponsePartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(versions = "2+", ignorable)]
    pub error_message: Option<ByteString>,
    /// The leader's node id; −1 if there is none.
    pub leader_id: i32,
    /// The epoch of the partition's leader.
    pub leader_epoch: i32,
    /// The offset up to which the records are committed; −1 if not known.
    pub high_watermark: i64,
    /// The voters.
    pub current_voters: Vec<ReplicaState>,
    /// The nodes that follow without a vote.
    pub observers: Vec<ReplicaState>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Listener {
    /// The listener's name.
    pub name: ByteString,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: u16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// How far one node is.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReplicaState {
    /// The replica's node id; −1 for a consumer.
    pub replica_id: i32,
    /// The id of the log directory that holds the replica.
    #[field(versions = "2+")]
    pub replica_directory_id: Uuid,
    /// The offset after the last record.
    pub log_end_offset: i64,
    /// When the replica fetched last, ms since 1970; −1 if not known.
    #[field(versions = "1+", default = -1, ignorable)]
    pub last_fetch_timestamp: i64,
    /// When the replica last had everything, ms since 1970; −1 if not known.
    #[field(versions = "1+", default = -1, ignorable)]
    pub last_caught_up_timestamp: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
