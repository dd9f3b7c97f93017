//! Lists the groups that this broker coordinates.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which states and types to list.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 16, versions = "0-5", flexible = "3+")]
pub struct ListGroupsRequest {
    /// Only groups in these states (KIP-518); empty for all.
    #[field(versions = "4+")]
    pub states_filter: Vec<ByteString>,
    /// Only groups of these types (KIP-848); empty for all.
    #[field(versions = "5+")]
    pub types_filter: Vec<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ListGroupsRequest {
    type Response = ListGroupsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ListGroupsResponse {
        ListGroupsResponse { error_code: error, ..Default::default() }
    }
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 16, versions = "0-5", flexible = "3+")]
pub struct ListGroupsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The groups.
    pub groups: Vec<ListedGroup>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ListedGroup {
    /// The group.
    pub group_id: ByteString,
    /// What kind of group it is: `consumer`, `connect`, `sr` and so on.
    pub protocol_type: ByteString,
    /// The group's state: `PreparingRebalance`, `CompletingRebalance`, `Stable`, `Empty`, `Dead` and so on;
    /// empty on errors.
    #[field(versions = "4+", ignorable)]
    pub group_state: ByteString,
    /// `Classic`, `Consumer`, `Share` or `Streams`.
    #[field(versions = "5+", ignorable)]
    pub group_type: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
