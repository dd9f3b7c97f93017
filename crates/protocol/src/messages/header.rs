use crate::{ByteString, Message, TaggedFields};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "1-2", flexible = "2+")]
pub struct RequestHeader {
    pub request_api_key: i16,
    pub request_api_version: i16,
    pub correlation_id: i32,
    #[field(flexible = "none")]
    pub client_id: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct ResponseHeader {
    pub correlation_id: i32,
    pub unknown_tagged_fields: TaggedFields,
}
