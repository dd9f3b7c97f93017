//! Partitions: who leads, who is in sync, what moves.

use std::collections::{BTreeMap, BTreeSet};

use ottla_client::{NodeId, PartitionInfo, TopicPartition};
use serde::Serialize;

use super::brokers::not_asked;
use super::finding::{Finding, Kind, counted, named, some};
use super::look::Look;

/// How many partitions there are. Each is counted once among the first five: as the worst that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) total: usize,
    pub(super) offline: usize,
    pub(super) under_min_isr: usize,
    pub(super) at_min_isr: usize,
    pub(super) under_replicated: usize,
    pub(super) reassigning: usize,
    pub(super) not_preferred_leader: usize,
}

impl Counts {
    /// Those with a fault.
    pub(super) const fn degraded(&self) -> usize {
        self.offline + self.under_min_isr + self.at_min_isr + self.under_replicated
    }
}

/// How a partition is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Offline,
    UnderMinIsr,
    AtMinIsr,
    UnderReplicated,
    Full,
}

/// Whether replicas are out of sync, for whatever reason.
pub(super) fn is_under_replicated(partition: &PartitionInfo) -> bool {
    partition.isr.len() < partition.replicas.len()
}

pub(super) fn findings(look: &Look) -> (Counts, Vec<Finding>) {
    let sorted = Sorted::of(look);
    let counts = Counts {
        total: look.partitions().count(),
        offline: sorted.count(State::Offline),
        under_min_isr: sorted.count(State::UnderMinIsr),
        at_min_isr: sorted.count(State::AtMinIsr),
        under_replicated: sorted.count(State::UnderReplicated),
        reassigning: sorted.moving.len(),
        not_preferred_leader: sorted.led_by_others.len(),
    };
    let mut findings: Vec<_> =
        sorted.states.iter().map(|(state, those)| degraded(look, *state, those)).collect();
    if let Err(error) = &look.min_isr {
        findings.push(not_asked("min.insync.replicas", error));
    }
    if !sorted.moving.is_empty() {
        findings.push(reassigning(look, &sorted.moving));
    }
    if let Err(error) = &look.reassignments {
        findings.push(not_asked("which partitions move", error));
    }
    if !sorted.led_by_others.is_empty() {
        findings.push(led_by_others(&sorted.led_by_others));
    }
    (counts, findings)
}

/// The partitions by how they are.
#[derive(Default)]
struct Sorted {
    /// Those that are not full.
    states: BTreeMap<State, Vec<Degraded>>,
    moving: Vec<TopicPartition>,
    led_by_others: Vec<TopicPartition>,
}

struct Degraded {
    at: TopicPartition,
    /// Who should be in sync and is not.
    out: Vec<NodeId>,
    /// Who may lead without loss.
    eligible: Vec<NodeId>,
}

impl Sorted {
    fn of(look: &Look) -> Self {
        let moves = look.reassignments.as_deref().unwrap_or_default();
        let adding: BTreeMap<_, _> =
            moves.iter().map(|one| (&one.partition, one.adding.as_slice())).collect();
        let min_isr = look.min_isr.as_ref().ok();
        let mut sorted =
            Self { moving: moves.iter().map(|one| one.partition.clone()).collect(), ..Self::default() };
        for (at, partition) in look.partitions() {
            let new = adding.get(&at).copied().unwrap_or_default();
            let min_isr = min_isr.and_then(|all| all.get(&at.topic)).copied();
            let state = state(partition, new, min_isr);
            if partition.leader.is_some() && partition.leader != partition.replicas.first().copied() {
                sorted.led_by_others.push(at.clone());
            }
            if state != State::Full {
                let out =
                    partition.replicas.iter().filter(|id| !new.contains(id) && !partition.isr.contains(id));
                let (out, eligible) = (out.copied().collect(), eligible(look, &at, partition));
                sorted.states.entry(state).or_default().push(Degraded { at, out, eligible });
            }
        }
        sorted
    }

    fn count(&self, state: State) -> usize {
        self.states.get(&state).map_or(0, Vec::len)
    }
}

