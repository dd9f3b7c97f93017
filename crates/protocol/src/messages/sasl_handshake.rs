//! Chooses the SASL mechanism. Never flexible.

use crate::{ByteString, ErrorCode, Message, Request, Version};

/// The mechanism that the client wants.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 17, versions = "0-1", flexible = "none")]
pub struct SaslHandshakeRequest {
    /// The mechanism that the client wants, such as `PLAIN`.
    pub mechanism: ByteString,
}

impl Request for SaslHandshakeRequest {
    type Response = SaslHandshakeResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> SaslHandshakeResponse {
        SaslHandshakeResponse { error_code: error, ..Default::default() }
    }
}

/// Whether it may have it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 17, versions = "0-1", flexible = "none")]
pub struct SaslHandshakeResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The mechanisms that the listener offers.
    pub mechanisms: Vec<ByteString>,
}
