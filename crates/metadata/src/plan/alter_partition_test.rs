use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, PartitionEpoch, PartitionIndex, TopicId};

use super::AlterPartitionError as E;
use super::*;
use crate::testing::*;

/// Brokers 1 to 3, one partition that 1 leads, ISR 1 and 2.
fn cluster() -> (Cluster, TopicId) {
    let mut cluster = Cluster::new(3);
    cluster.fence(3);
    let topic = cluster.topic("t", &[1, 2, 3]);
    cluster.start(3);
    (cluster, topic)
}

fn wish(cluster: &Cluster, topic: TopicId, isr: &[i32]) -> AlterPartition {
    let partition = cluster.partition(topic);
    AlterPartition {
        topic,
        index: PartitionIndex(0),
        leader_epoch: partition.leader_epoch,
        partition_epoch: partition.partition_epoch,
        isr: isr.iter().map(|&id| (NodeId(id), BrokerEpoch::NONE)).collect(),
        recovery: LeaderRecoveryState::Recovered,
    }
}

fn alter(cluster: &mut Cluster, from: i32, wish: AlterPartition) -> Result<PartitionImage, E> {
    let epoch = cluster.image.brokers.get(NodeId(from)).unwrap().epoch;
    let decision = plan_alter_partition(&cluster.image, &cluster.settings, NodeId(from), epoch, &[wish]);
    cluster.take(decision).unwrap().remove(0).2
}

#[test]
fn the_isr_grows_and_shrinks_without_a_new_leader_epoch() {
    let (mut cluster, topic) = cluster();
    let grow = wish(&cluster, topic, &[1, 2, 3]);
    let after = alter(&mut cluster, 1, grow).unwrap();
    assert_eq!((after.partition_epoch.0, after.leader_epoch.0), (1, 0));
    assert_eq!(cluster.state(topic), (1, vec![1, 2, 3], vec![]));
    let shrink = wish(&cluster, topic, &[1]);
    assert_eq!(alter(&mut cluster, 1, shrink).unwrap().partition_epoch.0, 2);
}

#[test]
fn the_same_isr_changes_nothing() {
    let (mut cluster, topic) = cluster();
    let same = wish(&cluster, topic, &[1, 2]);
    let offset = cluster.image.offset;
    assert_eq!(alter(&mut cluster, 1, same).unwrap().partition_epoch.0, 0);
    assert_eq!(cluster.image.offset, offset);
}

#[test]
fn checks_come_in_kafkas_order() {
    let (mut cluster, topic) = cluster();
    let good = wish(&cluster, topic, &[1, 2]);
    let c = &mut cluster;
    let unknown = AlterPartition { topic: uuid(4), leader_epoch: LeaderEpoch(9), ..good.clone() };
    assert_eq!(alter(c, 1, unknown), Err(E::UnknownTopic(uuid(4))));
    let unknown = AlterPartition { index: PartitionIndex(1), ..good.clone() };
    assert_eq!(alter(c, 1, unknown), Err(E::UnknownPartition(PartitionIndex(1))));
    let newer = AlterPartition { leader_epoch: LeaderEpoch(1), ..good.clone() };
    assert_eq!(alter(c, 2, newer), Err(E::NotController { sent: 1, known: 0 }), "before: who leads");
    let newer =
        AlterPartition { partition_epoch: PartitionEpoch(1), leader_epoch: LeaderEpoch(-1), ..good.clone() };
    assert_eq!(
        alter(c, 1, newer),
        Err(E::NotController { sent: 1, known: 0 }),
        "before: the old leader epoch"
    );
    let older = AlterPartition { leader_epoch: LeaderEpoch(-1), ..good.clone() };
    assert_eq!(alter(c, 2, older), Err(E::FencedLeaderEpoch { current: LeaderEpoch(0) }));
    let older = AlterPartition { partition_epoch: PartitionEpoch(-1), ..good };
    assert_eq!(alter(c, 2, older.clone()), Err(E::NotLeader { leader: NodeId(1) }));
    assert_eq!(alter(c, 1, older), Err(E::InvalidUpdateVersion { current: PartitionEpoch(0) }));
}

#[test]
fn isrs_that_cannot_be() {
    let (mut cluster, topic) = cluster();
    for isr in [&[2][..], &[1, 9], &[1, 1], &[]] {
        let bad = wish(&cluster, topic, isr);
        assert_eq!(alter(&mut cluster, 1, bad), Err(E::InvalidIsr), "{isr:?}");
    }
    let recovering = LeaderRecoveryState::Recovering;
    let bad = AlterPartition { recovery: recovering, ..wish(&cluster, topic, &[1, 2]) };
    assert_eq!(alter(&mut cluster, 1, bad), Err(E::RecoveringWithFollowers));
    let bad = AlterPartition { recovery: recovering, ..wish(&cluster, topic, &[1]) };
    assert_eq!(alter(&mut cluster, 1, bad), Err(E::RecoveredBefore));
}

#[test]
fn only_active_brokers_of_the_known_epoch_join() {
    let (mut cluster, topic) = cluster();
    let old = cluster.image.brokers.get(NodeId(3)).unwrap().epoch;
    cluster.start(3);
    let mut stale = wish(&cluster, topic, &[1, 2, 3]);
    stale.isr[2].1 = old;
    assert!(matches!(alter(&mut cluster, 1, stale), Err(E::IneligibleReplica { broker: NodeId(3), .. })));
    cluster.fence(3);
    let fenced = wish(&cluster, topic, &[1, 2, 3]);
    assert!(matches!(
        alter(&mut cluster, 1, fenced),
        Err(E::IneligibleReplica { reason: "it is fenced", .. })
    ));
}

#[test]
fn an_older_incarnation_of_the_leader_is_refused_whole() {
    let (mut cluster, topic) = cluster();
    let old = cluster.image.brokers.get(NodeId(1)).unwrap().epoch;
    cluster.start(1);
    let any = wish(&cluster, topic, &[1]);
    assert!(plan_alter_partition(&cluster.image, &cluster.settings, NodeId(1), old, &[any]).answer.is_err());
}

#[test]
fn a_reassignment_ends_when_the_new_replicas_are_in_sync() {
    let (mut cluster, topic) = cluster();
    let record = ottla_protocol::records::metadata::PartitionChangeRecord {
        topic_id: topic,
        partition_id: 0,
        replicas: Some(vec![2, 3, 1]),
        removing_replicas: Some(vec![1]),
        adding_replicas: Some(vec![3]),
        directories: Some([2, 3, 1].map(|id| uuid(77_000 + id)).to_vec()),
        ..Default::default()
    };
    cluster.apply(&[record.into()]);
    let all = wish(&cluster, topic, &[1, 2, 3]);
    assert_eq!(alter(&mut cluster, 1, all), Err(E::NewLeaderElected { leader: NodeId(2) }));
    assert_eq!(cluster.state(topic), (2, vec![2, 3], vec![]));
    assert!(!cluster.partition(topic).is_reassigning());
    assert_eq!(cluster.partition(topic).directories.len(), 2);
}
