//! Brokers that hold many replicas give some to those that hold few.

use ottla_types::NodeId;

use super::model::{BrokerLoad, Model, Partition};
use super::{Move, MoveKind, is_skewed};

/// Moves replicas until no broker is far off the mean, or there are `limit` moves.
pub(super) fn even_replicas(model: &mut Model<'_>, limit: usize, moves: &mut Vec<Move>) {
    while moves.len() < limit {
        let mut active = model.active();
        let counts: Vec<_> = active.iter().map(|load| load.replicas).collect();
        if !is_skewed(&counts) {
            return;
        }
        active.sort_by_key(|load| (load.replicas, load.id));
        let Some((at, from, to)) = next(model, &active) else { return };
        let mean = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
        let reason = format!(
            "broker {} holds {} replicas and broker {} holds {}; even would be {mean:.1}",
            from.id, from.replicas, to.id, to.replicas
        );
        model.replace(at, from.id, to.id);
        moves.push(model.partitions[at].to_move(MoveKind::Replicas, reason));
    }
}

/// The partition, the giver and the taker: from whoever has the most to whoever has the least, if it fits.
fn next(model: &Model<'_>, by_load: &[BrokerLoad]) -> Option<(usize, BrokerLoad, BrokerLoad)> {
    for from in by_load.iter().rev() {
        for to in by_load.iter().take_while(|to| to.replicas + 2 <= from.replicas) {
            if let Some(at) = best_partition(model, from, to) {
                return Some((at, from.clone(), to.clone()));
            }
        }
    }
    None
}

/// Of the topic that `from` has most of compared with `to`; one that takes a leader along if `from` has many of those too.
fn best_partition(model: &Model<'_>, from: &BrokerLoad, to: &BrokerLoad) -> Option<usize> {
    let surplus = surplus_by_topic(model, from.id, to.id);
    let gives_leaders = from.preferred >= to.preferred + 2;
    let fits = |(at, partition): (usize, &Partition<'_>)| {
        let may_move = partition.is_free() && can_move(model, partition, from.id, to.id);
        let leads = partition.replicas.first() == Some(&from.id);
        may_move.then(|| ((surplus[partition.topic_number], leads == gives_leaders), at))
    };
    let candidates = model.partitions.iter().enumerate().filter_map(fits);
    candidates.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, at)| at)
}

/// How many replicas more `from` has than `to`, by the topic's number.
fn surplus_by_topic(model: &Model<'_>, from: NodeId, to: NodeId) -> Vec<i64> {
    let topics = model.partitions.last().map_or(0, |partition| partition.topic_number + 1);
    let mut surplus = vec![0; topics];
    for partition in &model.partitions {
        let has = |id| i64::from(partition.replicas.contains(&id));
        surplus[partition.topic_number] += has(from) - has(to);
    }
    surplus
}

fn can_move(model: &Model<'_>, partition: &Partition<'_>, from: NodeId, to: NodeId) -> bool {
    let replicas = &partition.replicas;
    if !replicas.contains(&from) || replicas.contains(&to) {
        return false;
    }
    let then: Vec<_> = replicas.iter().map(|id| if *id == from { to } else { *id }).collect();
    model.racks(&then) >= model.racks(replicas)
}
