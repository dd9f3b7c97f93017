//! What each `acks` promises, and when.

use std::time::Duration;

use ottla_protocol::ErrorCode;
use ottla_testkit::{
    ACKS_ALL, ACKS_LEADER, ACKS_NONE, DiskGate, FetchAt, NodeSpec, TestNode, TopicSpec, batch,
};

/// A node whose syncs of topics called `gated…` can be held up.
fn gated() -> (NodeSpec, DiskGate) {
    let gate = DiskGate::on_syncs(&["gated"]);
    let spec = NodeSpec::new().map_disk(|disk| gate.before(disk));
    (spec, gate)
}

#[test]
fn acks_all_is_answered_and_read_only_after_the_sync() {
    let (spec, gate) = gated();
    let node = spec.start();
    let (mut producer, mut consumer) = (node.client(), node.client());
    producer.create_topic("gated");
    gate.close();
    let id = producer.send_produce("gated", ACKS_ALL, batch::one("v"));
    gate.wait_for_held(1);
    assert!(producer.is_silent(), "acknowledged before it was on disk");
    assert_eq!(consumer.read_values("gated", 0).len(), 0, "read before it was committed");
    assert_eq!(consumer.list_offset("gated", ottla_testkit::LATEST).offset, 0);
    assert_eq!(consumer.list_offset("gated", -3).offset, -1, "the largest timestamp is not committed");
    gate.open();
    let produced = producer.receive_produced(id);
    assert_eq!((produced.error_code, produced.base_offset), (ErrorCode::NONE, 0));
    assert_eq!(consumer.read_values("gated", 0), ["v"]);
}

#[test]
fn acks_1_is_answered_before_the_sync_and_read_after_it() {
    let (spec, gate) = gated();
    let node = spec.start();
    let (mut producer, mut consumer) = (node.client(), node.client());
    producer.create_topic("gated");
    gate.close();
    let produced = producer.try_produce("gated", 0, ACKS_LEADER, batch::one("v"));
    assert_eq!((produced.error_code, produced.base_offset), (ErrorCode::NONE, 0));
    gate.wait_for_held(1);
    assert_eq!(consumer.read_values("gated", 0).len(), 0);
    gate.open();
    let read = consumer.fetch(FetchAt { max_wait_ms: 10_000, ..FetchAt::new("gated", 0) });
    assert_eq!(batch::values_of(&ottla_testkit::bytes_of(&read)), ["v"]);
}

#[test]
fn in_mode_os_nothing_waits_for_the_disk() {
    let (spec, gate) = gated();
    let node = spec.set("log.durability", "os").start();
    let mut client = node.client();
    client.create_topic("gated");
    gate.close();
    client.produce("gated", batch::one("v"));
    assert_eq!(client.read_values("gated", 0), ["v"]);
    gate.open();
}

#[test]
fn appends_that_arrive_during_a_sync_share_the_next_one() {
    let (spec, gate) = gated();
    let node = spec.start();
    let mut client = node.client();
    client.create_topic("gated");
    gate.close();
    let first = client.send_produce("gated", ACKS_ALL, batch::one("0"));
    gate.wait_for_held(1);
    let more: Vec<i32> =
        (1..50).map(|i| client.send_produce("gated", ACKS_ALL, batch::one(&i.to_string()))).collect();
    gate.open();
    for (offset, id) in (0..).zip(std::iter::once(first).chain(more)) {
        let produced = client.receive_produced(id);
        assert_eq!((produced.error_code, produced.base_offset), (ErrorCode::NONE, offset));
    }
}

/// The deadline of an append that nobody waits for can pass while another sync of the partition runs.
#[test]
fn an_append_during_a_long_sync_is_not_forgotten() {
    let (spec, gate) = gated();
    let node = spec.start();
    let (mut client, mut consumer) = (node.client(), node.client());
    client.create_topic("gated");
    for round in 0..20 {
        gate.close();
        let awaited = client.send_produce("gated", ACKS_ALL, batch::one("awaited"));
        gate.wait_for_held(1);
        let id = client.send_produce("gated", ACKS_LEADER, batch::one("not awaited"));
        // The sync is still held up when the second record's own deadline (5 ms) has passed.
        std::thread::sleep(Duration::from_millis(8));
        gate.open();
        client.receive_produced(awaited);
        client.receive_produced(id);
        let at = FetchAt { max_wait_ms: 5000, ..FetchAt::new("gated", 2 * round + 1) };
        let (read, took) = consumer.timed(|consumer| consumer.fetch(at));
        assert_eq!(batch::values_of(&ottla_testkit::bytes_of(&read)), ["not awaited"], "round {round}");
        assert!(took < Duration::from_secs(2), "round {round}: readable after {took:?}");
    }
}

