//! What the log says of a group.

use ottla_types::{ByteString, Bytes, TimestampMs};

use crate::member::{InstanceId, MemberId};

/// A group as its last GroupMetadata record says; a group that only commits offsets has none, and is the
/// default. Durable: changes in replay only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredGroup {
    pub(crate) protocol_type: Option<ByteString>,
    pub(crate) generation: i32,
    pub(crate) protocol: Option<ByteString>,
    pub(crate) leader: Option<MemberId>,
    pub(crate) state_since_ms: Option<TimestampMs>,
    pub(crate) members: Vec<StoredMember>,
}

/// A member as the record says: of the protocols it supports only the chosen one is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredMember {
    pub(crate) id: MemberId,
    pub(crate) instance_id: Option<InstanceId>,
    pub(crate) client_id: ByteString,
    pub(crate) client_host: ByteString,
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) session_timeout_ms: i32,
    pub(crate) subscription: Bytes,
    pub(crate) assignment: Bytes,
}
