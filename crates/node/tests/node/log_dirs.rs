//! Several log directories: what lies where, and what is left when one fails.

use std::collections::BTreeMap;

use crate::configs::{BROKER, SET, try_alter};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::alter_replica_log_dirs::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic, AlterReplicaLogDirsRequest,
};
use ottla_protocol::messages::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsRequest, DescribeLogDirsResponse,
};
use ottla_simdisk::{Fault, Op, SimDisk};
use ottla_testkit::{ACKS_ALL, FetchAt, NodeSpec, RawClient, TopicSpec, batch, bytes_of, eventually};

/// The metadata log is elsewhere, so that each of the two may fail.
fn two_directories(disk: &SimDisk) -> NodeSpec {
    NodeSpec::on_sim(disk).set("log.dirs", "/a,/b").set("metadata.log.dir", "/meta")
}

fn describe(
    client: &mut RawClient,
    version: i16,
    topics: Option<Vec<(&str, Vec<i32>)>>,
) -> DescribeLogDirsResponse {
    let topic = |(topic, partitions): (&str, Vec<i32>)| DescribableLogDirTopic {
        topic: topic.into(),
        partitions,
        ..Default::default()
    };
    let topics = topics.map(|topics| topics.into_iter().map(topic).collect());
    client.call(version, &DescribeLogDirsRequest { topics, ..Default::default() })
}

/// Directory → partitions of "t" in it, with their size.
fn partitions_of_t(response: &DescribeLogDirsResponse) -> BTreeMap<String, Vec<(i32, i64)>> {
    let of_t = response.results.iter().map(|dir| {
        let t = dir.topics.iter().filter(|topic| &*topic.name == "t");
        let partitions = t.flat_map(|topic| &topic.partitions);
        (dir.log_dir.to_string(), partitions.map(|p| (p.partition_index, p.partition_size)).collect())
    });
    of_t.collect()
}

#[test]
fn partitions_are_spread_over_the_directories_and_described() {
    let disk = SimDisk::new(1);
    let node = two_directories(&disk).start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(4));
    let produced = client.try_produce("t", 1, ACKS_ALL, batch::one("v"));
    assert_eq!(produced.error_code, ErrorCode::NONE);
    for version in 1..=5 {
        let response = describe(&mut client, version, None);
        assert_eq!(response.error_code, ErrorCode::NONE);
        let of_t = partitions_of_t(&response);
        assert_eq!(of_t.keys().collect::<Vec<_>>(), ["/a", "/b"]);
        assert!(of_t.values().all(|partitions| partitions.len() == 2), "{of_t:?}");
        let sizes: BTreeMap<i32, i64> = of_t.into_values().flatten().collect();
        assert!(sizes[&1] > 60 && sizes[&0] == 0, "{sizes:?}");
        for dir in &response.results {
            assert_eq!(dir.error_code, ErrorCode::NONE);
            assert_eq!(dir.total_bytes > 0 && dir.usable_bytes > 0, version >= 4, "{dir:?}");
            let partitions = dir.topics.iter().flat_map(|topic| &topic.partitions);
            assert!(partitions.into_iter().all(|p| p.offset_lag == 0 && !p.is_future_key));
        }
    }
}

