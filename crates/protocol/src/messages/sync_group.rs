//! Hands out a classic group's assignments.

use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// A member asks for its assignment; the leader brings everybody's.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 14, versions = "0-5", flexible = "4+")]
pub struct SyncGroupRequest {
    /// The group.
    pub group_id: ByteString,
    /// The generation that the member believes in.
    pub generation_id: i32,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    #[field(versions = "3+", default = null)]
    pub group_instance_id: Option<ByteString>,
    /// What kind of group it is: `consumer`, `connect`, `sr` and so on.
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_type: Option<ByteString>,
    /// The protocol that the group chose, such as an assignor's name.
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_name: Option<ByteString>,
    /// What each member shall work on; from the leader only.
    pub assignments: Vec<SyncGroupRequestAssignment>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for SyncGroupRequest {
    type Response = SyncGroupResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> SyncGroupResponse {
        SyncGroupResponse { error_code: error, ..Default::default() }
    }
}

/// One member's assignment.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct SyncGroupRequestAssignment {
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// What the member shall work on; opaque to the coordinator.
    pub assignment: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The member's assignment.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 14, versions = "0-5", flexible = "4+")]
pub struct SyncGroupResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What kind of group it is: `consumer`, `connect`, `sr` and so on.
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_type: Option<ByteString>,
    /// The protocol that the group chose, such as an assignor's name.
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_name: Option<ByteString>,
    /// What this member shall work on; opaque to the coordinator.
    pub assignment: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
