//! Adds access control entries (KIP-140).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// The entries to add.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 30, versions = "1-3", flexible = "2+")]
pub struct CreateAclsRequest {
    /// The entries to add.
    pub creations: Vec<AclCreation>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for CreateAclsRequest {
    type Response = CreateAclsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> CreateAclsResponse {
        let results = self.creations.iter().map(|_| AclCreationResult {
            error_code: error,
            error_message: None,
            ..Default::default()
        });
        CreateAclsResponse { results: results.collect(), ..Default::default() }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AclCreation {
    /// The kind of resource: 1 unknown, 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// The resource: a topic, a broker's id, a group; empty for the cluster's default.
    pub resource_name: ByteString,
    /// 3 literal, 4 prefixed (KIP-290).
    #[field(default = 3)]
    pub resource_pattern_type: i8,
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

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 30, versions = "1-3", flexible = "2+")]
pub struct CreateAclsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The outcome of each.
    pub results: Vec<AclCreationResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one entry, in the request's order.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AclCreationResult {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