#[test]
fn a_cordoned_directory_takes_no_new_partitions() {
    let disk = SimDisk::new(1);
    let node = two_directories(&disk).start();
    let mut client = node.client();
    let set = |client: &mut RawClient, dirs| {
        try_alter(client, 1, BROKER, "1", &[(SET, "cordoned.log.dirs", Some(dirs))], false)
    };
    let (error, message) = set(&mut client, "/c");
    assert_eq!(error, ErrorCode::INVALID_REQUEST);
    assert!(message.starts_with("Invalid entry in cordoned.log.dirs: /c."), "{message}");
    let cordoned = |client: &mut RawClient| {
        let dirs = describe(client, 5, None).results;
        dirs.into_iter().filter(|dir| dir.is_cordoned).map(|dir| dir.log_dir.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(set(&mut client, "/a").0, ErrorCode::NONE);
    eventually("it is cordoned", || (cordoned(&mut client) == ["/a"]).then_some(()));
    client.create(&TopicSpec::new("t").partitions(4));
    let of_t = partitions_of_t(&describe(&mut client, 5, None));
    assert_eq!((of_t["/a"].len(), of_t["/b"].len()), (0, 4));
    assert_eq!(set(&mut client, "*").0, ErrorCode::NONE);
    // The controller hears of it by a heartbeat.
    eventually("no broker takes a topic", || {
        let refused =
            client.try_create(&TopicSpec::new("u")).error_code == ErrorCode::INVALID_REPLICATION_FACTOR;
        refused.then_some(()).or_else(|| {
            client.delete_topic("u");
            None
        })
    });
}

#[test]
fn only_the_partitions_that_are_asked_for_are_described() {
    let disk = SimDisk::new(1);
    let node = two_directories(&disk).start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(3));
    client.create_topic("u");
    let response = describe(&mut client, 5, Some(vec![("t", vec![2, 7]), ("nothing", vec![0])]));
    let topics = response.results.iter().flat_map(|dir| &dir.topics);
    let found: Vec<_> =
        topics.flat_map(|t| t.partitions.iter().map(|p| (&*t.name, p.partition_index))).collect();
    assert_eq!(found, [("t", 2)]);
    assert_eq!(response.results.len(), 2, "a directory without such a partition is named all the same");
}

/// In which directory each partition of "t" is; −1: several.
fn homes(client: &mut RawClient) -> BTreeMap<i32, String> {
    let of_t = partitions_of_t(&describe(client, 5, None));
    of_t.into_iter().flat_map(|(dir, all)| all.into_iter().map(move |(p, _)| (p, dir.clone()))).collect()
}

fn produce(client: &mut RawClient, partition: i32, value: &str) -> ErrorCode {
    client.try_produce("t", partition, ACKS_ALL, batch::one(value)).error_code
}

fn read(client: &mut RawClient, partition: i32) -> Result<Vec<String>, ErrorCode> {
    let at = FetchAt { partition, ..FetchAt::new("t", 0) };
    let data = client.fetch(at);
    match data.error_code {
        ErrorCode::NONE => Ok(batch::values_of(&bytes_of(&data))),
        error => Err(error),
    }
}

/// Who leads the partition.
fn leader(client: &mut RawClient, partition: i32) -> i32 {
    let topic = client.topic("t");
    topic.partitions.iter().find(|p| p.partition_index == partition).unwrap().leader_id
}

#[test]
fn a_failed_directory_leaves_the_other_serving() {
    let disk = SimDisk::new(2);
    let spec = two_directories(&disk);
    let node = spec.start();
    let mut client = node.client();
    let id = client.create(&TopicSpec::new("t").partitions(4));
    (0..4).for_each(|p| assert_eq!(produce(&mut client, p, "safe"), ErrorCode::NONE));
    let homes_before = homes(&mut client);
    let in_dir = |dir: &str| -> Vec<i32> {
        homes_before.iter().filter(|(_, home)| *home == dir).map(|(partition, _)| *partition).collect()
    };
    let (lost, left) = (in_dir("/b"), in_dir("/a"));
    assert_eq!((lost.len(), left.len()), (2, 2));
    disk.inject(Fault::io(Op::SyncData).on("/b/").times(u64::MAX));
    assert_eq!(produce(&mut client, lost[0], "lost"), ErrorCode::KAFKA_STORAGE_ERROR);
    // The other partition in it, which nobody wrote to, has no leader any more.
    eventually("the failed directory's partitions are led", || {
        (leader(&mut client, lost[1]) == -1).then_some(())
    });
    eventually("reads of it are answered", || {
        (read(&mut client, lost[1]) == Err(ErrorCode::KAFKA_STORAGE_ERROR)).then_some(())
    });
    for &partition in &left {
        assert_eq!(leader(&mut client, partition), 1);
        assert_eq!(produce(&mut client, partition, "after"), ErrorCode::NONE);
        assert_eq!(read(&mut client, partition).unwrap(), ["safe", "after"]);
    }
    let described = describe(&mut client, 5, None);
    let errors: Vec<_> = described.results.iter().map(|dir| (&*dir.log_dir, dir.error_code)).collect();
    assert_eq!(errors, [("/a", ErrorCode::NONE), ("/b", ErrorCode::KAFKA_STORAGE_ERROR)]);
    assert_eq!(node.metric("kafka_log_logmanager_offlinelogdirectorycount"), 1.0);
    // New partitions go where there is a directory.
    client.create_topic("u");
    assert_eq!(client.try_produce("u", 0, ACKS_ALL, batch::one("v")).error_code, ErrorCode::NONE);
    disk.heal();
    drop(client);
    node.kill();
    let node = spec.start();
    let mut client = node.client();
    client.wait_for_topic("t", id, 4);
    for &partition in &lost {
        assert_eq!(read(&mut client, partition).unwrap()[0], "safe");
        assert_eq!(produce(&mut client, partition, "again"), ErrorCode::NONE);
    }
    assert_eq!(homes(&mut client), homes_before);
}

#[test]
fn a_directory_that_does_not_open_leaves_the_other_serving_and_nothing_begins_anew() {
    let disk = SimDisk::new(3);
    let spec = two_directories(&disk);
    let node = spec.start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(4));
    (0..4).for_each(|p| assert_eq!(produce(&mut client, p, "safe"), ErrorCode::NONE));
    let homes_before = homes(&mut client);
    node.stop();
    disk.inject(Fault::io(Op::Open).on("/b").times(u64::MAX));
    let node = spec.start();
    let mut client = node.client();
    for (&partition, home) in &homes_before {
        let expected = if home == "/a" { 1 } else { -1 };
        eventually("leaders", || (leader(&mut client, partition) == expected).then_some(()));
        match home.as_str() {
            "/a" => assert_eq!(read(&mut client, partition).unwrap(), ["safe"]),
            _ => assert_eq!(produce(&mut client, partition, "x"), ErrorCode::KAFKA_STORAGE_ERROR),
        }
    }
    node.stop();
    disk.heal();
    let node = spec.start();
    let mut client = node.client();
    for &partition in homes_before.keys() {
        eventually("leaders", || (leader(&mut client, partition) == 1).then_some(()));
        eventually("its records", || (read(&mut client, partition).ok()? == ["safe"]).then_some(()));
    }
}

