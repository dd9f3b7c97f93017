//! Deletes groups without members, with their offsets.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// The groups to delete.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 42, versions = "0-3", flexible = "2+")]
pub struct DeleteGroupsRequest {
    /// The groups.
    pub groups_names: Vec<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DeleteGroupsRequest {
    type Response = DeleteGroupsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DeleteGroupsResponse {
        let results = self.groups_names.iter().map(|group_id| DeletableGroupResult {
            group_id: group_id.clone(),
            error_code: error,
            ..Default::default()
        });
        DeleteGroupsResponse { results: results.collect(), ..Default::default() }
    }
}

/// What became of them.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 42, versions = "0-3", flexible = "2+")]
pub struct DeleteGroupsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The outcome of each.
    pub results: Vec<DeletableGroupResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one group.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeletableGroupResult {
    /// The group.
    pub group_id: ByteString,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(versions = "3+", default = null, ignorable)]
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
