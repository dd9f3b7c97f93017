//! One process of a cluster: broker, controller or both, put together from its configuration.
//!
//! ```text
//!  arguments ─▶ Settings ─▶ Node::start ─┬─▶ Controller ── controller listeners
//!                                        │      ▲ in memory, by the same messages as over TCP
//!                                        ├─▶ Broker ────── broker listeners
//!                                        └─▶ AdminServer ─ /metrics /livez /readyz
//! ```
//!
//! It decides nothing about data or metadata; it only knows who has to be there before whom. The binaries
//! `ottla-broker` and `ottla-controller` are this crate with different defaults; tests and other services embed it
//! through [`Node::start`].

mod controllers;
mod dev_nodes;
mod identity;
mod lobby;
mod node;
mod peers;
mod quorum;
mod quorum_dir;
mod roll_call;
mod run;
mod voter;

pub use crate::identity::IdentityError;
pub use crate::node::{Node, NodeError, NodeOptions};
pub use crate::run::{Defaults, run};
pub use ottla_telemetry::LogLevels;
