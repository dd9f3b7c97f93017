//! Disks that are full or fail.

use ottla_protocol::ErrorCode;
use ottla_simdisk::{Fault, Op, SimDisk};
use ottla_testkit::{ACKS_ALL, ACKS_LEADER, NodeSpec, RawClient, TestNode, batch, eventually};

fn start(disk: &SimDisk) -> (NodeSpec, TestNode, RawClient) {
    // What a dead disk never commits is given up soon.
    let spec = NodeSpec::on_sim(disk).set("offsets.commit.timeout.ms", "500");
    let node = spec.start();
    let client = node.client();
    (spec, node, client)
}

fn produce(client: &mut RawClient, acks: i16, value: &str) -> ErrorCode {
    client.try_produce("t", 0, acks, batch::one(value)).error_code
}

/// Values by their beginning and length, for failures that can be read.
fn heads(values: &[String]) -> Vec<(String, usize)> {
    values.iter().map(|value| (value.chars().take(8).collect(), value.len())).collect()
}

fn read_heads(client: &mut RawClient) -> Vec<(String, usize)> {
    heads(&client.read_values("t", 0))
}

#[test]
fn a_full_disk_refuses_appends_and_serves_again_when_there_is_room() {
    let disk = SimDisk::new(1);
    let (_spec, node, mut client) = start(&disk);
    client.create_topic("t");
    client.wait_for_coordinator("g");
    let big = |i: usize| format!("{i:04}").repeat(5000);
    let mut acknowledged = vec![big(0)];
    client.produce("t", batch::one(&big(0)));
    for round in 0..3 {
        disk.set_capacity(Some(disk.used_bytes() + 100_000));
        let refused = loop {
            let value = big(acknowledged.len());
            match produce(
                &mut client,
                if acknowledged.len() % 2 == 0 { ACKS_ALL } else { ACKS_LEADER },
                &value,
            ) {
                ErrorCode::NONE => acknowledged.push(value),
                error => break error,
            }
            assert!(acknowledged.len() < 1000, "the disk is never full");
        };
        assert_eq!(refused, ErrorCode::KAFKA_STORAGE_ERROR, "round {round}");
        assert_eq!(produce(&mut client, ACKS_ALL, &big(0)), ErrorCode::KAFKA_STORAGE_ERROR);
        // Those with acks=1 become readable a little later.
        eventually("reading does not go on", || {
            (read_heads(&mut client) == heads(&acknowledged)).then_some(())
        });
        assert_eq!(node.metric("kafka_log_logmanager_offlinelogdirectorycount"), 0.0);
        disk.set_capacity(None);
        let value = big(acknowledged.len());
        eventually("no service after space was freed", || {
            (produce(&mut client, ACKS_ALL, &value) == ErrorCode::NONE).then_some(())
        });
        acknowledged.push(value);
        assert_eq!(read_heads(&mut client), heads(&acknowledged), "round {round}");
        assert_eq!(client.commit_offset("g", "t", round), ErrorCode::NONE);
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_a_full_disk_and_a_power_failure() {
    for seed in 0..10 {
        let disk = SimDisk::new(seed);
        let (spec, node, mut client) = start(&disk);
        let id = client.create_topic("t");
        client.produce("t", batch::one("first"));
        disk.set_capacity(Some(disk.used_bytes() + 30_000 + seed * 777));
        let mut acknowledged = vec!["first".to_owned()];
        loop {
            let value = format!("{:04}", acknowledged.len()).repeat(500);
            match produce(&mut client, ACKS_ALL, &value) {
                ErrorCode::NONE => acknowledged.push(value),
                ErrorCode::KAFKA_STORAGE_ERROR => break,
                error => panic!("{error:?}"),
            }
        }
        disk.crash();
        node.kill();
        disk.set_capacity(None);
        let node = spec.start();
        let mut client = node.client();
        client.wait_for_topic("t", id, 1);
        let values = read_heads(&mut client);
        assert!(
            values.starts_with(&heads(&acknowledged)),
            "seed {seed}: {} of {}",
            values.len(),
            acknowledged.len()
        );
        assert_eq!(produce(&mut client, ACKS_ALL, "after"), ErrorCode::NONE);
    }
}

#[test]
fn a_node_starts_on_a_full_disk_and_serves_reads() {
    let disk = SimDisk::new(3);
    let (spec, node, mut client) = start(&disk);
    let id = client.create_topic("t");
    client.produce("t", batch::one("v"));
    node.stop();
    disk.set_capacity(Some(disk.used_bytes()));
    let node = match spec.try_start() {
        Ok(node) => node,
        // A node that cannot even note its start says so and why; it does not pretend.
        Err(error) => {
            assert!(error.to_string().contains("space"), "{error}");
            disk.set_capacity(None);
            spec.start()
        }
    };
    let mut client = node.client();
    client.wait_for_topic("t", id, 1);
    assert_eq!(client.read_values("t", 0), ["v"]);
    disk.set_capacity(None);
    eventually("no service", || (produce(&mut client, ACKS_ALL, "w") == ErrorCode::NONE).then_some(()));
}

#[test]
fn creating_a_topic_on_a_full_disk_fails_and_works_later() {
    let disk = SimDisk::new(4);
    let (_spec, _node, mut client) = start(&disk);
    client.create_topic("t");
    client.produce("t", batch::one("v"));
    disk.set_capacity(Some(disk.used_bytes()));
    let refused = client.try_create(&ottla_testkit::TopicSpec::new("u"));
    disk.set_capacity(None);
    if refused.error_code != ErrorCode::NONE {
        eventually("no topic is created", || {
            let error = client.try_create(&ottla_testkit::TopicSpec::new("u")).error_code;
            matches!(error, ErrorCode::NONE | ErrorCode::TOPIC_ALREADY_EXISTS).then_some(())
        });
    }
    eventually("the topic cannot be used", || {
        (client.try_produce("u", 0, ACKS_ALL, batch::one("w")).error_code == ErrorCode::NONE).then_some(())
    });
    assert_eq!(client.read_values("u", 0), ["w"]);
}

#[test]
fn a_failed_sync_takes_the_directory_offline_and_says_so() {
    let disk = SimDisk::new(5);
    let (spec, node, mut client) = start(&disk);
    let id = client.create_topic("t");
    client.produce("t", batch::one("safe"));
    assert_eq!(node.admin("/readyz").0, 200);
    disk.inject(Fault::io(Op::SyncData).on("/t-0/"));
    assert_eq!(produce(&mut client, ACKS_ALL, "lost"), ErrorCode::KAFKA_STORAGE_ERROR);
    // The disk works again, and must not be trusted all the same: the failed sync may have dropped pages.
    for acks in [ACKS_ALL, ACKS_LEADER] {
        assert_eq!(produce(&mut client, acks, "lost"), ErrorCode::KAFKA_STORAGE_ERROR);
    }
    assert_eq!(node.metric("kafka_log_logmanager_offlinelogdirectorycount"), 1.0);
    eventually("still ready", || (node.admin("/readyz").0 == 503).then_some(()));
    let (_, reason) = node.admin("/readyz");
    assert!(reason.contains("/data"), "{reason}");
    drop(client);
    node.kill();
    let node = spec.start();
    let mut client = node.client();
    client.wait_for_topic("t", id, 1);
    let values = client.read_values("t", 0);
    assert_eq!(values[0], "safe");
    assert!(values.len() <= 2 && values[1..].iter().all(|value| value == "lost"), "{values:?}");
    assert_eq!(produce(&mut client, ACKS_ALL, "after"), ErrorCode::NONE);
}

#[test]
fn a_failed_write_is_refused_and_not_read() {
    let disk = SimDisk::new(6);
    let (_spec, _node, mut client) = start(&disk);
    client.create_topic("t");
    client.produce("t", batch::one("safe"));
    disk.inject(Fault::io(Op::Write).on("/t-0/"));
    assert_eq!(produce(&mut client, ACKS_ALL, "lost"), ErrorCode::KAFKA_STORAGE_ERROR);
    let values = client.read_values("t", 0);
    assert_eq!(values, ["safe"]);
}

#[test]
fn a_failed_read_is_an_error_of_its_partition_only() {
    let disk = SimDisk::new(7);
    let spec = NodeSpec::on_sim(&disk);
    let node = spec.start();
    let mut client = node.client();
    let ids = ["t", "u"].map(|topic| {
        let id = client.create_topic(topic);
        client.produce(topic, batch::one(topic));
        id
    });
    node.stop();
    let node = spec.start();
    let mut client = node.client();
    client.wait_for_topic("t", ids[0], 1);
    client.wait_for_topic("u", ids[1], 1);
    disk.inject(Fault::io(Op::Read).on("/t-0/").times(u64::MAX));
    let failed = client.try_read("t");
    assert_ne!(failed, Some(vec!["t".to_owned()]), "records came from nowhere");
    let mut other = node.client();
    assert_eq!(other.read_values("u", 0), ["u"]);
    disk.heal();
    assert_eq!(other.read_values("t", 0), ["t"]);
}

trait TryRead {
    fn try_read(&mut self, topic: &str) -> Option<Vec<String>>;
}

impl TryRead for RawClient {
    /// `None` if the broker says so or ends the connection.
    fn try_read(&mut self, topic: &str) -> Option<Vec<String>> {
        let request = ottla_testkit::FetchAt::new(topic, 0).to_request();
        let response = self.try_call(11, &request).ok()?;
        let data = &response.responses[0].partitions[0];
        (data.error_code == ErrorCode::NONE).then(|| batch::values_of(&ottla_testkit::bytes_of(data)))
    }
}

#[test]
fn committing_offsets_on_a_full_disk_fails_and_works_later() {
    let disk = SimDisk::new(8);
    let (_spec, _node, mut client) = start(&disk);
    client.create_topic("t");
    client.wait_for_coordinator("g");
    assert_eq!(client.commit_offset("g", "t", 1), ErrorCode::NONE);
    disk.set_capacity(Some(disk.used_bytes()));
    let mut offset = 1;
    let refused = loop {
        match client.commit_offset("g", "t", offset + 1) {
            ErrorCode::NONE => offset += 1,
            error => break error,
        }
        assert!(offset < 100_000, "the disk is never full");
    };
    // Clients ask again, of whoever coordinates then.
    let retried = [
        ErrorCode::NOT_COORDINATOR,
        ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
    ];
    assert!(retried.contains(&refused), "{refused:?}");
    disk.set_capacity(None);
    eventually("no commit", || (client.commit_offset("g", "t", offset + 5) == ErrorCode::NONE).then_some(()));
    assert_eq!(client.committed_offset("g", "t"), offset + 5);
}

#[test]
fn a_failed_sync_of_the_metadata_log_is_not_hidden() {
    let disk = SimDisk::new(9);
    let (spec, node, mut client) = start(&disk);
    let id = client.create_topic("t");
    client.produce("t", batch::one("v"));
    disk.inject(Fault::io(Op::SyncData).on("quorum"));
    let refused = client.try_create(&ottla_testkit::TopicSpec::new("u")).error_code;
    assert_ne!(refused, ErrorCode::NONE, "a topic was promised that is not on disk");
    eventually("still ready", || (node.admin("/readyz").0 == 503).then_some(()));
    drop(client);
    node.kill();
    let node = spec.start();
    let mut client = node.client();
    client.wait_for_topic("t", id, 1);
    assert_eq!(client.read_values("t", 0), ["v"]);
    client.create_topic("w");
}

/// The power goes while topics are created and deleted, offsets committed and records appended.
#[test]
fn metadata_and_records_agree_after_power_failures_at_any_moment() {
    let mut off = 0;
    for seed in 0..20 {
        let disk = SimDisk::new(100 + seed);
        let (spec, node, mut client) = start(&disk);
        client.wait_for_coordinator("g");
        client.create_topic("base");
        disk.crash_at(5 + seed * 7);
        let mut promised = Vec::new();
        let mut committed = -1;
        for i in 0..12 {
            let name = format!("t{i}");
            let Some(id) = client.try_create_quietly(&name) else { break };
            let value = format!("in {name}");
            let request = ottla_testkit::produce_request(&name, 0, ACKS_ALL, batch::one(&value));
            let appended = eventually_or_off(&disk, || {
                let response = client.try_call(9, &request).ok()?;
                (response.responses[0].partition_responses[0].error_code == ErrorCode::NONE).then_some(())
            });
            promised.push((name, id, appended.map(|()| value)));
            if appended.is_none() {
                break;
            }
            if disk.is_off() {
                break;
            }
            match client.try_commit_quietly("g", "base", i) {
                Some(()) => committed = i,
                None => break,
            }
        }
        off += usize::from(disk.is_off());
        disk.restart();
        node.kill();
        let node = spec.start();
        let mut client = node.client();
        for (name, id, value) in &promised {
            client.wait_for_topic(name, *id, 1);
            let values = client.read_values(name, 0);
            if let Some(value) = value {
                assert_eq!(values.first(), Some(value), "seed {seed}, {name}");
            }
            client.produce(name, batch::one("after"));
        }
        client.wait_for_coordinator("g");
        assert!(client.committed_offset("g", "base") >= committed, "seed {seed}");
    }
    assert!(off > 10, "the power went in only {off} of the runs");
}

fn eventually_or_off<T>(disk: &SimDisk, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    eventually("neither done nor off", || match probe() {
        Some(value) => Some(Some(value)),
        None => disk.is_off().then_some(None),
    })
}

trait Quietly {
    fn try_create_quietly(&mut self, name: &str) -> Option<ottla_protocol::Uuid>;
    fn try_commit_quietly(&mut self, group: &str, topic: &str, offset: i64) -> Option<()>;
}

impl Quietly for RawClient {
    fn try_create_quietly(&mut self, name: &str) -> Option<ottla_protocol::Uuid> {
        let request = ottla_protocol::messages::create_topics::CreateTopicsRequest {
            topics: vec![ottla_testkit::TopicSpec::new(name).to_creatable()],
            timeout_ms: 1000,
            ..Default::default()
        };
        let result = self.try_call(7, &request).ok()?.topics.remove(0);
        (result.error_code == ErrorCode::NONE).then_some(result.topic_id)
    }

    fn try_commit_quietly(&mut self, group: &str, topic: &str, offset: i64) -> Option<()> {
        (self.commit_offset(group, topic, offset) == ErrorCode::NONE).then_some(())
    }
}
