//! A voter of the metadata quorum tells its endpoints and versions (KIP-853).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The voter as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 82, versions = "0", flexible = "0+")]
pub struct UpdateRaftVoterRequest {
    /// The cluster's id.
    pub cluster_id: Option<ByteString>,
    /// The leader's epoch as the asker knows it, which fences a stale leader or asker (KIP-320); −1 to skip
    /// that.
    pub current_leader_epoch: i32,
    /// The voter's node id.
    pub voter_id: i32,
    /// The id of the voter's metadata directory (KIP-853).
    pub voter_directory_id: Uuid,
    /// The listeners.
    pub listeners: Vec<Listener>,
    /// Which levels of `kraft.version` the voter supports.
    pub kraft_version_feature: KRaftVersionFeature,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for UpdateRaftVoterRequest {
    type Response = UpdateRaftVoterResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> UpdateRaftVoterResponse {
        UpdateRaftVoterResponse { error_code: error, ..Default::default() }
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

/// Levels of `kraft.version` that a voter supports.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct KRaftVersionFeature {
    /// The lowest level that the node supports.
    pub min_supported_version: i16,
    /// The highest level that the node supports.
    pub max_supported_version: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 82, versions = "0", flexible = "0+")]
pub struct UpdateRaftVoterResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The leader now, if the request went to a former one (KIP-951).
    #[field(tag = 0)]
    pub current_leader: CurrentLeader,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The leader that the node knows.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CurrentLeader {
    /// The leader's node id; −1 if there is none.
    #[field(default = -1)]
    pub leader_id: i32,
    /// The epoch of the partition's leader.
    #[field(default = -1)]
    pub leader_epoch: i32,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
