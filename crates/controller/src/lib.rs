//! Hosts the metadata state machine on the quorum: broker sessions, the metadata feed, controller APIs.
//!
//! ```text
//!  brokers, other controllers ──▶ apis ─▶ api::<name> ─▶ Desk ─ plan_* ─▶ quorum ─▶ Published (image, feed)
//!                                            │ heartbeats                               │
//!                                            ▼                                          ▼
//!                                         Sessions ── ended: fence ──▶ Desk       FetchMetadata, image()
//! ```
//!
//! - Only the active controller, the leader of the quorum, decides. One proposal is in flight at a time.
//! - A request is answered once what it decided is committed and applied here. Heartbeats that change nothing are answered
//!   at once.
//! - Sessions are soft state: a new active controller gives every unfenced broker a whole session.
//!
//! Does not decide anything itself (`ottla_metadata::plan` does), knows no Raft (`ottla_consensus` does), opens no
//! listener: its host puts [`API_TABLE`] on one. Start at [`Controller::start`].

mod api;
mod apis;
mod balancer;
mod config;
mod controller;
mod desk;
mod error;
mod error_codes;
mod feed;
mod metadata_log;
mod metrics;
mod office;
mod proof_of_death;
mod published;
mod sessions;
#[cfg(test)]
mod testing;
mod voter_connections;
mod voter_features;
mod voters;

#[cfg(test)]
mod restart_test;

pub use crate::apis::API_TABLE;
pub use crate::balancer::Balancer;
pub use crate::config::ControllerConfig;
pub use crate::controller::{Controller, ControllerDeps};
pub use crate::error::{ControllerError, Failed};
pub use crate::sessions::Sessions;
