//! A leader of Kafka's metadata quorum resigns (KIP-595).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// Who resigns, and who should follow.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 54, versions = "0-1", flexible = "1+")]
pub struct EndQuorumEpochRequest {
    /// The cluster's id.
    #[field(default = null)]
    pub cluster_id: Option<ByteString>,
    /// The topics.
    pub topics: Vec<TopicData>,
    /// Where the leader is reached.
    #[field(versions = "1+", ignorable)]
    pub leader_endpoints: Vec<LeaderEndpoint>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for EndQuorumEpochRequest {
    type Response = EndQuorumEpochResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> EndQuorumEpochResponse {
        EndQuorumEpochResponse { error_code: error, ..Default::default() }
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

/// The leadership that ends.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The leader's node id; −1 if there is none.
    pub leader_id: i32,
    /// The leader's epoch.
    pub leader_epoch: i32,
    /// The voters that should stand for election, the best first.
    #[field(versions = "0", ignorable)]
    pub preferred_successors: Vec<i32>,
    /// The voters that should stand for election, the best first.
    #[field(versions = "1+", ignorable)]
    pub preferred_candidates: Vec<ReplicaInfo>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A voter.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReplicaInfo {
    /// The voter's node id.
    pub candidate_id: i32,
    /// The voter's log directory.
    pub candidate_directory_id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What the voter makes of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 54, versions = "0-1", flexible = "1+")]
pub struct EndQuorumEpochResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The topics.
    pub topics: Vec<EndQuorumEpochResponseTopicData>,
    /// Where the leaders named in this response are reached (KIP-951).
    #[field(versions = "1+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct EndQuorumEpochResponseTopicData {
    /// The topic's name.
    pub topic_name: ByteString,
    /// The partitions.
    pub partitions: Vec<EndQuorumEpochResponsePartitionData>,
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
pub struct EndQuorumEpochResponsePartitionData {
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
