use ottla_types::{BrokerEpoch, NodeId, Offset, TopicId};

use crate::image::ELR_VERSION;
use crate::plan::*;
use crate::testing::*;
use ottla_protocol::records::metadata::FeatureLevelRecord;

#[test]
fn a_brokers_epoch_is_the_offset_of_its_registration() {
    let mut cluster = Cluster::new(0);
    let epoch = cluster.register(1);
    assert_eq!(epoch.0, cluster.image.offset.0);
    assert!(cluster.image.brokers.get(NodeId(1)).unwrap().fenced);
}

#[test]
fn a_broker_is_unfenced_once_it_has_read_its_own_registration() {
    let mut cluster = Cluster::new(0);
    let epoch = cluster.register(1);
    let behind = Heartbeat { metadata_offset: Offset(epoch.0 - 1), ..heartbeat(1, epoch) };
    let answer = cluster.beat(behind);
    assert!(answer.is_fenced && !answer.is_caught_up);
    let answer = cluster.beat(heartbeat(1, epoch));
    assert!(!answer.is_fenced && answer.is_caught_up);
}

#[test]
fn a_broker_that_was_fenced_serves_again_only_when_it_has_read_that() {
    let mut cluster = Cluster::new(2);
    let topic = cluster.topic("t", &[1, 2]);
    let epoch = cluster.image.brokers.get(NodeId(1)).unwrap().epoch;
    let before = cluster.image.offset;
    cluster.fence(1);
    let facts = SessionFacts { fenced_at: cluster.image.offset, ..NO_PROGRESS };
    let beat = |metadata_offset| {
        let heartbeat = Heartbeat { metadata_offset, ..heartbeat(1, epoch) };
        plan_heartbeat(&cluster.image, &cluster.settings, &heartbeat, facts).answer.unwrap().is_fenced
    };
    assert!(beat(before), "it believes to lead still");
    assert!(!beat(cluster.image.offset));
    assert_eq!(cluster.state(topic).0, 2);
    let other = cluster.image.brokers.get(NodeId(2)).unwrap().epoch;
    let pending = SessionFacts { fenced_at: cluster.image.offset.next(), ..NO_PROGRESS };
    let answer = plan_heartbeat(&cluster.image, &cluster.settings, &heartbeat(2, other), pending).answer;
    assert!(answer.unwrap().is_fenced, "its fencing is on its way");
}

#[test]
fn a_broker_that_does_not_know_who_leads_in_its_place_lives_and_is_not_caught_up() {
    let cluster = Cluster::new(2);
    let epoch = cluster.image.brokers.get(NodeId(1)).unwrap().epoch;
    let beat = |is_behind| {
        let facts = SessionFacts { is_behind, ..NO_PROGRESS };
        plan_heartbeat(&cluster.image, &cluster.settings, &heartbeat(1, epoch), facts)
    };
    let (behind, caught_up) = (beat(true), beat(false));
    assert!(behind.records.is_empty(), "it is not fenced");
    let (behind, caught_up) = (behind.answer.unwrap(), caught_up.answer.unwrap());
    assert!(!behind.is_fenced && !behind.is_caught_up);
    assert!(!caught_up.is_fenced && caught_up.is_caught_up);
}

#[test]
fn a_restarted_broker_registers_at_once_although_its_session_lasts() {
    let mut cluster = Cluster::new(1);
    let topic = cluster.topic("t", &[1]);
    let before = cluster.partition(topic).leader_epoch;
    let epoch = cluster.register(1);
    assert_eq!(cluster.state(topic), (-1, vec![1], vec![]), "the process that led is gone");
    assert_eq!(epoch.0, cluster.image.offset.0, "the leader changes come first, the epoch counts them");
    cluster.beat(heartbeat(1, epoch));
    assert_eq!(cluster.state(topic), (1, vec![1], vec![]));
    assert_eq!(cluster.partition(topic).leader_epoch.0, before.0 + 2);
}

#[test]
fn another_process_with_the_same_id_is_refused_while_the_session_lasts() {
    let cluster = Cluster::new(1);
    let stranger = Registration { directories: vec![uuid(5)], ..registration(1, 99) };
    let plan =
        |session| plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &stranger, session).answer;
    assert_eq!(plan(true), Err(RegisterBrokerError::Duplicate { broker: NodeId(1) }));
    assert!(plan(false).is_ok());
}

