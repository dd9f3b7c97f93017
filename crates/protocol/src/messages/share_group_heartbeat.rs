//! Joins a share group, stays in it and leaves it (KIP-932).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The member lives, and what is new about it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 76, versions = "1", flexible = "1+")]
pub struct ShareGroupHeartbeatRequest {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, which it makes itself.
    pub member_id: ByteString,
    /// The member's epoch; 0 joins the group, −1 leaves it.
    pub member_epoch: i32,
    /// Where the member stands; null if it does not say, or if it has not changed.
    #[field(default = null)]
    pub rack_id: Option<ByteString>,
    /// The topics that the member subscribes to; null if they have not changed.
    #[field(default = null)]
    pub subscribed_topic_names: Option<Vec<ByteString>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ShareGroupHeartbeatRequest {
    type Response = ShareGroupHeartbeatResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ShareGroupHeartbeatResponse {
        ShareGroupHeartbeatResponse { error_code: error, ..Default::default() }
    }
}

/// The member's epoch and what is new about its assignment.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 76, versions = "1", flexible = "1+")]
pub struct ShareGroupHeartbeatResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// The member's id.
    #[field(default = null)]
    pub member_id: Option<ByteString>,
    /// The member's epoch.
    pub member_epoch: i32,
    /// How long the member waits before its next heartbeat, ms.
    pub heartbeat_interval_ms: i32,
    /// What the member shall work on; null if nothing has changed.
    #[field(default = null)]
    pub assignment: Option<Assignment>,
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
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
