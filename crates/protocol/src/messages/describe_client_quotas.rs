//! Lists quotas (KIP-546).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which quotas to list.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 48, versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasRequest {
    /// What the quotas must be for.
    pub components: Vec<ComponentData>,
    /// Whether other entity types must be absent.
    pub strict: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeClientQuotasRequest {
    type Response = DescribeClientQuotasResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeClientQuotasResponse {
        DescribeClientQuotasResponse {
            error_code: error,
            error_message: None,
            entries: None,
            ..Default::default()
        }
    }
}

/// A condition on one type of entity.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ComponentData {
    /// `user`, `client-id` or `ip`.
    pub entity_type: ByteString,
    /// 0 exactly this name, 1 the default, 2 any name.
    pub match_type: i8,
    /// The name to match; null unless the match is exact.
    pub r#match: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The quotas.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(key = 48, versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The quotas; null on errors.
    pub entries: Option<Vec<EntryData>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The quotas of one entity.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct EntryData {
    /// The entity: one part per type.
    pub entity: Vec<EntityData>,
    /// The values.
    pub values: Vec<ValueData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One part of an entity.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct EntityData {
    /// `user`, `client-id` or `ip`.
    pub entity_type: ByteString,
    /// The entity's name; null for the default.
    pub entity_name: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One quota.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct ValueData {
    /// The quota's key, such as `producer_byte_rate`.
    pub key: ByteString,
    /// The value.
    pub value: f64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
