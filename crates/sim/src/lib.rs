//! The cluster on virtual time, with a network and disks that fail, all drawn from one seed.
//!
//! ```text
//!  seed ─▶ scheduler ─▶ clients ⇄ network ⇄ brokers ⇄ SimDisk            faults ─▶ hosts, network, disks
//!                                    ⇅                                     ▲
//!                               controllers ── quorum (modelled)           nemesis: some, none, then heal
//!            │
//!            ▼ history ─▶ rules (ottla-history): what must not be
//! ```
//!
//! What runs is what brokers and controllers run: partitions with their logs on disks (`ottla_broker::BarePartition`, which is
//! the broker's partition: `ottla-replication` and `ottla-storage` under one lock), leases of leaders, the plans and the image of
//! `ottla-metadata`, the controller's sessions and its balancer. Each node's clocks go a little too fast or too slow.
//!
//! What is modelled: the shells between them, one file each in `broker` and `controller`, which names the one that it stands
//! for; the quorum (`controller/quorum.rs`), of which controllers see terms, committed batches and who leads, late or not at all;
//! clients. There are no connections, so messages overtake each other and come twice.
//!
//! Of eight seeds one has the balancer on, with more partitions, and people who move them and drain brokers.
//!
//! Not here yet: durability other than `fsync`; damage at rest and lost disks; several log directories; snapshots of the
//! metadata; transactions; orderly shutdowns.
//!
//! Entry point: [`run`].

mod broker;
mod client;
mod controller;
mod counts;
mod cx;
mod faults;
mod layout;
mod message;
mod network;
mod rest;
mod scheduler;
mod trace;
mod values;
mod world;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use crate::counts::{Counts, KINDS};
pub use ottla_history::Violation;

/// What a run is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many nodes, each a broker and a controller.
    pub nodes: i32,
    /// Whether eligible leader replicas are on (KIP-966).
    pub elr: bool,
    /// Whether the balancer is on, with more partitions, which are not even at first, and people who move them too.
    pub balance: bool,
    /// For how long faults are drawn, virtual.
    pub faults_for: Duration,
    /// Whether the trace is kept as text.
    pub keep_trace: bool,
}

impl Options {
    /// What a seed says: three nodes or five, with ELR or without; of eight seeds one with the balancer, on four nodes or five.
    pub fn of(seed: u64) -> Self {
        let balance = seed % 8 == 5;
        let nodes = match seed % 4 {
            _ if balance => 4 + (seed / 8 % 2) as i32,
            3 => 5,
            _ => 3,
        };
        Self {
            nodes,
            elr: !seed.is_multiple_of(3),
            balance,
            faults_for: Duration::from_secs(7),
            keep_trace: false,
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Of this seed.
    pub seed: u64,
    /// Of all that happened: the same seed gives the same.
    pub hash: u64,
    /// How many things happened.
    pub events: u64,
    /// How many faults were drawn.
    pub faults: u64,
    /// What was seen.
    pub counts: Counts,
    /// What must not be.
    pub violations: Vec<Violation>,
    /// The text of all that happened, if it was kept.
    pub trace: Vec<String>,
}

/// Runs the cluster that `seed` and `options` give.
pub fn run(seed: u64, options: &Options) -> Outcome {
    world::World::new(seed, options).run(seed)
}
