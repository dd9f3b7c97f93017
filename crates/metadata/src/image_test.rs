use proptest::prelude::*;

use crate::image::{ConfigResource, Features, METADATA_VERSION};
use crate::plan::*;
use crate::testing::*;
use crate::{MetadataDelta, MetadataImage, RecordBatch, encode_batch};
use ottla_protocol::{Bytes, Reader};
use ottla_types::{NodeId, Offset, PartitionIndex};

/// One thing that can happen to a cluster.
#[derive(Clone, Debug)]
enum Step {
    Create { topic: u8, partitions: i32, factor: i16 },
    Delete { topic: u8 },
    Grow { topic: u8, count: i32 },
    Config { topic: u8, value: Option<i64> },
    Start { broker: i32 },
    Fence { broker: i32 },
    Unregister { broker: i32 },
    ProducerIds { broker: i32 },
    Elect,
}

fn step() -> impl Strategy<Value = Step> {
    let (topic, broker) = (0_u8..6, 1..5_i32);
    prop_oneof![
        3 => (topic.clone(), 1..4_i32, 1..4_i16)
            .prop_map(|(topic, partitions, factor)| Step::Create { topic, partitions, factor }),
        1 => topic.clone().prop_map(|topic| Step::Delete { topic }),
        1 => (topic.clone(), 1..6_i32).prop_map(|(topic, count)| Step::Grow { topic, count }),
        2 => (topic, proptest::option::of(1..9_i64)).prop_map(|(topic, value)| Step::Config { topic, value }),
        3 => broker.clone().prop_map(|broker| Step::Start { broker }),
        3 => broker.clone().prop_map(|broker| Step::Fence { broker }),
        1 => broker.clone().prop_map(|broker| Step::Unregister { broker }),
        1 => broker.prop_map(|broker| Step::ProducerIds { broker }),
        1 => Just(Step::Elect),
    ]
}

fn run(cluster: &mut Cluster, step: &Step) {
    let name = |topic: u8| format!("topic-{topic}");
    match *step {
        Step::Create { topic, partitions, factor } => {
            let _ = cluster.create(new_topic(&name(topic), partitions, factor));
        }
        Step::Delete { topic } => {
            let wish = [TopicRef::Name(name(topic).into())];
            cluster.take(plan_delete_topics(&cluster.image, &wish));
        }
        Step::Grow { topic, count } => {
            let wish = MorePartitions { name: name(topic).into(), count, assignments: None };
            let draw = cluster.draw();
            let plan =
                plan_create_partitions(&cluster.image, &cluster.settings, &[wish], false, &mut || draw);
            cluster.take(plan);
        }
        Step::Config { topic, value } => {
            let op = value.map_or(ConfigOp::Delete, |value| ConfigOp::Set(Some(value.to_string().into())));
            let resource = ConfigResource::topic(&name(topic));
            let change = IncrementalChange { resource, ops: vec![("retention.ms".into(), op)] };
            cluster.take(plan_incremental_alter_configs(&cluster.image, &cluster.settings, &[change]));
        }
        Step::Start { broker } => {
            cluster.start(broker);
        }
        Step::Fence { broker } => cluster.fence(broker),
        Step::Unregister { broker } => {
            let _ = cluster.take(plan_unregister_broker(&cluster.image, &cluster.settings, NodeId(broker)));
        }
        Step::ProducerIds { broker } => {
            if let Some(epoch) = cluster.image.brokers.get(NodeId(broker)).map(|broker| broker.epoch) {
                let _ = cluster.take(plan_allocate_producer_ids(&cluster.image, NodeId(broker), epoch));
            }
        }
        Step::Elect => {
            cluster.take(plan_elect_leaders(
                &cluster.image,
                &cluster.settings,
                ElectionType::Preferred,
                None,
            ));
        }
    }
}

