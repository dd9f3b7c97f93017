//! The broker: handlers of the client APIs, the partitions of this node, and the coordinators they host.
//!
//! ```text
//!  connection ─▶ api::API_TABLE ─▶ api/<name>.rs ─┬─▶ ReplicaManager ─▶ Partition (log + replica)
//!                                                 ├─▶ GroupCoordinator ─▶ shard over __consumer_offsets
//!                                                 └─▶ ControllerChannel ─▶ the active controller
//!  controller ─▶ MetadataFeed ─▶ MetadataImage ─▶ partitions come, change role, go
//! ```
//!
//! Boundary: it does not depend on the controller; it speaks to one by the same messages whether that is in this process
//! or elsewhere. It names no Raft, no TLS and no file.
//!
//! Entry point: [`Broker::start`].

pub mod api;
mod assignments;
mod auto_topics;
mod broker;
mod controller_channel;
mod coordinators;
mod effective_configs;
mod error_codes;
mod fetch_session;
mod isr_changes;
mod lifecycle;
mod metadata_cache;
mod metadata_feed;
mod metrics;
mod producer_ids;
mod replica_fetcher;
mod replica_manager;
mod replication_quota;
mod start;
mod suspects;

pub use crate::broker::Broker;
pub use crate::controller_channel::{ControllerRoute, Controllers};
pub use crate::lifecycle::RegisterError;
pub use crate::replica_manager::{
    Acknowledgement, BareFetch, BarePartition, BarePosition, BareRead, BareSync, Refused,
};
pub use crate::start::{BrokerHandle, BrokerOptions, StartError, previous_epoch};

/// The internal topic of the group coordinator.
pub(crate) const OFFSETS_TOPIC: &str = ottla_group_coordinator::GROUP_METADATA_TOPIC;
