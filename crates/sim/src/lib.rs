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
//! the broker's partition: `ottla-replication` and `ottla-storage` under one lock), the plans and the image of
//! `ottla-metadata`, the controller's sessions.
//!
//! What is modelled: the shells between them, one file each in `broker` and `controller`, which names the one that it stands
//! for; the quorum (`controller/quorum.rs`), of which controllers see terms, committed batches and who leads, late or not at all;
//! clients. There are no connections, so messages overtake each other and come twice.
//!
//! Not here yet: leases of leaders (until it hears of the next one, a leader that was paused or cut off serves reads that are
//! committed but old, and tells producers that what later leaders have acknowledged is missing) and the balancer; durability
//! other than `fsync`; damage at rest; snapshots of the metadata; transactions; orderly shutdowns. The place of leases is
//! `broker/serve.rs`, that of the balancer `controller/desk.rs`.
//!
//! Entry point: [`run`].

mod broker;
mod client;
mod controller;
mod counts;
mod cx;
mod faults;
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
    /// For how long faults are drawn, virtual.
    pub faults_for: Duration,
    /// Whether the trace is kept as text.
    pub keep_trace: bool,
}

impl Options {
    /// What a seed says: three nodes or five, with ELR or without.
    pub fn of(seed: u64) -> Self {
        Self {
            nodes: if seed % 4 == 3 { 5 } else { 3 },
            elr: !seed.is_multiple_of(3),
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
