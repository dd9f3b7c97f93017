//! Tells what became of records that a share group's member had acquired (KIP-932).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The acknowledgements.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 79, versions = "1-2", flexible = "1+")]
pub struct ShareAcknowledgeRequest {
    /// The group.
    #[field(default = null)]
    pub group_id: Option<ByteString>,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: Option<ByteString>,
    /// 0 opens a share session, −1 closes it, otherwise one more than in the request before.
    pub share_session_epoch: i32,
    /// Whether any of the acknowledgements renews the lock of its records (KIP-1222).
    #[field(versions = "2+")]
    pub is_renew_ack: bool,
    /// The topics.
    pub topics: Vec<AcknowledgeTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ShareAcknowledgeRequest {
    type Response = ShareAcknowledgeResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ShareAcknowledgeResponse {
        ShareAcknowledgeResponse { error_code: error, ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AcknowledgeTopic {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<AcknowledgePartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Acknowledgements in one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AcknowledgePartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// What became of records that the member acquired.
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Records in a row.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AcknowledgementBatch {
    /// The first offset.
    pub first_offset: i64,
    /// The last offset.
    pub last_offset: i64,
    /// One type for all of the offsets, or one for each: 0 gap, 1 accept, 2 release, 3 reject, 4 renew.
    pub acknowledge_types: Vec<i8>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 79, versions = "1-2", flexible = "1+")]
pub struct ShareAcknowledgeResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// How long acquired records stay locked for the member, ms.
    #[field(versions = "2+", ignorable)]
    pub acquisition_lock_timeout_ms: i32,
    /// The outcome of each.
    pub responses: Vec<ShareAcknowledgeTopicResponse>,
    /// Where the leaders named in this response are reached (KIP-951).
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ShareAcknowledgeTopicResponse {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<PartitionData>,
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
    pub port: i32,
    /// Where the node stands (`broker.rack`); null if it does not say.
    #[field(default = null)]
    pub rack: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition's acknowledgements.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why there are no records, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// The leader now, if the request went to a former one (KIP-951).
    pub current_leader: LeaderIdAndEpoch,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition's leader.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct LeaderIdAndEpoch {
    /// The leader's node id; −1 if there is none.
    pub leader_id: i32,
    /// The epoch of the partition's leader.
    pub leader_epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
