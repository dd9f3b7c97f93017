//! One partition replica's decisions: who leads, which replicas are in sync, how far records are committed.
//!
//! Boundary: facts in (`handle_*`), decisions out (return values). It opens no file, reads no clock, sends no
//! message; the host (the broker's replica manager) holds the log and does what is decided here.
//!
//! ```text
//!            leader                     follower 2 (in ISR)        follower 3 (not in ISR)
//!  ─────────────────────┐             ─────────────────┐          ────────┐
//!  0 … flushed … leo    │             0 … flushed leo  │          0 … leo │
//!  ─────────────────────┘             ─────────────────┘          ────────┘
//!  high watermark = min over the maximal ISR of what each replica has made durable
//!                   (its flushed offset; its log end offset where durability is left to the OS)
//! ```
//!
//! Rules and their sources: high watermark over the maximal ISR (KIP-497), strict `min.insync.replicas` (KIP-966),
//! fencing by leader epoch (KIP-101, KIP-320). A cluster of one is not a special case: its ISR is the leader.
//!
//! Entry point: [`Replica`].

mod follower;
mod leader;
mod lease;
mod partition_state;
mod read_replica;
mod replica;

pub use crate::follower::truncation_point;
pub use crate::leader::{AckStatus, AlterIsr, Leader, NotFollower};
pub use crate::lease::LeaderLease;
pub use crate::partition_state::{Durability, LocalLog, PartitionState, ReplicaProgress};
pub use crate::read_replica::{ReadableFollower, select_rack_aware};
pub use crate::replica::{EpochError, NotLeader, NotLeading, NotReady, Replica, Role, RoleChange};
