//! Replaces whole configurations; superseded by `IncrementalAlterConfigs`.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Sets configurations; keys that are not named lose their values.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 33, versions = "0-2", flexible = "2+")]
pub struct AlterConfigsRequest {
    /// The resources.
    pub resources: Vec<AlterConfigsResource>,
    /// Whether to check only, and change nothing.
    pub validate_only: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AlterConfigsRequest {
    type Response = AlterConfigsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AlterConfigsResponse {
        let responses = self.resources.iter().map(|resource| AlterConfigsResourceResponse {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            error_code: error,
            error_message: None,
            ..Default::default()
        });
        AlterConfigsResponse { responses: responses.collect(), ..Default::default() }
    }
}

/// A resource and its whole new configuration.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterConfigsResource {
    /// The kind of resource: 1 unknown, 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// The resource: a topic, a broker's id, a group; empty for the cluster's default.
    pub resource_name: ByteString,
    /// The configuration entries.
    pub configs: Vec<AlterableConfig>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterableConfig {
    /// The key.
    pub name: ByteString,
    /// The value; null to remove the key.
    pub value: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 33, versions = "0-2", flexible = "2+")]
pub struct AlterConfigsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The outcome of each.
    pub responses: Vec<AlterConfigsResourceResponse>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterConfigsResourceResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The kind of resource: 1 unknown, 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// The resource: a topic, a broker's id, a group; empty for the cluster's default.
    pub resource_name: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
