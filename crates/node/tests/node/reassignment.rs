//! Partitions that move to other brokers (KIP-455).

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use ottla_protocol::messages::fetch::FetchRequest;
use ottla_protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use ottla_protocol::messages::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, OngoingPartitionReassignment,
};
use ottla_testkit::{ACKS_ALL, DiskGate, FetchAt, TopicSpec, batch, eventually};

use crate::three_brokers::{Cluster, segment};

impl Cluster {
    /// Where `t-0` shall be; `None` cancels.
    fn reassign(&self, replicas: Option<&[i32]>) -> ErrorCode {
        let partition =
            ReassignablePartition { replicas: replicas.map(<[i32]>::to_vec), ..Default::default() };
        let request = AlterPartitionReassignmentsRequest {
            topics: vec![ReassignableTopic {
                name: "t".into(),
                partitions: vec![partition],
                ..Default::default()
            }],
            ..Default::default()
        };
        let response = self.any().call(1, &request);
        assert_eq!(response.error_code, ErrorCode::NONE, "{response:?}");
        response.responses[0].partitions[0].error_code
    }

    /// What moves now.
    fn moving(&self) -> Vec<OngoingPartitionReassignment> {
        let response = self.any().call(0, &ListPartitionReassignmentsRequest::default());
        assert_eq!(response.error_code, ErrorCode::NONE);
        response.topics.into_iter().flat_map(|topic| topic.partitions).collect()
    }

    /// Waits until `t-0` is on exactly these brokers, all in sync.
    fn wait_until_moved_to(&self, replicas: &[i32]) {
        eventually(&format!("t-0 is not on {replicas:?}"), || self.moving().is_empty().then_some(()));
        eventually(&format!("t-0 is not on {replicas:?}"), || {
            let partition = self.partition("t")?;
            let mut isr = partition.isr_nodes.to_vec();
            isr.sort_by_key(|id| replicas.iter().position(|replica| replica == id));
            (*partition.replica_nodes == *replicas && isr == replicas).then_some(())
        });
    }

    /// Likewise, and until it has no folder elsewhere.
    fn wait_until_on(&self, replicas: &[i32]) {
        self.wait_until_moved_to(replicas);
        for (id, spec) in (1..).zip(&self.specs) {
            eventually(&format!("broker {id} has the folder against the metadata"), || {
                (spec.data().join("t-0").exists() == replicas.contains(&id)).then_some(())
            });
        }
    }

    /// Waits until broker 3 has copied something.
    fn wait_until_begun(&self) {
        let copied = self.specs[2].data().join("t-0/00000000000000000000.log");
        eventually("nothing is copied", || {
            std::fs::metadata(&copied).is_ok_and(|file| file.len() > 0).then_some(())
        });
    }

    /// Sets a rate of the broker `id`, or takes it away.
    fn set_throttle(&self, id: i32, key: &str, value: Option<&str>) {
        let config = AlterableConfig {
            name: key.into(),
            config_operation: i8::from(value.is_none()),
            value: value.map(Into::into),
            ..Default::default()
        };
        let resource = AlterConfigsResource {
            resource_type: 4,
            resource_name: id.to_string().into(),
            configs: vec![config],
            ..Default::default()
        };
        let request = IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
        let response = self.any().call(1, &request);
        assert_eq!(response.responses[0].error_code, ErrorCode::NONE, "{response:?}");
    }

    /// Their first segments.
    fn segments(&self, ids: &[i32]) -> Vec<Vec<u8>> {
        let spec = |id: &i32| &self.specs[usize::try_from(id - 1).unwrap()];
        ids.iter().map(|id| segment(spec(id).data(), "t-0")).collect()
    }
}

/// Those that were sent again after an answer was lost are there twice.
fn once(mut values: Vec<String>) -> Vec<String> {
    values.dedup();
    values
}

