//! What stands before each request and response.

use crate::{ByteString, Message, TaggedFields};

/// Before each request. The key and version stand first in every version, so that anyone can read them.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "1-2", flexible = "2+")]
pub struct RequestHeader {
    /// The API.
    pub request_api_key: i16,
    /// The version of the request.
    pub request_api_version: i16,
    /// A number that the response repeats.
    pub correlation_id: i32,
    /// What the client calls itself (`client.id`).
    #[field(flexible = "none")]
    pub client_id: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Before each response.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct ResponseHeader {
    /// The number that the request had.
    pub correlation_id: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
