use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 64, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerRequest {
    pub broker_id: i32,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for UnregisterBrokerRequest {
    type Response = UnregisterBrokerResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> UnregisterBrokerResponse {
        UnregisterBrokerResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 64, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub error_message: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}
