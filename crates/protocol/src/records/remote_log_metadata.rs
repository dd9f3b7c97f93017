//! Records of `__remote_log_metadata` (KIP-405), in the same frame as those of the metadata log.

use crate::{ByteString, Bytes, Message, TaggedFields, Uuid};

/// A segment is being copied to remote storage.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 0, versions = "0", flexible = "0+")]
pub struct RemoteLogSegmentMetadataRecord {
    /// The segment.
    pub remote_log_segment_id: RemoteLogSegmentIdEntry,
    /// The segment's first offset.
    pub start_offset: i64,
    /// The segment's last offset.
    pub end_offset: i64,
    /// The broker that wrote this.
    pub broker_id: i32,
    /// The greatest timestamp in the segment, ms since 1970.
    pub max_timestamp_ms: i64,
    /// When this happened, ms since 1970.
    pub event_timestamp_ms: i64,
    /// The leader epochs in the segment.
    pub segment_leader_epochs: Vec<SegmentLeaderEpochEntry>,
    /// The segment's length, bytes.
    pub segment_size_in_bytes: i32,
    /// What the storage plugin keeps with the segment; null for nothing.
    #[field(default = null)]
    pub custom_metadata: Option<Bytes>,
    /// 0 copy started, 1 copy finished, 2 deletion started, 3 deletion finished.
    pub remote_log_segment_state: i8,
    /// Whether the segment has no aborted transactions.
    #[field(tag = 0)]
    pub txn_index_empty: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A segment.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct RemoteLogSegmentIdEntry {
    /// The partition.
    pub topic_id_partition: TopicIdPartitionEntry,
    /// The segment's id.
    pub id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where a leader epoch starts.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct SegmentLeaderEpochEntry {
    /// The epoch of the partition's leader.
    pub leader_epoch: i32,
    /// The epoch's first offset.
    pub offset: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicIdPartitionEntry {
    /// The topic's name.
    pub name: ByteString,
    /// The topic's id (KIP-516).
    pub id: Uuid,
    /// The partition's number in its topic.
    pub partition: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A remote segment's state has changed.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 1, versions = "0", flexible = "0+")]
pub struct RemoteLogSegmentMetadataUpdateRecord {
    /// The segment.
    pub remote_log_segment_id: RemoteLogSegmentIdEntry,
    /// The broker that wrote this.
    pub broker_id: i32,
    /// When this happened, ms since 1970.
    pub event_timestamp_ms: i64,
    /// What the storage plugin keeps with the segment; null for nothing.
    #[field(default = null)]
    pub custom_metadata: Option<Bytes>,
    /// 0 copy started, 1 copy finished, 2 deletion started, 3 deletion finished.
    pub remote_log_segment_state: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition is being deleted from remote storage.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 2, versions = "0", flexible = "0+")]
pub struct RemotePartitionDeleteMetadataRecord {
    /// The partition.
    pub topic_id_partition: TopicIdPartitionEntry,
    /// The broker that wrote this.
    pub broker_id: i32,
    /// When this happened, ms since 1970.
    pub event_timestamp_ms: i64,
    /// 0 deletion marked, 1 started, 2 finished.
    pub remote_partition_delete_state: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A remote segment, in a snapshot of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 3, versions = "0", flexible = "0+")]
pub struct RemoteLogSegmentMetadataSnapshotRecord {
    /// The segment's id.
    pub segment_id: Uuid,
    /// The segment's first offset.
    pub start_offset: i64,
    /// The segment's last offset.
    pub end_offset: i64,
    /// The broker that wrote this.
    pub broker_id: i32,
    /// The greatest timestamp in the segment, ms since 1970.
    pub max_timestamp_ms: i64,
    /// When this happened, ms since 1970.
    pub event_timestamp_ms: i64,
    /// The leader epochs in the segment.
    pub segment_leader_epochs: Vec<SegmentLeaderEpochEntry>,
    /// The segment's length, bytes.
    pub segment_size_in_bytes: i32,
    /// What the storage plugin keeps with the segment; null for nothing.
    #[field(default = null)]
    pub custom_metadata: Option<Bytes>,
    /// 0 copy started, 1 copy finished, 2 deletion started, 3 deletion finished.
    pub remote_log_segment_state: i8,
    /// Whether the segment has no aborted transactions.
    #[field(tag = 0)]
    pub txn_index_empty: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
