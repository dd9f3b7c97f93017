//! Makes a controller a voter of the metadata quorum (KIP-853).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The controller that is to vote.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 80, versions = "0-1", flexible = "0+")]
pub struct AddRaftVoterRequest {
    /// The cluster's id.
    pub cluster_id: Option<ByteString>,
    /// How long the node may take before it answers, ms.
    pub timeout_ms: i32,
    /// The voter's node id.
    pub voter_id: i32,
    /// The id of the voter's metadata directory (KIP-853).
    pub voter_directory_id: Uuid,
    /// The listeners.
    pub listeners: Vec<Listener>,
    /// Whether to answer once the new voters are committed, and not as soon as the leader has written them
    /// (KIP-1186).
    #[field(versions = "1+", default = true)]
    pub ack_when_committed: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AddRaftVoterRequest {
    type Response = AddRaftVoterResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AddRaftVoterResponse {
        AddRaftVoterResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Listener {
    /// The listener's name.
    pub name: ByteString,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: u16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 80, versions = "0-1", flexible = "0+")]
pub struct AddRaftVoterResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
