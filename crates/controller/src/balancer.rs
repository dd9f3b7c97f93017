//! The balancer of the active controller: when it looks, what it has under way, and what it did.
//!
//! ```text
//!  office ─ every ottla.balancer.interval.ms, if anything changed ─▶ plan_balance on the committed image, off the desk
//!                                                                         │ moves
//!                                                   desk ◀─ plan_moves ───┘   partitions that changed meanwhile stay
//! ```
//! What it remembers is soft: a new active controller takes moves under way for somebody else's, lets them end, and goes on; and it
//! does not know what was placed by hand.
//! In a cluster of one broker it does nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ottla_env::Monotonic;
use ottla_metadata::plan::{Balance, BalanceInput, Move, MoveKind, PartitionKey, plan_balance, plan_moves};
use ottla_metadata::{BalancerSettings, MetadataImage};
use ottla_types::{NodeId, Offset, PartitionIndex, TopicName};

use crate::Controller;
use crate::desk::PlanContext;

/// How many moves that have ended are remembered.
const REMEMBERED: usize = 200;

/// Partitions whose replicas somebody has chosen, for the brokers that there were.
#[derive(Debug, Default)]
struct PlacedByHand {
    partitions: BTreeSet<PartitionKey>,
    brokers: BTreeSet<NodeId>,
}

/// What the balancer remembers.
#[derive(Debug, Default)]
pub struct Balancer {
    looked_at: Option<Monotonic>,
    /// What was planned on last: the same gives the same.
    seen: Option<(Offset, BTreeSet<NodeId>)>,
    /// Since when brokers are fenced, as far as this controller knows.
    fenced_since: BTreeMap<NodeId, Monotonic>,
    under_way: BTreeMap<PartitionKey, Move>,
    ended: VecDeque<Move>,
    placed: PlacedByHand,
    /// Whether a plan is being made or begun.
    is_busy: bool,
}

impl Balancer {
    /// Whether it is time to plan; then [`Self::begun`] or [`Self::failed`] has to follow.
    pub fn is_due(&mut self, image: &MetadataImage, settings: &BalancerSettings, now: Monotonic) -> bool {
        self.note_fenced(image, now);
        self.note_ended(image);
        self.note_brokers(image);
        let too_early = self.looked_at.is_some_and(|at| now.since(at) < settings.interval);
        if self.is_busy || too_early || !settings.enabled {
            return false;
        }
        let seen = Some((image.offset, self.lost(settings, now)));
        if self.seen == seen {
            return false;
        }
        (self.looked_at, self.seen, self.is_busy) = (Some(now), seen, true);
        true
    }

    /// Somebody has chosen the replicas of `partitions`: they stay until a broker comes or goes.
    pub fn place(&mut self, image: &MetadataImage, partitions: impl IntoIterator<Item = PartitionKey>) {
        self.note_brokers(image);
        self.placed.partitions.extend(partitions);
    }

    /// The partitions that somebody has placed.
    pub fn placed(&self) -> BTreeSet<PartitionKey> {
        self.placed.partitions.clone()
    }

    fn note_brokers(&mut self, image: &MetadataImage) {
        let brokers: BTreeSet<_> = image.brokers.iter().map(|broker| broker.id).collect();
        if self.placed.brokers != brokers {
            self.placed = PlacedByHand { partitions: BTreeSet::new(), brokers };
        }
        self.placed.partitions.retain(|(topic, index)| image.topics.partition(*topic, *index).is_some());
    }

    /// These moves were begun.
    pub fn begun(&mut self, moves: Vec<Move>) {
        self.is_busy = false;
        for made in moves {
            tracing::info!(
                topic = %made.topic, partition = %made.partition.1, from = %ids(&made.from), to = %ids(&made.to),
                "balancer: {}: {}", made.kind, made.reason
            );
            match made.kind {
                MoveKind::Replicas => drop(self.under_way.insert(made.partition, made)),
                MoveKind::Leader | MoveKind::Elect | MoveKind::Cancel => self.remember(made),
            }
        }
    }

    /// Nothing was begun; it is tried again.
    pub fn failed(&mut self) {
        (self.is_busy, self.seen) = (false, None);
    }

    fn note_fenced(&mut self, image: &MetadataImage, now: Monotonic) {
        let is_fenced = |id| image.brokers.get(id).is_some_and(|broker| broker.fenced);
        self.fenced_since.retain(|id, _| is_fenced(*id));
        for broker in image.brokers.iter().filter(|broker| broker.fenced) {
            self.fenced_since.entry(broker.id).or_insert(now);
        }
    }

