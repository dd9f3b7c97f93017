use crate::{Bytes, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 10001, versions = "0", flexible = "0+")]
pub struct RaftMessageRequest {
    pub kind: i8,
    pub from_node: i32,
    pub directory_id: Uuid,
    pub payload: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for RaftMessageRequest {
    type Response = RaftMessageResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> RaftMessageResponse {
        RaftMessageResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 10001, versions = "0", flexible = "0+")]
pub struct RaftMessageResponse {
    pub error_code: ErrorCode,
    pub payload: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}
