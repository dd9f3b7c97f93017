//! Replicas leave brokers that are drained or lost.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ottla_types::NodeId;

use super::model::{Model, Partition, Standing};
use super::{BalanceInput, Move, MoveKind};

/// Own moves under way to a broker that is to be empty itself.
pub(super) fn cancelled(model: &Model<'_>, input: &BalanceInput<'_>) -> Vec<Move> {
    let mut moves = Vec::new();
    for partition in model.partitions.iter().filter(|partition| input.ours.contains(&partition.key())) {
        let adding = &partition.image.adding_replicas;
        if let Some(id) = adding.iter().find(|id| model.standing(**id).is_leaving()) {
            let reason = format!("it was on its way to broker {id}, which {}", why(model.standing(*id)));
            let stays = |id: &&NodeId| !adding.contains(id);
            let to = partition.image.replicas.iter().filter(stays).copied().collect();
            moves.push(Move { to, ..partition.to_move(MoveKind::Cancel, reason) });
        }
    }
    moves
}

/// Replaces up to `limit` partitions' replicas that have to leave; returns what keeps others from it.
pub(super) fn evacuate(model: &mut Model<'_>, limit: usize, moves: &mut Vec<Move>) -> Vec<String> {
    let mut waiting: BTreeMap<NodeId, Waiting> = BTreeMap::new();
    for at in 0..model.partitions.len() {
        let Some(partition) = model.partitions.get(at) else { continue };
        let is_leaving = |id: &NodeId| model.standing(*id).is_leaving();
        let Some(first) = partition.replicas.iter().copied().find(is_leaving) else { continue };
        if !may_leave(model, partition) {
            waiting.entry(first).or_default().out_of_sync += 1;
        } else if best_target(model, &partition.replicas, first).is_none() {
            waiting.entry(first).or_default().nowhere_to_go += 1;
        } else if moves.len() < limit {
            moves.extend(replace_all(model, at));
        }
    }
    let has_others = !model.active().is_empty();
    waiting.into_iter().flat_map(|(id, waiting)| waiting.to_texts(id, has_others)).collect()
}

/// Whether those that stay have everything: only who leaves may be out of sync.
fn may_leave(model: &Model<'_>, partition: &Partition<'_>) -> bool {
    let in_sync = |id: &NodeId| partition.image.isr.contains(id);
    partition.is_at_rest()
        && partition.replicas.iter().all(|id| in_sync(id) || model.standing(*id).is_leaving())
}

/// Replaces all that have to leave and can; `None` if none can.
fn replace_all(model: &mut Model<'_>, at: usize) -> Option<Move> {
    let before = model.partitions.get(at)?.replicas.clone();
    let mut reasons = Vec::new();
    for from in before.into_iter().filter(|id| model.standing(*id).is_leaving()).collect::<Vec<_>>() {
        if let Some((to, held)) = best_target(model, &model.partitions.get(at)?.replicas, from) {
            reasons.push(format!(
                "broker {from} {}; broker {to} holds the fewest replicas of those that can take it, {held}",
                why(model.standing(from))
            ));
            model.replace(at, from, to);
        }
    }
    (!reasons.is_empty()).then(|| model.partitions[at].to_move(MoveKind::Replicas, reasons.join("; ")))
}

/// Who takes the replica of `from`: on the most racks, then with the fewest replicas.
fn best_target(model: &Model<'_>, replicas: &[NodeId], from: NodeId) -> Option<(NodeId, usize)> {
    let racks_with = |to: NodeId| {
        let then: Vec<_> = replicas.iter().map(|id| if *id == from { to } else { *id }).collect();
        model.racks(&then)
    };
    let candidates = model.active().into_iter().filter(|load| !replicas.contains(&load.id));
    candidates
        .min_by_key(|load| (Reverse(racks_with(load.id)), load.replicas, load.id))
        .map(|load| (load.id, load.replicas))
}

const fn why(standing: Standing) -> &'static str {
    match standing {
        Standing::Lost => "was away for longer than ottla.balancer.lost.broker.ms",
        Standing::Drained => "is drained",
        Standing::Active | Standing::Away => "stays",
    }
}

/// Partitions that cannot leave a broker now.
#[derive(Default)]
struct Waiting {
    out_of_sync: usize,
    nowhere_to_go: usize,
}

impl Waiting {
    fn to_texts(&self, id: NodeId, has_others: bool) -> impl Iterator<Item = String> + use<> {
        let nowhere = (self.nowhere_to_go > 0).then(|| {
            let why = if has_others {
                "every other active broker has a replica of them; add a broker, or lower their replication factor"
            } else {
                "no other broker is active; add one"
            };
            format!("{} partitions cannot leave broker {id}: {why}", self.nowhere_to_go)
        });
        let waiting = (self.out_of_sync > 0).then(|| {
            format!(
                "{} partitions of broker {id} wait until they are in sync, have a leader and no reassignment is under way",
                self.out_of_sync
            )
        });
        nowhere.into_iter().chain(waiting)
    }
}
