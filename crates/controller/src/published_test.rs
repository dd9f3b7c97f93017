use ottla_metadata::encode_batch;
use ottla_metadata::image::Features;
use ottla_protocol::records::metadata::{
    FeatureLevelRecord, NoOpRecord, PartitionChangeRecord, PartitionRecord, ProducerIdsRecord,
    RemoveTopicRecord, TopicRecord,
};

use ottla_types::Uuid;

use super::*;

fn number(next_producer_id: i64) -> Bytes {
    batch(0, ProducerIdsRecord { next_producer_id, ..Default::default() })
}

fn batch(base: i64, record: impl Into<ottla_metadata::MetadataRecord>) -> Bytes {
    encode_batch(&Features::default(), Offset(base), &[record.into()]).unwrap()
}

fn machine() -> (MetadataStateMachine, Arc<Published>) {
    let published = Published::new();
    (MetadataStateMachine(Arc::clone(&published)), published)
}

#[test]
fn a_committed_batch_is_published_and_fed() {
    let (mut machine, published) = machine();
    let mut offsets = published.subscribe();
    machine.apply(Offset(9), LeaderEpoch(3), &number(4)).unwrap();
    assert_eq!(published.image().producer_ids.next.0, 4);
    assert_eq!(*offsets.borrow_and_update(), Offset(0), "metadata offsets count records, not log entries");
    let fed = published.batches_after(Offset::NONE, 100).unwrap();
    assert_eq!((fed[0].base_offset, fed[0].epoch), (Offset(0), LeaderEpoch(3)));
}

#[test]
fn a_batch_for_another_image_changes_nothing() {
    let (mut machine, published) = machine();
    machine.apply(Offset(1), LeaderEpoch(1), &number(4)).unwrap();
    machine.apply(Offset(2), LeaderEpoch(1), &number(5)).unwrap();
    assert_eq!(published.image().producer_ids.next.0, 4);
    assert!(published.was_refused(Offset(2)) && !published.was_refused(Offset(1)));
    assert_eq!(published.failure(), None);
}

#[test]
fn damage_stops_the_node() {
    for payload in [Bytes::from_static(b"?"), batch(0, RemoveTopicRecord::default())] {
        let (mut machine, published) = machine();
        let error = machine.apply(Offset(1), LeaderEpoch(1), &payload).unwrap_err().to_string();
        assert!(error.contains("log offset 1"), "the quorum is told: {error}");
        assert_eq!(published.failure(), Some(error.as_str()), "and so is the node");
        assert!(published.image().is_empty());
    }
}

#[test]
fn a_snapshot_replaces_everything() {
    let (mut machine, _) = machine();
    machine.apply(Offset(1), LeaderEpoch(1), &number(4)).unwrap();
    let snapshot = machine.snapshot().unwrap();
    let (mut other, published) = self::machine();
    other.apply(Offset(1), LeaderEpoch(1), &batch(0, NoOpRecord::default())).unwrap();
    other.restore(Offset(1), LeaderEpoch(1), &snapshot).unwrap();
    assert_eq!(published.image().producer_ids.next.0, 4);
    assert_eq!(published.batches_after(Offset::NONE, 100), None, "the feed starts anew");
    assert!(other.restore(Offset(1), LeaderEpoch(1), &Bytes::new()).is_err());
}

#[test]
fn who_lost_a_leadership_is_known_before_anybody_can_act_on_it_and_may_be_anybody_after_a_snapshot() {
    let (mut machine, published) = machine();
    let topic = TopicRecord { name: "t".into(), topic_id: Uuid([1; 16]), ..Default::default() };
    let partition = PartitionRecord {
        partition_id: 0,
        topic_id: Uuid([1; 16]),
        replicas: vec![1, 2],
        isr: vec![1, 2],
        leader: 1,
        ..Default::default()
    };
    let change =
        PartitionChangeRecord { partition_id: 0, topic_id: Uuid([1; 16]), leader: 2, ..Default::default() };
    machine.apply(Offset(1), LeaderEpoch(1), &batch(0, topic)).unwrap();
    machine.apply(Offset(2), LeaderEpoch(1), &batch(1, partition)).unwrap();
    machine.apply(Offset(3), LeaderEpoch(1), &batch(2, change)).unwrap();
    machine.apply(Offset(4), LeaderEpoch(1), &batch(3, NoOpRecord::default())).unwrap();
    assert_eq!([1, 2].map(|id| published.lost_by(NodeId(id))), [Offset(2), Offset::NONE]);
    let snapshot = machine.snapshot().unwrap();
    let (mut other, published) = self::machine();
    other.restore(Offset(4), LeaderEpoch(1), &snapshot).unwrap();
    assert_eq!([1, 2].map(|id| published.lost_by(NodeId(id))), [Offset(3), Offset(3)]);
}

#[tokio::test]
async fn a_level_that_this_build_does_not_support_stops_the_node_and_says_so() {
    let (mut machine, published) = machine();
    let level = |feature_level| FeatureLevelRecord {
        name: "metadata.version".into(),
        feature_level,
        ..Default::default()
    };
    // Level 30 as it is written, with another number in its place.
    let supported = batch(0, level(30));
    machine.apply(Offset(1), LeaderEpoch(1), &supported).unwrap();
    assert_eq!(published.failure(), None);
    let mut newer = batch(1, level(30)).to_vec();
    let at = newer.len() - 2;
    assert_eq!(newer[at], 30);
    newer[at] = 77;
    machine.apply(Offset(2), LeaderEpoch(1), &newer.clone().into()).unwrap_err();
    let reason = published.failed().await;
    assert!(
        reason.contains("level 77 of metadata.version") && reason.contains("run a newer one"),
        "{reason}"
    );
    assert_eq!(published.image().features.level("metadata.version"), 30);
    // The same in a snapshot.
    newer[0] = b'S';
    let (mut machine, _) = self::machine();
    let refused = machine.restore(Offset(2), LeaderEpoch(1), &newer.into()).unwrap_err().to_string();
    assert!(refused.contains("level 77 of metadata.version"), "{refused}");
}
