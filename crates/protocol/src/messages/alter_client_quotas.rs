//! Sets and removes quotas (KIP-546).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which quotas to change.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(key = 49, versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasRequest {
    /// The entries.
    pub entries: Vec<EntryData>,
    /// Whether to check only, and change nothing.
    pub validate_only: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AlterClientQuotasRequest {
    type Response = AlterClientQuotasResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AlterClientQuotasResponse {
        let entries = self.entries.iter().map(|entry| AlterClientQuotasResponseEntryData {
            entity: entry.entity.clone(),
            error_code: error,
            error_message: None,
            ..Default::default()
        });
        AlterClientQuotasResponse { entries: entries.collect(), ..Default::default() }
    }
}

/// Changes for one entity.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct EntryData {
    /// The entity: one part per type.
    pub entity: Vec<EntityData>,
    /// The changes.
    pub ops: Vec<OpData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One part of the entity: a user, client id or IP address.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct EntityData {
    /// `user`, `client-id` or `ip`.
    pub entity_type: ByteString,
    /// The name; null for the default of its type.
    pub entity_name: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct OpData {
    /// The quota's key, such as `producer_byte_rate`.
    pub key: ByteString,
    /// The new value; ignored when it is removed.
    pub value: f64,
    /// Whether to remove the quota.
    pub remove: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 49, versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The entries.
    pub entries: Vec<AlterClientQuotasResponseEntryData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one entity.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterClientQuotasResponseEntryData {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The entity: one part per type.
    pub entity: Vec<EntityData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