#[test]
fn the_failure_of_the_last_directory_is_that_of_the_node() {
    let disk = SimDisk::new(4);
    let node = two_directories(&disk).start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(2));
    disk.inject(Fault::io(Op::Write).on("-0/").times(u64::MAX));
    disk.inject(Fault::io(Op::Write).on("-1/").times(u64::MAX));
    (0..2).for_each(|p| assert_eq!(produce(&mut client, p, "lost"), ErrorCode::KAFKA_STORAGE_ERROR));
    let reason = node.failed();
    assert!(
        reason.contains("no log directory is left") && reason.contains("/a") && reason.contains("/b"),
        "{reason}"
    );
}

fn alter(client: &mut RawClient, version: i16, dir: &str, topic: &str, partition: i32) -> ErrorCode {
    let topic =
        AlterReplicaLogDirTopic { name: topic.into(), partitions: vec![partition], ..Default::default() };
    let dir = AlterReplicaLogDir { path: dir.into(), topics: vec![topic], ..Default::default() };
    let response =
        client.call(version, &AlterReplicaLogDirsRequest { dirs: vec![dir], ..Default::default() });
    response.results[0].partitions[0].error_code
}

fn wait_for_home(client: &mut RawClient, partition: i32, dir: &str) {
    eventually(&format!("{partition} is not in {dir}"), || {
        let described = describe(client, 5, None);
        let copies = described.results.iter().flat_map(|dir| &dir.topics).flat_map(|topic| &topic.partitions);
        let is_moving = copies.into_iter().any(|p| p.is_future_key);
        let of_t = partitions_of_t(&described);
        (!is_moving && of_t[dir].iter().any(|(p, _)| *p == partition)).then_some(())
    });
}

#[test]
fn a_replica_moves_while_it_is_written_to_and_read() {
    let disk = SimDisk::new(5);
    let spec = two_directories(&disk);
    let node = spec.start();
    let mut client = node.client();
    let id = client.create(&TopicSpec::new("t").partitions(2).config("segment.bytes", "1048576"));
    let home = homes(&mut client)[&0].clone();
    let other = if home == "/a" { "/b" } else { "/a" };
    let mut expected = Vec::new();
    let mut write = |client: &mut RawClient, n: usize| {
        for _ in 0..n {
            let value = format!("{:06} {}", expected.len(), "x".repeat(20_000));
            assert_eq!(produce(client, 0, &value), ErrorCode::NONE);
            expected.push(value);
        }
        expected.clone()
    };
    write(&mut client, 100);
    for (round, (version, dir)) in [(1, other), (2, home.as_str()), (2, other)].into_iter().enumerate() {
        assert_eq!(alter(&mut client, version, dir, "t", 0), ErrorCode::NONE);
        write(&mut client, 50);
        wait_for_home(&mut client, 0, dir);
        let expected = write(&mut client, 1);
        assert_eq!(client.read_values("t", 0), expected, "round {round}");
        eventually("the folder that it left stays", || {
            let at = |dir: &str| spec.disk().list(dir.as_ref()).unwrap();
            let names = ["/a", "/b"].iter().flat_map(|dir| at(dir)).map(|entry| entry.name);
            (names.filter(|name| name.starts_with("t-0")).count() == 1).then_some(())
        });
    }
    let expected = write(&mut client, 0);
    drop(client);
    node.kill();
    let node = spec.start();
    let mut client = node.client();
    client.wait_for_topic("t", id, 2);
    assert_eq!(client.read_values("t", 0), expected);
    assert_eq!(homes(&mut client)[&0], other);
    // The controller knows: the failure of the directory that it left is none of its business.
    disk.inject(Fault::io(Op::SyncData).on(format!("{home}/")).times(u64::MAX));
    let neighbour = homes(&mut client).into_iter().find(|(_, dir)| *dir == home);
    if let Some((neighbour, _)) = neighbour {
        assert_eq!(produce(&mut client, neighbour, "lost"), ErrorCode::KAFKA_STORAGE_ERROR);
        eventually("its neighbour is led", || (leader(&mut client, neighbour) == -1).then_some(()));
    }
    assert_eq!(leader(&mut client, 0), 1);
    assert_eq!(produce(&mut client, 0, "after"), ErrorCode::NONE);
}

