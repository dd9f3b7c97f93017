//! Partitions with replicas on several brokers: what is acknowledged is on all of them, whoever dies.

use ottla_protocol::ErrorCode;
use ottla_testkit::{ACKS_ALL, ACKS_LEADER, DiskGate, TopicSpec, batch, eventually};

use crate::three_brokers::{BROKERS, Cluster, others, segment};

#[test]
fn acknowledged_records_are_on_all_replicas_byte_by_byte() {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").replicas(3));
    for i in 0..50 {
        cluster.produce("t", ACKS_ALL, &i.to_string());
    }
    let segments: Vec<_> = cluster.specs.iter().map(|spec| segment(spec.data(), "t-0")).collect();
    assert!(segments[0].len() > 50 * 60);
    assert!(segments[0] == segments[1] && segments[0] == segments[2], "without any wait after the last one");
    let expected: Vec<String> = (0..50).map(|i| i.to_string()).collect();
    assert_eq!(cluster.values("t", 50), expected);
    cluster.wait_for_isr("t", &BROKERS);
    cluster.stop();
}

#[test]
fn a_killed_leader_is_replaced_and_comes_back_in_sync() {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").replicas(3).config("min.insync.replicas", "2"));
    let mut expected = Vec::new();
    let mut produce = |cluster: &Cluster, value: String| {
        cluster.produce("t", ACKS_ALL, &value);
        expected.push(value);
    };
    let first = cluster.leader("t");
    for i in 0..20 {
        produce(&cluster, format!("a{i}"));
    }
    cluster.kill(first);
    let second = cluster.leader_but("t", first);
    for i in 0..20 {
        produce(&cluster, format!("b{i}"));
    }
    cluster.wait_for_isr("t", &others(first));
    cluster.restart(first);
    cluster.wait_for_isr("t", &BROKERS);
    produce(&cluster, "c".to_owned());
    assert_eq!(cluster.leader("t"), second, "who comes back follows");
    cluster.kill(second);
    cluster.leader_but("t", second);
    produce(&cluster, "d".to_owned());
    assert_eq!(cluster.values("t", expected.len()), expected);
    cluster.restart(second);
    cluster.wait_for_isr("t", &BROKERS);
    cluster.stop();
    let segments: Vec<_> = cluster.specs.iter().map(|spec| segment(spec.data(), "t-0")).collect();
    assert!(segments[0] == segments[1] && segments[0] == segments[2]);
}

#[test]
fn too_few_in_sync_replicas_take_no_records_that_all_must_have() {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").replicas(3).config("min.insync.replicas", "2"));
    cluster.produce("t", ACKS_ALL, "a");
    let leader = cluster.leader("t");
    for id in others(leader) {
        cluster.kill(id);
    }
    cluster.wait_for_isr("t", &[leader]);
    eventually("an append is taken", || {
        let refused = cluster.client(leader).try_produce("t", 0, ACKS_ALL, batch::one("lost"));
        (refused.error_code == ErrorCode::NOT_ENOUGH_REPLICAS).then_some(())
    });
    cluster.produce("t", ACKS_LEADER, "b");
    assert_eq!(cluster.values("t", 1), ["a"], "not committed, so not shown");
    cluster.restart(others(leader)[0]);
    cluster.produce("t", ACKS_ALL, "c");
    assert_eq!(cluster.values("t", 3), ["a", "b", "c"]);
    cluster.stop();
}

#[test]
fn a_follower_that_stands_still_leaves_the_in_sync_set_and_returns() {
    let gate = DiskGate::on_syncs(&["t-0"]);
    let slow = 3;
    let mut cluster = Cluster::start_with(|id, spec| {
        let spec = spec.set("replica.lag.time.max.ms", "500");
        if id == slow { spec.map_disk(|disk| gate.before(disk)) } else { spec }
    });
    cluster.create(&TopicSpec::new("t").replicas(3));
    cluster.produce("t", ACKS_ALL, "a");
    if cluster.leader("t") == slow {
        // Somebody else shall lead.
        cluster.kill(slow);
        cluster.leader_but("t", slow);
        cluster.restart(slow);
    }
    cluster.wait_for_isr("t", &BROKERS);
    gate.close();
    let mut client = cluster.client(cluster.leader("t"));
    let sent = client.send_produce("t", ACKS_ALL, batch::one("b"));
    gate.wait_for_held(1);
    assert!(client.is_silent(), "it is not safe on a follower that counts");
    assert_eq!(client.receive_produced(sent).error_code, ErrorCode::NONE);
    cluster.wait_for_isr("t", &others(slow));
    cluster.produce("t", ACKS_ALL, "c");
    gate.open();
    cluster.wait_for_isr("t", &BROKERS);
    assert_eq!(cluster.values("t", 3), ["a", "b", "c"]);
    cluster.stop();
}
