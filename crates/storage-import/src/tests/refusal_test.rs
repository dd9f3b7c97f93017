//! What is not taken over, and what is said then.

use ottla_records::BatchBuilder;
use ottla_types::Offset;

use super::kafka::{
    KAFKA, Kafka, NODE, config, directory, feature, metadata_batch, options, partition, topic,
};
use crate::{ImportOptions, UNFINISHED};

/// The import fails with a message that has `part`, and the target is not there.
#[track_caller]
fn refused(kafka: &Kafka, options: &ImportOptions, part: &str) {
    let error = kafka.import_as(options).unwrap_err().to_string();
    assert!(error.contains(part), "{error}");
    assert!(!kafka.exists("/ottla/orders-0"), "{error}");
}

#[test]
fn an_unclean_stop() {
    let kafka = Kafka::new();
    kafka.remove("/kafka/.kafka_cleanshutdown");
    refused(&kafka, &options(), "was not stopped cleanly");
}

#[test]
fn what_is_no_directory_of_kafka_or_not_of_this_one() {
    let kafka = Kafka::new();
    refused(
        &kafka,
        &ImportOptions { sources: vec!["/nowhere".into()], ..options() },
        "has no meta.properties",
    );
    let both = |second: &str| ImportOptions { sources: vec![KAFKA.into(), second.into()], ..options() };
    kafka.put("/other/meta.properties", b"version=1\ncluster.id=X\nnode.id=7\n");
    kafka.put("/other/.kafka_cleanshutdown", b"");
    refused(&kafka, &both("/other"), "belongs to node 7 of cluster");
    kafka.write_directory("/copy", 1);
    refused(&kafka, &both("/copy"), "have the same directory.id");
    kafka.write_directory("/foreign", 5);
    refused(&kafka, &both("/foreign"), "is none of node 7's log directories");
    kafka.put("/kafka/meta.properties", b"version=0\nbroker.id=7\n");
    refused(&kafka, &options(), "version is 0; only 1 is known");
    kafka.put("/kafka/ottla-partitions", b"ottla-partitions 1\n");
    refused(&kafka, &options(), "is a directory of Ottla");
}

#[test]
fn a_log_directory_that_was_not_named() {
    let mut kafka = Kafka::new();
    kafka.batches.push(vec![super::kafka::broker(NODE, vec![directory(1), directory(2)])]);
    refused(&kafka, &options(), "which is none of those given: name all directories of log.dirs");
}

#[test]
fn a_quorum_of_several_voters() {
    let mut kafka = Kafka::new();
    kafka.voters = vec![NODE, 8, 9];
    refused(
        &kafka,
        &options(),
        "voters [7, 8, 9], and node 7 can be taken over only if it is the one controller",
    );
}

#[test]
fn replicas_on_other_nodes() {
    let mut kafka = Kafka::new();
    let id = directory(52);
    kafka.batches.push(vec![topic("shared", id), partition(id, 0, &[NODE, 8]), partition(id, 1, &[8])]);
    refused(&kafka, &options(), "2 partitions have replicas on other nodes than 7, such as shared-0");
    let sole = ImportOptions { sole_replica: true, ..options() };
    refused(
        &kafka,
        &sole,
        "1 partitions are not in sync on node 7, such as shared-1 (replicas [8], in sync [8])",
    );
}

#[test]
fn features_and_records_of_a_newer_kafka() {
    let mut kafka = Kafka::new();
    kafka.batches.push(vec![feature("metadata.version", 99)]);
    refused(&kafka, &options(), "metadata.version has level 99, this version reads 17 to 30");

    let kafka = Kafka::new();
    let mut unknown = BatchBuilder::new().base_offset(Offset(1));
    unknown.append(0, None, Some(&[1, 120, 0]), &[]).unwrap();
    let log = [super::kafka::leader_change(&[NODE]), unknown.build().unwrap()].concat();
    kafka.put("/kafka/__cluster_metadata-0/00000000000000000000.log", &log);
    refused(&kafka, &options(), "metadata record at offset 1");
}

#[test]
fn a_damaged_metadata_log() {
    let kafka = Kafka::new();
    kafka.write_metadata(KAFKA);
    let path = "/kafka/__cluster_metadata-0/00000000000000000000.log";
    let log = kafka.files("/kafka/__cluster_metadata-0").remove(0).1;
    kafka.put(path, &log[..log.len() - 3]);
    refused(&kafka, &options(), "is damaged at byte");
    let mut gap = log.clone();
    gap.extend(metadata_batch(500, &[feature("x", 1)]));
    kafka.put(path, &gap);
    refused(&kafka, &options(), "offset 500 follows 12: batches are missing");
    let mut flipped = log;
    *flipped.last_mut().unwrap() ^= 1;
    kafka.put(path, &flipped);
    refused(&kafka, &options(), "is damaged at byte");
}

#[test]
fn partitions_whose_records_are_not_there() {
    let mut kafka = Kafka::new();
    let id = directory(52);
    kafka.batches.push(vec![topic("lost", id), partition(id, 0, &[NODE])]);
    refused(&kafka, &options(), "has no folder there");

    let kafka = Kafka::new();
    kafka.remove("/kafka/orders-0/00000000000000000000.log");
    refused(&kafka, &options(), "has no segment, but was synced up to offset 10");

    let kafka = Kafka::new();
    kafka.put("/kafka/orders-0/00000000000000000000.log.swap", b"");
    refused(&kafka, &options(), "is left of a compaction");

    let mut kafka = Kafka::new();
    kafka.batches.push(vec![config(2, "orders", "remote.storage.enable", "true")]);
    refused(&kafka, &options(), "this version has no tiered storage");
}

#[test]
fn a_segment_that_is_shorter_than_what_was_synced() {
    let kafka = Kafka::new();
    let (_, log) = kafka
        .files("/kafka/orders-0")
        .into_iter()
        .find(|(p, _)| p.ends_with("00000000000000000000.log"))
        .unwrap();
    kafka.put("/kafka/orders-0/00000000000000000000.log", &log[..log.len() / 2]);
    let error = kafka.import().unwrap_err().to_string();
    assert!(error.contains("orders-0 was copied, but does not open"), "{error}");
    assert!(kafka.exists(&format!("/ottla/{UNFINISHED}")), "no node starts there");
}

#[test]
fn targets_that_hold_something() {
    let kafka = Kafka::new();
    kafka.put("/ottla/precious", b"");
    refused(&kafka, &options(), "/ottla is not empty (precious)");
    let inside = ImportOptions { targets: vec!["/kafka/ottla".into()], ..options() };
    refused(&kafka, &inside, "lies in /kafka, which is only read");
    let three = ImportOptions { targets: vec!["/a".into(), "/b".into(), "/c".into()], ..options() };
    refused(&kafka, &three, "1 directories are to be imported into 3");
    let linked = ImportOptions { link: true, targets: vec!["/linked".into()], ..options() };
    // One segment, which is written to: there is nothing to link.
    kafka.import_as(&linked).unwrap();
}

#[test]
fn a_target_that_has_what_kafka_was_before_it_ran_again() {
    let mut kafka = Kafka::new();
    kafka.import().unwrap();
    kafka.import().unwrap();
    kafka.batches.push(vec![config(2, "orders", "retention.ms", "2000")]);
    kafka.write_metadata(KAFKA);
    let error = kafka.import().unwrap_err().to_string();
    assert!(error.contains("/ottla is not empty (an import of an earlier state)"), "{error}");
}
