use std::collections::BTreeMap;

use ottla_types::BrokerEpoch;
use proptest::prelude::*;

use super::*;
use crate::Settings;
use crate::image::{LeaderRecoveryState, PartitionImage};
use crate::plan::{
    AlterPartition, AlterPartitionError, NewTopic, plan_alter_partition, plan_alter_partition_reassignments,
    plan_register_broker,
};
use crate::plan::{Reassignment, ReassignmentError};
use crate::testing::*;

/// A cluster whose replicas are in sync as soon as they are added.
struct Balanced {
    cluster: Cluster,
    settings: BalancerSettings,
    lost: BTreeSet<NodeId>,
    placed: BTreeSet<PartitionKey>,
}

impl Balanced {
    fn new(racks: &[Option<&str>]) -> Self {
        let mut cluster = Cluster::new(0);
        for (id, rack) in (1..).zip(racks) {
            start(&mut cluster, id, *rack);
        }
        let settings = Settings::default().balancer(&cluster.image);
        Self { cluster, settings, lost: BTreeSet::new(), placed: BTreeSet::new() }
    }

    fn topic(&mut self, name: &str, partitions: &[Vec<i32>]) {
        let assignments = (0..)
            .zip(partitions)
            .map(|(index, replicas): (i32, _)| (index.into(), nodes(replicas)))
            .collect();
        self.cluster.create(NewTopic { assignments, ..new_topic(name, -1, -1) }).unwrap();
    }

    fn plan(&self, limit: usize) -> Balance {
        let ours = BTreeSet::new();
        self.plan_with(&ours, limit)
    }

    fn plan_with(&self, ours: &BTreeSet<PartitionKey>, limit: usize) -> Balance {
        let (image, settings) = (&self.cluster.image, &self.settings);
        let (lost, placed) = (&self.lost, &self.placed);
        plan_balance(&BalanceInput { image, settings, lost, ours, placed, may_elect: true }, limit)
    }

    /// Plans, begins and ends moves until there are none; all of them.
    fn settle(&mut self) -> Vec<Move> {
        let mut all = Vec::new();
        for _ in 0..1000 {
            let balance = self.plan(5);
            if balance.moves.is_empty() {
                return all;
            }
            let moves = balance.moves;
            let begun = self.begin(&moves);
            assert_eq!(begun, moves, "nothing stands against them");
            self.check_partitions();
            self.sync();
            all.extend(begun);
        }
        panic!("it never settles: {:?}", &all[all.len() - 10..]);
    }

    fn begin(&mut self, moves: &[Move]) -> Vec<Move> {
        let decision = plan_moves(&self.cluster.image, &self.cluster.settings, moves);
        self.cluster.take(decision)
    }

    /// Whoever is active and not in sync gets in sync.
    fn sync(&mut self) {
        for (key, partition) in self.partitions() {
            let active = |id: &NodeId| self.cluster.image.brokers.is_active(*id);
            let isr: Vec<_> = partition.replicas.iter().copied().filter(active).collect();
            if !partition.has_leader() || *isr == *partition.isr {
                continue;
            }
            let wish = AlterPartition {
                topic: key.0,
                index: key.1,
                leader_epoch: partition.leader_epoch,
                partition_epoch: partition.partition_epoch,
                isr: isr.into_iter().map(|id| (id, BrokerEpoch::NONE)).collect(),
                recovery: LeaderRecoveryState::Recovered,
            };
            let epoch = self.cluster.image.brokers.get(partition.leader).unwrap().epoch;
            let (image, settings) = (&self.cluster.image, &self.cluster.settings);
            let decision = plan_alter_partition(image, settings, partition.leader, epoch, &[wish]);
            let outcome = self.cluster.take(decision).unwrap().remove(0).2;
            let new_leader = matches!(outcome, Err(AlterPartitionError::NewLeaderElected { .. }));
            assert!(outcome.is_ok() || new_leader, "{outcome:?}");
        }
    }

    fn partitions(&self) -> Vec<(PartitionKey, PartitionImage)> {
        let topics = self.cluster.image.topics.iter();
        topics
            .flat_map(|topic| {
                topic.partitions().map(|(index, it)| ((topic.id, index), PartitionImage::clone(it)))
            })
            .collect()
    }

