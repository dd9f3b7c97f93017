//! Reads groups' offsets.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// Which offsets to read: of one group, from version 8 on of many.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 9, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchRequest {
    /// The group.
    #[field(versions = "1-7")]
    pub group_id: ByteString,
    /// The partitions by topic; null for all that the group has offsets of.
    #[field(versions = "1-7", nullable = "2-7")]
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// The groups, from version 8 on in place of the fields above.
    #[field(versions = "8+")]
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// Whether to refuse offsets that an open transaction may still change (KIP-447).
    #[field(versions = "7+")]
    pub require_stable: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for OffsetFetchRequest {
    type Response = OffsetFetchResponse;

    fn error_response(&self, version: Version, error: ErrorCode) -> OffsetFetchResponse {
        if version >= 8 {
            let groups = self.groups.iter().map(|group| OffsetFetchResponseGroup {
                group_id: group.group_id.clone(),
                error_code: error,
                ..Default::default()
            });
            return OffsetFetchResponse { groups: groups.collect(), ..Default::default() };
        }
        if version >= 2 {
            return OffsetFetchResponse { error_code: error, ..Default::default() };
        }
        let topics = self.topics.iter().flatten().map(|topic| OffsetFetchResponseTopic {
            name: topic.name.clone(),
            partitions: (topic.partition_indexes.iter())
                .map(|partition| OffsetFetchResponsePartition {
                    partition_index: *partition,
                    committed_offset: -1,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        OffsetFetchResponse { topics: topics.collect(), ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchRequestTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions' numbers.
    pub partition_indexes: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A group, and which of its offsets.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchRequestGroup {
    /// The group.
    pub group_id: ByteString,
    /// The asking member (KIP-848); null for an admin client.
    #[field(versions = "9+", default = null, ignorable)]
    pub member_id: Option<ByteString>,
    /// The member's epoch (KIP-848); −1 for an admin client.
    #[field(versions = "9+", default = -1, ignorable)]
    pub member_epoch: i32,
    /// The partitions by topic; null for all that the group has offsets of.
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchRequestTopics {
    /// The name.
    #[field(versions = "8-9", ignorable)]
    pub name: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions' numbers.
    pub partition_indexes: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The offsets. A group that does not exist has none, which is no error.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 9, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    /// The topics.
    #[field(versions = "1-7")]
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// Why it failed, or 0.
    #[field(versions = "2-7", ignorable)]
    pub error_code: ErrorCode,
    /// The groups.
    #[field(versions = "8+")]
    pub groups: Vec<OffsetFetchResponseGroup>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchResponseTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<OffsetFetchResponsePartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One group's offsets.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchResponseGroup {
    /// The group.
    pub group_id: ByteString,
    /// The topics.
    pub topics: Vec<OffsetFetchResponseTopics>,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One offset.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchResponsePartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The offset; −1 if the group has committed none.
    pub committed_offset: i64,
    /// The leader epoch of the last record before it; −1 if not known.
    #[field(versions = "5+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// The client's own note; empty if there is no offset.
    pub metadata: Option<ByteString>,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchResponseTopics {
    /// The name.
    #[field(versions = "8-9", ignorable)]
    pub name: ByteString,
    /// The topic's id (KIP-516).
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<OffsetFetchResponsePartitions>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One offset.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchResponsePartitions {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The offset; −1 if the group has committed none.
    pub committed_offset: i64,
    /// The leader epoch of the last record before it; −1 if not known.
    #[field(default = -1)]
    pub committed_leader_epoch: i32,
    /// The client's own note; empty if there is no offset.
    pub metadata: Option<ByteString>,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