/// What must hold of every partition, whatever happened.
fn check_partitions(image: &MetadataImage) {
    for topic in image.topics.iter() {
        for (index, partition) in topic.partitions() {
            let at = format!("{}-{index}: {partition:?}", topic.name);
            assert!(partition.isr.iter().all(|&id| partition.is_replica(id)), "{at}");
            assert!(!partition.has_leader() || partition.isr.contains(&partition.leader), "{at}");
            assert!(!partition.has_leader() || image.brokers.is_active(partition.leader), "{at}");
            assert_eq!(partition.directories.len(), partition.replicas.len(), "{at}");
            assert!(!partition.isr.is_empty(), "{at}: without ELR the ISR keeps its last member");
        }
    }
}

proptest! {
    #[test]
    fn an_image_by_deltas_is_the_image_by_snapshot(
        steps in proptest::collection::vec(step(), 1..60),
        level in 17..=30_i16,
    ) {
        let mut cluster = Cluster::at_level(level, 3);
        let (start, mut merged) = (cluster.image.clone(), MetadataDelta::default());
        for step in &steps {
            let before = cluster.image.clone();
            run(&mut cluster, step);
            check_partitions(&cluster.image);
            merged.merge(MetadataDelta::between(&before, &cluster.image));
        }
        let copy = MetadataImage::decode_snapshot(cluster.image.encode_snapshot().unwrap()).unwrap();
        prop_assert_eq!(&copy, &cluster.image);
        prop_assert_eq!(copy.topics.partition_count(), cluster.image.topics.partition_count());
        let direct = MetadataDelta::between(&start, &cluster.image);
        prop_assert_eq!(&merged.topics.created, &direct.topics.created);
        prop_assert!(direct.topics.deleted.keys().eq(merged.topics.deleted.keys()));
        prop_assert!(direct.brokers.is_subset(&merged.brokers));
    }

    #[test]
    fn a_delta_names_all_that_changed(steps in proptest::collection::vec(step(), 1..20)) {
        let mut cluster = Cluster::new(3);
        for step in &steps {
            let before = cluster.image.clone();
            run(&mut cluster, step);
            let records = cluster.image.to_records();
            let rebuilt = MetadataImage::from_records(cluster.image.offset, &records).unwrap();
            prop_assert!(MetadataDelta::between(&rebuilt, &cluster.image).is_empty());
            let changed = MetadataDelta::between(&before, &cluster.image);
            let locals = changed.topics.local_changes(NodeId(1), &before, &cluster.image);
            for change in locals.leads {
                prop_assert_eq!(change.partition.leader, NodeId(1));
            }
        }
    }

    #[test]
    fn damaged_payloads_are_errors(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..200_usize) {
        let _ = RecordBatch::decode(bytes.clone().into());
        let mut good = encode_batch(&Features::default(), Offset(7), &Cluster::new(2).image.to_records()).unwrap().to_vec();
        let len = good.len();
        good[at % len] ^= bytes.first().copied().unwrap_or(1);
        let _ = RecordBatch::decode(good.into());
    }
}

#[test]
fn a_batch_survives_its_frame() {
    let records = Cluster::new(2).image.to_records();
    let encoded = encode_batch(&Features::default(), Offset(41), &records).unwrap();
    let read = RecordBatch::decode(encoded).unwrap();
    assert_eq!(read.last_offset().0, 41 + records.len() as i64 - 1);
    assert_eq!(read, RecordBatch { base_offset: Offset(41), records });
}

/// Where the version of each record stands in a payload, behind its type.
fn versions(payload: &Bytes, record_type: u8) -> Vec<u8> {
    let mut r = Reader::new(payload);
    r.read_slice(14).unwrap();
    let mut versions = Vec::new();
    while r.remaining() > 0 {
        let len = r.read_varint().unwrap() as usize;
        let record = r.read_slice(len).unwrap();
        versions.extend((record[1] == record_type).then_some(record[2]));
    }
    versions
}

