//! The balancer's decisions: which replicas and leaders move where, and why.
//!
//! ```text
//!  1  evacuate   replicas leave brokers that are drained or lost
//!  2  replicas   brokers that hold many give some to those that hold few
//!  3  leaders    the order of replicas changes so that each broker is the first of about as many: its leader by preference
//!  4  elect      preferred leaders that are in sync and do not lead take over
//! ```
//! A later step waits until the ones before have nothing to do. A step begins only when the most or the least loaded broker is
//! more than a tenth off the mean, and each move makes the sum of the squares of the counts smaller: so it ends, and what
//! has ended begins again only when something else has changed. A partition stays where it is while it is on the move, for
//! whomever, or not in sync, unless the move is what repairs it; and never on fewer racks than before. What somebody has placed
//! by hand stays (steps 2 and 3), but counts.
//!
//! Fenced brokers neither give nor take: a restart moves nothing.

mod elect;
mod evacuate;
mod leaders;
mod model;
mod moves;
mod replicas;

use std::collections::BTreeSet;

use ottla_types::{NodeId, PartitionEpoch, PartitionIndex, TopicId, TopicName};

use self::model::Model;
pub use self::model::{BrokerLoad, Standing};
pub use self::moves::plan_moves;
use crate::image::MetadataImage;
use crate::settings::BalancerSettings;

/// One partition of one creation of a topic.
pub type PartitionKey = (TopicId, PartitionIndex);

/// What the balancer looks at.
#[derive(Clone, Copy, Debug)]
pub struct BalanceInput<'a> {
    /// The cluster.
    pub image: &'a MetadataImage,
    /// What it goes by; `enabled` is for the host.
    pub settings: &'a BalancerSettings,
    /// Brokers that were away for so long that their replicas are to be replaced.
    pub lost: &'a BTreeSet<NodeId>,
    /// Partitions that the balancer itself has moved and that are not there yet. All others that move are somebody else's.
    pub ours: &'a BTreeSet<PartitionKey>,
    /// Partitions whose replicas somebody has chosen for the brokers that there are.
    pub placed: &'a BTreeSet<PartitionKey>,
    /// Whether leaders may be elected (`auto.leader.rebalance.enable`).
    pub may_elect: bool,
}

/// What to do with one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveKind {
    /// Replicas are copied to other brokers.
    Replicas,
    /// Its replicas get another order, and the first leads.
    Leader,
    /// The first replica leads, as it should already.
    Elect,
    /// The balancer's own move is given up.
    Cancel,
}

impl std::fmt::Display for MoveKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Replicas => "move",
            Self::Leader => "lead",
            Self::Elect => "elect",
            Self::Cancel => "cancel",
        })
    }
}

/// One move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The topic's name.
    pub topic: TopicName,
    /// Which partition.
    pub partition: PartitionKey,
    /// The partition as it was decided about: a later one is looked at anew.
    pub epoch: PartitionEpoch,
    /// What is done.
    pub kind: MoveKind,
    /// The replicas before.
    pub from: Vec<NodeId>,
    /// The replicas to be, the preferred leader first.
    pub to: Vec<NodeId>,
    /// Why, for people.
    pub reason: String,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// The next moves, the most urgent first.
    pub moves: Vec<Move>,
    /// Why brokers that are to be empty cannot be, and why others stay uneven, for people.
    pub blocked: Vec<String>,
    /// What each broker has, by id; moves under way count as done.
    pub brokers: Vec<BrokerLoad>,
}

/// The next moves, at most about `limit`. The same input gives the same moves.
pub fn plan_balance(input: &BalanceInput<'_>, limit: usize) -> Balance {
    let mut model = Model::new(input);
    let brokers = model.loads();
    let mut moves = evacuate::cancelled(&model, input);
    let mut blocked = evacuate::evacuate(&mut model, limit, &mut moves);
    replicas::even_replicas(&mut model, limit, &mut moves);
    // Leaders follow replicas: those that are yet to come would undo it.
    let is_settled = moves.is_empty() && input.ours.is_empty();
    if is_settled && input.may_elect {
        leaders::even_leaders(&mut model, limit, &mut moves);
        if moves.is_empty() {
            elect::elect_preferred(&mut model, limit, &mut moves);
        }
    }
    if moves.is_empty() && input.ours.is_empty() {
        blocked.extend(why_uneven(&model, input));
    }
    Balance { moves, blocked, brokers }
}

fn why_uneven(model: &Model<'_>, input: &BalanceInput<'_>) -> Option<String> {
    let active = model.active();
    let is_uneven =
        |count: fn(&BrokerLoad) -> usize| is_skewed(&active.iter().map(count).collect::<Vec<_>>());
    let placed = model.partitions.iter().filter(|partition| partition.is_placed).count();
    let is_uneven = is_uneven(|load| load.replicas) || input.may_elect && is_uneven(|load| load.preferred);
    (is_uneven && placed > 0).then(|| {
        format!(
            "{placed} partitions stay where they were placed by hand, until a broker comes or goes; kafka-reassign-partitions \
             moves them"
        )
    })
}

/// Whether the most or the least loaded is more than a tenth off the mean, and by more than cannot be shared out.
fn is_skewed(counts: &[usize]) -> bool {
    let (Some(max), Some(min)) = (counts.iter().max(), counts.iter().min()) else { return false };
    let (brokers, total) = (counts.len(), counts.iter().sum::<usize>());
    max - min >= 2 && (max * brokers * 10 > total * 11 || min * brokers * 10 < total * 9)
}

#[cfg(test)]
#[path = "balance_test.rs"]
mod tests;