    fn check_partitions(&self) {
        for (key, partition) in self.partitions() {
            let distinct: BTreeSet<_> = partition.replicas.iter().collect();
            assert_eq!(distinct.len(), partition.replicas.len(), "{key:?} {:?}", partition.replicas);
        }
    }

    /// Replicas and leaders of each active broker.
    fn counts(&self) -> (Vec<usize>, Vec<usize>) {
        let active = |load: &&BrokerLoad| load.standing == Standing::Active;
        let loads = self.plan(0).brokers;
        let active: Vec<_> = loads.iter().filter(active).collect();
        (active.iter().map(|load| load.replicas).collect(), active.iter().map(|load| load.leaders).collect())
    }

    fn replicas_on(&self, id: i32) -> usize {
        self.partitions().iter().filter(|(_, partition)| partition.is_replica(NodeId(id))).count()
    }

    fn drain(&mut self, id: i32) {
        self.settings.drained.insert(NodeId(id));
    }

    /// On how many racks each partition is.
    fn racks(&self) -> BTreeMap<PartitionKey, usize> {
        let rack = |id: &NodeId| self.cluster.image.brokers.get(*id).and_then(|broker| broker.rack.clone());
        let racks = |replicas: &[NodeId]| replicas.iter().map(rack).collect::<BTreeSet<_>>().len();
        self.partitions().into_iter().map(|(key, partition)| (key, racks(&partition.replicas))).collect()
    }
}

fn start(cluster: &mut Cluster, id: i32, rack: Option<&str>) {
    let rack = rack.map(Into::into);
    let registration = crate::plan::Registration { rack, ..registration(id, cluster.image.offset.0) };
    let decision = plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &registration, true);
    let epoch = cluster.take(decision).unwrap();
    assert!(!cluster.beat(heartbeat(id, epoch)).is_fenced);
}

/// Three brokers that share 30 partitions evenly, three replicas each.
fn three_with_thirty() -> Balanced {
    let mut balanced = Balanced::new(&[None; 3]);
    let partitions: Vec<_> = (0..30).map(|p| (0..3).map(|r| 1 + (p + r) % 3).collect()).collect();
    balanced.topic("t", &partitions);
    assert_eq!(balanced.plan(100).moves, [], "it is even");
    balanced
}

fn within_a_tenth(counts: &[usize]) -> bool {
    let (total, n) = (counts.iter().sum::<usize>(), counts.len());
    counts.iter().all(|&count| (count * n).abs_diff(total) <= (total / 10).max(n))
}

#[test]
fn a_fourth_broker_takes_its_part_of_replicas_and_leaders() {
    let mut balanced = three_with_thirty();
    start(&mut balanced.cluster, 4, None);
    let first = balanced.plan(3).moves;
    assert_eq!(first.len(), 3, "no more than asked for");
    assert_eq!(first[0].kind, MoveKind::Replicas);
    assert!(first[0].to.contains(&NodeId(4)));
    assert_eq!(first[0].reason, "broker 3 holds 30 replicas and broker 4 holds 0; even would be 22.5");
    assert_eq!(balanced.plan(3).moves, first, "the same again");
    let moves = balanced.settle();
    let copied = moves.iter().filter(|made| made.kind == MoveKind::Replicas).count();
    assert!(copied <= 22, "no more than needed: {copied}");
    let (replicas, leaders) = balanced.counts();
    assert!(within_a_tenth(&replicas) && within_a_tenth(&leaders), "{replicas:?} {leaders:?}");
}

