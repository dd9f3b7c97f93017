//! Members leave a classic group.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Who leaves: one, from version 3 on many.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 13, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupRequest {
    /// The group.
    pub group_id: ByteString,
    /// The member.
    #[field(versions = "0-2")]
    pub member_id: ByteString,
    /// The members, from version 3 on in place of the field above.
    #[field(versions = "3+")]
    pub members: Vec<MemberIdentity>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for LeaveGroupRequest {
    type Response = LeaveGroupResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> LeaveGroupResponse {
        LeaveGroupResponse { error_code: error, ..Default::default() }
    }
}

/// A member that leaves.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MemberIdentity {
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    #[field(default = null)]
    pub group_instance_id: Option<ByteString>,
    /// Why, in words (KIP-800).
    #[field(versions = "5+", default = null, ignorable)]
    pub reason: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 13, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The members.
    #[field(versions = "3+")]
    pub members: Vec<MemberResponse>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one member.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MemberResponse {
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    pub group_instance_id: Option<ByteString>,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
