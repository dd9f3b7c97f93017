//! Committed offsets of all groups, and groups of the classic protocol.

use crate::{ByteString, Bytes, Message, TaggedFields, Uuid};

/// The key of a committed offset: type 1.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 1, versions = "0", flexible = "none")]
pub struct OffsetCommitKey {
    /// The group.
    pub group: ByteString,
    /// The topic's name.
    pub topic: ByteString,
    /// The partition's number in its topic.
    pub partition: i32,
}

/// A committed offset.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 1, versions = "0-4", flexible = "4+")]
pub struct OffsetCommitValue {
    /// The offset.
    pub offset: i64,
    /// The leader epoch of the last record before it; −1 if not known.
    #[field(versions = "3+", default = -1, ignorable)]
    pub leader_epoch: i32,
    /// The client's own note.
    pub metadata: ByteString,
    /// When the offset was committed, ms since 1970.
    pub commit_timestamp: i64,
    /// When the offset expires, ms since 1970; −1 for the broker's retention.
    #[field(versions = "1", default = -1, ignorable)]
    pub expire_timestamp: i64,
    /// The topic's id (KIP-516).
    #[field(versions = "4+", tag = 0, ignorable)]
    pub topic_id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a classic group: type 2.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 2, versions = "0", flexible = "none")]
pub struct GroupMetadataKey {
    /// The group.
    pub group: ByteString,
}

/// A classic group: its generation, members and their assignments.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 2, versions = "0-4", flexible = "4+")]
pub struct GroupMetadataValue {
    /// What kind of group it is: `consumer`, `connect`, `sr` and so on.
    pub protocol_type: ByteString,
    /// The generation: counts the group's rebalances.
    pub generation: i32,
    /// The protocol that the group chose; null while there is none.
    pub protocol: Option<ByteString>,
    /// The member that assigns; null while there is none.
    pub leader: Option<ByteString>,
    /// When the group came into this state, ms since 1970; −1 if not known.
    #[field(versions = "2+", default = -1, ignorable)]
    pub current_state_timestamp: i64,
    /// The members.
    pub members: Vec<MemberMetadata>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MemberMetadata {
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    #[field(versions = "3+", default = null, ignorable)]
    pub group_instance_id: Option<ByteString>,
    /// What the client calls itself (`client.id`).
    pub client_id: ByteString,
    /// Where the client connects from.
    pub client_host: ByteString,
    /// How long the member has to join again in a rebalance, ms.
    #[field(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout: i32,
    /// After how long without a heartbeat the member is dead, ms.
    pub session_timeout: i32,
    /// The member's metadata for the chosen protocol.
    pub subscription: Bytes,
    /// What the member works on.
    pub assignment: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a committed offset from before 0.9: type 0.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 0, versions = "0", flexible = "none")]
pub struct LegacyOffsetCommitKey {
    /// The group.
    pub group: ByteString,
    /// The topic's name.
    pub topic: ByteString,
    /// The partition's number in its topic.
    pub partition: i32,
}

/// A committed offset from before 0.9.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 0, versions = "0", flexible = "none")]
pub struct LegacyOffsetCommitValue {
    /// The offset.
    pub offset: i64,
    /// What the member tells the others of its protocol; opaque to the coordinator.
    pub metadata: ByteString,
    /// When the offset was committed, ms since 1970.
    pub commit_timestamp: i64,
}
