//! A controller tells where it is reached (KIP-919).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// A controller tells the active one who and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 70, versions = "0", flexible = "0+")]
pub struct ControllerRegistrationRequest {
    /// The controller; −1 if none is known.
    pub controller_id: i32,
    /// The id of this run of the process.
    pub incarnation_id: Uuid,
    /// Whether a migration from ZooKeeper could start; always false here.
    pub zk_migration_ready: bool,
    /// The listeners.
    pub listeners: Vec<Listener>,
    /// Which feature levels the node supports (KIP-584).
    pub features: Vec<Feature>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ControllerRegistrationRequest {
    type Response = ControllerRegistrationResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ControllerRegistrationResponse {
        ControllerRegistrationResponse { error_code: error, error_message: None, ..Default::default() }
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

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 70, versions = "0", flexible = "0+")]
pub struct ControllerRegistrationResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