#[test]
fn what_is_written_follows_from_the_finalized_level() {
    const REGISTER_BROKER: u8 = 0;
    const PARTITION: u8 = 3;
    for (level, registration, partition) in [(17, 3, 1), (22, 3, 1), (23, 3, 2), (29, 3, 2), (30, 4, 2)] {
        let mut cluster = Cluster::at_level(level, 2);
        cluster.topic("t", &[1, 2]);
        let snapshot = cluster.image.encode_snapshot().unwrap();
        assert_eq!(versions(&snapshot, REGISTER_BROKER), [registration; 2], "{level}");
        assert_eq!(versions(&snapshot, PARTITION), [partition], "{level}");
        assert_eq!(MetadataImage::decode_snapshot(snapshot).unwrap(), cluster.image, "{level}");
        // A batch that changes the level is written as before up to there.
        let mut records = cluster.image.to_records();
        records.rotate_left(1);
        let before = Cluster::at_level(17, 0).image.features;
        let batch = encode_batch(&before, Offset(1), &records).unwrap();
        assert_eq!(versions(&batch, REGISTER_BROKER), [3; 2], "{level}");
        let batch = encode_batch(&cluster.image.features, Offset(1), &records).unwrap();
        assert_eq!(versions(&batch, REGISTER_BROKER), [registration; 2], "{level}");
    }
}

#[test]
fn a_level_that_this_build_does_not_support_is_refused_before_what_follows_is_read() {
    let finalize = |name: &'static str, level: u8| {
        let frame = [&[1, 12, 0, name.len() as u8 + 1], name.as_bytes(), &[0, level, 0]].concat();
        // A registration in a version that nobody knows.
        let records = [frame, vec![1, 0, 99, 0]];
        let mut payload = vec![b'B', 1];
        payload.extend(0_i64.to_be_bytes());
        payload.extend(2_u32.to_be_bytes());
        for record in records {
            payload.push(record.len() as u8);
            payload.extend(record);
        }
        RecordBatch::decode(payload.into()).unwrap_err().to_string()
    };
    let newer = finalize(METADATA_VERSION, 99);
    assert!(newer.contains("level 99 of metadata.version, but this build supports 17 to"), "{newer}");
    assert!(newer.contains("run a newer one"), "{newer}");
    assert!(finalize(METADATA_VERSION, 16).contains("raise the level there"));
    assert!(finalize("share.version", 1).contains("level 1 of share.version"));
    assert!(!finalize("share.version", 0).contains("share.version"), "which is off");
}

#[test]
fn older_images_stay_as_they_were() {
    let mut cluster = Cluster::new(1);
    let topic = cluster.topic("t", &[1]);
    let before = cluster.image.clone();
    cluster.fence(1);
    assert_eq!(before.topics.partition(topic, PartitionIndex(0)).unwrap().leader, NodeId(1));
    assert!(!before.brokers.get(NodeId(1)).unwrap().fenced);
    assert_eq!(cluster.state(topic).0, -1);
}

#[test]
fn records_that_do_not_fit_are_refused() {
    let cluster = Cluster::new(1);
    let remove =
        ottla_protocol::records::metadata::RemoveTopicRecord { topic_id: uuid(5), ..Default::default() };
    assert!(cluster.image.apply(&[remove.into()]).unwrap_err().to_string().contains("RemoveTopicRecord"));
    let records = cluster.image.to_records();
    assert!(cluster.image.apply(&records).is_ok(), "registering again replaces");
}

#[test]
fn a_topic_that_moves_away_is_removed_locally() {
    let mut cluster = Cluster::new(2);
    let topic = cluster.topic("t", &[1]);
    let before = cluster.image.clone();
    let record = ottla_protocol::records::metadata::PartitionChangeRecord {
        topic_id: topic,
        partition_id: 0,
        replicas: Some(vec![2]),
        isr: Some(vec![2]),
        leader: 2,
        ..Default::default()
    };
    let (after, delta) = before.apply(&[record.into()]).unwrap();
    let gone = delta.topics.local_changes(NodeId(1), &before, &after);
    assert_eq!(
        gone.removed.iter().map(|(change, deleted)| (change.index.0, *deleted)).collect::<Vec<_>>(),
        [(0, false)]
    );
    let new = delta.topics.local_changes(NodeId(2), &before, &after);
    assert_eq!(new.leads.len(), 1);
    let remove =
        ottla_protocol::records::metadata::RemoveTopicRecord { topic_id: topic, ..Default::default() };
    let (last, delta) = after.apply(&[remove.into()]).unwrap();
    let gone = delta.topics.local_changes(NodeId(2), &after, &last);
    assert!(gone.removed[0].1, "deleted");
}
