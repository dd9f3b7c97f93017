//! A node on what Apache Kafka has left: `tests/import` has the directory of a node of version 4.3.1, made by its own tools.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_env::{Disk, OpenOptions, RealDisk};
use ottla_protocol::messages::describe_cluster::DescribeClusterRequest;
use ottla_protocol::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use ottla_protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use ottla_protocol::{ErrorCode, Uuid};
use ottla_storage_import::{ImportOptions, Report, UNFINISHED, import};
use ottla_testkit::{NodeSpec, RawClient, batch, eventually};

const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

fn kafka() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/import/kafka-4.3.1")
}

fn imported() -> (NodeSpec, Report) {
    let spec = NodeSpec::new().set("node.id", "7");
    let report = import_into(&spec, kafka(), false);
    (spec, report)
}

fn import_into(spec: &NodeSpec, source: PathBuf, link: bool) -> Report {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let (sources, targets) = (vec![source], vec![spec.data().to_owned()]);
    let options = ImportOptions { sources, targets, link, ..ImportOptions::default() };
    import(&disk, &options, &mut |_| {}).unwrap()
}

#[test]
fn kafkas_own_directory_is_not_started_on() {
    let spec = NodeSpec::new().set("node.id", "7");
    copy_dir(&kafka(), spec.data());
    let Err(error) = spec.try_start() else { panic!("it started") };
    let (text, at) = (error.to_string(), spec.data().display());
    assert!(text.contains("is Kafka's") && text.contains(&format!("ottla storage import {at}")), "{text}");
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_dir(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

fn id(text: &str) -> Uuid {
    text.parse().unwrap()
}

fn committed(client: &mut RawClient, group: &str, topic: &str, partition: i32) -> i64 {
    let topics = OffsetFetchRequestTopics {
        name: topic.into(),
        partition_indexes: vec![partition],
        ..Default::default()
    };
    let group =
        OffsetFetchRequestGroup { group_id: group.into(), topics: Some(vec![topics]), ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    eventually("the group's coordinator does not answer", || {
        let mut group = client.call(8, &request).groups.remove(0);
        let is_known = group.error_code == ErrorCode::NONE;
        is_known.then(|| group.topics.remove(0).partitions.remove(0).committed_offset)
    })
}

fn config(client: &mut RawClient, kind: i8, resource: &str, key: &str) -> String {
    let resource = DescribeConfigsResource {
        resource_type: kind,
        resource_name: resource.into(),
        configuration_keys: Some(vec![key.into()]),
        ..Default::default()
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    let mut result = client.call(4, &request).results.remove(0);
    result.configs.remove(0).value.unwrap_or_default().to_string()
}

/// What Kafka's tools said of the directory before Kafka stopped.
fn check(client: &mut RawClient) {
    client.wait_for_topic("orders", id("lfbtTQOIQ8erC40AyeRXNQ"), 2);
    client.wait_for_topic("rolled", id("Dxh1FCGgTJmFip2wgDaxsg"), 1);
    client.wait_for_topic("empty", id("Tdj8ETuEQXKRHoPostlJGw"), 1);
    client.wait_for_topic("__consumer_offsets", id("CWdjbWV9R9m3S2blRQekAA"), 1);
    assert_eq!(client.topic("gone").error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "it was deleted");

    let orders: Vec<String> = client.read_all("orders", 1, 0).iter().flat_map(batch::values_of).collect();
    assert_eq!(orders[..100], (1..=100).map(|n| n.to_string()).collect::<Vec<_>>());
    // Three segments; DeleteRecords moved the start into the second.
    assert_eq!(client.list_offset("rolled", EARLIEST).offset, 25);
    assert_eq!(client.list_offset("rolled", LATEST).offset, 60);
    // Whole batches are fetched, the first from offset 20 on.
    let rolled = &client.read_values("rolled", 25)[5..];
    assert_eq!(rolled.first().map(String::as_str), Some("round 2 value 6"));
    assert_eq!((rolled.len(), rolled.last().map(String::as_str)), (35, Some("round 3 value 20")));

    assert_eq!(committed(client, "billing", "orders", 0), 0);
    assert_eq!(committed(client, "billing", "orders", 1), 60);
    assert_eq!(config(client, 2, "orders", "max.message.bytes"), "500000");
    assert_eq!(config(client, 2, "rolled", "segment.ms"), "1000");
    assert_eq!(config(client, 2, "empty", "max.message.bytes"), "2000000", "set for all brokers");
    assert_eq!(config(client, 4, "7", "log.retention.ms"), "-1");
}

#[test]
fn everything_is_as_it_was_in_kafka() {
    let (spec, report) = imported();
    assert_eq!((report.cluster_id.as_str(), report.node_id.0), ("MkU3OEVBNTcwNTJENDM2Qk", 7));
    let offsets: Vec<_> = report.topics.iter().map(|topic| (topic.name.to_string(), topic.offsets)).collect();
    let expected = [("__consumer_offsets", 5), ("empty", 0), ("orders", 100), ("rolled", 35)];
    assert_eq!(offsets, expected.map(|(name, offsets)| (name.to_owned(), offsets)));
    for round in 0..3 {
        let node = spec.start();
        let mut client = node.client();
        let cluster = client.call(1, &DescribeClusterRequest::default());
        assert_eq!(cluster.cluster_id, "MkU3OEVBNTcwNTJENDM2Qk");
        check(&mut client);
        // Kafka has handed out the block from 0 to 999.
        assert!(client.init_producer_id() >= 1000);
        let produced = client.try_produce("orders", 1, -1, batch::one("more"));
        assert_eq!((produced.error_code, produced.base_offset), (ErrorCode::NONE, 100 + round));
        match round {
            0 => node.kill(),
            _ => node.stop(),
        }
    }
}

#[test]
fn linked_segments_serve_as_well_and_kafkas_files_stay_as_they_are() {
    let spec = NodeSpec::new().set("node.id", "7");
    // In one file system with the node's directory.
    let source = spec.data().parent().unwrap().join("kafka");
    copy_dir(&kafka(), &source);
    let files = ["rolled-0/00000000000000000020.log", "rolled-0/00000000000000000040.log"];
    let read = || files.map(|file| std::fs::read(source.join(file)).unwrap());
    let before = read();
    let report = import_into(&spec, source.clone(), true);
    assert_eq!(report.linked_bytes, 2 * before[0].len() as u64, "all but the active segment");
    let node = spec.start();
    check(&mut node.client());
    assert_eq!(node.client().produce("rolled", batch::one("more")), 60);
    node.stop();
    assert_eq!(read(), before);
}

#[test]
fn a_node_does_not_start_on_an_import_that_was_not_finished() {
    let (spec, _) = imported();
    RealDisk.open(&spec.data().join(UNFINISHED), OpenOptions::CREATE).unwrap();
    let error = spec.try_start().unwrap_err().to_string();
    assert!(error.contains("repeat it with ottla storage import"), "{error}");
}

#[test]
fn a_lost_metadata_log_is_not_replaced_by_what_was_imported() {
    let (spec, _) = imported();
    spec.start().stop();
    std::fs::remove_dir_all(spec.data().join("ottla-quorum")).unwrap();
    let error = spec.try_start().unwrap_err().to_string();
    assert!(error.contains("ottla-quorum is missing or empty"), "{error}");
}
