//! The cluster as the balancer sees it: moves under way count as done, and it changes as moves are decided.

use std::collections::{BTreeMap, BTreeSet};

use ottla_types::{ByteString, NodeId, PartitionIndex};

use super::{BalanceInput, Move, MoveKind};
use crate::image::{BrokerImage, LeaderRecoveryState, PartitionImage, TopicImage};

/// What a broker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerLoad {
    /// Which.
    pub id: NodeId,
    /// Whether it may take part, and why not.
    pub standing: Standing,
    /// The replicas that it holds, or will when the moves under way have ended.
    pub replicas: usize,
    /// The replicas that moves under way take from it.
    pub leaving: usize,
    /// The partitions whose first replica it is.
    pub preferred: usize,
    /// The partitions that it leads.
    pub leaders: usize,
}

/// Whether a broker takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It gives and takes.
    Active,
    /// It is fenced, shutting down, wholly cordoned or not registered: it keeps what it has.
    Away,
    /// It is to be empty.
    Drained,
    /// It was away for too long; so it is to be empty.
    Lost,
}

impl Standing {
    pub(super) const fn is_leaving(self) -> bool {
        matches!(self, Self::Drained | Self::Lost)
    }

    fn of(id: NodeId, broker: Option<&BrokerImage>, input: &BalanceInput<'_>) -> Self {
        let is_active = broker.is_some_and(|broker| broker.is_active() && !broker.is_cordoned());
        if input.settings.drained.contains(&id) {
            Self::Drained
        } else if is_active {
            Self::Active
        } else if input.lost.contains(&id) {
            Self::Lost
        } else {
            Self::Away
        }
    }
}

pub(super) struct Model<'a> {
    brokers: BTreeMap<NodeId, Broker<'a>>,
    pub(super) partitions: Vec<Partition<'a>>,
}

struct Broker<'a> {
    rack: Option<&'a ByteString>,
    load: BrokerLoad,
}

pub(super) struct Partition<'a> {
    topic: &'a TopicImage,
    /// A number for each topic.
    pub(super) topic_number: usize,
    index: PartitionIndex,
    pub(super) image: &'a PartitionImage,
    /// The replicas to be.
    pub(super) replicas: Vec<NodeId>,
    /// Whether somebody has chosen its replicas.
    pub(super) is_placed: bool,
    /// Whether a move was decided.
    is_moved: bool,
}

impl<'a> Model<'a> {
    pub(super) fn new(input: &BalanceInput<'a>) -> Self {
        let image = input.image;
        let mut model = Self { brokers: BTreeMap::new(), partitions: Vec::new() };
        for broker in image.brokers.iter() {
            let load = BrokerLoad::none(broker.id, Standing::of(broker.id, Some(broker), input));
            model.brokers.insert(broker.id, Broker { rack: broker.rack.as_ref(), load });
        }
        for (topic_number, topic) in image.topics.iter().enumerate() {
            for (index, image) in topic.partitions() {
                let stays = |id: &NodeId| !image.removing_replicas.contains(id);
                let replicas = image.replicas.iter().copied().filter(stays).collect();
                let is_placed = input.placed.contains(&(topic.id, index));
                let partition =
                    Partition { topic, topic_number, index, image, replicas, is_placed, is_moved: false };
                model.count(&partition, input);
                model.partitions.push(partition);
            }
        }
        model
    }

    fn count(&mut self, partition: &Partition<'_>, input: &BalanceInput<'_>) {
        for (place, id) in partition.replicas.iter().enumerate() {
            let load = self.load_of(*id, input);
            load.replicas += 1;
            load.preferred += usize::from(place == 0);
        }
        for id in &partition.image.removing_replicas {
            self.load_of(*id, input).leaving += 1;
        }
        if partition.image.has_leader() {
            self.load_of(partition.image.leader, input).leaders += 1;
        }
    }

    /// Also of a broker that is not registered any more.
    fn load_of(&mut self, id: NodeId, input: &BalanceInput<'_>) -> &mut BrokerLoad {
        let unknown = || Broker { rack: None, load: BrokerLoad::none(id, Standing::of(id, None, input)) };
        &mut self.brokers.entry(id).or_insert_with(unknown).load
    }

