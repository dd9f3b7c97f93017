//! Brokers and controllers come, change and go.

use crate::{ByteString, Message, TaggedFields, Uuid};

/// A broker registered. Its epoch is this record's offset.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[cfg_attr(not(feature = "next-metadata-version"), message(record = 0, versions = "0-4", flexible = "0+"))]
#[cfg_attr(feature = "next-metadata-version", message(record = 0, versions = "0-5", flexible = "0+"))]
pub struct RegisterBrokerRecord {
    /// The broker.
    pub broker_id: i32,
    /// Whether the broker comes from a ZooKeeper cluster; always false here.
    #[field(versions = "2+")]
    pub is_migrating_zk_broker: bool,
    /// The id of this run of the process.
    pub incarnation_id: Uuid,
    /// The broker's epoch: the offset of this record.
    pub broker_epoch: i64,
    /// Where its listeners are reached.
    pub end_points: Vec<BrokerEndpoint>,
    /// Which feature levels the node supports (KIP-584).
    pub features: Vec<BrokerFeature>,
    /// Where the node stands (`broker.rack`); null if it does not say.
    pub rack: Option<ByteString>,
    /// Whether the broker is fenced.
    #[field(default = true)]
    pub fenced: bool,
    /// 1 if the broker is handing over its leaders before it stops.
    #[field(versions = "1+")]
    pub in_controlled_shutdown: bool,
    /// The ids of the broker's log directories (KIP-858).
    #[field(versions = "3+", tag = 0)]
    pub log_dirs: Vec<Uuid>,
    /// The log directories that get no new replicas (KIP-1066).
    #[field(versions = "4+", tag = 1, default = null)]
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
    /// Means nothing: what no older build can read.
    #[cfg(feature = "next-metadata-version")]
    #[field(versions = "5+", default = 5, ignorable)]
    pub next_format: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct BrokerEndpoint {
    /// The listener's name.
    pub name: ByteString,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: u16,
    /// 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    pub security_protocol: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Levels of one feature that the broker supports.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct BrokerFeature {
    /// The feature.
    pub name: ByteString,
    /// The lowest level that the node supports.
    pub min_supported_version: i16,
    /// The highest level that the node supports.
    pub max_supported_version: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A broker was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 1, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerRecord {
    /// The broker.
    pub broker_id: i32,
    /// The broker's epoch: which of its registrations this is; −1 if not known.
    pub broker_epoch: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A broker was fenced, unfenced or changed otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 17, versions = "0-3", flexible = "0+")]
pub struct BrokerRegistrationChangeRecord {
    /// The broker.
    pub broker_id: i32,
    /// The broker's epoch: which of its registrations this is; −1 if not known.
    pub broker_epoch: i64,
    /// −1 unfenced now, 1 fenced now, 0 as before.
    #[field(tag = 0)]
    pub fenced: i8,
    /// 1 if a controlled shutdown began, 0 as before.
    #[field(versions = "1+", tag = 1)]
    pub in_controlled_shutdown: i8,
    /// The ids of the broker's log directories (KIP-858).
    #[field(versions = "2+", tag = 2)]
    pub log_dirs: Vec<Uuid>,
    /// The log directories that get no new replicas (KIP-1066).
    #[field(versions = "3+", tag = 3, default = null)]
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A broker was fenced; replaced by [`BrokerRegistrationChangeRecord`].
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 7, versions = "0", flexible = "0+")]
pub struct FenceBrokerRecord {
    /// The id.
    pub id: i32,
    /// The epoch.
    pub epoch: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A broker was unfenced; replaced by [`BrokerRegistrationChangeRecord`].
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 8, versions = "0", flexible = "0+")]
pub struct UnfenceBrokerRecord {
    /// The id.
    pub id: i32,
    /// The epoch.
    pub epoch: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A controller registered (KIP-919).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 27, versions = "0", flexible = "0+")]
pub struct RegisterControllerRecord {
    /// The controller; −1 if none is known.
    pub controller_id: i32,
    /// The id of this run of the process.
    pub incarnation_id: Uuid,
    /// Whether a migration from ZooKeeper could start; always false here.
    pub zk_migration_ready: bool,
    /// Where its listeners are reached.
    pub end_points: Vec<ControllerEndpoint>,
    /// Which feature levels the node supports (KIP-584).
    pub features: Vec<ControllerFeature>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ControllerEndpoint {
    /// The listener's name.
    pub name: ByteString,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: u16,
    /// 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    pub security_protocol: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Levels of one feature that the controller supports.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ControllerFeature {
    /// The feature.
    pub name: ByteString,
    /// The lowest level that the node supports.
    pub min_supported_version: i16,
    /// The highest level that the node supports.
    pub max_supported_version: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
