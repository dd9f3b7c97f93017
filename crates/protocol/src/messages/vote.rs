//! Asks voters of Kafka's metadata quorum for their votes (KIP-595).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// Who stands for election, and how long its log is.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 52, versions = "0-2", flexible = "0+")]
pub struct VoteRequest {
    /// The cluster's id; null if the voter does not know it.
    #[field(default = null)]
    pub cluster_id: Option<ByteString>,
    /// The voter that is asked (KIP-853).
    #[field(versions = "1+", default = -1, ignorable)]
    pub voter_id: i32,
    /// The topics.
    pub topics: Vec<TopicData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for VoteRequest {
    type Response = VoteResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> VoteResponse {
        VoteResponse { error_code: error, ..Default::default() }
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

/// The candidacy for one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The epoch that the voter stands for election in.
    pub replica_epoch: i32,
    /// The voter that stands for election.
    pub replica_id: i32,
    /// The id of the log directory that holds the replica.
    #[field(versions = "1+", ignorable)]
    pub replica_directory_id: Uuid,
    /// The id of the voter's metadata directory (KIP-853).
    #[field(versions = "1+", ignorable)]
    pub voter_directory_id: Uuid,
    /// The epoch of the last record in the voter's log.
    pub last_offset_epoch: i32,
    /// Where the voter's log ends.
    pub last_offset: i64,
    /// Whether the voter only asks if it could win (KIP-996).
    #[field(versions = "2+")]
    pub pre_vote: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The votes.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 52, versions = "0-2", flexible = "0+")]
pub struct VoteResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The topics.
    pub topics: Vec<VoteResponseTopicData>,
    /// Where the leaders named in this response are reached (KIP-951).
    #[field(versions = "1+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct VoteResponseTopicData {
    /// The topic's name.
    pub topic_name: ByteString,
    /// The partitions.
    pub partitions: Vec<VoteResponsePartitionData>,
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

/// The vote for one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct VoteResponsePartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The leader's node id; −1 if there is none.
    pub leader_id: i32,
    /// The epoch of the partition's leader.
    pub leader_epoch: i32,
    /// Whether the vote was granted.
    pub vote_granted: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
