//! What is there afterwards.

use std::path::Path;
use std::sync::Arc;

use ottla_metadata::MetadataImage;
use ottla_metadata::image::{ConfigResource, METADATA_VERSION};
use ottla_protocol::records::metadata as wire;
use ottla_storage::{LogConfig, LogDir, LogDirOptions, MetaProperties};
use ottla_types::{
    BrokerEpoch, LeaderEpoch, NodeId, Offset, PartitionEpoch, PartitionIndex, ProducerId, TopicIdPartition,
    TopicPartition,
};

use super::kafka::{
    CLUSTER, KAFKA, Kafka, NODE, OTTLA, broker, config, directory, feature, options, partition, topic,
};
use crate::{Bootstrap, ImportOptions, UNFINISHED};

fn image(kafka: &Kafka, dir: &str) -> MetadataImage {
    let snapshot = Bootstrap::read(&kafka.disk, Path::new(dir)).unwrap().unwrap();
    MetadataImage::decode_snapshot(snapshot).unwrap()
}

#[test]
fn metadata_stays_as_it_was() {
    let kafka = Kafka::new();
    let report = kafka.import().unwrap();
    assert_eq!((report.cluster_id.as_str(), report.node_id), (CLUSTER, NodeId(NODE)));
    assert_eq!(report.next_producer_id, ProducerId(3000));
    let image = image(&kafka, OTTLA);
    // One control record, three features, a broker, three of the topic, four more.
    assert_eq!(image.offset, Offset(11));
    let topic = image.topics.by_name("orders").unwrap();
    assert_eq!((topic.id, topic.partition_count()), (directory(50), 2));
    let partition = topic.partition(PartitionIndex(0)).unwrap();
    assert_eq!(*partition.isr, [NodeId(NODE)]);
    assert_eq!((partition.leader, partition.leader_epoch), (NodeId::NONE, LeaderEpoch(3)));
    assert_eq!(partition.partition_epoch, PartitionEpoch(5));
    assert_eq!(partition.directory_of(NodeId(NODE)), Some(directory(1)));
    let value = |resource: ConfigResource, key| image.configs.value(&resource, key).unwrap().to_string();
    assert_eq!(value(ConfigResource::topic("orders"), "retention.ms"), "1000");
    assert_eq!(value(ConfigResource::default_broker(), "message.max.bytes"), "2000000");
    assert_eq!(value(ConfigResource::broker(NodeId(NODE)), "log.retention.ms"), "-1");
    assert_eq!((image.producer_ids.next, image.features.level(METADATA_VERSION)), (ProducerId(3000), 30));
    assert_eq!(image.brokers.get(NodeId(NODE)).unwrap().epoch, BrokerEpoch(4));
}

#[test]
fn the_directory_is_as_if_ottla_had_closed_it() {
    let kafka = Kafka::new();
    let before = kafka.files(KAFKA);
    kafka.write_metadata(KAFKA);
    let report = kafka.import().unwrap();
    let meta = MetaProperties::read(&kafka.disk, Path::new(OTTLA)).unwrap().unwrap();
    assert_eq!((meta.cluster_id.as_str(), meta.directory_id), (CLUSTER, Some(directory(1))));
    assert!(!kafka.exists(&format!("{OTTLA}/{UNFINISHED}")));
    assert!(!kafka.exists("/ottla/orders-1"), "a log without records needs no folder");
    assert_eq!((report.topics[0].offsets, report.topics[0].with_files), (10, 1));

    let disk = Arc::new(kafka.disk.clone());
    let (dir, opened) =
        LogDir::open(disk, Path::new(OTTLA), &LogDirOptions::new(CLUSTER, NodeId(NODE))).unwrap();
    assert_eq!(opened.clean_shutdown, Some(BrokerEpoch(4)));
    let id = TopicIdPartition { topic_id: directory(50), topic_partition: TopicPartition::new("orders", 0) };
    assert!(dir.create_log(&id, LogConfig::default()).is_err(), "its folder must be there from now on");
    let log = dir.open_log(&id, LogConfig::default(), 0).unwrap();
    assert_eq!(
        (log.log_start_offset(), log.log_end_offset(), log.flushed_offset()),
        (Offset(0), Offset(10), Offset(10))
    );
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(0)));
    assert_eq!(log.checkpointed_high_watermark(), Some(Offset(10)));

    let after: Vec<_> = kafka
        .files(KAFKA)
        .into_iter()
        .filter(|(path, _)| !path.starts_with("/kafka/__cluster_metadata-0"))
        .collect();
    assert_eq!(before, after, "the source is only read");
}