#[test]
fn the_same_incarnation_keeps_its_epoch() {
    let mut cluster = Cluster::new(0);
    let same = registration(1, 7);
    let register = |cluster: &mut Cluster| {
        cluster.take(plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &same, true)).unwrap()
    };
    let first = register(&mut cluster);
    cluster.beat(heartbeat(1, first));
    assert_eq!(register(&mut cluster), first);
    assert!(!cluster.image.brokers.get(NodeId(1)).unwrap().fenced);
}

#[test]
fn registrations_that_cannot_be() {
    let cluster = Cluster::new(1);
    let refused = |change: &dyn Fn(&mut Registration)| {
        let mut wish = registration(2, 1);
        change(&mut wish);
        plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &wish, false)
            .answer
            .unwrap_err()
            .to_string()
    };
    assert!(refused(&|r| r.cluster_id = "other".into()).contains("Expected cluster ID cluster"));
    assert!(refused(&|r| r.directories.clear()).contains("No directories"));
    assert!(refused(&|r| r.directories = vec![uuid(0)]).contains("Reserved directory"));
    assert!(refused(&|r| r.directories = vec![uuid(9), uuid(9)]).contains("Duplicate directory"));
    assert!(refused(&|r| r.directories = vec![uuid(77_001)]).contains("Broker 1 is already registered"));
    assert!(refused(&|r| r.features.clear()).contains("finalized version 30 of metadata.version"));
}

#[test]
fn an_older_incarnation_is_stale() {
    let mut cluster = Cluster::new(1);
    let old = cluster.image.brokers.get(NodeId(1)).unwrap().epoch;
    let new = cluster.start(1);
    let answer = plan_heartbeat(&cluster.image, &cluster.settings, &heartbeat(1, old), NO_PROGRESS).answer;
    assert_eq!(answer, Err(StaleBrokerEpoch { broker: NodeId(1), sent: old, registered: new }));
    let unknown = plan_heartbeat(&cluster.image, &cluster.settings, &heartbeat(9, old), NO_PROGRESS).answer;
    assert_eq!(unknown.unwrap_err().registered, BrokerEpoch::NONE);
}

#[test]
fn fencing_moves_leaders_and_shrinks_isrs_but_keeps_the_last_member() {
    let mut cluster = Cluster::new(3);
    let (three, alone) = (cluster.topic("three", &[1, 2, 3]), cluster.topic("alone", &[1]));
    cluster.fence(1);
    assert_eq!(cluster.state(three), (2, vec![2, 3], vec![]));
    assert_eq!(cluster.state(alone), (-1, vec![1], vec![]));
    assert_eq!(cluster.partition(three).leader_epoch.0, 1);
    assert_eq!(cluster.partition(three).partition_epoch.0, 1);
    cluster.start(1);
    assert_eq!(cluster.state(three), (2, vec![2, 3], vec![]), "it joins when its leader finds it in sync");
    assert_eq!(cluster.state(alone), (1, vec![1], vec![]));
}

#[test]
fn without_an_unclean_election_only_the_isr_leads() {
    let mut cluster = Cluster::new(2);
    let topic = cluster.topic("t", &[1, 2]);
    cluster.fence(2);
    cluster.fence(1);
    cluster.start(2);
    assert_eq!(cluster.state(topic), (-1, vec![1], vec![]));
    cluster.configure(&["unclean.leader.election.enable=true"]);
    cluster.start(2);
    assert_eq!(cluster.state(topic), (2, vec![2], vec![]));
    assert_eq!(cluster.partition(topic).leader_recovery_state.code(), 1);
}

