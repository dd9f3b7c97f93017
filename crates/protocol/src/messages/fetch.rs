//! Reads record batches: consumers and followers alike.

use crate::{ByteString, ErrorCode, FetchedRecords, Message, Request, TaggedFields, Uuid, Version};

/// What to read. Only changes, within a fetch session (KIP-227).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 1, versions = "4-18", flexible = "12+")]
pub struct FetchRequest {
    /// The cluster that the asker belongs to; null to skip the check.
    #[field(versions = "12+", tag = 0, default = null, ignorable)]
    pub cluster_id: Option<ByteString>,
    /// The follower that asks; −1 for a consumer.
    #[field(versions = "4-14", default = -1)]
    pub replica_id: i32,
    /// The follower that asks, with its epoch (KIP-903).
    #[field(versions = "15+", tag = 1)]
    pub replica_state: ReplicaState,
    /// How long to wait for `min_bytes`, ms.
    pub max_wait_ms: i32,
    /// How many bytes to wait for.
    pub min_bytes: i32,
    /// How many bytes to answer with; the first batch is sent even if it is larger.
    #[field(default = i32::MAX)]
    pub max_bytes: i32,
    /// 0 read_uncommitted, 1 read_committed.
    pub isolation_level: i8,
    /// The fetch session (KIP-227); 0 for none.
    #[field(versions = "7+", ignorable)]
    pub session_id: i32,
    /// Counts the requests of the session; 0 starts one, −1 ends it or wants none.
    #[field(versions = "7+", default = -1, ignorable)]
    pub session_epoch: i32,
    /// The topics.
    pub topics: Vec<FetchTopic>,
    /// Partitions to drop from the session.
    #[field(versions = "7+")]
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Where the asker stands (`client.rack`, KIP-392); empty if it does not say.
    #[field(versions = "11+", ignorable)]
    pub rack_id: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for FetchRequest {
    type Response = FetchResponse;

    fn error_response(&self, version: Version, error: ErrorCode) -> FetchResponse {
        let mut response =
            FetchResponse { error_code: error, session_id: self.session_id, ..Default::default() };
        // From 13 on a topic id may be one that the broker cannot name, and the error on top is enough.
        if version < 13 {
            let topics = self.topics.iter().map(|topic| FetchableTopicResponse {
                topic: topic.topic.clone(),
                partitions: (topic.partitions.iter())
                    .map(|partition| PartitionData::error(partition.partition, error))
                    .collect(),
                ..Default::default()
            });
            response.responses = topics.collect();
        }
        response
    }
}

impl PartitionData {
    /// A partition of which nothing but an error is told.
    pub fn error(partition_index: i32, error: ErrorCode) -> Self {
        Self {
            partition_index,
            error_code: error,
            high_watermark: -1,
            aborted_transactions: None,
            ..Default::default()
        }
    }
}

/// The follower that asks.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ReplicaState {
    /// The replica's node id; −1 for a consumer.
    #[field(default = -1)]
    pub replica_id: i32,
    /// The follower's broker epoch; −1 if not known.
    #[field(default = -1)]
    pub replica_epoch: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic to read.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct FetchTopic {
    /// The topic's name.
    #[field(versions = "4-12", ignorable)]
    pub topic: ByteString,
    /// The topic's id (KIP-516), in place of its name.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<FetchPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions that the session shall drop.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ForgottenTopic {
    /// The topic's name.
    #[field(versions = "7-12", ignorable)]
    pub topic: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "13+", ignorable)]
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
    pub partition: i32,
    /// The leader's epoch as the asker knows it, which fences a stale leader or asker (KIP-320); −1 to skip
    /// that.
    #[field(versions = "9+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// The first offset wanted.
    pub fetch_offset: i64,
    /// The leader epoch of the last record that the asker has (KIP-595); −1 if none.
    #[field(versions = "12+", default = -1)]
    pub last_fetched_epoch: i32,
    /// The first offset that the follower has; −1 for a consumer.
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// How many bytes to answer with for this partition.
    pub partition_max_bytes: i32,
    /// The id of the log directory that holds the replica.
    #[field(versions = "17+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
    /// The high watermark that the follower knows (KIP-1166).
    #[field(versions = "18+", tag = 1, default = i64::MAX, ignorable)]
    pub high_watermark: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Records per partition. Only changes, within a fetch session.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 1, versions = "4-18", flexible = "12+")]
pub struct FetchResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    #[field(versions = "7+", ignorable)]
    pub error_code: ErrorCode,
    /// The fetch session (KIP-227); 0 for none.
    #[field(versions = "7+")]
    pub session_id: i32,
    /// The outcome of each.
    pub responses: Vec<FetchableTopicResponse>,
    /// Where the leaders named in this response are reached (KIP-951).
    #[field(versions = "16+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct FetchableTopicResponse {
    /// The topic's name.
    #[field(versions = "4-12", ignorable)]
    pub topic: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<PartitionData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where a broker is reached.
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

/// One partition's records.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why there are no records, or 0.
    pub error_code: ErrorCode,
    /// The offset up to which the records are committed; −1 if not known.
    pub high_watermark: i64,
    /// The offset that the first open transaction starts at; −1 if not known.
    #[field(default = -1)]
    pub last_stable_offset: i64,
    /// The first offset that the partition still has; −1 if not known.
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// Where the asker's log leaves the leader's (KIP-595); −1 if it does not.
    #[field(versions = "12+", tag = 0)]
    pub diverging_epoch: EpochEndOffset,
    /// The leader now, if the request went to a former one (KIP-951).
    #[field(versions = "12+", tag = 1)]
    pub current_leader: LeaderIdAndEpoch,
    /// The snapshot to fetch instead (KIP-630); −1 if there is none.
    #[field(versions = "12+", tag = 2)]
    pub snapshot_id: SnapshotId,
    /// The aborted transactions among the records (read_committed only); null if not asked.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The nearer replica that the consumer should read from (KIP-392); −1 for none.
    #[field(versions = "11+", default = -1)]
    pub preferred_read_replica: i32,
    /// The record batches from the offset wanted on; the first may begin before it.
    pub records: Option<FetchedRecords>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The last common point of two logs.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct EpochEndOffset {
    /// The largest epoch that both know; −1 for none.
    #[field(default = -1)]
    pub epoch: i32,
    /// The first offset that the leader does not have in this epoch; −1 if not known.
    #[field(default = -1)]
    pub end_offset: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition's leader.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct LeaderIdAndEpoch {
    /// The leader's node id; −1 if there is none.
    #[field(default = -1)]
    pub leader_id: i32,
    /// The epoch of the partition's leader.
    #[field(default = -1)]
    pub leader_epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A snapshot of the metadata log.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct SnapshotId {
    /// The offset after the last one.
    #[field(default = -1)]
    pub end_offset: i64,
    /// The epoch.
    #[field(default = -1)]
    pub epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// An aborted transaction, up to its control record.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AbortedTransaction {
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The transaction's first offset in this partition.
    pub first_offset: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