#[test]
fn a_partition_moves_with_its_leader_while_a_producer_writes() {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").on(&[1, 2]));
    let mut expected: Vec<String> = (0..20).map(|i| format!("{i}-{}", "x".repeat(100_000))).collect();
    for value in &expected {
        cluster.produce("t", ACKS_ALL, value);
    }
    let has_moved = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = Vec::new();
            // Some before, during and after.
            while !has_moved.load(Ordering::Relaxed) || written.len() < 20 {
                written.push(format!("w{}", written.len()));
                cluster.produce("t", ACKS_ALL, written.last().unwrap());
            }
            written.push("last".to_owned());
            cluster.produce("t", ACKS_ALL, "last");
            written
        });
        assert_eq!(cluster.reassign(Some(&[3, 2])), ErrorCode::NONE);
        cluster.wait_until_on(&[3, 2]);
        has_moved.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    expected.extend(written);
    assert!(cluster.leader("t") != 1);
    assert_eq!(once(cluster.values("t", expected.len())), expected);
    cluster.stop();
    let segments = cluster.segments(&[2, 3]);
    assert!(segments[0].len() > 2_000_000 && segments[0] == segments[1]);
}

#[test]
fn a_cancelled_move_leaves_everything_as_it_was() {
    let gate = DiskGate::on_syncs(&["t-0"]);
    let mut cluster =
        Cluster::start_with(|id, spec| if id == 3 { spec.map_disk(|disk| gate.before(disk)) } else { spec });
    cluster.create(&TopicSpec::new("t").on(&[1, 2]));
    cluster.produce("t", ACKS_ALL, "a");
    assert_eq!(cluster.reassign(None), ErrorCode::NO_REASSIGNMENT_IN_PROGRESS);
    gate.close();
    assert_eq!(cluster.reassign(Some(&[3, 2])), ErrorCode::NONE);
    // It copies, and does not get in sync.
    gate.wait_for_held(1);
    let moving = cluster.moving().remove(0);
    assert_eq!(*moving.replicas, [3, 2, 1]);
    assert_eq!((&*moving.adding_replicas, &*moving.removing_replicas), (&[3][..], &[1][..]));
    cluster.produce("t", ACKS_ALL, "b");
    assert_eq!(cluster.reassign(None), ErrorCode::NONE);
    gate.open();
    cluster.wait_until_on(&[2, 1]);
    assert_eq!(cluster.leader("t"), 1, "who led before goes on");
    cluster.produce("t", ACKS_ALL, "c");
    assert_eq!(cluster.values("t", 3), ["a", "b", "c"]);
    cluster.stop();
}

#[test]
fn the_number_of_replicas_grows_and_shrinks() {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").on(&[1]));
    cluster.produce("t", ACKS_ALL, "a");
    assert_eq!(cluster.reassign(Some(&[2, 3, 1])), ErrorCode::NONE);
    cluster.wait_until_on(&[2, 3, 1]);
    assert_eq!(cluster.leader("t"), 1, "it stays, so it goes on");
    cluster.produce("t", ACKS_ALL, "b");
    let segments = cluster.segments(&[1, 2, 3]);
    assert!(segments[0] == segments[1] && segments[0] == segments[2]);
    assert_eq!(cluster.reassign(Some(&[3])), ErrorCode::NONE);
    cluster.wait_until_on(&[3]);
    cluster.produce("t", ACKS_ALL, "c");
    assert_eq!(cluster.values("t", 3), ["a", "b", "c"]);
    cluster.restart_all();
    assert_eq!(cluster.values("t", 3), ["a", "b", "c"], "it is where the metadata says");
    cluster.stop();
}

#[test]
fn a_broker_that_was_down_when_its_replica_moved_away_keeps_it_aside() {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").on(&[1, 2]));
    cluster.produce("t", ACKS_ALL, "a");
    cluster.kill(1);
    cluster.leader_but("t", 1);
    assert_eq!(cluster.reassign(Some(&[3, 2])), ErrorCode::NONE);
    cluster.wait_until_moved_to(&[3, 2]);
    cluster.restart(1);
    eventually("the folder is not set aside", || {
        let data = cluster.specs[0].data();
        let names = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name());
        let stray = names.map(|name| name.into_string().unwrap()).any(|name| name.ends_with("-stray"));
        (stray && !data.join("t-0").exists()).then_some(())
    });
    assert_eq!(cluster.values("t", 1), ["a"]);
    cluster.stop();
}