#[test]
fn below_min_isr_those_that_leave_stay_eligible() {
    let mut cluster = Cluster::new(3);
    cluster.configure(&["min.insync.replicas=2"]);
    elr_on(&mut cluster);
    let topic = cluster.topic("t", &[1, 2, 3]);
    cluster.fence(1);
    assert_eq!(cluster.state(topic), (2, vec![2, 3], vec![]), "still min ISR");
    cluster.fence(2);
    assert_eq!(cluster.state(topic), (3, vec![3], vec![2]));
    cluster.fence(3);
    assert_eq!(cluster.state(topic), (-1, vec![], vec![2, 3]), "the ISR may be empty now");
    assert_eq!(*cluster.partition(topic).last_known_elr, [NodeId(3)]);
    let epoch = cluster.image.brokers.get(NodeId(2)).unwrap().epoch;
    cluster.beat(heartbeat(2, epoch));
    assert_eq!(cluster.state(topic), (2, vec![2], vec![3]), "an eligible replica lost nothing");
    assert!(cluster.partition(topic).last_known_elr.is_empty());
}

#[test]
fn an_unclean_shutdown_ends_eligibility() {
    let mut cluster = Cluster::new(2);
    cluster.configure(&["min.insync.replicas=2"]);
    elr_on(&mut cluster);
    let topic = cluster.topic("t", &[1, 2]);
    cluster.fence(2);
    assert_eq!(cluster.state(topic), (1, vec![1], vec![2]));
    cluster.register(2);
    assert_eq!(cluster.state(topic), (1, vec![1], vec![]));
}

#[test]
fn a_clean_restart_keeps_eligibility() {
    let mut cluster = Cluster::new(2);
    cluster.configure(&["min.insync.replicas=2"]);
    elr_on(&mut cluster);
    let topic = cluster.topic("t", &[1, 2]);
    let previous_epoch = cluster.image.brokers.get(NodeId(2)).unwrap().epoch;
    cluster.fence(2);
    let again = Registration { previous_epoch, ..registration(2, 500) };
    cluster.take(plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &again, false)).unwrap();
    assert_eq!(cluster.state(topic), (1, vec![1], vec![2]));
}

/// A new process of `broker`, whose directories have what the former acknowledged, or not. It is fenced yet.
fn restart(cluster: &mut Cluster, broker: i32, lost_nothing: bool) -> BrokerEpoch {
    let former = cluster.image.brokers.get(NodeId(broker)).unwrap().epoch;
    let previous_epoch = if lost_nothing { former } else { BrokerEpoch::NONE };
    let again = Registration { previous_epoch, ..registration(broker, 500 + cluster.image.offset.0) };
    cluster.take(plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &again, true)).unwrap()
}

fn three_with_elr() -> (Cluster, TopicId) {
    let mut cluster = Cluster::new(3);
    cluster.configure(&["min.insync.replicas=2"]);
    elr_on(&mut cluster);
    let topic = cluster.topic("t", &[1, 2, 3]);
    (cluster, topic)
}

#[test]
fn a_restarted_leader_leads_only_in_a_new_epoch_although_nobody_else_could_and_its_session_lasts() {
    let mut cluster = Cluster::new(1);
    elr_on(&mut cluster);
    let topic = cluster.topic("t", &[1]);
    let before = cluster.partition(topic).leader_epoch.0;
    let epoch = restart(&mut cluster, 1, true);
    assert_eq!(cluster.state(topic), (-1, vec![], vec![1]), "it keeps its place");
    assert_eq!(cluster.partition(topic).leader_epoch.0, before + 1);
    cluster.beat(heartbeat(1, epoch));
    assert_eq!(cluster.state(topic), (1, vec![1], vec![]));
    assert_eq!(cluster.partition(topic).leader_epoch.0, before + 2);
    assert_eq!(cluster.partition(topic).leader_recovery_state.code(), 0, "a clean election");
}

#[test]
fn a_restarted_leader_hands_over_to_the_others_at_once() {
    let (mut cluster, topic) = three_with_elr();
    restart(&mut cluster, 1, true);
    assert_eq!(cluster.state(topic), (2, vec![2, 3], vec![]));
    assert_eq!(cluster.partition(topic).leader_epoch.0, 1);
}

