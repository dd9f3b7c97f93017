use ottla_types::{BrokerEpoch, TopicId};

use super::ReassignmentError as E;
use super::*;
use crate::image::LeaderRecoveryState;
use crate::plan::{AlterPartition, AlterPartitionError, list_partition_reassignments, plan_alter_partition};
use crate::testing::*;

/// Brokers 1 to 5, and a topic with one partition.
fn cluster(replicas: &[i32]) -> (Cluster, TopicId) {
    let mut cluster = Cluster::new(5);
    let topic = cluster.topic("t", replicas);
    (cluster, topic)
}

fn wish(replicas: Option<&[i32]>) -> Reassignment {
    Reassignment { topic: "t".into(), index: 0.into(), replicas: replicas.map(nodes) }
}

fn alter_all(cluster: &mut Cluster, allow: bool, wishes: &[Reassignment]) -> Vec<Result<(), E>> {
    let (image, settings) = (&cluster.image, &cluster.settings);
    let decision = plan_alter_partition_reassignments(image, settings, allow, wishes);
    cluster.take(decision).into_iter().map(|(_, _, outcome)| outcome).collect()
}

fn reassign(cluster: &mut Cluster, replicas: &[i32]) -> Result<(), E> {
    alter_all(cluster, true, &[wish(Some(replicas))]).remove(0)
}

fn cancel(cluster: &mut Cluster) -> Result<(), E> {
    alter_all(cluster, true, &[wish(None)]).remove(0)
}

/// The leader reports this ISR.
fn isr(cluster: &mut Cluster, topic: TopicId, isr: &[i32]) -> Result<PartitionImage, AlterPartitionError> {
    let partition = cluster.partition(topic);
    let leader = partition.leader;
    let wish = AlterPartition {
        topic,
        index: PartitionIndex(0),
        leader_epoch: partition.leader_epoch,
        partition_epoch: partition.partition_epoch,
        isr: isr.iter().map(|&id| (NodeId(id), BrokerEpoch::NONE)).collect(),
        recovery: LeaderRecoveryState::Recovered,
    };
    let epoch = cluster.image.brokers.get(leader).unwrap().epoch;
    let decision = plan_alter_partition(&cluster.image, &cluster.settings, leader, epoch, &[wish]);
    cluster.take(decision).unwrap().remove(0).2
}

/// Replicas, those being added, those being removed.
fn assignment(cluster: &Cluster, topic: TopicId) -> [Vec<i32>; 3] {
    let partition = cluster.partition(topic);
    [&partition.replicas, &partition.adding_replicas, &partition.removing_replicas]
        .map(|ids| ids.iter().map(|id| id.0).collect())
}

fn epochs(cluster: &Cluster, topic: TopicId) -> (i32, i32) {
    let partition = cluster.partition(topic);
    (partition.leader_epoch.0, partition.partition_epoch.0)
}

#[test]
fn what_a_reassignment_begins_with() {
    // Replicas and ISR before, the wish; replicas, adding, removing after, leader, ISR, leader epoch.
    type Case<'a> = (&'a [i32], &'a [i32], &'a [i32], [&'a [i32]; 3], i32, &'a [i32], i32);
    let cases: [Case<'_>; 9] = [
        // Somebody has to copy: nothing else changes.
        (&[1, 2], &[1, 2], &[3, 2], [&[3, 2, 1], &[3], &[1]], 1, &[1, 2], 0),
        (&[1, 2], &[1, 2], &[3, 4], [&[3, 4, 1, 2], &[3, 4], &[1, 2]], 1, &[1, 2], 0),
        (&[1], &[1], &[1, 2, 3], [&[1, 2, 3], &[2, 3], &[]], 1, &[1], 0),
        // Nobody has to: it ends at once. Who leads goes on, if it stays.
        (&[1, 2], &[1, 2], &[2, 1], [&[2, 1], &[], &[]], 1, &[1, 2], 0),
        (&[1, 2, 3], &[1, 2, 3], &[1, 3], [&[1, 3], &[], &[]], 1, &[1, 3], 1),
        (&[1, 2, 3], &[1, 2, 3], &[3, 2], [&[3, 2], &[], &[]], 3, &[2, 3], 1),
        (&[1, 2], &[1, 2], &[1, 2], [&[1, 2], &[], &[]], 1, &[1, 2], 0),
        // Who shall stay is not in sync.
        (&[1, 2, 3], &[1, 2], &[1, 3], [&[1, 3, 2], &[], &[2]], 1, &[1, 2], 0),
        (&[1, 2, 3], &[1], &[2, 3], [&[2, 3, 1], &[], &[1]], 1, &[1], 0),
    ];
    for (replicas, in_sync, target, after, leader, isr_after, leader_epoch) in cases {
        let (mut cluster, topic) = cluster(replicas);
        isr(&mut cluster, topic, in_sync).unwrap();
        let (was, before) = epochs(&cluster, topic);
        assert_eq!(reassign(&mut cluster, target), Ok(()), "{replicas:?} {target:?}");
        assert_eq!(assignment(&cluster, topic), after.map(<[i32]>::to_vec), "{replicas:?} {target:?}");
        let (leads, now_in_sync, _) = cluster.state(topic);
        assert_eq!((leads, &*now_in_sync), (leader, isr_after), "{replicas:?} {target:?}");
        let (epoch, partition_epoch) = epochs(&cluster, topic);
        assert_eq!(epoch - was, leader_epoch, "{replicas:?} {target:?}");
        assert_eq!(partition_epoch - before, i32::from(replicas != target), "{replicas:?} {target:?}");
        assert_eq!(cluster.partition(topic).directories.len(), after[0].len());
        for &id in after[0] {
            let directory = cluster.partition(topic).directory_of(NodeId(id));
            assert_eq!(directory, Some(uuid(77_000 + i64::from(id))), "the only one of {id}");
        }
    }
}

