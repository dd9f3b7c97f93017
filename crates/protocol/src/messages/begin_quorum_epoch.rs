//! A new leader of Kafka's metadata quorum makes itself known to the voters (KIP-595).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// Who leads since which epoch.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 53, versions = "0-1", flexible = "1+")]
pub struct BeginQuorumEpochRequest {
    /// The cluster's id.
    #[field(default = null)]
    pub cluster_id: Option<ByteString>,
    /// The voter's node id.
    #[field(versions = "1+", default = -1, ignorable)]
    pub voter_id: i32,
    /// The topics.
    pub topics: Vec<TopicData>,
    /// Where the leader is reached.
    #[field(versions = "1+", ignorable)]
    pub leader_endpoints: Vec<LeaderEndpoint>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for BeginQuorumEpochRequest {
    type Response = BeginQuorumEpochResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> BeginQuorumEpochResponse {
        BeginQuorumEpochResponse { error_code: error, ..Default::default() }
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

/// Where the leader is reached over one listener.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct LeaderEndpoint {
    /// The name.
    pub name: ByteString,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: u16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The leader of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The id of the voter's metadata directory (KIP-853).
    #[field(versions = "1+", ignorable)]
    pub voter_directory_id: Uuid,
    /// The leader's node id; −1 if there is none.
    pub leader_id: i32,
    /// The leader's epoch.
    pub leader_epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What the voter makes of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 53, versions = "0-1", flexible = "1+")]
pub struct BeginQuorumEpochResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The topics.
    pub topics: Vec<BeginQuorumEpochResponseTopicData>,
    /// Where the leaders named in this response are reached (KIP-951).
    #[field(versions = "1+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct BeginQuorumEpochResponseTopicData {
    /// The topic's name.
    pub topic_name: ByteString,
    /// The partitions.
    pub partitions: Vec<BeginQuorumEpochResponsePartitionData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where a node is reached.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct NodeEndpoint {
    /// The broker.
    pub node_id: i32,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: u16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The leader that the voter knows.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct BeginQuorumEpochResponsePartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The leader's node id; −1 if there is none.
    pub leader_id: i32,
    /// The epoch of the partition's leader.
    pub leader_epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