#[test]
fn when_all_die_and_lost_nothing_an_eligible_one_leads_cleanly() {
    let (mut cluster, topic) = three_with_elr();
    let epochs = [1, 2, 3].map(|id| restart(&mut cluster, id, true));
    assert_eq!(cluster.state(topic), (-1, vec![], vec![2, 3]), "the first left while there were enough");
    cluster.beat(heartbeat(1, epochs[0]));
    assert_eq!(cluster.state(topic).0, -1, "it might lack what the others acknowledged without it");
    cluster.beat(heartbeat(2, epochs[1]));
    assert_eq!(cluster.state(topic), (2, vec![2], vec![3]));
    assert_eq!(cluster.partition(topic).leader_recovery_state.code(), 0);
    let before = cluster.partition(topic).leader_epoch;
    restart(&mut cluster, 2, true);
    assert_eq!(cluster.state(topic), (-1, vec![], vec![3, 2]), "once more, without having synced anybody");
    assert!(cluster.partition(topic).leader_epoch > before);
}

#[test]
fn when_all_die_and_may_have_lost_records_only_the_last_leader_may_lead() {
    let (mut cluster, topic) = three_with_elr();
    let epochs = [1, 2, 3].map(|id| restart(&mut cluster, id, false));
    assert_eq!(cluster.state(topic), (-1, vec![], vec![]));
    cluster.beat(heartbeat(1, epochs[0]));
    cluster.beat(heartbeat(2, epochs[1]));
    assert_eq!(cluster.state(topic), (-1, vec![], vec![]));
    cluster.beat(heartbeat(3, epochs[2]));
    assert_eq!(cluster.state(topic), (3, vec![3], vec![]), "KIP-966: who led last");
    assert_eq!(cluster.partition(topic).leader_recovery_state.code(), 1);
}

#[test]
fn an_incarnation_between_that_the_directories_do_not_know_ends_eligibility() {
    let (mut cluster, topic) = three_with_elr();
    let former = cluster.image.brokers.get(NodeId(3)).unwrap().epoch;
    cluster.fence(1);
    cluster.fence(3);
    assert_eq!(cluster.state(topic), (2, vec![2], vec![3]));
    let copied = Registration { previous_epoch: BrokerEpoch(former.0 - 1), ..registration(3, 500) };
    cluster.take(plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &copied, false)).unwrap();
    assert_eq!(cluster.state(topic), (2, vec![2], vec![]));
}

#[test]
fn a_registration_of_a_dead_process_that_was_long_on_its_way_takes_nothing_from_its_successor() {
    let (mut cluster, topic) = three_with_elr();
    let first = cluster.image.brokers.get(NodeId(3)).unwrap().epoch;
    let late = Registration { previous_epoch: first, ..registration(3, 500) };
    // It died before it was heard; its successor was.
    let epoch = restart(&mut cluster, 3, true);
    cluster.beat(heartbeat(3, epoch));
    cluster.fence(1);
    let plan = |cluster: &Cluster, session| {
        plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &late, session)
    };
    let refused = plan(&cluster, true);
    let expected = RegisterBrokerError::Superseded { broker: NodeId(3), registered: epoch, previous: first };
    assert_eq!((refused.answer, refused.records), (Err(expected), Vec::new()));
    let (leader, members) = (cluster.state(topic).0, cluster.image.brokers.get(NodeId(3)).unwrap());
    assert!(leader == 2 && members.epoch == epoch && !members.fenced);
    assert!(
        plan(&cluster, false).answer.is_ok(),
        "when nothing was heard of the successor, it may be a copy"
    );
    let next = Registration { previous_epoch: epoch, ..registration(3, 501) };
    let next = plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &next, true);
    assert!(next.answer.is_ok(), "a process that was started later need not wait");
}