    pub(super) fn loads(&self) -> Vec<BrokerLoad> {
        self.brokers.values().map(|broker| broker.load.clone()).collect()
    }

    /// The active brokers.
    pub(super) fn active(&self) -> Vec<BrokerLoad> {
        let active = |load: &&BrokerLoad| load.standing == Standing::Active;
        self.brokers.values().map(|broker| &broker.load).filter(active).cloned().collect()
    }

    pub(super) fn standing(&self, id: NodeId) -> Standing {
        self.brokers.get(&id).map_or(Standing::Away, |broker| broker.load.standing)
    }

    pub(super) fn is_active(&self, id: NodeId) -> bool {
        self.standing(id) == Standing::Active
    }

    /// On how many racks these are. Brokers without a rack are on one together.
    pub(super) fn racks(&self, replicas: &[NodeId]) -> usize {
        let rack = |id| self.brokers.get(id).and_then(|broker| broker.rack);
        replicas.iter().map(rack).collect::<BTreeSet<_>>().len()
    }

    /// Has `to` hold the replica of the partition at `at` that `from` holds.
    pub(super) fn replace(&mut self, at: usize, from: NodeId, to: NodeId) {
        let Some(partition) = self.partitions.get_mut(at) else { return };
        let Some(place) = partition.replicas.iter().position(|id| *id == from) else { return };
        partition.replicas[place] = to;
        partition.is_moved = true;
        self.shift(from, to, |load| &mut load.replicas);
        if place == 0 {
            self.shift(from, to, |load| &mut load.preferred);
        }
    }

    /// Has the replica `to` be the first of the partition at `at`.
    pub(super) fn prefer(&mut self, at: usize, to: NodeId) {
        let Some(partition) = self.partitions.get_mut(at) else { return };
        let Some(place) = partition.replicas.iter().position(|id| *id == to) else { return };
        let from = partition.replicas[0];
        partition.replicas.swap(0, place);
        partition.is_moved = true;
        self.shift(from, to, |load| &mut load.preferred);
    }

    /// Has `to` lead the partition at `at`.
    pub(super) fn elect(&mut self, at: usize, to: NodeId) {
        let Some(partition) = self.partitions.get_mut(at) else { return };
        partition.is_moved = true;
        let from = partition.image.leader;
        self.shift(from, to, |load| &mut load.leaders);
    }

    fn shift(&mut self, from: NodeId, to: NodeId, count: impl Fn(&mut BrokerLoad) -> &mut usize) {
        for (id, change) in [(from, -1), (to, 1)] {
            if let Some(broker) = self.brokers.get_mut(&id) {
                let count = count(&mut broker.load);
                *count = count.saturating_add_signed(change);
            }
        }
    }
}

impl BrokerLoad {
    const fn none(id: NodeId, standing: Standing) -> Self {
        Self { id, standing, replicas: 0, leaving: 0, preferred: 0, leaders: 0 }
    }
}

impl Partition<'_> {
    /// Whether nothing is under way with it, and somebody leads it who has all.
    pub(super) fn is_at_rest(&self) -> bool {
        let recovered = self.image.leader_recovery_state == LeaderRecoveryState::Recovered;
        !self.is_moved && !self.image.is_reassigning() && self.image.has_leader() && recovered
    }

    /// The same, all replicas are in sync, and nobody wants them where they are.
    pub(super) fn is_free(&self) -> bool {
        !self.is_placed && self.is_at_rest() && self.replicas.iter().all(|id| self.image.isr.contains(id))
    }

    /// What was decided about it.
    pub(super) fn to_move(&self, kind: MoveKind, reason: String) -> Move {
        Move {
            topic: self.topic.name.clone(),
            partition: (self.topic.id, self.index),
            epoch: self.image.partition_epoch,
            kind,
            from: self.image.replicas.to_vec(),
            to: self.replicas.clone(),
            reason,
        }
    }

    pub(super) const fn key(&self) -> super::PartitionKey {
        (self.topic.id, self.index)
    }
}
