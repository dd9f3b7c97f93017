//! Tells state, members and assignments of classic groups.

use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// Which groups to describe.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 15, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsRequest {
    /// The groups.
    pub groups: Vec<ByteString>,
    /// Whether to tell what the asker may do with each group (KIP-430).
    #[field(versions = "3+")]
    pub include_authorized_operations: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeGroupsRequest {
    type Response = DescribeGroupsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeGroupsResponse {
        let groups = self.groups.iter().map(|group_id| DescribedGroup {
            group_id: group_id.clone(),
            error_code: error,
            ..Default::default()
        });
        DescribeGroupsResponse { groups: groups.collect(), ..Default::default() }
    }
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 15, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// The groups.
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One group. A group that does not exist is `Dead`, from version 6 on an error.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribedGroup {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(versions = "6+", default = null)]
    pub error_message: Option<ByteString>,
    /// The group.
    pub group_id: ByteString,
    /// The group's state: `PreparingRebalance`, `CompletingRebalance`, `Stable`, `Empty`, `Dead` and so on;
    /// empty on errors.
    pub group_state: ByteString,
    /// What kind of group it is: `consumer`, `connect`, `sr` and so on.
    pub protocol_type: ByteString,
    /// The protocol that the group chose.
    pub protocol_data: ByteString,
    /// The members.
    pub members: Vec<DescribedGroupMember>,
    /// What the asker may do with the group, one bit per operation (KIP-430); `i32::MIN` if not asked.
    #[field(versions = "3+", default = i32::MIN)]
    pub authorized_operations: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribedGroupMember {
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    #[field(versions = "4+", default = null, ignorable)]
    pub group_instance_id: Option<ByteString>,
    /// What the client calls itself (`client.id`).
    pub client_id: ByteString,
    /// Where the client connects from.
    pub client_host: ByteString,
    /// What the member told of the chosen protocol.
    pub member_metadata: Bytes,
    /// What the member works on.
    pub member_assignment: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