#[test]
fn a_replica_whose_directory_is_not_brought_back_is_not_eligible() {
    let mut cluster = Cluster::new(1);
    cluster.configure(&["min.insync.replicas=2"]);
    elr_on(&mut cluster);
    let (kept, gone, new) = (uuid(8), uuid(9), uuid(10));
    let two = Registration { directories: vec![kept, gone], ..registration(2, 1) };
    let epoch =
        cluster.take(plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &two, false)).unwrap();
    cluster.beat(heartbeat(2, epoch));
    let topics = ["kept", "gone", "unknown"].map(|name| cluster.topic(name, &[1, 2]));
    let there = |topic, directory| DirectoryAssignment { topic, index: 0.into(), directory };
    let there = [there(topics[0], kept), there(topics[1], gone)];
    cluster
        .take(plan_assign_replicas_to_dirs(&cluster.image, &cluster.settings, NodeId(2), epoch, &there))
        .unwrap();
    cluster.fence(2);
    let elr = |cluster: &Cluster| topics.map(|topic| cluster.state(topic).2);
    assert_eq!(elr(&cluster), [vec![2], vec![2], vec![2]]);
    let again = |directories| Registration { directories, previous_epoch: epoch, ..registration(2, 2) };
    let registered = |directories| {
        let plan =
            plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &again(directories), false);
        let image = cluster.image.apply(&plan.records).unwrap().0;
        topics.map(|topic| image.topics.partition(topic, 0.into()).unwrap().elr.to_vec())
    };
    let (stays, leaves) = (vec![NodeId(2)], Vec::new());
    assert_eq!(registered(vec![kept, gone, new]), [stays.clone(), stays.clone(), stays.clone()]);
    assert_eq!(registered(vec![kept, new]), [stays, leaves.clone(), leaves], "it may have been there");
}

#[test]
fn a_controlled_shutdown_waits_until_others_have_seen_the_new_leaders() {
    let mut cluster = Cluster::new(2);
    let topic = cluster.topic("t", &[1, 2]);
    let epoch = cluster.image.brokers.get(NodeId(1)).unwrap().epoch;
    let stop = Heartbeat { want_shut_down: true, ..heartbeat(1, epoch) };
    let first = cluster.beat(stop.clone());
    assert!(first.in_controlled_shutdown && !first.should_shut_down && !first.is_fenced);
    assert_eq!(cluster.state(topic), (2, vec![2], vec![]));
    let decided_at = Some(cluster.image.offset);
    let beat = |cluster: &mut Cluster, lowest| {
        let progress = SessionFacts { decided_at, lowest_active_offset: Some(lowest), ..NO_PROGRESS };
        cluster.take(plan_heartbeat(&cluster.image, &cluster.settings, &stop, progress)).unwrap()
    };
    assert!(!beat(&mut cluster, Offset(0)).should_shut_down);
    let offset = cluster.image.offset;
    assert!(beat(&mut cluster, offset).should_shut_down);
    assert!(cluster.image.brokers.get(NodeId(1)).unwrap().fenced);
}

#[test]
fn the_only_broker_stops_at_once() {
    let mut cluster = Cluster::new(1);
    let topic = cluster.topic("t", &[1]);
    let epoch = cluster.image.brokers.get(NodeId(1)).unwrap().epoch;
    let answer = cluster.beat(Heartbeat { want_shut_down: true, ..heartbeat(1, epoch) });
    assert!(answer.should_shut_down && answer.is_fenced);
    assert_eq!(cluster.state(topic), (-1, vec![1], vec![]));
}

#[test]
fn a_failed_directory_takes_its_replicas_out() {
    let mut cluster = Cluster::new(1);
    let wish = Registration { directories: vec![uuid(8), uuid(9)], ..registration(2, 1) };
    let epoch =
        cluster.take(plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &wish, false)).unwrap();
    cluster.beat(heartbeat(2, epoch));
    let topic = cluster.topic("t", &[2, 1]);
    assert_eq!(cluster.partition(topic).directory_of(NodeId(2)), Some(uuid(0)), "the broker will choose");
    cluster.beat(Heartbeat { offline_directories: vec![uuid(8)], ..heartbeat(2, epoch) });
    assert_eq!(cluster.state(topic).0, 2, "the replica is not known to be there");
    assert_eq!(cluster.image.brokers.get(NodeId(2)).unwrap().directories, [uuid(9)]);
}

