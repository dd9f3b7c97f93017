//! Acquires records for a member of a share group (KIP-932).

use crate::{ByteString, ErrorCode, Message, Records, Request, TaggedFields, Uuid, Version};

/// What the member would like, and what became of what it had.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 78, versions = "1-2", flexible = "1+")]
pub struct ShareFetchRequest {
    /// The group.
    #[field(default = null)]
    pub group_id: Option<ByteString>,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: Option<ByteString>,
    /// 0 opens a share session, −1 closes it, otherwise one more than in the request before.
    pub share_session_epoch: i32,
    /// How long to wait for `min_bytes`, ms.
    pub max_wait_ms: i32,
    /// How many bytes to wait for.
    pub min_bytes: i32,
    /// How many bytes to answer with; the first batch is sent even if it is larger.
    #[field(default = i32::MAX)]
    pub max_bytes: i32,
    /// How many records to acquire at most; whole batches may exceed it.
    pub max_records: i32,
    /// How many records the member would like to acknowledge together.
    pub batch_size: i32,
    /// 0 acquires whole batches, 1 no more records than `max_records` (KIP-1206).
    #[field(versions = "2+", ignorable)]
    pub share_acquire_mode: i8,
    /// Whether any of the acknowledgements renews the lock of its records (KIP-1222).
    #[field(versions = "2+")]
    pub is_renew_ack: bool,
    /// The topics.
    pub topics: Vec<FetchTopic>,
    /// Partitions to drop from the session.
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ShareFetchRequest {
    type Response = ShareFetchResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ShareFetchResponse {
        ShareFetchResponse { error_code: error, ..Default::default() }
    }
}

/// Partitions of one topic to read.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct FetchTopic {
    /// The topic's id (KIP-516), in place of its name.
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<FetchPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions that the session shall drop.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ForgottenTopic {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition, and from where on.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct FetchPartition {
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

/// The records.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 78, versions = "1-2", flexible = "1+")]
pub struct ShareFetchResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// How long acquired records stay locked for the member, ms.
    pub acquisition_lock_timeout_ms: i32,
    /// The outcome of each.
    pub responses: Vec<ShareFetchableTopicResponse>,
    /// Where the leaders named in this response are reached (KIP-951).
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ShareFetchableTopicResponse {
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

/// One partition's records, and which of them the member has acquired.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why there are no records, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// Why the acknowledgements failed, or 0.
    pub acknowledge_error_code: ErrorCode,
    /// What a person should know about that error; null if the code says it all.
    #[field(default = null)]
    pub acknowledge_error_message: Option<ByteString>,
    /// The leader now, if the request went to a former one (KIP-951).
    pub current_leader: LeaderIdAndEpoch,
    /// The record batches from the offset wanted on; the first may begin before it.
    pub records: Records,
    /// The records that the member acquired.
    pub acquired_records: Vec<AcquiredRecords>,
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

/// Acquired records in a row.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AcquiredRecords {
    /// The first offset.
    pub first_offset: i64,
    /// The last offset.
    pub last_offset: i64,
    /// How often the records were delivered.
    pub delivery_count: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
