//! Keys and values of `__share_group_state` (KIP-932).

use crate::{ByteString, Message, TaggedFields, Uuid};

/// The key of a snapshot: type 0.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 0, versions = "0", flexible = "none")]
pub struct ShareSnapshotKey {
    /// The group.
    pub group_id: ByteString,
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partition's number in its topic.
    pub partition: i32,
}

/// A share partition's whole state.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 0, versions = "0", flexible = "0+")]
pub struct ShareSnapshotValue {
    /// The number of the snapshot: each one is one more than that before it.
    pub snapshot_epoch: i32,
    /// The epoch of the share partition's state: grows when the group's offsets are reset (KIP-932).
    pub state_epoch: i32,
    /// The epoch of the partition's leader.
    pub leader_epoch: i32,
    /// The first offset.
    pub start_offset: i64,
    /// How many records from the start offset on need no delivery any more; −1 if not known (KIP-1226).
    #[field(tag = 0, default = -1)]
    pub delivery_complete_count: i32,
    /// When the state was created, ms since 1970.
    pub create_timestamp: i64,
    /// When it was written, ms since 1970.
    pub write_timestamp: i64,
    /// The states of records at and after the start offset.
    pub state_batches: Vec<StateBatch>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Records in a row that share a state.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct StateBatch {
    /// The first offset.
    pub first_offset: i64,
    /// The last offset.
    pub last_offset: i64,
    /// 0 available, 2 acknowledged, 4 archived.
    pub delivery_state: i8,
    /// How often the records were delivered.
    pub delivery_count: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a change: type 1.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 1, versions = "0", flexible = "none")]
pub struct ShareUpdateKey {
    /// The group.
    pub group_id: ByteString,
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partition's number in its topic.
    pub partition: i32,
}

/// What changed in a share partition since its last snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 1, versions = "0", flexible = "0+")]
pub struct ShareUpdateValue {
    /// The number of the snapshot: each one is one more than that before it.
    pub snapshot_epoch: i32,
    /// The epoch of the partition's leader.
    pub leader_epoch: i32,
    /// The first offset.
    pub start_offset: i64,
    /// How many records from the start offset on need no delivery any more; −1 if not known (KIP-1226).
    #[field(tag = 0, default = -1)]
    pub delivery_complete_count: i32,
    /// The states of records at and after the start offset.
    pub state_batches: Vec<StateBatch>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
