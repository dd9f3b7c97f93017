//! Keeps a broker's registration alive (KIP-631).

use crate::{ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// A broker tells the controller that it lives, and what it wants.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 63, versions = "0-2", flexible = "0+")]
pub struct BrokerHeartbeatRequest {
    /// The broker.
    pub broker_id: i32,
    /// The broker's epoch: which of its registrations this is; −1 if not known.
    #[field(default = -1)]
    pub broker_epoch: i64,
    /// How much of the metadata log the broker has applied.
    pub current_metadata_offset: i64,
    /// Whether the broker asks to be fenced.
    pub want_fence: bool,
    /// Whether the broker asks to be relieved of its leaders so that it can stop.
    pub want_shut_down: bool,
    /// The ids of log directories that are down.
    #[field(versions = "1+", tag = 0)]
    pub offline_log_dirs: Vec<Uuid>,
    /// The log directories that get no new replicas (KIP-1066).
    #[field(versions = "2+", tag = 1, default = null)]
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for BrokerHeartbeatRequest {
    type Response = BrokerHeartbeatResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> BrokerHeartbeatResponse {
        BrokerHeartbeatResponse { error_code: error, ..Default::default() }
    }
}

/// What the broker is, in the controller's eyes.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 63, versions = "0-2", flexible = "0+")]
pub struct BrokerHeartbeatResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Whether the broker has all of the metadata log that it needs.
    pub is_caught_up: bool,
    /// Whether the broker is fenced.
    #[field(default = true)]
    pub is_fenced: bool,
    /// Whether the broker may stop now.
    pub should_shut_down: bool,
    /// Ours: how long the controller that answers waits for the next heartbeat before it fences, ms; 0 if it does not tell.
    #[field(tag = 10000)]
    pub session_timeout_ms: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