#[test]
fn one_slow_partition_does_not_hold_up_the_others() {
    let gate = DiskGate::on_syncs(&["gated"]);
    let node = NodeSpec::new().map_disk(|disk| gate.before(disk)).start();
    let mut client = node.client();
    client.create(&TopicSpec::new("gated").partitions(4));
    client.create_topic("free");
    gate.close();
    for partition in 0..4 {
        client.try_produce("gated", partition, ACKS_LEADER, batch::one("v"));
    }
    gate.wait_for_held(4);
    client.produce("free", batch::one("v"));
    client.try_produce("free", 0, ACKS_LEADER, batch::one("w"));
    let read = client.fetch(FetchAt { max_wait_ms: 5000, ..FetchAt::new("free", 1) });
    assert_eq!(batch::values_of(&ottla_testkit::bytes_of(&read)), ["w"]);
    gate.open();
}

#[test]
fn a_lone_record_is_acknowledged_within_20_ms_and_readable_within_50() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.produce("t", batch::one("the first creates files"));
    let mut best = |act: &mut dyn FnMut(&mut ottla_testkit::RawClient, i64)| {
        // The best of a few: other tests of this process share the machine.
        (0..10)
            .map(|_| {
                let end = client.list_offset("t", ottla_testkit::LATEST).offset;
                client.timed(|client| act(client, end)).1
            })
            .min()
    };
    let acknowledged = best(&mut |client, _| {
        client.produce("t", batch::one("lone"));
    });
    assert!(acknowledged < Some(Duration::from_millis(20)), "{acknowledged:?}");
    let readable = best(&mut |client, end| {
        client.try_produce("t", 0, ACKS_LEADER, batch::one("lone"));
        let read = client.fetch(FetchAt { max_wait_ms: 5000, ..FetchAt::new("t", end) });
        assert_eq!(batch::values_of(&ottla_testkit::bytes_of(&read)), ["lone"]);
    });
    assert!(readable < Some(Duration::from_millis(50)), "{readable:?}");
}

#[test]
fn acks_0_gets_no_answer_and_keeps_its_place() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.send_produce("t", ACKS_NONE, batch::one("silent"));
    // The next answer on this connection is that to the next request.
    assert_eq!(client.produce("t", batch::one("loud")), 1);
    assert_eq!(client.read_values("t", 0), ["silent", "loud"]);
}

#[test]
fn an_error_with_acks_0_closes_the_connection() {
    let node = TestNode::start();
    let mut client = node.client();
    client.send_produce("no-such-topic", ACKS_NONE, batch::one("lost"));
    assert_eq!(client.wait_closed(), b"");
}

#[test]
fn pipelined_appends_are_answered_in_their_order() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    // Acks alternate, so that some could overtake others.
    let sent: Vec<(i32, String)> = (0..300)
        .map(|i| {
            let acks = if i % 3 == 0 { ACKS_ALL } else { ACKS_LEADER };
            (client.send_produce("t", acks, batch::one(&i.to_string())), i.to_string())
        })
        .collect();
    for (offset, (id, _)) in (0..).zip(&sent) {
        assert_eq!(client.receive_produced(*id).base_offset, offset);
    }
    client.produce("t", batch::one("end"));
    let values = client.read_values("t", 0);
    assert_eq!(values[..300], sent.into_iter().map(|(_, value)| value).collect::<Vec<_>>());
}

#[test]
fn acks_all_needs_min_insync_replicas() {
    let node = NodeSpec::new().start();
    let mut client = node.client();
    // Kafka counts no more replicas than there are: with one replica min.insync.replicas of 2 cannot be met.
    client.create(&TopicSpec::new("t").config("min.insync.replicas", "2"));
    let all = client.try_produce("t", 0, ACKS_ALL, batch::one("v"));
    let leader = client.try_produce("t", 0, ACKS_LEADER, batch::one("v"));
    assert_eq!(leader.error_code, ErrorCode::NONE);
    assert_eq!(all.error_code, ErrorCode::NONE, "DESIGN: at most the replication factor is asked for");
}
