use crate::{Bytes, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 58, versions = "0", flexible = "0+")]
pub struct EnvelopeRequest {
    pub request_data: Bytes,
    pub request_principal: Option<Bytes>,
    pub client_host_address: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for EnvelopeRequest {
    type Response = EnvelopeResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> EnvelopeResponse {
        EnvelopeResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 58, versions = "0", flexible = "0+")]
pub struct EnvelopeResponse {
    #[field(default = null)]
    pub response_data: Option<Bytes>,
    pub error_code: ErrorCode,
    pub unknown_tagged_fields: TaggedFields,
}
