use ottla_metadata::{MetadataRecord, Settings};
use ottla_protocol::records::metadata::{
    PartitionRecord, RegisterBrokerRecord, RemoveTopicRecord, TopicRecord,
};
use ottla_types::{PartitionEpoch, PartitionIndex, Uuid};

use super::*;

const TOPIC: Uuid = Uuid([7; 16]);

/// Broker 1, broker 2, which may be fenced, and a topic with one partition that is on the way from 1 to 2.
fn image(fenced: bool) -> MetadataImage {
    let broker = |broker_id, fenced| {
        MetadataRecord::from(RegisterBrokerRecord {
            broker_id,
            broker_epoch: 1,
            fenced,
            ..Default::default()
        })
    };
    let topic = TopicRecord { name: "t".into(), topic_id: TOPIC, ..Default::default() };
    let partition = PartitionRecord {
        partition_id: 0,
        topic_id: TOPIC,
        replicas: vec![2, 1],
        isr: vec![1],
        adding_replicas: vec![2],
        removing_replicas: vec![1],
        leader: 1,
        directories: vec![Uuid::ZERO; 2],
        ..Default::default()
    };
    apply(&MetadataImage::empty(), &[broker(1, false), broker(2, fenced), topic.into(), partition.into()])
}

fn apply(image: &MetadataImage, records: &[MetadataRecord]) -> MetadataImage {
    image.apply(records).unwrap().0
}

fn made(kind: MoveKind) -> Move {
    Move {
        topic: "t".into(),
        partition: (TOPIC, PartitionIndex(0)),
        epoch: PartitionEpoch(0),
        kind,
        from: vec![NodeId(1)],
        to: vec![NodeId(2)],
        reason: "because".to_owned(),
    }
}

fn settings(image: &MetadataImage) -> BalancerSettings {
    Settings::default().balancer(image)
}

fn at(seconds: u64) -> Monotonic {
    Monotonic::default() + Duration::from_secs(seconds)
}

#[test]
fn a_look_is_due_after_a_while_if_anything_has_changed() {
    let (image, mut balancer) = (image(false), Balancer::default());
    let settings = settings(&image);
    assert!(balancer.is_due(&image, &settings, at(0)));
    let later = apply(&image, &[RemoveTopicRecord { topic_id: TOPIC, ..Default::default() }.into()]);
    assert!(!balancer.is_due(&later, &settings, at(10)), "one at a time");
    balancer.begun(Vec::new());
    assert!(!balancer.is_due(&image, &settings, at(20)), "it would plan the same");
    assert!(balancer.is_due(&later, &settings, at(20)));
    balancer.failed();
    assert!(!balancer.is_due(&later, &settings, at(21)), "too early");
    let paused = BalancerSettings { enabled: false, ..settings.clone() };
    assert!(!balancer.is_due(&later, &paused, at(30)));
    assert!(balancer.is_due(&later, &settings, at(30)), "what failed is tried again");
}

#[test]
fn a_broker_is_lost_after_it_was_fenced_for_long_without_a_break() {
    let (away, back, mut balancer) = (image(true), image(false), Balancer::default());
    let mut settings = settings(&away);
    let minutes = |minutes: u64| at(minutes * 60);
    assert!(balancer.is_due(&away, &settings, minutes(0)));
    balancer.begun(Vec::new());
    assert!(!balancer.is_due(&away, &settings, minutes(29)));
    assert!(balancer.is_due(&away, &settings, minutes(30)), "nothing changed but the time");
    assert_eq!(balancer.lost(&settings, minutes(30)), BTreeSet::from([NodeId(2)]));
    balancer.begun(Vec::new());
    assert!(balancer.is_due(&back, &settings, minutes(31)));
    balancer.begun(Vec::new());
    balancer.is_due(&away, &settings, minutes(40));
    assert!(balancer.lost(&settings, minutes(69)).is_empty());
    settings.lost_after = None;
    assert!(balancer.lost(&settings, minutes(1000)).is_empty());
}

#[test]
fn copies_are_under_way_until_the_partition_rests_and_the_newest_moves_are_remembered() {
    let (image, mut balancer) = (image(false), Balancer::default());
    balancer.begun(vec![made(MoveKind::Replicas)]);
    balancer.note_ended(&image);
    assert_eq!(balancer.ours().len(), 1);
    let later = apply(&image, &[RemoveTopicRecord { topic_id: TOPIC, ..Default::default() }.into()]);
    balancer.note_ended(&later);
    assert_eq!((balancer.ours().len(), balancer.ended.len()), (0, 1));
    balancer.begun(vec![made(MoveKind::Elect); REMEMBERED]);
    assert_eq!(balancer.ended.len(), REMEMBERED);
    assert!(balancer.ended.iter().all(|made| made.kind == MoveKind::Elect));
}

#[test]
fn what_was_placed_by_hand_stays_until_the_topic_or_a_broker_goes_or_one_comes() {
    let (image, mut balancer) = (image(false), Balancer::default());
    let (key, settings) = ((TOPIC, PartitionIndex(0)), settings(&image));
    balancer.place(&image, [key]);
    let fenced = self::image(true);
    assert!(balancer.is_due(&fenced, &settings, at(0)));
    assert_eq!(balancer.placed(), BTreeSet::from([key]), "a restart changes nothing");
    let third = RegisterBrokerRecord { broker_id: 3, broker_epoch: 2, ..Default::default() };
    for change in [third.into(), RemoveTopicRecord { topic_id: TOPIC, ..Default::default() }.into()] {
        let mut balancer = Balancer::default();
        balancer.place(&image, [key]);
        balancer.is_due(&apply(&image, &[change]), &settings, at(0));
        assert_eq!(balancer.placed(), BTreeSet::new());
    }
}
