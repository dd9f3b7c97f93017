use ottla_metadata::encode_batch;
use ottla_protocol::records::metadata::{FeatureLevelRecord, NoOpRecord, RemoveTopicRecord};

use super::*;

fn feature(level: i16) -> Bytes {
    batch(0, FeatureLevelRecord { name: "f".into(), feature_level: level, ..Default::default() })
}

fn batch(base: i64, record: impl Into<ottla_metadata::MetadataRecord>) -> Bytes {
    encode_batch(Offset(base), &[record.into()]).unwrap()
}

fn machine() -> (MetadataStateMachine, Arc<Published>) {
    let published = Published::new();
    (MetadataStateMachine(Arc::clone(&published)), published)
}

#[test]
fn a_committed_batch_is_published_and_fed() {
    let (mut machine, published) = machine();
    let mut offsets = published.subscribe();
    machine.apply(Offset(9), LeaderEpoch(3), &feature(4));
    assert_eq!(published.image().features.level("f"), 4);
    assert_eq!(*offsets.borrow_and_update(), Offset(0), "metadata offsets count records, not log entries");
    let fed = published.batches_after(Offset::NONE, 100).unwrap();
    assert_eq!((fed[0].base_offset, fed[0].epoch), (Offset(0), LeaderEpoch(3)));
}

#[test]
fn a_batch_for_another_image_changes_nothing() {
    let (mut machine, published) = machine();
    machine.apply(Offset(1), LeaderEpoch(1), &feature(4));
    machine.apply(Offset(2), LeaderEpoch(1), &feature(5));
    assert_eq!(published.image().features.level("f"), 4);
    assert!(published.was_refused(Offset(2)) && !published.was_refused(Offset(1)));
    assert_eq!(published.failure(), None);
}

#[test]
fn damage_stops_the_node() {
    for payload in [Bytes::from_static(b"?"), batch(0, RemoveTopicRecord::default())] {
        let (mut machine, published) = machine();
        machine.apply(Offset(1), LeaderEpoch(1), &payload);
        assert!(published.failure().is_some());
        machine.apply(Offset(2), LeaderEpoch(1), &feature(1));
        assert!(published.image().is_empty(), "nothing is applied after a gap");
    }
}

#[test]
fn a_snapshot_replaces_everything() {
    let (mut machine, _) = machine();
    machine.apply(Offset(1), LeaderEpoch(1), &feature(4));
    let snapshot = machine.snapshot();
    let (mut other, published) = self::machine();
    other.apply(Offset(1), LeaderEpoch(1), &batch(0, NoOpRecord::default()));
    other.restore(Offset(1), LeaderEpoch(1), &snapshot).unwrap();
    assert_eq!(published.image().features.level("f"), 4);
    assert_eq!(published.batches_after(Offset::NONE, 100), None, "the feed starts anew");
    assert!(other.restore(Offset(1), LeaderEpoch(1), &Bytes::new()).is_err());
}
