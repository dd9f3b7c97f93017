//! Tells configurations with their sources and synonyms.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which configurations to tell.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 32, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsRequest {
    /// The resources.
    pub resources: Vec<DescribeConfigsResource>,
    /// Whether to tell all values in force for each key.
    pub include_synonyms: bool,
    /// Whether to tell the documentation of each key.
    #[field(versions = "3+")]
    pub include_documentation: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeConfigsRequest {
    type Response = DescribeConfigsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeConfigsResponse {
        let results = self.resources.iter().map(|resource| DescribeConfigsResult {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            error_code: error,
            error_message: None,
            ..Default::default()
        });
        DescribeConfigsResponse { results: results.collect(), ..Default::default() }
    }
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeConfigsResource {
    /// The kind of resource: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// The resource: a topic, a broker's id, a group; empty for the cluster's default.
    pub resource_name: ByteString,
    /// Only these keys; null for all.
    pub configuration_keys: Option<Vec<ByteString>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The configurations.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 32, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The outcome of each.
    pub results: Vec<DescribeConfigsResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One resource's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeConfigsResult {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The kind of resource: 1 unknown, 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// The resource: a topic, a broker's id, a group; empty for the cluster's default.
    pub resource_name: ByteString,
    /// The configuration entries.
    pub configs: Vec<DescribeConfigsResourceResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeConfigsResourceResult {
    /// The key.
    pub name: ByteString,
    /// The value; null for secrets.
    pub value: Option<ByteString>,
    /// Whether it cannot be changed while the broker runs.
    pub read_only: bool,
    /// Where the value comes from: 1 topic, 2 broker, 3 cluster default, 4 static, 5 default, 6 logger, 8
    /// group.
    #[field(default = -1)]
    pub config_source: i8,
    /// Whether the value is a secret; it is null then.
    pub is_sensitive: bool,
    /// All values in force for this key, the winning one first.
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// The value's type: 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password.
    #[field(versions = "3+", ignorable)]
    pub config_type: i8,
    /// What the key means; null if not asked.
    #[field(versions = "3+", ignorable)]
    pub documentation: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A value for the same key from another source.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeConfigsSynonym {
    /// The key that the value was given under.
    pub name: ByteString,
    /// The value; null for secrets.
    pub value: Option<ByteString>,
    /// Where the value comes from, as in the result's source.
    pub source: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
