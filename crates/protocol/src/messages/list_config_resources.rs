//! Lists resources that have a configuration of their own (KIP-1142).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which kinds to list.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 74, versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesRequest {
    /// Only these kinds of resources; empty for all.
    #[field(versions = "1+")]
    pub resource_types: Vec<i8>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ListConfigResourcesRequest {
    type Response = ListConfigResourcesResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ListConfigResourcesResponse {
        ListConfigResourcesResponse { error_code: error, ..Default::default() }
    }
}

/// The resources.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 74, versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The resources that have a configuration.
    pub config_resources: Vec<ConfigResource>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ConfigResource {
    /// The resource: a topic, a broker's id, a group; empty for the cluster's default.
    pub resource_name: ByteString,
    /// The kind of resource: 1 unknown, 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    #[field(versions = "1+", default = 16, ignorable)]
    pub resource_type: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
