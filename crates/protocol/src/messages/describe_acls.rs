//! Lists access control entries.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which entries to list.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 29, versions = "1-3", flexible = "2+")]
pub struct DescribeAclsRequest {
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

impl Request for DescribeAclsRequest {
    type Response = DescribeAclsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeAclsResponse {
        DescribeAclsResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// The entries.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 29, versions = "1-3", flexible = "2+")]
pub struct DescribeAclsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The resources.
    pub resources: Vec<DescribeAclsResource>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Entries for one resource pattern.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeAclsResource {
    /// The kind of resource: 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
    pub resource_type: i8,
    /// The resource: a topic, a broker's id, a group; empty for the cluster's default.
    pub resource_name: ByteString,
    /// 3 literal, 4 prefixed (KIP-290).
    #[field(default = 3)]
    pub pattern_type: i8,
    /// The entries.
    pub acls: Vec<AclDescription>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AclDescription {
    /// The principal, as `type:name`.
    pub principal: ByteString,
    /// The client's address, or `*`.
    pub host: ByteString,
    /// The operation: 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, and so on; 1 any in
    /// filters.
    pub operation: i8,
    /// 2 deny, 3 allow; 1 any in filters.
    pub permission_type: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