#[test]
fn what_was_placed_by_hand_stays_counts_and_is_told_of_but_leaves_a_drained_broker() {
    let mut balanced = Balanced::new(&[None; 4]);
    balanced.topic("t", &vec![vec![1, 2, 3]; 6]);
    let all: BTreeSet<_> = balanced.partitions().into_iter().map(|(key, _)| key).collect();
    assert_eq!(balanced.plan(100).blocked, [""; 0]);
    assert!(!balanced.plan(100).moves.is_empty(), "it is uneven");
    balanced.placed = all;
    let balance = balanced.plan(100);
    assert_eq!(balance.moves, []);
    assert!(
        balance.blocked[0].starts_with("6 partitions stay where they were placed by hand"),
        "{balance:?}"
    );
    balanced.topic("automatic", &[vec![1, 2, 3], vec![1, 2, 3]]);
    let moved: Vec<_> = balanced.settle().into_iter().map(|made| made.topic).collect();
    assert!(!moved.is_empty() && moved.iter().all(|topic| *topic == "automatic".into()), "{moved:?}");
    balanced.drain(2);
    balanced.settle();
    assert_eq!(balanced.replicas_on(2), 0);
}

#[test]
fn a_drained_broker_ends_with_nothing() {
    let mut balanced = three_with_thirty();
    start(&mut balanced.cluster, 4, None);
    balanced.settle();
    balanced.drain(2);
    let first = balanced.plan(1).moves.remove(0);
    assert!(first.reason.starts_with("broker 2 is drained; broker "), "{}", first.reason);
    balanced.settle();
    assert_eq!(balanced.replicas_on(2), 0);
    let (replicas, leaders) = balanced.counts();
    assert_eq!(replicas, [30, 30, 30]);
    assert!(within_a_tenth(&leaders), "{leaders:?}");
}

#[test]
fn a_broker_that_cannot_be_emptied_is_told_of() {
    let mut balanced = three_with_thirty();
    balanced.drain(3);
    let balance = balanced.plan(100);
    assert_eq!(balance.moves, []);
    assert!(
        balance.blocked[0].starts_with("30 partitions cannot leave broker 3: every other"),
        "{balance:?}"
    );
}

#[test]
fn a_restart_moves_no_replica_and_a_lost_broker_is_replaced() {
    let mut balanced = three_with_thirty();
    start(&mut balanced.cluster, 4, None);
    balanced.settle();
    balanced.cluster.fence(1);
    assert_eq!(balanced.plan(100).moves, [], "it may come back");
    balanced.lost.insert(NodeId(1));
    let moves = balanced.settle();
    assert!(moves[0].reason.contains("broker 1 was away for longer than"), "{}", moves[0].reason);
    assert_eq!(balanced.replicas_on(1), 0);
}

#[test]
fn leaders_return_to_a_broker_that_came_back() {
    let mut balanced = three_with_thirty();
    balanced.cluster.fence(1);
    start(&mut balanced.cluster, 1, None);
    assert_eq!(balanced.plan(100).moves, [], "it is not in sync");
    balanced.sync();
    assert_eq!(balanced.counts().1[0], 0);
    let moves = balanced.settle();
    assert!(moves.iter().all(|made| made.kind == MoveKind::Elect), "{moves:?}");
    assert!(within_a_tenth(&balanced.counts().1));
}

#[test]
fn what_is_out_of_sync_or_moved_by_somebody_else_is_left_alone() {
    let mut balanced = Balanced::new(&[None; 4]);
    balanced.topic("t", &vec![vec![1, 2]; 4]);
    let wish = Reassignment { topic: "t".into(), index: 0.into(), replicas: Some(nodes(&[2, 4])) };
    let (image, settings) = (&balanced.cluster.image, &balanced.cluster.settings);
    let decision = plan_alter_partition_reassignments(image, settings, false, &[wish]);
    let refused: Vec<ReassignmentError> =
        balanced.cluster.take(decision).into_iter().filter_map(|(.., outcome)| outcome.err()).collect();
    assert_eq!(refused, []);
    let moved: Vec<_> = balanced.plan(100).moves.iter().map(|made| made.partition.1.0).collect();
    assert!(!moved.is_empty() && !moved.contains(&0), "{moved:?}");
    balanced.cluster.fence(2);
    start(&mut balanced.cluster, 2, None);
    assert_eq!(balanced.plan(100).moves, [], "2 is behind everywhere");
    balanced.drain(1);
    let balance = balanced.plan(100);
    assert_eq!(balance.moves, [], "only 1 has everything");
    assert!(balance.blocked[0].contains("partitions of broker 1 wait until they are in sync"), "{balance:?}");
}

