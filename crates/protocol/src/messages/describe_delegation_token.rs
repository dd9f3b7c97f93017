//! Lists delegation tokens (KIP-48).

use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// Which tokens to list.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 41, versions = "1-3", flexible = "2+")]
pub struct DescribeDelegationTokenRequest {
    /// Only tokens of these principals; null for all.
    pub owners: Option<Vec<DescribeDelegationTokenOwner>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeDelegationTokenRequest {
    type Response = DescribeDelegationTokenResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeDelegationTokenResponse {
        DescribeDelegationTokenResponse { error_code: error, ..Default::default() }
    }
}

/// A principal that tokens stand for.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeDelegationTokenOwner {
    /// The principal's type, such as `User`.
    pub principal_type: ByteString,
    /// The principal's name.
    pub principal_name: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The tokens.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 41, versions = "1-3", flexible = "2+")]
pub struct DescribeDelegationTokenResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The tokens.
    pub tokens: Vec<DescribedDelegationToken>,
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribedDelegationToken {
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
    /// When the token was issued, ms since 1970.
    pub issue_timestamp: i64,
    /// When the token expires unless it is renewed, ms since 1970.
    pub expiry_timestamp: i64,
    /// Until when the token can be renewed, ms since 1970.
    pub max_timestamp: i64,
    /// The token's id.
    pub token_id: ByteString,
    /// The token's secret: an HMAC of its id. Whoever has it can act as the owner.
    pub hmac: Bytes,
    /// Who may renew the token.
    pub renewers: Vec<DescribedDelegationTokenRenewer>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A principal that may renew the token besides its owner.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribedDelegationTokenRenewer {
    /// The principal's type, such as `User`.
    pub principal_type: ByteString,
    /// The principal's name.
    pub principal_name: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
