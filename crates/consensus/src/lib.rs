//! The metadata quorum: Raft over opaque payloads, on our own fsynced log.
//!
//! ```text
//!  propose(payload) ──▶ leader's log ──▶ logs of a majority ──▶ committed ──▶ StateMachine::apply on every voter
//!                       fsync              fsync
//! ```
//!
//! - The metadata offset is the Raft index, the controller epoch is the Raft term (at most one leader per epoch).
//! - What `propose` returned is on the disks of a majority; a vote is on disk before it is given.
//! - A leader serves nothing before it has applied the first entry of its own epoch.
//! - Members change one at a time: an observer that has the whole log becomes a voter, a voter an observer.
//! - The first failed write or sync stops the node for good; it is never retried.
//! - Only the tail of the log that was never synced is ever cut; damage before it stops the start.
//!
//! Does not know what the payloads mean, who may propose them, or how peers are reached ([`Transport`]). Only
//! this crate names openraft, and nothing of it is in this interface. Start at [`Quorum::start`].

mod config;
mod contact;
mod departures;
mod error;
mod formation;
mod join;
mod lock;
mod log;
mod members;
mod observer;
mod open;
mod quorum;
mod raft;
mod snapshot;
#[cfg(test)]
mod snapshot_test;
mod state;
mod state_machine;
mod stop;
mod transport;

pub use crate::config::{Limits, QuorumConfig, Timing, Voter};
pub use crate::error::{ChangeError, ProposeError, ReadError, StartError};
pub use crate::members::Member;
pub use crate::quorum::{Committed, CommittedEntry, Quorum, StoredSnapshot};
pub use crate::state::{MemberState, QuorumState, Role};
pub use crate::state_machine::{SnapshotCheck, StateMachine, StateMachineError};
pub use crate::transport::{BoxFuture, Destination, Lane, NoTransport, RpcKind, Transport, TransportError};
