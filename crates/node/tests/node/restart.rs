//! What a node has acknowledged is there after it has come back, however it went.

use std::collections::BTreeMap;

use ottla_protocol::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use ottla_protocol::{ErrorCode, Uuid};
use ottla_simdisk::SimDisk;
use ottla_testkit::{ACKS_ALL, NodeSpec, RawClient, TopicSpec, batch};

/// What clients were told is so.
#[derive(Default)]
struct Promised {
    topics: BTreeMap<String, Uuid>,
    records: BTreeMap<String, Vec<String>>,
    committed: i64,
}

impl Promised {
    fn work(&mut self, client: &mut RawClient, round: usize) {
        let topic = format!("t{round}");
        let spec = TopicSpec::new(&topic).config("retention.ms", "86400000");
        self.topics.insert(topic.clone(), client.create(&spec));
        self.records.insert(topic, Vec::new());
        for (topic, records) in &mut self.records {
            for i in 0..20 {
                let value = format!("{topic} in round {round}: {i}");
                assert_eq!(client.produce(topic, batch::one(&value)), records.len() as i64);
                records.push(value);
            }
        }
        client.wait_for_coordinator("g");
        self.committed += 10;
        assert_eq!(client.commit_offset("g", "t0", self.committed), ErrorCode::NONE);
    }

    fn check(&self, client: &mut RawClient) {
        for (topic, id) in &self.topics {
            client.wait_for_topic(topic, *id, 1);
            assert_eq!(client.read_values(topic, 0), self.records[topic], "{topic}");
            assert_eq!(retention(client, topic), "86400000");
        }
        assert_eq!(client.committed_offset("g", "t0"), self.committed);
    }
}

