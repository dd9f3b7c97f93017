//! The order of replicas changes so that each broker is the preferred leader of about as many partitions.
//!
//! Where no partition is on both the broker with many and the one with few, leadership goes on over others:
//! ```text
//!  1 leads 9, 2 leads 8, 3 leads 7      p [1,2]  q [2,3]      p goes from 1 to 2, q from 2 to 3
//! ```

use std::collections::{BTreeMap, VecDeque};

use ottla_types::NodeId;

use super::model::Model;
use super::{Move, MoveKind, is_skewed};

/// A partition that one broker could hand over to another, by both.
type Edges = BTreeMap<NodeId, BTreeMap<NodeId, usize>>;

/// Hands preference on until no broker is far off the mean, or there are `limit` moves; a way over several brokers is not cut.
pub(super) fn even_leaders(model: &mut Model<'_>, limit: usize, moves: &mut Vec<Move>) {
    while moves.len() < limit {
        let mut active = model.active();
        let counts: BTreeMap<_, _> = active.iter().map(|load| (load.id, load.preferred)).collect();
        if !is_skewed(&counts.values().copied().collect::<Vec<_>>()) {
            return;
        }
        active.sort_by_key(|load| (std::cmp::Reverse(load.preferred), load.id));
        let edges = edges(model);
        let Some(way) = active.iter().find_map(|from| way(&edges, &counts, from.id)) else { return };
        let count = |id| counts.get(&id).copied().unwrap_or(0);
        let (first, last) = (way.first().map(|step| step.0), way.last().map(|step| step.1));
        let (first, last) = (first.unwrap_or(NodeId::NONE), last.unwrap_or(NodeId::NONE));
        let mean = counts.values().sum::<usize>() as f64 / counts.len() as f64;
        let reason = format!(
            "broker {first} is the preferred leader of {} partitions and broker {last} of {}; even would be {mean:.1}",
            count(first),
            count(last)
        );
        for (_, to, at) in way {
            model.prefer(at, to);
            moves.push(model.partitions[at].to_move(MoveKind::Leader, reason.clone()));
        }
    }
}

fn edges(model: &Model<'_>) -> Edges {
    let mut edges = Edges::new();
    for (at, partition) in model.partitions.iter().enumerate().filter(|(_, partition)| partition.is_free()) {
        let Some((first, others)) = partition.replicas.split_first() else { continue };
        if model.is_active(*first) {
            for to in others.iter().filter(|id| model.is_active(**id)) {
                edges.entry(*first).or_default().entry(*to).or_insert(at);
            }
        }
    }
    edges
}

/// The shortest way from `from` to a broker with at least two less: givers, takers and partitions.
fn way(
    edges: &Edges,
    counts: &BTreeMap<NodeId, usize>,
    from: NodeId,
) -> Option<Vec<(NodeId, NodeId, usize)>> {
    let count = |id| counts.get(&id).copied().unwrap_or(usize::MAX / 2);
    let mut came_from: BTreeMap<NodeId, (NodeId, usize)> = BTreeMap::new();
    let mut next = VecDeque::from([from]);
    while let Some(at) = next.pop_front() {
        if count(at) + 2 <= count(from) {
            return Some(walk_back(&came_from, from, at));
        }
        for (to, partition) in edges.get(&at).into_iter().flatten() {
            if *to != from && !came_from.contains_key(to) {
                came_from.insert(*to, (at, *partition));
                next.push_back(*to);
            }
        }
    }
    None
}

fn walk_back(
    came_from: &BTreeMap<NodeId, (NodeId, usize)>,
    start: NodeId,
    end: NodeId,
) -> Vec<(NodeId, NodeId, usize)> {
    let (mut way, mut at) = (Vec::new(), end);
    while at != start
        && let Some((before, partition)) = came_from.get(&at)
    {
        way.push((*before, at, *partition));
        at = *before;
    }
    way.reverse();
    way
}