/// Replicas that a reassignment adds are not missed while they are copied. Brokers take `min.insync.replicas` for no more than
/// there are replicas.
fn state(partition: &PartitionInfo, adding: &[NodeId], min_isr: Option<usize>) -> State {
    let wanted = partition.replicas.iter().filter(|id| !adding.contains(id)).count();
    let in_sync = partition.isr.len();
    match min_isr.map(|min| in_sync.cmp(&min.min(wanted))) {
        _ if partition.leader.is_none() => State::Offline,
        _ if in_sync >= wanted => State::Full,
        Some(std::cmp::Ordering::Less) => State::UnderMinIsr,
        Some(std::cmp::Ordering::Equal) => State::AtMinIsr,
        _ => State::UnderReplicated,
    }
}

/// In sync or eligible, the last known if nobody is.
fn eligible(look: &Look, at: &TopicPartition, partition: &PartitionInfo) -> Vec<NodeId> {
    let known = look.eligible.as_deref().unwrap_or_default().iter().find(|known| known.partition == *at);
    let mut nodes = partition.isr.clone();
    if let Some(known) = known {
        nodes.extend(&known.eligible);
        if nodes.is_empty() {
            nodes.clone_from(&known.last_known);
        }
    }
    nodes
}

fn degraded(look: &Look, state: State, those: &[Degraded]) -> Finding {
    let partitions: Vec<_> = those.iter().map(|one| one.at.clone()).collect();
    let (count, some) = (counted(those.len(), "partition"), some(&partitions));
    let be = if those.len() == 1 { "has" } else { "have" };
    let (kind, message) = match state {
        State::Offline => {
            let able: BTreeSet<NodeId> = those.iter().flat_map(|one| one.eligible.iter().copied()).collect();
            let message = format!("{count} {be} no leader: {some}");
            let finding = Finding::new(Kind::Offline, message, lead_again(look, &able));
            return finding.nodes(able).partitions(&partitions);
        }
        State::UnderMinIsr => {
            (Kind::UnderMinIsr, format!("{count} under min.insync.replicas, acks=all is refused: {some}"))
        }
        State::AtMinIsr => {
            let what = "at min.insync.replicas, one loss from refusing acks=all";
            (Kind::AtMinIsr, format!("{count} {what}: {some}"))
        }
        State::UnderReplicated | State::Full => {
            (Kind::UnderReplicated, format!("{count} {be} replicas out of sync: {some}"))
        }
    };
    let out: BTreeSet<NodeId> = those.iter().flat_map(|one| one.out.iter().copied()).collect();
    let down: Vec<_> = out.iter().copied().filter(|id| !look.is_up(*id)).collect();
    let remedy = if down.is_empty() {
        format!("wait for {}; read its log if it does not catch up", named("broker", out.iter().copied()))
    } else {
        format!("start {}", named("broker", down))
    };
    Finding::new(kind, message, remedy).nodes(out).partitions(&partitions)
}

/// How partitions without leader get one.
fn lead_again(look: &Look, able: &BTreeSet<NodeId>) -> String {
    let down: Vec<_> = able.iter().copied().filter(|id| !look.is_up(*id)).collect();
    if able.is_empty() {
        "start the brokers that hold them".to_owned()
    } else if down.is_empty() {
        "ask again: an election should end within seconds".to_owned()
    } else {
        format!("start {}, with every committed record", named("broker", down))
    }
}

fn reassigning(look: &Look, moving: &[TopicPartition]) -> Finding {
    let moves = look.reassignments.as_deref().unwrap_or_default();
    let to: BTreeSet<NodeId> = moves.iter().flat_map(|one| one.adding.iter().copied()).collect();
    let whereto =
        if to.is_empty() { String::new() } else { format!(" to {}", named("broker", to.iter().copied())) };
    let message = format!("{} on the move{whereto}: {}", counted(moving.len(), "partition"), some(moving));
    let remedy = "nothing: replicas are copied";
    Finding::new(Kind::Reassigning, message, remedy).nodes(to).partitions(moving)
}

fn led_by_others(those: &[TopicPartition]) -> Finding {
    let be = if those.len() == 1 { "is" } else { "are" };
    let message = format!(
        "{} {be} not led by the preferred leader: {}",
        counted(those.len(), "partition"),
        some(those)
    );
    let remedy = "nothing: leaders go back by themselves";
    Finding::new(Kind::NotPreferredLeader, message, remedy).partitions(those)
}
