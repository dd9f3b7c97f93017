//! One step of a SASL exchange.

use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// The client's step.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 36, versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateRequest {
    /// One step of the SASL exchange.
    pub auth_bytes: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for SaslAuthenticateRequest {
    type Response = SaslAuthenticateResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> SaslAuthenticateResponse {
        SaslAuthenticateResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// The server's step.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 36, versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// One step of the SASL exchange.
    pub auth_bytes: Bytes,
    /// When the client must authenticate anew, ms from now; 0 for never (KIP-368).
    #[field(versions = "1+", ignorable)]
    pub session_lifetime_ms: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
