//! Reads a snapshot of Kafka's metadata log in pieces (KIP-630).

use crate::{ByteString, ErrorCode, Message, Records, Request, TaggedFields, Uuid, Version};

/// Which pieces of which snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 59, versions = "0-1", flexible = "0+")]
pub struct FetchSnapshotRequest {
    /// The cluster's id.
    #[field(tag = 0, default = null)]
    pub cluster_id: Option<ByteString>,
    /// The broker that asks; −1 for a client.
    #[field(default = -1)]
    pub replica_id: i32,
    /// How many bytes to answer with; the first batch is sent even if it is larger.
    #[field(default = i32::MAX)]
    pub max_bytes: i32,
    /// The topics.
    pub topics: Vec<TopicSnapshot>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for FetchSnapshotRequest {
    type Response = FetchSnapshotResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> FetchSnapshotResponse {
        FetchSnapshotResponse { error_code: error, ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicSnapshot {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<PartitionSnapshot>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The piece of one partition's snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionSnapshot {
    /// The partition's number in its topic.
    pub partition: i32,
    /// The leader's epoch as the asker knows it, which fences a stale leader or asker (KIP-320); −1 to skip
    /// that.
    pub current_leader_epoch: i32,
    /// The snapshot to fetch instead (KIP-630); −1 if there is none.
    pub snapshot_id: SnapshotId,
    /// The first byte of the snapshot to send.
    pub position: i64,
    /// The id of the log directory that holds the replica.
    #[field(versions = "1+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Which snapshot it is: everything before an offset.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct SnapshotId {
    /// The offset after the last one.
    pub end_offset: i64,
    /// The epoch.
    pub epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The pieces.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 59, versions = "0-1", flexible = "0+")]
pub struct FetchSnapshotResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The topics.
    pub topics: Vec<FetchSnapshotResponseTopicSnapshot>,
    /// Where the leaders named in this response are reached (KIP-951).
    #[field(versions = "1+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct FetchSnapshotResponseTopicSnapshot {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<FetchSnapshotResponsePartitionSnapshot>,
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

/// One piece.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct FetchSnapshotResponsePartitionSnapshot {
    /// The partition's number in its topic.
    pub index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The snapshot to fetch instead (KIP-630); −1 if there is none.
    pub snapshot_id: SnapshotId,
    /// The leader now, if the request went to a former one (KIP-951).
    #[field(tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
    /// How long the whole snapshot is, bytes.
    pub size: i64,
    /// Where in the snapshot these bytes begin.
    pub position: i64,
    /// Bytes of the snapshot, which may begin and end in the middle of a batch.
    pub unaligned_records: Records,
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