#[test]
fn a_throttled_move_shows_its_progress_can_be_cancelled_and_goes_on_after_a_restart() {
    let disk = SimDisk::new(6);
    let spec = two_directories(&disk).set("replica.alter.log.dirs.io.max.bytes.per.second", "50000");
    let node = spec.start();
    let mut client = node.client();
    let id = client.create_topic("t");
    let home = homes(&mut client)[&0].clone();
    let other = if home == "/a" { "/b" } else { "/a" };
    for i in 0..20 {
        assert_eq!(produce(&mut client, 0, &format!("{i:02} {}", "x".repeat(20_000))), ErrorCode::NONE);
    }
    let future = |client: &mut RawClient| {
        let described = describe(client, 5, None);
        let dir = described.results.iter().find(|dir| &*dir.log_dir == other).unwrap();
        let partitions = dir.topics.iter().flat_map(|topic| &topic.partitions);
        partitions.into_iter().find(|p| p.is_future_key).map(|p| (p.partition_size, p.offset_lag))
    };
    assert_eq!(alter(&mut client, 2, other, "t", 0), ErrorCode::NONE);
    eventually("no progress", || {
        future(&mut client).filter(|(size, lag)| *size > 20_000 && (1..20).contains(lag))
    });
    assert_eq!(alter(&mut client, 2, &home, "t", 0), ErrorCode::NONE);
    assert_eq!(future(&mut client), None, "cancelled");
    assert_eq!(alter(&mut client, 2, other, "t", 0), ErrorCode::NONE);
    eventually("no progress", || future(&mut client).filter(|(size, _)| *size > 20_000));
    drop(client);
    node.kill();
    let node = spec.set("replica.alter.log.dirs.io.max.bytes.per.second", "100000000").start();
    let mut client = node.client();
    client.wait_for_topic("t", id, 1);
    wait_for_home(&mut client, 0, other);
    assert_eq!(client.read_values("t", 0).len(), 20);
}

#[test]
fn a_raised_rate_holds_for_a_move_that_waits_by_the_former() {
    let disk = SimDisk::new(9);
    let node = two_directories(&disk).set("replica.alter.log.dirs.io.max.bytes.per.second", "1").start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t"));
    (0..2).for_each(|_| assert_eq!(produce(&mut client, 0, &"x".repeat(100_000)), ErrorCode::NONE));
    let there = if homes(&mut client)[&0] == "/a" { "/b" } else { "/a" };
    assert_eq!(alter(&mut client, 2, there, "t", 0), ErrorCode::NONE);
    eventually("a first batch is copied", || {
        let described = describe(&mut client, 5, None);
        let partitions =
            described.results.iter().flat_map(|dir| &dir.topics).flat_map(|topic| &topic.partitions);
        partitions.into_iter().any(|p| p.is_future_key && p.partition_size > 0).then_some(())
    });
    let rate = [(SET, "replica.alter.log.dirs.io.max.bytes.per.second", Some("100000000"))];
    assert_eq!(try_alter(&mut client, 1, BROKER, "1", &rate, false).0, ErrorCode::NONE);
    wait_for_home(&mut client, 0, there);
}

#[test]
fn moves_that_cannot_be_are_refused_and_what_is_not_here_yet_is_placed_where_it_shall_be() {
    let disk = SimDisk::new(7);
    let node = two_directories(&disk).start();
    let mut client = node.client();
    assert_eq!(alter(&mut client, 2, "/c", "t", 0), ErrorCode::LOG_DIR_NOT_FOUND);
    for partition in 0..4 {
        assert_eq!(alter(&mut client, 2, "/b", "t", partition), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
    client.create(&TopicSpec::new("t").partitions(4));
    assert_eq!(homes(&mut client).into_values().collect::<Vec<_>>(), ["/b"; 4]);
    // Without records there is nothing to copy.
    assert_eq!(alter(&mut client, 2, "/a", "t", 2), ErrorCode::NONE);
    wait_for_home(&mut client, 2, "/a");
    assert_eq!(produce(&mut client, 2, "v"), ErrorCode::NONE);
    let long = "l".repeat(230);
    client.create_topic(&long);
    assert_eq!(alter(&mut client, 2, "/a", &long, 0), ErrorCode::INVALID_TOPIC_EXCEPTION);
    disk.inject(Fault::io(Op::SyncData).on("/b/").times(u64::MAX));
    assert_eq!(produce(&mut client, 0, "lost"), ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(alter(&mut client, 2, "/b", "t", 2), ErrorCode::KAFKA_STORAGE_ERROR);
}