    fn note_ended(&mut self, image: &MetadataImage) {
        let is_moving = |(topic, index): &PartitionKey| {
            image.topics.partition(*topic, *index).is_some_and(|partition| partition.is_reassigning())
        };
        let ended: Vec<_> = self.under_way.keys().filter(|key| !is_moving(key)).copied().collect();
        for made in ended.iter().filter_map(|key| self.under_way.remove(key)).collect::<Vec<_>>() {
            self.remember(made);
        }
    }

    fn remember(&mut self, made: Move) {
        if self.ended.len() == REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back(made);
    }

    /// Brokers that were away for so long that their replicas are to be replaced.
    pub fn lost(&self, settings: &BalancerSettings, now: Monotonic) -> BTreeSet<NodeId> {
        let Some(lost_after) = settings.lost_after else { return BTreeSet::new() };
        let is_lost = |since: &Monotonic| now.since(*since) >= lost_after;
        self.fenced_since.iter().filter(|(_, since)| is_lost(since)).map(|(id, _)| *id).collect()
    }

    /// The partitions that it moves and that are not there yet.
    pub fn ours(&self) -> BTreeSet<PartitionKey> {
        self.under_way.keys().copied().collect()
    }

    /// A new active controller knows of nothing.
    pub(crate) fn forget(&mut self) {
        *self = Self { is_busy: self.is_busy, ..Self::default() };
    }
}

/// What the balancer does, would do and did.
pub(crate) struct BalanceState {
    pub(crate) enabled: bool,
    pub(crate) ended: Vec<Move>,
    pub(crate) under_way: Vec<Move>,
    pub(crate) next: Balance,
}

fn ids(brokers: &[NodeId]) -> String {
    brokers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

impl Controller {
    /// Looks whether something is to be moved, and begins it.
    pub(crate) fn balance_if_due(&self) {
        let image = self.image();
        if image.brokers.len() < 2 {
            return;
        }
        let settings = self.settings.balancer(&image);
        let now = self.now();
        let mut balancer = self.balancer.lock();
        if !balancer.is_due(&image, &settings, now) {
            return;
        }
        let (lost, ours, placed) = (balancer.lost(&settings, now), balancer.ours(), balancer.placed());
        drop(balancer);
        let (desk, balancer) = (self.desk.clone(), Arc::clone(&self.balancer));
        let may_elect = self.rebalance_interval.is_some();
        tokio::spawn(async move {
            let limit = settings.max_moves.saturating_sub(ours.len());
            let plan = move || {
                let (image, lost, ours, placed, settings) = (&image, &lost, &ours, &placed, &settings);
                plan_balance(&BalanceInput { image, settings, lost, ours, placed, may_elect }, limit).moves
            };
            // A large cluster takes some ms, which others need not wait for.
            let moves = tokio::task::spawn_blocking(plan).await.unwrap_or_default();
            if moves.is_empty() {
                return balancer.lock().begun(moves);
            }
            match desk.decide(move |cx: PlanContext<'_>| plan_moves(cx.image, cx.settings, &moves)).await {
                Ok(begun) => balancer.lock().begun(begun),
                Err(error) => {
                    tracing::warn!("the balancer's moves could not be begun: {error}");
                    balancer.lock().failed();
                }
            }
        });
    }

    /// Somebody has chosen the replicas of these partitions.
    pub(crate) fn placed_by_hand(&self, partitions: impl IntoIterator<Item = (TopicName, PartitionIndex)>) {
        let image = self.image();
        let key = |(topic, index): (TopicName, _)| Some((image.topics.id_of(topic.as_str())?, index));
        self.balancer.lock().place(&image, partitions.into_iter().filter_map(key));
    }

    /// How long the balancer can wait: what it moves may have ended meanwhile.
    pub(crate) fn until_balance(&self) -> Duration {
        let image = self.image();
        match self.balancer.lock().under_way.is_empty() || image.brokers.len() < 2 {
            true => Duration::MAX,
            false => self.settings.balancer(&image).interval,
        }
    }

    /// What the balancer does and did, and the next `max_planned` moves that it would make.
    pub(crate) fn describe_balance(&self, max_planned: usize) -> BalanceState {
        let image = self.image();
        let settings = &self.settings.balancer(&image);
        let mut balancer = self.balancer.lock();
        balancer.note_ended(&image);
        balancer.note_brokers(&image);
        let (lost, ours) = (&balancer.lost(settings, self.now()), &balancer.ours());
        let placed = &balancer.placed();
        let ended = balancer.ended.iter().cloned().collect();
        let under_way = balancer.under_way.values().cloned().collect();
        drop(balancer);
        let may_elect = self.rebalance_interval.is_some();
        let input = BalanceInput { image: &image, settings, lost, ours, placed, may_elect };
        BalanceState { enabled: settings.enabled, ended, under_way, next: plan_balance(&input, max_planned) }
    }
}

#[cfg(test)]
#[path = "balancer_test.rs"]
mod tests;
