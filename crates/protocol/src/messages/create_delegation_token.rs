//! Makes a delegation token (KIP-48).

use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// Whom the token shall stand for, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 38, versions = "1-3", flexible = "2+")]
pub struct CreateDelegationTokenRequest {
    /// The type of the principal that the token stands for; null for the one that asks (KIP-373).
    #[field(versions = "3+")]
    pub owner_principal_type: Option<ByteString>,
    /// The name of the principal that the token stands for; null for the one that asks (KIP-373).
    #[field(versions = "3+")]
    pub owner_principal_name: Option<ByteString>,
    /// Who may renew the token.
    pub renewers: Vec<CreatableRenewers>,
    /// The longest that the token may live, ms; −1 for `delegation.token.max.lifetime.ms`.
    pub max_lifetime_ms: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for CreateDelegationTokenRequest {
    type Response = CreateDelegationTokenResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> CreateDelegationTokenResponse {
        CreateDelegationTokenResponse { error_code: error, ..Default::default() }
    }
}

/// A principal that may renew the token besides its owner.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CreatableRenewers {
    /// The principal's type, such as `User`.
    pub principal_type: ByteString,
    /// The principal's name.
    pub principal_name: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The token.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 38, versions = "1-3", flexible = "2+")]
pub struct CreateDelegationTokenResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The principal's type, such as `User`.
    pub principal_type: ByteString,
    /// The principal's name.
    pub principal_name: ByteString,
    /// The type of the principal that asked for the token (KIP-373).
    #[field(versions = "3+")]
    pub token_requester_principal_type: ByteString,
    /// The name of the principal that asked for the token (KIP-373).
    #[field(versions = "3+")]
    pub token_requester_principal_name: ByteString,
    /// When the token was made, ms since 1970.
    pub issue_timestamp_ms: i64,
    /// When the token expires unless it is renewed, ms since 1970.
    pub expiry_timestamp_ms: i64,
    /// After which the token cannot be renewed, ms since 1970.
    pub max_timestamp_ms: i64,
    /// The token's id.
    pub token_id: ByteString,
    /// The token's secret: an HMAC of its id. Whoever has it can act as the owner.
    pub hmac: Bytes,
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
