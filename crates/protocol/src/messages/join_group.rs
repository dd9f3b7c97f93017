//! A member enters a classic group or follows its rebalance.

use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// Who joins, and which protocols it knows. A dynamic member's first request gets MEMBER_ID_REQUIRED and an id
/// to join again with (KIP-394).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 11, versions = "0-9", flexible = "6+")]
pub struct JoinGroupRequest {
    /// The group.
    pub group_id: ByteString,
    /// After how long without a heartbeat the member is dead, ms.
    pub session_timeout_ms: i32,
    /// How long members have to join again in a rebalance, ms.
    #[field(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout_ms: i32,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    #[field(versions = "5+", default = null)]
    pub group_instance_id: Option<ByteString>,
    /// What kind of group it is: `consumer`, `connect`, `sr` and so on.
    pub protocol_type: ByteString,
    /// The protocols that the member can take part in, by preference.
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// Why, in words (KIP-800).
    #[field(versions = "8+", default = null, ignorable)]
    pub reason: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for JoinGroupRequest {
    type Response = JoinGroupResponse;

    fn error_response(&self, version: Version, error: ErrorCode) -> JoinGroupResponse {
        JoinGroupResponse {
            error_code: error,
            // Null is allowed from version 7 on.
            protocol_name: if version < 7 { Some(ByteString::new()) } else { None },
            ..Default::default()
        }
    }
}

/// A protocol that the member knows.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct JoinGroupRequestProtocol {
    /// The protocol, such as an assignor's name.
    pub name: ByteString,
    /// What the member tells the others of its protocol; opaque to the coordinator.
    pub metadata: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The new generation. It comes when all members have joined.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 11, versions = "0-9", flexible = "6+")]
pub struct JoinGroupResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The generation: counts the group's rebalances.
    #[field(default = -1)]
    pub generation_id: i32,
    /// What kind of group it is: `consumer`, `connect`, `sr` and so on.
    #[field(versions = "7+", default = null, ignorable)]
    pub protocol_type: Option<ByteString>,
    /// The protocol that the group chose; null on errors.
    #[field(nullable = "7+")]
    pub protocol_name: Option<ByteString>,
    /// The member that assigns.
    pub leader: ByteString,
    /// Whether the leader need not assign anything because nothing has changed (KIP-814).
    #[field(versions = "9+")]
    pub skip_assignment: bool,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// All members with their metadata, for the leader only.
    pub members: Vec<JoinGroupResponseMember>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A member, for the leader.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct JoinGroupResponseMember {
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    #[field(versions = "5+", default = null, ignorable)]
    pub group_instance_id: Option<ByteString>,
    /// What the member tells the others of its protocol; opaque to the coordinator.
    pub metadata: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
