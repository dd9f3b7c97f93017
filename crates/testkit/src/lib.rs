//! What tests of whole nodes share: nodes in this process or as real processes, clients that speak raw protocol, disks
//! that misbehave, fixtures.
//!
//! ```text
//!  NodeSpec ──start──▶ TestNode ──client──▶ RawClient ──▶ any request, any version, any bytes
//!     │ where its data is, what it is set to; survives the node, so that tests restart it
//! ```
//!
//! Everything here is blocking and panics with what it saw when something else than the expected happens: a test reads
//! as a list of facts. Nothing here is part of a product; the other crates name it in `[dev-dependencies]` only.
//!
//! Entry points: [`NodeSpec`] and [`RawClient`].

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this crate is linked into tests only, where a panic is how a failure is told"
)]

pub mod batch;
mod disk_gate;
mod eventually;
mod features;
mod groups;
mod node;
mod process;
mod quorum_nodes;
mod raw_client;
mod records;

mod topics;

pub use crate::disk_gate::DiskGate;
pub use crate::eventually::eventually;
pub use crate::features::{SAFE_DOWNGRADE, UPGRADE};
pub use crate::groups::Member;
pub use crate::node::{NodeSpec, TestNode};
pub use crate::process::{BrokerProcess, Exited};
pub use crate::quorum_nodes::quorum_properties;
pub use crate::raw_client::{PATIENCE, RawClient, encode_frame};
pub use crate::records::{
    ACKS_ALL, ACKS_LEADER, ACKS_NONE, EARLIEST, FetchAt, LATEST, Produced, bytes_of, decode_produced,
    produce_request, produce_request_by_id,
};
pub use crate::topics::{TopicSpec, describe_quorum};
pub use ottla_protocol::ErrorCode;