fn retention(client: &mut RawClient, topic: &str) -> String {
    let resource = DescribeConfigsResource {
        resource_type: 2,
        resource_name: topic.into(),
        configuration_keys: Some(vec!["retention.ms".into()]),
        ..Default::default()
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    let mut result = client.call(4, &request).results.remove(0);
    result.configs.remove(0).value.unwrap_or_default().to_string()
}

#[test]
fn an_orderly_stop_loses_nothing() {
    let spec = NodeSpec::new();
    let mut promised = Promised::default();
    for round in 0..4 {
        let node = spec.start();
        let mut client = node.client();
        promised.check_if_any(&mut client);
        promised.work(&mut client, round);
        node.stop();
    }
}

#[test]
fn the_death_of_the_process_loses_nothing() {
    let spec = NodeSpec::new();
    let mut promised = Promised::default();
    for round in 0..4 {
        let node = spec.start();
        let mut client = node.client();
        promised.check_if_any(&mut client);
        promised.work(&mut client, round);
        node.kill();
    }
}

impl Promised {
    fn check_if_any(&self, client: &mut RawClient) {
        if !self.topics.is_empty() {
            self.check(client);
        }
    }
}

#[test]
fn a_power_failure_loses_nothing() {
    for seed in 0..6 {
        let disk = SimDisk::new(seed);
        let spec = NodeSpec::on_sim(&disk);
        let mut promised = Promised::default();
        for round in 0..3 {
            let node = spec.start();
            let mut client = node.client();
            promised.check_if_any(&mut client);
            promised.work(&mut client, round);
            disk.crash();
            node.kill();
        }
    }
}

/// The power goes at some write or sync of an append, so that its batch is on disk in any part.
#[test]
fn a_power_failure_in_the_middle_of_appends_loses_only_what_was_not_acknowledged() {
    let mut torn = 0;
    for seed in 0..25 {
        let disk = SimDisk::new(seed);
        let spec = NodeSpec::on_sim(&disk);
        let node = spec.start();
        let mut client = node.client();
        let id = client.create_topic("t");
        disk.crash_at(20 + seed * 3);
        let mut acknowledged = 0;
        // A batch larger than a sector, so that it can be torn.
        let value = |i: i64| format!("{i:05}").repeat(300);
        loop {
            let sent = client.try_produce_or_end("t", batch::one(&value(acknowledged)));
            match sent {
                Some(ErrorCode::NONE) => acknowledged += 1,
                Some(ErrorCode::KAFKA_STORAGE_ERROR) | None => break,
                Some(error) => panic!("seed {seed}: {error:?}"),
            }
            if acknowledged > 500 {
                break;
            }
        }
        disk.restart();
        node.kill();
        let node = spec.start();
        let mut client = node.client();
        client.wait_for_topic("t", id, 1);
        let values = client.read_values("t", 0);
        let expected: Vec<String> = (0..acknowledged).map(value).collect();
        assert!(values.len() as i64 >= acknowledged, "seed {seed}: {} of {acknowledged}", values.len());
        assert!(values.starts_with(&expected), "seed {seed}: not what was acknowledged");
        assert!(values.len() as i64 <= acknowledged + 1, "seed {seed}: more than was sent");
        torn += usize::from(acknowledged < 500);
        // It goes on where it was.
        assert_eq!(client.produce("t", batch::one("after")), values.len() as i64, "seed {seed}");
    }
    assert!(torn > 10, "the power went in only {torn} of the runs");
}

trait TryProduce {
    fn try_produce_or_end(&mut self, topic: &str, records: ottla_protocol::Bytes) -> Option<ErrorCode>;
}

impl TryProduce for RawClient {
    /// `None` if the connection ended.
    fn try_produce_or_end(&mut self, topic: &str, records: ottla_protocol::Bytes) -> Option<ErrorCode> {
        let request = ottla_testkit::produce_request(topic, 0, ACKS_ALL, records);
        let response = self.try_call(9, &request).ok()?;
        Some(response.responses[0].partition_responses[0].error_code)
    }
}

#[test]
fn a_deleted_topic_does_not_come_back() {
    let disk = SimDisk::new(1);
    let spec = NodeSpec::on_sim(&disk);
    let node = spec.start();
    let mut client = node.client();
    client.create_topic("t");
    client.produce("t", batch::one("v"));
    client.delete_topic("t");
    disk.crash();
    node.kill();
    let node = spec.start();
    let mut client = node.client();
    assert_eq!(client.topic("t").error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    client.create_topic("t");
    assert_eq!(client.read_values("t", 0).len(), 0);
    assert_eq!(client.produce("t", batch::one("new")), 0);
}

#[test]
fn the_cluster_keeps_its_id() {
    let spec = NodeSpec::new();
    let id = |spec: &NodeSpec| {
        let node = spec.start();
        let request = ottla_protocol::messages::describe_cluster::DescribeClusterRequest::default();
        let id = node.client().call(1, &request).cluster_id;
        node.stop();
        id
    };
    let first = id(&spec);
    assert_eq!(id(&spec), first);
    let other = spec.clone().set("cluster.id", "AAAAAAAAAAAAAAAAAAAAAA").try_start();
    let error = other.expect_err("another cluster").to_string();
    assert!(error.contains("cluster.id=AAAA") && error.contains(&*first), "{error}");
    let other = spec.set("node.id", "2").try_start();
    let error = other.expect_err("another node").to_string();
    assert!(error.contains("node.id=1"), "{error}");
}

#[test]
fn two_nodes_do_not_share_a_directory() {
    let spec = NodeSpec::new();
    let node = spec.start();
    let error = spec.try_start().expect_err("the directory is in use").to_string();
    assert!(error.contains(spec.data().to_str().unwrap()), "{error}");
    node.stop();
    spec.start().stop();
}

#[test]
fn partitions_without_their_metadata_do_not_become_a_new_cluster() {
    let disk = SimDisk::new(21);
    let spec = NodeSpec::on_sim(&disk).set("metadata.log.dir", "/metadata");
    let node = spec.start();
    let mut client = node.client();
    let id = client.create_topic("t");
    client.produce("t", batch::one("v"));
    drop(client);
    node.stop();
    let elsewhere = NodeSpec::on_sim(&disk).set("metadata.log.dir", "/elsewhere");
    let Err(refused) = elsewhere.try_start() else { panic!("a new cluster was formed over data") };
    assert!(refused.to_string().contains("metadata.log.dir"), "{refused}");
    let node = spec.start();
    let mut client = node.client();
    client.wait_for_topic("t", id, 1);
    assert_eq!(client.read_values("t", 0), ["v"]);
}

#[test]
fn a_partition_whose_log_directory_is_missing_does_not_begin_empty() {
    let disk = SimDisk::new(22);
    let at = |dir| NodeSpec::on_sim(&disk).set("metadata.log.dir", "/metadata").set("log.dirs", dir);
    let node = at("/there").start();
    let mut client = node.client();
    let id = client.create_topic("t");
    client.produce("t", batch::one("v"));
    drop(client);
    node.stop();
    let node = at("/elsewhere").start();
    let mut client = node.client();
    client.wait_for_metadata("t", id);
    let produced = client.try_produce("t", 0, ACKS_ALL, batch::one("w"));
    assert_eq!(produced.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    drop(client);
    node.stop();
    let node = at("/there").start();
    let mut client = node.client();
    client.wait_for_topic("t", id, 1);
    assert_eq!(client.read_values("t", 0), ["v"]);
}
