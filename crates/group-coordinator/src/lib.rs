//! Consumer groups and their offsets: the shard of one partition of `__consumer_offsets`, in the frame of
//! `ottla-coordinator`.
//!
//! ```text
//!   JoinGroup SyncGroup Heartbeat LeaveGroup        OffsetCommit OffsetFetch OffsetDelete
//!   DescribeGroups ListGroups DeleteGroups                     │
//!            │                                                 │
//!            ▼                                                 ▼
//!   ┌── ClassicGroup (soft) ──┐   made from   ┌─ StoredGroup ─┐  ┌─ Offsets ─┐
//!   │ state, parked requests, │ ◀──────────── │   (durable)   │  │ (durable) │
//!   │ pending members         │               └───────▲───────┘  └─────▲─────┘
//!   └────────────┬────────────┘                       │    replay      │
//!                └──── records ──▶ __consumer_offsets ┴────────────────┘
//! ```
//!
//! The classic protocol is complete: dynamic and static members (KIP-345, KIP-394), any protocol type.
//! Member metadata is opaque but for type `consumer`, whose subscriptions decide which offsets may be
//! deleted or expire. Records are Kafka's own, so that its tools and lag exporters read the log.
//!
//! Invariants:
//! * Durable state changes in replay only; replaying the whole log into a fresh shard gives the same.
//! * A group exists if and only if the log has a GroupMetadata record or an offset of it.
//! * A rebalance is soft until the leader's assignment: a failover in between brings back the generation before,
//!   whose members then join again.
//! * Every parked request is answered exactly once: by the rebalance, by the member's end, by another request
//!   that supersedes it, or by the unloading of the shard.
//!
//! What this crate does *not* do: no API structs or error codes (the broker maps [`GroupError`]), no
//! authorization, no resolution of topic ids, no log, clock or randomness. Groups of the consumer protocol
//! (KIP-848), share and streams groups are not here; their records are ignored.
//!
//! Enter through [`GroupShard`] and [`GroupRequest`]. Each operation is a file named after its API.

mod config;
mod delete_groups;
mod describe_groups;
mod error;
mod expire_offsets;
mod facts;
mod group;
mod groups;
mod heartbeat;
mod join_group;
mod leave_group;
mod list_groups;
mod member;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offsets;
mod rebalance;
mod records;
mod response;
mod session;
mod shard;
mod state;
mod static_member;
mod stored;
mod subscription;
mod sync_group;
#[cfg(test)]
mod test_support;
mod timer;
mod topics_deleted;
mod undo;

pub use crate::config::GroupConfig;
pub use crate::delete_groups::DeleteGroups;
pub use crate::describe_groups::{DescribeGroups, DescribedGroup, DescribedMember};
pub use crate::error::GroupError;
pub use crate::facts::{Counters, GroupFact};
pub use crate::heartbeat::Heartbeat;
pub use crate::join_group::{JoinGroup, Joined, JoinedMember};
pub use crate::leave_group::{LeaveGroup, LeavingMember, LeftMember};
pub use crate::list_groups::{GROUP_TYPE, ListGroups, ListedGroup};
pub use crate::member::{InstanceId, MemberId, Protocol};
pub use crate::offset_commit::{CommitPartition, CommitTopic, CommittedTopic, OffsetCommit};
pub use crate::offset_delete::{DeletedTopicOffsets, OffsetDelete};
pub use crate::offset_fetch::{FetchTopic, FetchedPartition, FetchedTopic, OffsetFetch};
pub use crate::offsets::CommittedOffset;
pub use crate::response::{GroupRequest, GroupResponse};
pub use crate::shard::GroupShard;
pub use crate::state::GroupState;
pub use crate::sync_group::{SyncGroup, Synced};
pub use crate::timer::GroupTimer;
pub use crate::topics_deleted::DeletedTopic;
pub use crate::undo::GroupUndo;

/// The internal topic whose partitions are the shards (`Topic.GROUP_METADATA_TOPIC_NAME`).
pub const GROUP_METADATA_TOPIC: &str = "__consumer_offsets";
