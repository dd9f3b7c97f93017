use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 36, versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateRequest {
    pub auth_bytes: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for SaslAuthenticateRequest {
    type Response = SaslAuthenticateResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> SaslAuthenticateResponse {
        SaslAuthenticateResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 36, versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateResponse {
    pub error_code: ErrorCode,
    pub error_message: Option<ByteString>,
    pub auth_bytes: Bytes,
    #[field(versions = "1+", ignorable)]
    pub session_lifetime_ms: i64,
    pub unknown_tagged_fields: TaggedFields,
}
