//! Groups of the consumer protocol (KIP-848).

use crate::{ByteString, Bytes, Message, TaggedFields, Uuid};

/// The key of a group: type 3.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 3, versions = "0", flexible = "none")]
pub struct ConsumerGroupMetadataKey {
    /// The group.
    pub group_id: ByteString,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 3, versions = "0", flexible = "0+")]
pub struct ConsumerGroupMetadataValue {
    /// The group's epoch.
    pub epoch: i32,
    /// A hash over the topics that the group subscribes to; 0 if not known (KIP-1101).
    #[field(tag = 0)]
    pub metadata_hash: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a group's topics: type 4. Kafka deletes such records since 4.0.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 4, versions = "0", flexible = "none")]
pub struct ConsumerGroupPartitionMetadataKey {
    /// The group.
    pub group_id: ByteString,
}

/// The topics that a group subscribes to, as they were.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 4, versions = "0", flexible = "0+")]
pub struct ConsumerGroupPartitionMetadataValue {
    /// The topics.
    pub topics: Vec<TopicMetadata>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicMetadata {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The topic's name.
    pub topic_name: ByteString,
    /// How many partitions.
    pub num_partitions: i32,
    /// The partitions' racks; unused since 4.0.
    pub partition_metadata: Vec<PartitionMetadata>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionMetadata {
    /// The partition's number in its topic.
    pub partition: i32,
    /// The racks that hold a replica.
    pub racks: Vec<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a member: type 5.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 5, versions = "0", flexible = "none")]
pub struct ConsumerGroupMemberMetadataKey {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
}

/// A member and what it subscribes to.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 5, versions = "0", flexible = "0+")]
pub struct ConsumerGroupMemberMetadataValue {
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    pub instance_id: Option<ByteString>,
    /// Where the asker stands (`client.rack`, KIP-392); empty if it does not say.
    pub rack_id: Option<ByteString>,
    /// What the client calls itself (`client.id`).
    pub client_id: ByteString,
    /// Where the client connects from.
    pub client_host: ByteString,
    /// The topics that the member subscribes to by name.
    pub subscribed_topic_names: Vec<ByteString>,
    /// The pattern of topics that the member subscribes to (RE2J syntax); null for none.
    pub subscribed_topic_regex: Option<ByteString>,
    /// How long members have to join again in a rebalance, ms.
    #[field(default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The coordinator's assignor that the member prefers; null for none.
    pub server_assignor: Option<ByteString>,
    /// What a member that speaks the classic protocol told of itself; null for others.
    #[field(tag = 0)]
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What a member told that speaks the classic protocol.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ClassicMemberMetadata {
    /// After how long without a heartbeat the member is dead, ms.
    pub session_timeout_ms: i32,
    /// The protocols that the member supports, the preferred one first.
    pub supported_protocols: Vec<ClassicProtocol>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A protocol that the member supports.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ClassicProtocol {
    /// The protocol's name.
    pub name: ByteString,
    /// What the member tells the others of its protocol; opaque to the coordinator.
    pub metadata: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a pattern: type 16.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 16, versions = "0", flexible = "none")]
pub struct ConsumerGroupRegularExpressionKey {
    /// The group.
    pub group_id: ByteString,
    /// The pattern.
    pub regular_expression: ByteString,
}

/// The topics that match a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 16, versions = "0", flexible = "0+")]
pub struct ConsumerGroupRegularExpressionValue {
    /// The topics.
    pub topics: Vec<ByteString>,
    /// The version of the metadata that the pattern was resolved with.
    pub version: i64,
    /// When it was, ms since 1970.
    pub timestamp: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a target assignment: type 6.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 6, versions = "0", flexible = "none")]
pub struct ConsumerGroupTargetAssignmentMetadataKey {
    /// The group.
    pub group_id: ByteString,
}

/// A target assignment as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 6, versions = "0", flexible = "0+")]
pub struct ConsumerGroupTargetAssignmentMetadataValue {
    /// The epoch of the group that the target assignment was computed for.
    pub assignment_epoch: i32,
    /// When the assignment was computed, ms since 1970; 0 if not known.
    #[field(tag = 0, ignorable)]
    pub assignment_timestamp: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a member's part in the target assignment: type 7.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 7, versions = "0", flexible = "none")]
pub struct ConsumerGroupTargetAssignmentMemberKey {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
}

/// What a member shall work on in the end.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 7, versions = "0", flexible = "0+")]
pub struct ConsumerGroupTargetAssignmentMemberValue {
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

/// The key of what a member has: type 8.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 8, versions = "0", flexible = "none")]
pub struct ConsumerGroupCurrentMemberAssignmentKey {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
}

/// What a member has now.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 8, versions = "0", flexible = "0+")]
pub struct ConsumerGroupCurrentMemberAssignmentValue {
    /// The member's epoch (KIP-848); −1 for an admin client.
    pub member_epoch: i32,
    /// The epoch before: a member that did not hear of the new one may still use it.
    pub previous_member_epoch: i32,
    /// 0 stable, 1 still giving up partitions, 2 waiting for partitions that others have, 127 not known.
    pub state: i8,
    /// The partitions that the member shall read.
    pub assigned_partitions: Vec<TopicPartitions>,
    /// Partitions that the member has yet to give up.
    pub partitions_pending_revocation: Vec<TopicPartitions>,
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
    /// The member's epoch when it got each partition, so that commits of an earlier owner are refused
    /// (KIP-1251); null if not known.
    #[field(tag = 0)]
    pub assignment_epochs: Option<Vec<i32>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
