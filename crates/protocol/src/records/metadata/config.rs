//! Configurations, feature levels, quotas and producer ids.

use crate::{ByteString, Message, TaggedFields};

/// One configuration entry was set or removed.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 4, versions = "0", flexible = "0+")]
pub struct ConfigRecord {
    /// The kind of resource: 1 unknown, 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// The resource: a topic, a broker's id, a group; empty for the cluster's default.
    pub resource_name: ByteString,
    /// The key.
    pub name: ByteString,
    /// The value; null to remove the key.
    pub value: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A feature's level was finalized; 0 removes it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 12, versions = "0", flexible = "0+")]
pub struct FeatureLevelRecord {
    /// The feature.
    pub name: ByteString,
    /// The finalized level.
    pub feature_level: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One quota was set or removed.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 14, versions = "0", flexible = "0+")]
pub struct ClientQuotaRecord {
    /// The entity: one part per type.
    pub entity: Vec<EntityData>,
    /// The quota's key, such as `producer_byte_rate`.
    pub key: ByteString,
    /// The value.
    pub value: f64,
    /// Whether to remove the value.
    pub remove: bool,
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

/// A block of producer ids was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 15, versions = "0", flexible = "0+")]
pub struct ProducerIdsRecord {
    /// The broker that got the block before it.
    pub broker_id: i32,
    /// The broker's epoch: which of its registrations this is; −1 if not known.
    #[field(default = -1)]
    pub broker_epoch: i64,
    /// The first id that no block has.
    pub next_producer_id: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
