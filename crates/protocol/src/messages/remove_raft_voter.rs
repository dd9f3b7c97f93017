//! Takes the vote in the metadata quorum from a controller (KIP-853).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The controller that shall not vote any more.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 81, versions = "0", flexible = "0+")]
pub struct RemoveRaftVoterRequest {
    /// The cluster's id.
    pub cluster_id: Option<ByteString>,
    /// The voter's node id.
    pub voter_id: i32,
    /// The id of the voter's metadata directory (KIP-853).
    pub voter_directory_id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for RemoveRaftVoterRequest {
    type Response = RemoveRaftVoterResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> RemoveRaftVoterResponse {
        RemoveRaftVoterResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 81, versions = "0", flexible = "0+")]
pub struct RemoveRaftVoterResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
