//! Which brokers a new partition is placed on (`StripedReplicaPlacer`).
//!
//! ```text
//!  racks A, B, C with brokers A0 A1 A2, B0 B1 B2, C0 C1 C2; replication factor 3
//!  partition 0:  A0 B0 C0
//!  partition 1:  B1 C1 A1     racks in turn, from one further each time; brokers in turn inside a rack
//!  partition 2:  C2 A2 B2
//! ```
//! Both turns start at random. Fenced brokers are used only when the unfenced ones of a rack are used up, and never
//! for the first replica, which becomes the leader. Brokers that are shutting down, drained or wholly cordoned are not used.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ottla_types::{ByteString, NodeId};

use crate::image::{BrokerImage, Brokers};
use crate::plan::Draw;

/// Why replicas cannot be placed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlacementError {
    /// Fewer brokers than replicas. Has the key phrases of both wordings that Kafka has had.
    #[error(
        "Replication factor: {replication_factor} larger than available brokers: {brokers}. Unable to replicate the partition {replication_factor} time(s): only {brokers} broker(s) are registered. Those that are drained, shutting down or wholly cordoned do not count."
    )]
    TooFewBrokers {
        /// How many replicas were wished.
        replication_factor: i16,
        /// How many brokers could take one.
        brokers: usize,
    },
    /// No broker could lead.
    #[error(
        "Unable to replicate the partition {replication_factor} time(s): All brokers are currently fenced or in controlled shutdown."
    )]
    AllFenced {
        /// How many replicas were wished.
        replication_factor: i16,
    },
}

/// Replicas for `partitions` partitions, the leader first in each. `replication_factor` is at least 1; no replica is placed
/// on those that are `drained`.
pub(crate) fn place(
    brokers: &Brokers,
    drained: &BTreeSet<NodeId>,
    partitions: usize,
    replication_factor: i16,
    draw: Draw<'_>,
) -> Result<Vec<Vec<NodeId>>, PlacementError> {
    let wished = usize::try_from(replication_factor).unwrap_or(0);
    let mut racks = Racks::new(brokers, drained, draw);
    if wished > racks.usable {
        return Err(PlacementError::TooFewBrokers { replication_factor, brokers: racks.usable });
    }
    if racks.unfenced == 0 || wished == 0 {
        return Err(PlacementError::AllFenced { replication_factor });
    }
    Ok((0..partitions).map(|_| racks.place(wished, draw)).collect())
}

struct Racks {
    racks: Vec<Rack>,
    usable: usize,
    unfenced: usize,
    /// How many partitions were placed.
    round: usize,
    /// How many of them since the last shuffle.
    since_shuffle: usize,
    /// The rack that the next partition starts at.
    first: usize,
}

#[derive(Default)]
struct Rack {
    unfenced: Ring,
    fenced: Ring,
}

/// Brokers taken in turn: each round starts one further than the one before.
#[derive(Default)]
struct Ring {
    brokers: Vec<NodeId>,
    first: usize,
    taken: usize,
    round: usize,
}

impl Racks {
    fn new(brokers: &Brokers, drained: &BTreeSet<NodeId>, draw: Draw<'_>) -> Self {
        let mut by_name: BTreeMap<Option<&ByteString>, Rack> = BTreeMap::new();
        let (mut usable, mut unfenced) = (0, 0);
        let takes = |broker: &&Arc<BrokerImage>| {
            !broker.in_controlled_shutdown && !broker.is_cordoned() && !drained.contains(&broker.id)
        };
        for broker in brokers.iter().filter(takes) {
            let rack = by_name.entry(broker.rack.as_ref()).or_default();
            usable += 1;
            if broker.fenced {
                rack.fenced.brokers.push(broker.id);
            } else {
                unfenced += 1;
                rack.unfenced.brokers.push(broker.id);
            }
        }
        let mut racks: Vec<_> = by_name.into_values().collect();
        for rack in &mut racks {
            rack.unfenced.first = below(rack.unfenced.brokers.len(), draw);
            rack.fenced.first = below(rack.fenced.brokers.len(), draw);
        }
        let first = below(racks.len(), draw);
        Self { racks, usable, unfenced, round: 0, since_shuffle: 0, first }
    }

    /// `replicas` brokers; there are as many, and at least one is unfenced.
    fn place(&mut self, replicas: usize, draw: Draw<'_>) -> Vec<NodeId> {
        // Every broker has led once: another order, so that the same sets do not come again and again.
        if self.since_shuffle == self.unfenced {
            shuffle(&mut self.racks, draw);
            for rack in &mut self.racks {
                shuffle(&mut rack.unfenced.brokers, draw);
                shuffle(&mut rack.fenced.brokers, draw);
            }
            self.since_shuffle = 0;
        }
        let (count, round) = (self.racks.len(), self.round);
        let mut placed = Vec::with_capacity(replicas);
        let mut leader_rack = None;
        for at in (0..count).map(|step| (self.first + step) % count) {
            if let Some(leader) = self.racks[at].unfenced.next(round) {
                placed.push(leader);
                leader_rack = Some(at);
                break;
            }
        }
        let mut at = self.first % count.max(1);
        while placed.len() < replicas && count > 0 {
            // The leader's rack has had its first turn.
            if leader_rack == Some(at) {
                leader_rack = None;
            } else {
                let rack = &mut self.racks[at];
                placed.extend(rack.unfenced.next(round).or_else(|| rack.fenced.next(round)));
            }
            at = (at + 1) % count;
        }
        self.round += 1;
        self.since_shuffle += 1;
        self.first = (self.first + 1) % count.max(1);
        placed
    }
}

impl Ring {
    fn next(&mut self, round: usize) -> Option<NodeId> {
        let count = self.brokers.len();
        if count == 0 {
            return None;
        }
        if self.round != round {
            self.round = round;
            self.taken = 0;
            self.first = (self.first + 1) % count;
        }
        if self.taken == count {
            return None;
        }
        let broker = self.brokers[(self.first + self.taken) % count];
        self.taken += 1;
        Some(broker)
    }
}

fn below(bound: usize, draw: Draw<'_>) -> usize {
    usize::try_from((u128::from(draw()) * bound as u128) >> 64).unwrap_or(0)
}

fn shuffle<T>(items: &mut [T], draw: Draw<'_>) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last + 1, draw));
    }
}

#[cfg(test)]
#[path = "placement_test.rs"]
mod tests;
