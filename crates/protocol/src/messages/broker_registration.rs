//! Makes a broker a member of the cluster (KIP-631).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// A starting broker tells the controller who and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 62, versions = "0-4", flexible = "0+")]
pub struct BrokerRegistrationRequest {
    /// The broker.
    pub broker_id: i32,
    /// The cluster's id.
    pub cluster_id: ByteString,
    /// The id of this run of the process.
    pub incarnation_id: Uuid,
    /// The listeners.
    pub listeners: Vec<Listener>,
    /// Which feature levels the node supports (KIP-584).
    pub features: Vec<Feature>,
    /// Where the broker stands (`broker.rack`); null if it does not say.
    pub rack: Option<ByteString>,
    /// Whether the broker comes from a ZooKeeper cluster; always false here.
    #[field(versions = "1+")]
    pub is_migrating_zk_broker: bool,
    /// The ids of the broker's log directories (KIP-858).
    #[field(versions = "2+", ignorable)]
    pub log_dirs: Vec<Uuid>,
    /// The epoch at the last clean stop; −1 if it was not clean (KIP-966).
    #[field(versions = "3+", default = -1, ignorable)]
    pub previous_broker_epoch: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for BrokerRegistrationRequest {
    type Response = BrokerRegistrationResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> BrokerRegistrationResponse {
        BrokerRegistrationResponse { error_code: error, ..Default::default() }
    }
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Listener {
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

/// Levels of one feature that the node supports.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Feature {
    /// The feature.
    pub name: ByteString,
    /// The lowest level that the node supports.
    pub min_supported_version: i16,
    /// The highest level that the node supports.
    pub max_supported_version: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The broker's epoch.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 62, versions = "0-4", flexible = "0+")]
pub struct BrokerRegistrationResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The broker's epoch: which of its registrations this is; −1 if not known.
    #[field(default = -1)]
    pub broker_epoch: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
