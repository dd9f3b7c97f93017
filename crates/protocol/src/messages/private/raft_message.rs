//! Carries the consensus layer's messages between voters.

use crate::{Bytes, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[cfg_attr(not(feature = "next-metadata-version"), message(key = 10001, versions = "0", flexible = "0+"))]
#[cfg_attr(feature = "next-metadata-version", message(key = 10001, versions = "0-1", flexible = "0+"))]
pub struct RaftMessageRequest {
    /// Which message of the consensus protocol this is.
    pub kind: i8,
    /// Who sends.
    pub from_node: i32,
    /// The id of the sender's metadata directory.
    pub directory_id: Uuid,
    /// The message, in the notation of the consensus layer.
    pub payload: Bytes,
    /// Means nothing: what no older build can read.
    #[cfg(feature = "next-metadata-version")]
    #[field(versions = "1+", default = 1, ignorable)]
    pub next_format: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for RaftMessageRequest {
    type Response = RaftMessageResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> RaftMessageResponse {
        RaftMessageResponse { error_code: error, ..Default::default() }
    }
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[cfg_attr(not(feature = "next-metadata-version"), message(key = 10001, versions = "0", flexible = "0+"))]
#[cfg_attr(feature = "next-metadata-version", message(key = 10001, versions = "0-1", flexible = "0+"))]
pub struct RaftMessageResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The answer, in the notation of the consensus layer.
    pub payload: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
