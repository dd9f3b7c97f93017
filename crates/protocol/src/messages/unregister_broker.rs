//! Makes the cluster forget a broker (KIP-631).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// The broker to forget.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 64, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerRequest {
    /// The broker to forget.
    pub broker_id: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for UnregisterBrokerRequest {
    type Response = UnregisterBrokerResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> UnregisterBrokerResponse {
        UnregisterBrokerResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 64, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