#[test]
fn it_ends_once_all_that_stay_are_in_sync_and_a_removed_leader_is_told() {
    let (mut cluster, topic) = cluster(&[1, 2]);
    reassign(&mut cluster, &[3, 4]).unwrap();
    assert!(!cluster.partition(topic).is_under_replicated(), "as many as before");
    assert_eq!(isr(&mut cluster, topic, &[1, 2, 3]).unwrap().leader, NodeId(1));
    assert_eq!(assignment(&cluster, topic), [vec![3, 4, 1, 2], vec![3, 4], vec![1, 2]], "4 still copies");
    let ended = isr(&mut cluster, topic, &[1, 2, 3, 4]);
    assert_eq!(ended, Err(AlterPartitionError::NewLeaderElected { leader: NodeId(3) }));
    assert_eq!(assignment(&cluster, topic), [vec![3, 4], vec![], vec![]]);
    assert_eq!(cluster.state(topic), (3, vec![3, 4], vec![]));
    assert_eq!(epochs(&cluster, topic), (1, 3));
}

#[test]
fn a_leader_that_stays_gets_a_new_epoch_when_others_are_removed() {
    let (mut cluster, topic) = cluster(&[1, 2]);
    reassign(&mut cluster, &[3, 1]).unwrap();
    let after = isr(&mut cluster, topic, &[1, 2, 3]).unwrap();
    assert_eq!((after.leader, after.leader_epoch.0), (NodeId(1), 1));
    assert_eq!(assignment(&cluster, topic), [vec![3, 1], vec![], vec![]]);
}

#[test]
fn a_fenced_broker_does_not_lead_what_it_was_moved_to() {
    let (mut cluster, topic) = cluster(&[1, 2]);
    reassign(&mut cluster, &[3, 4]).unwrap();
    isr(&mut cluster, topic, &[1, 2, 3]).unwrap();
    cluster.fence(3);
    assert_eq!(cluster.state(topic), (1, vec![1, 2], vec![]));
    isr(&mut cluster, topic, &[1, 2, 4]).unwrap();
    assert_eq!(assignment(&cluster, topic)[0], [3, 4, 1, 2], "3 is not in sync any more");
}

#[test]
fn a_cancelled_one_leaves_what_was_there_before() {
    let (mut cluster, topic) = cluster(&[1, 2]);
    assert_eq!(cancel(&mut cluster), Err(E::NoReassignmentInProgress));
    reassign(&mut cluster, &[3, 2]).unwrap();
    isr(&mut cluster, topic, &[1, 2]).unwrap();
    cancel(&mut cluster).unwrap();
    assert_eq!(assignment(&cluster, topic), [vec![2, 1], vec![], vec![]]);
    assert_eq!(cluster.state(topic), (1, vec![1, 2], vec![]));
    assert_eq!(epochs(&cluster, topic).0, 1, "who was being added must not go on fetching");
    assert_eq!(cancel(&mut cluster), Err(E::NoReassignmentInProgress));
}

#[test]
fn who_was_being_added_and_leads_is_replaced_when_that_is_cancelled() {
    let (mut cluster, topic) = cluster(&[1]);
    reassign(&mut cluster, &[2, 3]).unwrap();
    isr(&mut cluster, topic, &[1, 2]).unwrap();
    cluster.fence(1);
    assert_eq!(cluster.state(topic).0, 2);
    let refused = E::UncleanRevert { topic: "t".into(), index: 0.into() };
    assert_eq!(cancel(&mut cluster), Err(refused), "only 2 has all");
    cluster.configure(&["unclean.leader.election.enable=true"]);
    assert_eq!(cancel(&mut cluster), Ok(()));
    assert_eq!(assignment(&cluster, topic), [vec![1], vec![], vec![]]);
    assert_eq!(cluster.state(topic).1, [1]);
}

