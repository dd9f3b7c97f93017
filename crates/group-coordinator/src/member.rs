//! A member of a classic group.

use std::collections::BTreeSet;

use ottla_coordinator::RequestId;
use ottla_types::{ByteString, Bytes};

/// Names a member; made by the coordinator: client id or instance id, `-`, random UUID.
pub type MemberId = ByteString;
/// A static member's `group.instance.id` (KIP-345).
pub type InstanceId = ByteString;

/// One of the assignment protocols that a member supports, with what it tells the leader under it. Opaque
/// but for protocol type `consumer`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protocol {
    /// `range`, `cooperative-sticky`, `sessioned`, …
    pub name: ByteString,
    /// The member's metadata, such as its subscription.
    pub metadata: Bytes,
}

/// A member as the coordinator knows it: what the log says of it, and its parked requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: MemberId,
    pub(crate) instance_id: Option<InstanceId>,
    pub(crate) client_id: ByteString,
    pub(crate) client_host: ByteString,
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) session_timeout_ms: i32,
    /// In the member's order of preference. Of a member loaded from the log, only the chosen one is known.
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) assignment: Bytes,
    /// Its parked JoinGroup.
    pub(crate) join: Option<RequestId>,
    /// Its parked SyncGroup.
    pub(crate) sync: Option<RequestId>,
    /// It has not got an answer to its first JoinGroup yet, so it may be gone without our knowing.
    pub(crate) is_new: bool,
}

impl Member {
    pub(crate) fn is_static(&self) -> bool {
        self.instance_id.is_some()
    }

    /// Whether its session cannot expire now: a member that waits for us need not send heartbeats.
    pub(crate) fn has_satisfied_heartbeat(&self) -> bool {
        !self.is_new && (self.join.is_some() || self.sync.is_some())
    }

    pub(crate) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|known| known.name == protocol)
    }

    /// What it says under `protocol`; nothing if it does not support it.
    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        let known = self.protocols.iter().find(|known| known.name == protocol);
        known.map(|known| known.metadata.clone()).unwrap_or_default()
    }

    /// The first of its protocols that is a candidate.
    pub(crate) fn vote<'a>(&self, candidates: &BTreeSet<&'a ByteString>) -> Option<&'a ByteString> {
        self.protocols.iter().find_map(|known| candidates.get(&known.name).copied())
    }
}
