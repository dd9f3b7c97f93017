//! Joins a group of the consumer protocol, stays in it and leaves it (KIP-848).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The member lives, and what is new about it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 68, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatRequest {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, which it makes itself since version 1 (KIP-1082).
    pub member_id: ByteString,
    /// The member's epoch; 0 joins the group, −1 leaves it, −2 leaves it as a static member that comes back.
    pub member_epoch: i32,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member, or if it has not
    /// changed.
    #[field(default = null)]
    pub instance_id: Option<ByteString>,
    /// Where the member stands (KIP-881); null if it does not say, or if it has not changed.
    #[field(default = null)]
    pub rack_id: Option<ByteString>,
    /// How long the member may take to give up partitions, ms; −1 if it has not changed.
    #[field(default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The topics that the member subscribes to by name; null if they have not changed.
    #[field(default = null)]
    pub subscribed_topic_names: Option<Vec<ByteString>>,
    /// The pattern of topics that the member subscribes to (RE2J syntax); null if it has not changed.
    #[field(versions = "1+", default = null)]
    pub subscribed_topic_regex: Option<ByteString>,
    /// The coordinator's assignor that the member prefers; null for none, or if it has not changed.
    #[field(default = null)]
    pub server_assignor: Option<ByteString>,
    /// The partitions that the member has; null if they have not changed.
    #[field(default = null)]
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ConsumerGroupHeartbeatRequest {
    type Response = ConsumerGroupHeartbeatResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ConsumerGroupHeartbeatResponse {
        ConsumerGroupHeartbeatResponse { error_code: error, ..Default::default() }
    }
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

/// The member's epoch and what is new about its assignment.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 68, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatResponse {
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
