//! Describes share groups (KIP-932).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// Which groups to describe.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 77, versions = "1", flexible = "1+")]
pub struct ShareGroupDescribeRequest {
    /// The groups.
    pub group_ids: Vec<ByteString>,
    /// Whether to tell what the asker may do with each group (KIP-430).
    pub include_authorized_operations: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ShareGroupDescribeRequest {
    type Response = ShareGroupDescribeResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ShareGroupDescribeResponse {
        let groups = self.group_ids.iter().map(|group_id| DescribedGroup {
            group_id: group_id.clone(),
            error_code: error,
            ..Default::default()
        });
        ShareGroupDescribeResponse { groups: groups.collect(), ..Default::default() }
    }
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 77, versions = "1", flexible = "1+")]
pub struct ShareGroupDescribeResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The groups.
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribedGroup {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// The group.
    pub group_id: ByteString,
    /// The group's state: `PreparingRebalance`, `CompletingRebalance`, `Stable`, `Empty`, `Dead` and so on;
    /// empty on errors.
    pub group_state: ByteString,
    /// The group's epoch: grows when its members or what they subscribe to change.
    pub group_epoch: i32,
    /// The epoch of the group that the target assignment was computed for.
    pub assignment_epoch: i32,
    /// The assignor that the group uses.
    pub assignor_name: ByteString,
    /// The members.
    pub members: Vec<Member>,
    /// What the asker may do with the group, one bit per operation (KIP-430); `i32::MIN` if not asked.
    #[field(default = i32::MIN)]
    pub authorized_operations: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Member {
    /// The member's id.
    pub member_id: ByteString,
    /// Where the asker stands (`client.rack`, KIP-392); empty if it does not say.
    #[field(default = null)]
    pub rack_id: Option<ByteString>,
    /// The member's epoch.
    pub member_epoch: i32,
    /// What the client calls itself (`client.id`).
    pub client_id: ByteString,
    /// Where the client connects from.
    pub client_host: ByteString,
    /// The topics that the member subscribes to by name.
    pub subscribed_topic_names: Vec<ByteString>,
    /// What the member shall work on; opaque to the coordinator.
    pub assignment: Assignment,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What a member works on.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Assignment {
    /// The partitions by topic.
    pub topic_partitions: Vec<TopicPartitions>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicPartitions {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The topic's name.
    pub topic_name: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