#[test]
fn who_is_no_replica_yet_is_told_to_try_again() {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").on(&[1, 2]));
    cluster.produce("t", ACKS_ALL, "a");
    let fetch = |leader_epoch| {
        let mut request = FetchRequest { replica_id: 3, ..FetchAt::new("t", 0).to_request() };
        request.topics[0].partitions[0].current_leader_epoch = leader_epoch;
        let response = cluster.client(1).call(12, &request);
        response.responses[0].partitions[0].error_code
    };
    let epoch = cluster.partition("t").unwrap().leader_epoch;
    assert_eq!(fetch(epoch), ErrorCode::UNKNOWN_LEADER_EPOCH, "its metadata may be ahead of the leader's");
    assert_eq!(fetch(-1), ErrorCode::NOT_LEADER_OR_FOLLOWER);
    assert_eq!(
        cluster.client(3).try_produce("t", 0, ACKS_ALL, batch::one("b")).error_code,
        ErrorCode::NOT_LEADER_OR_FOLLOWER
    );
    assert_eq!(cluster.reassign(Some(&[1, 2, 3])), ErrorCode::NONE);
    cluster.wait_until_on(&[1, 2, 3]);
    cluster.stop();
}

#[test]
fn a_throttled_move_waits_and_goes_on_when_the_throttle_is_lifted() {
    let mut cluster = Cluster::start();
    // What is written meanwhile must not wait for the second replica that there is for a while.
    let throttled = TopicSpec::new("t").on(&[1]).config("min.insync.replicas", "1");
    let throttled = throttled.config("leader.replication.throttled.replicas", "0:1");
    cluster.create(&throttled.config("follower.replication.throttled.replicas", "0:3"));
    // Several answers' worth.
    for _ in 0..25 {
        cluster.produce("t", ACKS_ALL, &"x".repeat(500_000));
    }
    cluster.set_throttle(1, "leader.replication.throttled.rate", Some("1"));
    assert_eq!(cluster.reassign(Some(&[3])), ErrorCode::NONE);
    cluster.wait_until_begun();
    // It would be over long before these are written.
    for _ in 0..20 {
        cluster.produce("t", ACKS_ALL, &"x".repeat(500_000));
    }
    assert_eq!(*cluster.moving().remove(0).adding_replicas, [3], "the others have to wait");
    cluster.set_throttle(1, "leader.replication.throttled.rate", None);
    cluster.wait_until_on(&[3]);
    assert_eq!(cluster.values("t", 45).len(), 45);
    cluster.stop();
}

#[test]
fn a_move_goes_on_when_its_leader_and_its_target_were_killed() {
    let mut cluster = Cluster::start();
    let throttled = TopicSpec::new("t").on(&[1, 2]);
    cluster.create(&throttled.config("follower.replication.throttled.replicas", "0:3"));
    for _ in 0..25 {
        cluster.produce("t", ACKS_ALL, &"x".repeat(500_000));
    }
    cluster.set_throttle(3, "follower.replication.throttled.rate", Some("1"));
    assert_eq!(cluster.reassign(Some(&[3, 2])), ErrorCode::NONE);
    cluster.wait_until_begun();
    cluster.kill(1);
    assert_eq!(cluster.leader_but("t", 1), 2);
    cluster.kill(3);
    cluster.restart(3);
    assert_eq!(cluster.moving().len(), 1);
    cluster.set_throttle(3, "follower.replication.throttled.rate", None);
    cluster.wait_until_moved_to(&[3, 2]);
    cluster.produce("t", ACKS_ALL, "last");
    assert_eq!(cluster.values("t", 26).last().map(String::as_str), Some("last"));
    cluster.stop();
    let segments = cluster.segments(&[2, 3]);
    assert!(segments[0].len() > 12_000_000 && segments[0] == segments[1]);
}
