//! Share groups (KIP-932).

use crate::{ByteString, Message, TaggedFields, Uuid};

/// The key of a group: type 11.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 11, versions = "0", flexible = "none")]
pub struct ShareGroupMetadataKey {
    /// The group.
    pub group_id: ByteString,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 11, versions = "0", flexible = "0+")]
pub struct ShareGroupMetadataValue {
    /// The group's epoch.
    pub epoch: i32,
    /// A hash over the topics that the group subscribes to; 0 if not known (KIP-1101).
    pub metadata_hash: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a member: type 10.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 10, versions = "0", flexible = "none")]
pub struct ShareGroupMemberMetadataKey {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
}

/// A member and what it subscribes to.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 10, versions = "0", flexible = "0+")]
pub struct ShareGroupMemberMetadataValue {
    /// Where the asker stands (`client.rack`, KIP-392); empty if it does not say.
    pub rack_id: Option<ByteString>,
    /// What the client calls itself (`client.id`).
    pub client_id: ByteString,
    /// Where the client connects from.
    pub client_host: ByteString,
    /// The topics that the member subscribes to by name.
    pub subscribed_topic_names: Vec<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a target assignment: type 12.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 12, versions = "0", flexible = "none")]
pub struct ShareGroupTargetAssignmentMetadataKey {
    /// The group.
    pub group_id: ByteString,
}

/// A target assignment as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 12, versions = "0", flexible = "0+")]
pub struct ShareGroupTargetAssignmentMetadataValue {
    /// The epoch of the group that the target assignment was computed for.
    pub assignment_epoch: i32,
    /// When the assignment was computed, ms since 1970; 0 if not known.
    #[field(tag = 0, ignorable)]
    pub assignment_timestamp: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a member's part in the target assignment: type 13.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 13, versions = "0", flexible = "none")]
pub struct ShareGroupTargetAssignmentMemberKey {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
}

/// What a member shall work on in the end.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 13, versions = "0", flexible = "0+")]
pub struct ShareGroupTargetAssignmentMemberValue {
    /// The partitions by topic.
    pub topic_partitions: Vec<TopicPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicPartition {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of what a member has: type 14.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 14, versions = "0", flexible = "none")]
pub struct ShareGroupCurrentMemberAssignmentKey {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
}

/// What a member has now.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 14, versions = "0", flexible = "0+")]
pub struct ShareGroupCurrentMemberAssignmentValue {
    /// The member's epoch (KIP-848); −1 for an admin client.
    pub member_epoch: i32,
    /// The epoch before: a member that did not hear of the new one may still use it.
    pub previous_member_epoch: i32,
    /// 0 stable.
    pub state: i8,
    /// The partitions that the member shall read.
    pub assigned_partitions: Vec<TopicPartitions>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicPartitions {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of the partitions with state: type 15.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 15, versions = "0", flexible = "none")]
pub struct ShareGroupStatePartitionMetadataKey {
    /// The group.
    pub group_id: ByteString,
}

/// The partitions that have, get or lose their state at the share coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 15, versions = "0", flexible = "0+")]
pub struct ShareGroupStatePartitionMetadataValue {
    /// Partitions whose state is being created.
    pub initializing_topics: Vec<TopicPartitionsInfo>,
    /// Partitions whose state exists.
    pub initialized_topics: Vec<TopicPartitionsInfo>,
    /// Topics whose state is being deleted.
    pub deleting_topics: Vec<TopicInfo>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicPartitionsInfo {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The topic's name.
    pub topic_name: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicInfo {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The topic's name.
    pub topic_name: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
