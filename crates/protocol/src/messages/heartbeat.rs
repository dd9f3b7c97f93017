//! Keeps a member of a classic group alive.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// A member tells that it lives.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 12, versions = "0-4", flexible = "4+")]
pub struct HeartbeatRequest {
    /// The group.
    pub group_id: ByteString,
    /// The generation that the member believes in.
    pub generation_id: i32,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    #[field(versions = "3+", default = null)]
    pub group_instance_id: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for HeartbeatRequest {
    type Response = HeartbeatResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> HeartbeatResponse {
        HeartbeatResponse { error_code: error, ..Default::default() }
    }
}

/// Whether it may go on, or must join again.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 12, versions = "0-4", flexible = "4+")]
pub struct HeartbeatResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
