use crate::{ByteString, ErrorCode, Message, Request, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 17, versions = "0-1", flexible = "none")]
pub struct SaslHandshakeRequest {
    pub mechanism: ByteString,
}

impl Request for SaslHandshakeRequest {
    type Response = SaslHandshakeResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> SaslHandshakeResponse {
        SaslHandshakeResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 17, versions = "0-1", flexible = "none")]
pub struct SaslHandshakeResponse {
    pub error_code: ErrorCode,
    pub mechanisms: Vec<ByteString>,
}