#[test]
fn a_broker_that_returns_without_a_directory_does_not_lead_from_it() {
    for with_elr in [false, true] {
        let mut cluster = Cluster::new(0);
        if with_elr {
            elr_on(&mut cluster);
        }
        let wish = Registration { directories: vec![uuid(8), uuid(9)], ..registration(1, 1) };
        let plan = plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &wish, false);
        let epoch = cluster.take(plan).unwrap();
        cluster.beat(heartbeat(1, epoch));
        let topics = [("gone", 8), ("kept", 9)].map(|(name, directory)| {
            let topic = cluster.topic(name, &[1]);
            let there = [DirectoryAssignment { topic, index: 0.into(), directory: uuid(directory) }];
            let (image, settings) = (&cluster.image, &cluster.settings);
            let plan = plan_assign_replicas_to_dirs(image, settings, NodeId(1), epoch, &there);
            cluster.take(plan).unwrap();
            topic
        });
        cluster.fence(1);
        let leaders = |cluster: &Cluster| topics.map(|topic| cluster.state(topic).0);
        assert_eq!(leaders(&cluster), [-1, -1]);
        let answer = cluster.beat(Heartbeat { offline_directories: vec![uuid(8)], ..heartbeat(1, epoch) });
        assert!(!answer.is_fenced, "it has another directory");
        assert_eq!(leaders(&cluster), [-1, 1], "ELR: {with_elr}");
    }
}

#[test]
fn a_broker_whose_directories_are_cordoned_gets_no_new_replicas() {
    let mut cluster = Cluster::new(1);
    let wish = Registration { directories: vec![uuid(8), uuid(9)], ..registration(2, 1) };
    let epoch =
        cluster.take(plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &wish, false)).unwrap();
    let cordons = |dirs: &[i64]| Heartbeat {
        cordoned_directories: Some(dirs.iter().map(|dir| uuid(*dir)).collect()),
        ..heartbeat(2, epoch)
    };
    cluster.beat(cordons(&[8]));
    cluster.create(new_topic("both", 1, 2)).unwrap();
    cluster.beat(cordons(&[8, 9]));
    let offset = cluster.image.offset;
    cluster.beat(cordons(&[8, 9]));
    assert_eq!(cluster.image.offset, offset, "nothing is new");
    let refused = cluster.create(new_topic("one", 1, 2)).unwrap_err().to_string();
    assert!(refused.contains("only 1 broker(s)"), "{refused}");
    cluster.beat(cordons(&[]));
    cluster.create(new_topic("again", 1, 2)).unwrap();
}

/// Before 4.3-IV0 no record can say it.
#[test]
fn directories_are_cordoned_only_at_a_level_that_can_tell() {
    let mut cluster = Cluster::at_level(29, 1);
    let epoch = cluster.image.brokers.get(NodeId(1)).unwrap().epoch;
    let cordoned_directories = Some(vec![uuid(77_001)]);
    cluster.beat(Heartbeat { cordoned_directories, ..heartbeat(1, epoch) });
    assert!(!cluster.image.brokers.get(NodeId(1)).unwrap().is_cordoned());
}

#[test]
fn an_unregistered_broker_leaves_isr_and_elr() {
    let mut cluster = Cluster::new(2);
    let topic = cluster.topic("t", &[1, 2]);
    cluster.take(plan_unregister_broker(&cluster.image, &cluster.settings, NodeId(1))).unwrap();
    assert_eq!(cluster.state(topic), (2, vec![2], vec![]));
    assert_eq!(
        plan_unregister_broker(&cluster.image, &cluster.settings, NodeId(1)).answer,
        Err(BrokerNotRegistered(NodeId(1)))
    );
}

#[test]
fn producer_ids_come_in_blocks_of_a_thousand() {
    let mut cluster = Cluster::new(1);
    let epoch = cluster.image.brokers.get(NodeId(1)).unwrap().epoch;
    for first in [0, 1000, 2000] {
        let block = cluster.take(plan_allocate_producer_ids(&cluster.image, NodeId(1), epoch)).unwrap();
        assert_eq!((block.first.0, block.len), (first, 1000));
    }
    let stale = plan_allocate_producer_ids(&cluster.image, NodeId(1), BrokerEpoch(epoch.0 - 1)).answer;
    assert!(matches!(stale, Err(AllocateProducerIdsError::Stale(_))));
}

fn elr_on(cluster: &mut Cluster) {
    let record = FeatureLevelRecord { name: ELR_VERSION.into(), feature_level: 1, ..Default::default() };
    cluster.apply(&[record.into()]);
}