#[test]
fn what_is_left_out_is_told() {
    let mut kafka = Kafka::new();
    kafka.batches.push(vec![
        feature("brand.new.version", 2),
        wire::AccessControlEntryRecord { id: directory(9), ..Default::default() }.into(),
        wire::UserScramCredentialRecord { name: "alice".into(), mechanism: 1, ..Default::default() }.into(),
        config(2, "orders", "not.a.config", "1"),
        config(4, "8", "log.retention.ms", "5"),
        broker(8, vec![directory(8)]),
    ]);
    kafka.write_partition(KAFKA, "orders-0.0123456789abcdef0123456789abcdef-delete", directory(50), 5);
    kafka.write_partition(KAFKA, "orders-0.0123456789abcdef0123456789abcdef-future", directory(50), 5);
    kafka.write_partition(KAFKA, "old-0", directory(51), 5);
    kafka.put("/kafka/orders-0/notes.txt", b"mine");
    kafka.put("/kafka/orders-0/00000000000000000000.txnindex", &[0; 34]);
    let report = kafka.import().unwrap();
    for part in [
        "feature group.version=1 is off",
        "feature brand.new.version=2 is off",
        "1 ACLs are kept, but this version does not apply them",
        "1 SCRAM credentials are kept",
        "config not.a.config of topic orders is kept, but Ottla does not know it",
        "1 configs of other brokers are left out",
        "1 registrations of other brokers are left out",
        "1 folders in /kafka are not imported: Kafka was deleting them",
        "-future is not imported",
        "/kafka/old-0 is not imported: the metadata does not give partition old-0",
        "/kafka/orders-0/notes.txt is not imported",
        "1 partitions have aborted transactions, such as orders-0",
    ] {
        let found = report.warnings.iter().any(|warning| warning.contains(part));
        assert!(found, "{part}: {:#?}", report.warnings);
    }
    assert!(!kafka.exists("/ottla/old-0") && !kafka.exists("/ottla/orders-0/notes.txt"));
    assert!(image(&kafka, OTTLA).brokers.get(NodeId(8)).is_none());
}

#[test]
fn a_new_topic_may_be_without_folder_and_directory() {
    let mut kafka = Kafka::new();
    let mut new = match partition(directory(52), 0, &[NODE]) {
        ottla_metadata::MetadataRecord::Partition(record) => record,
        other => panic!("{other:?}"),
    };
    new.directories = Vec::new();
    kafka.batches.push(vec![topic("new", directory(52)), new.into()]);
    let report = kafka.import().unwrap();
    let told = report.warnings.iter().any(|warning| warning.contains("such as new-0: they begin empty"));
    assert!(told, "{:?}", report.warnings);
}

#[test]
fn several_directories_become_one_or_as_many() {
    for targets in [vec!["/ottla"], vec!["/ottla", "/ottla2"]] {
        let mut kafka = Kafka::new();
        kafka.write_directory("/kafka2", 2);
        let id = directory(52);
        kafka.batches.push(vec![broker(NODE, vec![directory(1), directory(2)])]);
        kafka.batches.push(vec![topic("second", id), partition(id, 0, &[NODE])]);
        kafka.write_partition("/kafka2", "second-0", id, 20);
        kafka.put("/kafka2/recovery-point-offset-checkpoint", b"0\n2\nsecond 0 20\norders 0 3\n");
        kafka.put("/kafka2/cleaner-offset-checkpoint", b"");
        let options = ImportOptions {
            sources: vec![KAFKA.into(), "/kafka2".into()],
            targets: targets.iter().map(Into::into).collect(),
            ..options()
        };
        let report = kafka.import_as(&options).unwrap();
        let last = targets[targets.len() - 1];
        assert!(kafka.exists(&format!("{last}/second-0/00000000000000000000.log")));
        let home = image(&kafka, OTTLA).topics.partition(id, PartitionIndex(0)).unwrap().directories[0];
        assert_eq!(home, directory(targets.len() as u8));
        let total: i64 = report.topics.iter().map(|topic| topic.offsets).sum();
        assert_eq!(total, 30);
        // All of it is done: again changes nothing.
        let again = kafka.import_as(&options).unwrap();
        assert!(again.warnings.iter().any(|warning| warning.contains("imported before")));
    }
}

#[test]
fn a_metadata_directory_of_its_own_has_no_shutdown_marker() {
    let kafka = Kafka::new();
    kafka.write_directory("/meta", 3);
    kafka.remove("/meta/.kafka_cleanshutdown");
    kafka.write_metadata("/meta");
    let options = ImportOptions {
        sources: vec![KAFKA.into(), "/meta".into()],
        targets: vec![OTTLA.into(), "/ottla-meta".into()],
        ..options()
    };
    let report = kafka.import_as(&options).unwrap();
    assert!(report.directories[0].logs && !report.directories[0].metadata);
    assert!(!report.directories[1].logs && report.directories[1].metadata);
    assert!(Bootstrap::read(&kafka.disk, Path::new(OTTLA)).unwrap().is_none());
    image(&kafka, "/ottla-meta");
}

#[test]
fn other_nodes_are_given_up_if_that_is_said() {
    let mut kafka = Kafka::new();
    let id = directory(52);
    kafka.batches.push(vec![topic("shared", id), partition(id, 0, &[8, NODE])]);
    kafka.write_partition(KAFKA, "shared-0", id, 5);
    let report = kafka.import_as(&ImportOptions { sole_replica: true, ..options() }).unwrap();
    assert!(report.warnings.iter().any(|warning| warning.contains("1 partitions lose their replicas")));
    let image = image(&kafka, OTTLA);
    let partition = image.topics.partition(id, PartitionIndex(0)).unwrap();
    assert_eq!((&*partition.replicas, &*partition.isr), (&[NodeId(NODE)][..], &[NodeId(NODE)][..]));
}

#[test]
fn a_dry_run_writes_nothing() {
    let kafka = Kafka::new();
    kafka.write_metadata(KAFKA);
    let before = kafka.disk.mutations();
    let report = kafka.import_as(&ImportOptions { dry_run: true, ..options() }).unwrap();
    assert_eq!((report.topics[0].with_files, report.dry_run), (1, true));
    assert_eq!(kafka.disk.mutations(), before);
    assert!(!kafka.exists(OTTLA));
}
