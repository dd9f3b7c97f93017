//! Deletes access control entries (KIP-140).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which entries to delete.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 31, versions = "1-3", flexible = "2+")]
pub struct DeleteAclsRequest {
    /// The filters; an entry that matches any of them is deleted.
    pub filters: Vec<DeleteAclsFilter>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DeleteAclsRequest {
    type Response = DeleteAclsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DeleteAclsResponse {
        let filter_results = self.filters.iter().map(|_| DeleteAclsFilterResult {
            error_code: error,
            error_message: None,
            ..Default::default()
        });
        DeleteAclsResponse { filter_results: filter_results.collect(), ..Default::default() }
    }
}

/// What the entries to delete have in common.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteAclsFilter {
    /// 1 any, 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
    pub resource_type_filter: i8,
    /// Only this resource; null for any.
    pub resource_name_filter: Option<ByteString>,
    /// 1 any, 2 matching, 3 literal, 4 prefixed.
    #[field(default = 3)]
    pub pattern_type_filter: i8,
    /// Only this principal; null for any.
    pub principal_filter: Option<ByteString>,
    /// Only this host; null for any.
    pub host_filter: Option<ByteString>,
    /// The operation: 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, and so on; 1 any in
    /// filters.
    pub operation: i8,
    /// 2 deny, 3 allow; 1 any in filters.
    pub permission_type: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 31, versions = "1-3", flexible = "2+")]
pub struct DeleteAclsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The outcome of each filter.
    pub filter_results: Vec<DeleteAclsFilterResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What one filter deleted, in the request's order.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteAclsFilterResult {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The entries that the filter matched.
    pub matching_acls: Vec<DeleteAclsMatchingAcl>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// An entry that the filter matched.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteAclsMatchingAcl {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The kind of resource: 1 unknown, 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// The resource: a topic, a broker's id, a group; empty for the cluster's default.
    pub resource_name: ByteString,
    /// 3 literal, 4 prefixed (KIP-290).
    #[field(default = 3)]
    pub pattern_type: i8,
    /// The principal, as `type:name`.
    pub principal: ByteString,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// The operation: 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, and so on; 1 any in
    /// filters.
    pub operation: i8,
    /// 2 deny, 3 allow; 1 any in filters.
    pub permission_type: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