#[test]
fn an_own_move_to_a_broker_that_is_drained_meanwhile_is_given_up() {
    let mut balanced = three_with_thirty();
    start(&mut balanced.cluster, 4, None);
    let moves = balanced.plan(1).moves;
    let begun = balanced.begin(&moves);
    assert_eq!(begun, moves);
    assert_eq!(balanced.begin(&moves), [], "the partition has changed since");
    let ours = begun.iter().map(|made| made.partition).collect();
    balanced.drain(4);
    let given_up = balanced.plan_with(&ours, 1).moves;
    assert_eq!((given_up[0].kind, given_up.len()), (MoveKind::Cancel, 1));
    balanced.begin(&given_up);
    assert_eq!(balanced.replicas_on(4), 0);
    assert!(balanced.partitions().iter().all(|(_, partition)| !partition.is_reassigning()));
}

/// Topics of random shape: for each partition its first broker, drawn so that few brokers have most.
fn shapes() -> impl Strategy<Value = Vec<(usize, Vec<usize>)>> {
    let partitions = proptest::collection::vec(prop_oneof![Just(0_usize), 0..7_usize], 1..20);
    proptest::collection::vec((1..4_usize, partitions), 1..5)
}

fn with_topics(racks: &[Option<&str>], shapes: &[(usize, Vec<usize>)]) -> Balanced {
    let mut balanced = Balanced::new(racks);
    let brokers = racks.len();
    for (number, (factor, firsts)) in shapes.iter().enumerate() {
        let replicas = |first: &usize| {
            (0..*factor.min(&brokers)).map(|r| i32::try_from(1 + (first + r) % brokers).unwrap()).collect()
        };
        let partitions: Vec<Vec<i32>> = firsts.iter().map(replicas).collect();
        balanced.topic(&format!("t{number}"), &partitions);
    }
    balanced
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_settles_even_and_drained_brokers_are_empty(
        brokers in 2..7_usize, shapes in shapes(), drained in 0..3_i32, lost in 0..2_i32,
    ) {
        let mut balanced = with_topics(&vec![None; brokers], &shapes);
        let count = i32::try_from(brokers).unwrap();
        (1..=drained.min(count - 1)).for_each(|id| balanced.drain(id));
        if lost == 1 && count > drained + 1 {
            balanced.cluster.fence(count);
            balanced.lost.insert(NodeId(count));
        }
        balanced.settle();
        let loads = balanced.plan(0).brokers;
        let active = loads.iter().filter(|load| load.standing == Standing::Active).count();
        let largest = balanced.partitions().iter().map(|(_, partition)| partition.replicas.len()).max().unwrap();
        let (replicas, leaders) = balanced.counts();
        if largest <= active {
            // The only replica of a partition is not to be had from a broker that is away.
            let single = shapes.iter().any(|(factor, _)| *factor == 1);
            let keeps = |load: &&BrokerLoad| load.standing == Standing::Lost && single;
            for load in loads.iter().filter(|load| load.standing.is_leaving() && !keeps(load)) {
                prop_assert_eq!((load.replicas, load.leaders), (0, 0));
            }
            prop_assert!(within_a_tenth(&replicas), "{:?}", replicas);
        }
        let factors: BTreeSet<_> = shapes.iter().map(|(factor, _)| factor.min(&brokers)).collect();
        if largest <= active && factors.len() == 1 {
            let mean = leaders.iter().sum::<usize>() as f64 / leaders.len() as f64;
            prop_assert!(leaders.iter().all(|&led| (led as f64 - mean).abs() <= mean * 0.1 + 2.0), "{:?}", leaders);
        }
    }

    #[test]
    fn no_partition_is_on_fewer_racks_than_before(
        racks in proptest::collection::vec(prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))], 2..7),
        shapes in shapes(),
    ) {
        let mut balanced = with_topics(&racks, &shapes);
        let before = balanced.racks();
        balanced.settle();
        let after = balanced.racks();
        prop_assert!(before.iter().all(|(key, racks)| racks <= &after[key]), "{:?} {:?}", before, after);
    }
}