#[test]
fn one_over_another_keeps_what_has_been_copied_until_it_ends() {
    let (mut cluster, topic) = cluster(&[1, 2]);
    reassign(&mut cluster, &[3, 4]).unwrap();
    isr(&mut cluster, topic, &[1, 2, 3]).unwrap();
    reassign(&mut cluster, &[3, 5]).unwrap();
    assert_eq!(assignment(&cluster, topic), [vec![3, 5, 1, 2, 4], vec![5], vec![1, 2, 4]]);
    let ended = isr(&mut cluster, topic, &[1, 2, 3, 5]);
    assert_eq!(ended, Err(AlterPartitionError::NewLeaderElected { leader: NodeId(3) }));
    assert_eq!(assignment(&cluster, topic), [vec![3, 5], vec![], vec![]]);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let (mut cluster, topic) = cluster(&[1, 2]);
    let before = cluster.image.offset;
    let cases: [(&[i32], E); 4] = [
        (&[], AssignmentError::Empty.into()),
        (&[3, 3], AssignmentError::RepeatedBroker(NodeId(3)).into()),
        (&[3, 9], AssignmentError::UnknownBroker(NodeId(9)).into()),
        (&[-1], AssignmentError::UnknownBroker(NodeId(-1)).into()),
    ];
    for (target, error) in cases {
        assert_eq!(reassign(&mut cluster, target), Err(error), "{target:?}");
    }
    let unknown = Reassignment { topic: "u".into(), ..wish(Some(&[3])) };
    let beyond = Reassignment { index: 1.into(), ..wish(Some(&[3])) };
    let outcomes = alter_all(&mut cluster, true, &[unknown, beyond]);
    let no_partition = E::UnknownPartition { topic: "t".into(), index: 1.into() };
    assert_eq!(outcomes, [Err(E::UnknownTopic("u".into())), Err(no_partition)]);
    assert_eq!(cluster.image.offset, before);
    let twice = alter_all(&mut cluster, true, &[wish(Some(&[3])), wish(Some(&[4]))]);
    assert_eq!(twice, [Ok(()), Err(E::Repeated { topic: "t".into(), index: 0.into() })]);
    assert_eq!(assignment(&cluster, topic)[1], [3]);
}

#[test]
fn the_number_of_replicas_may_be_held_fast() {
    let (mut cluster, topic) = cluster(&[1, 2]);
    let mut strictly = |target: &[i32]| alter_all(&mut cluster, false, &[wish(Some(target))]).remove(0);
    assert_eq!(strictly(&[3]), Err(E::ReplicationFactor { current: 2, wished: 1 }));
    assert_eq!(strictly(&[1, 2, 3]), Err(E::ReplicationFactor { current: 2, wished: 3 }));
    assert_eq!(strictly(&[3, 4]), Ok(()));
    assert_eq!(
        strictly(&[3, 4, 5]),
        Err(E::ReplicationFactor { current: 2, wished: 3 }),
        "what it will have"
    );
    assert_eq!(strictly(&[3, 5]), Ok(()));
    assert_eq!(assignment(&cluster, topic)[0], [3, 5, 1, 2, 4]);
}

#[test]
fn nobody_is_eligible_to_lead_who_was_removed() {
    let mut cluster = Cluster::new(3);
    cluster.configure(&["min.insync.replicas=2"]);
    let topic = cluster.topic("t", &[1, 2]);
    reassign(&mut cluster, &[3]).unwrap();
    let ended = isr(&mut cluster, topic, &[1, 2, 3]);
    assert_eq!(ended, Err(AlterPartitionError::NewLeaderElected { leader: NodeId(3) }));
    assert_eq!(cluster.state(topic), (3, vec![3], vec![]));
}

#[test]
fn a_request_moves_no_more_partitions_than_it_may() {
    let (mut cluster, _) = cluster(&[1]);
    cluster.topic("u", &[1]);
    cluster.settings.max_partitions_per_request = 1;
    let other = Reassignment { topic: "u".into(), ..wish(Some(&[2])) };
    assert_eq!(
        alter_all(&mut cluster, true, &[wish(Some(&[2])), other]),
        [Ok(()), Err(E::TooMany { max: 1 })]
    );
}

#[test]
fn only_what_moves_is_listed() {
    let (mut cluster, _) = cluster(&[1, 2]);
    cluster.topic("u", &[1, 2]);
    assert_eq!(list_partition_reassignments(&cluster.image, None), []);
    reassign(&mut cluster, &[3, 2]).unwrap();
    let listed = |asked: Option<&[(TopicName, Vec<PartitionIndex>)]>| {
        let topics = list_partition_reassignments(&cluster.image, asked).into_iter();
        topics.map(|(name, moving)| (name.to_string(), moving.len())).collect::<Vec<_>>()
    };
    assert_eq!(listed(None), [("t".to_owned(), 1)]);
    let ask = |name: &str, indexes: &[i32]| {
        (TopicName::from(name), indexes.iter().copied().map(PartitionIndex).collect::<Vec<_>>())
    };
    assert_eq!(listed(Some(&[ask("u", &[0]), ask("t", &[0, 1]), ask("v", &[0])])), [("t".to_owned(), 1)]);
    assert_eq!(listed(Some(&[])), []);
}
