//! Renews a delegation token (KIP-48).

use crate::{Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// Which token, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 39, versions = "1-2", flexible = "2+")]
pub struct RenewDelegationTokenRequest {
    /// The token's secret: an HMAC of its id. Whoever has it can act as the owner.
    pub hmac: Bytes,
    /// How long from now the token stays valid, ms; −1 for `delegation.token.expiry.time.ms`.
    pub renew_period_ms: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for RenewDelegationTokenRequest {
    type Response = RenewDelegationTokenResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> RenewDelegationTokenResponse {
        RenewDelegationTokenResponse { error_code: error, ..Default::default() }
    }
}

/// When it expires now.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 39, versions = "1-2", flexible = "2+")]
pub struct RenewDelegationTokenResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// When the token expires unless it is renewed, ms since 1970.
    pub expiry_timestamp_ms: i64,
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
