//! Lets a delegation token expire (KIP-48).

use crate::{Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// Which token shall expire, and when.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 40, versions = "1-2", flexible = "2+")]
pub struct ExpireDelegationTokenRequest {
    /// The token's secret: an HMAC of its id. Whoever has it can act as the owner.
    pub hmac: Bytes,
    /// How long from now the token stays valid, ms; a negative number expires it at once.
    pub expiry_time_period_ms: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ExpireDelegationTokenRequest {
    type Response = ExpireDelegationTokenResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ExpireDelegationTokenResponse {
        ExpireDelegationTokenResponse { error_code: error, ..Default::default() }
    }
}

/// When it expires.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 40, versions = "1-2", flexible = "2+")]
pub struct ExpireDelegationTokenResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// When the token expires unless it is renewed, ms since 1970.
    pub expiry_timestamp_ms: i64,
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
