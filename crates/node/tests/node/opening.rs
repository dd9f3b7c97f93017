//! After a start the node serves while partitions are still being opened.

use ottla_protocol::ErrorCode;
use ottla_testkit::{
    ACKS_ALL, DiskGate, FetchAt, NodeSpec, RawClient, TestNode, TopicSpec, batch, eventually,
};

/// A node that was killed after it had acknowledged records of the topics `held` and `free`, and whose reads of
/// segments with `held` in their path will wait.
fn killed(held: &str) -> (NodeSpec, DiskGate) {
    let gate = DiskGate::on_reads(&[held, ".log"]);
    let spec = NodeSpec::new().map_disk(|disk| gate.before(disk));
    let node = spec.start();
    let mut client = node.client();
    for topic in ["held", "free"] {
        client.create_topic(topic);
        client.produce(topic, batch::one(topic));
    }
    client.wait_for_coordinator("g");
    assert_eq!(client.commit_offset("g", "held", 1), ErrorCode::NONE);
    node.kill();
    (spec, gate)
}

fn restarted(spec: &NodeSpec, gate: &DiskGate) -> (TestNode, RawClient) {
    gate.close();
    let node = spec.start();
    gate.wait_for_held(1);
    let client = node.client();
    (node, client)
}

#[test]
fn others_are_served_and_appends_to_it_are_refused_until_it_is_open() {
    let (spec, gate) = killed("/held-0/");
    let (_node, mut client) = restarted(&spec, &gate);
    eventually("the other partition is not served", || {
        let refused = client.try_produce("free", 0, ACKS_ALL, batch::one("more")).error_code;
        (refused == ErrorCode::NONE).then_some(())
    });
    assert_eq!(client.read_values("free", 0), ["free", "more"]);
    let refused = client.try_produce("held", 0, ACKS_ALL, batch::one("early")).error_code;
    assert_eq!(refused, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    let refused = client.fetch(FetchAt::new("held", 0)).error_code;
    assert_eq!(refused, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    gate.open();
    eventually("it is never opened", || {
        let refused = client.try_produce("held", 0, ACKS_ALL, batch::one("late")).error_code;
        (refused == ErrorCode::NONE).then_some(())
    });
    assert_eq!(client.read_values("held", 0), ["held", "late"]);
}

#[test]
fn a_read_waits_for_it_to_be_opened() {
    let (spec, gate) = killed("/held-0/");
    let (_node, mut client) = restarted(&spec, &gate);
    let asked = client.send(11, &FetchAt::new("held", 0).to_request());
    gate.open();
    let answer = client.receive::<ottla_protocol::messages::FetchRequest>(11, asked);
    assert_eq!(answer.responses[0].partitions[0].error_code, ErrorCode::NONE);
}

#[test]
fn a_topic_that_is_deleted_meanwhile_is_gone_and_its_name_free() {
    let (spec, gate) = killed("/held-0/");
    let (_node, mut client) = restarted(&spec, &gate);
    client.delete_topic("held");
    let created = client.try_create(&TopicSpec::new("held"));
    assert_eq!(created.error_code, ErrorCode::NONE);
    client.wait_for_metadata("held", created.topic_id);
    gate.open();
    eventually("the new topic is never open", || {
        let produced = client.try_produce("held", 0, ACKS_ALL, batch::one("new"));
        (produced.error_code == ErrorCode::NONE).then(|| assert_eq!(produced.base_offset, 0))
    });
    assert_eq!(client.read_values("held", 0), ["new"]);
    eventually("the old folder stays", || (spec.folders_of("held") == ["held-0"]).then_some(()));
}

#[test]
fn a_deleted_topic_leaves_nothing_behind() {
    let (spec, gate) = killed("/held-0/");
    let (_node, mut client) = restarted(&spec, &gate);
    client.delete_topic("held");
    gate.open();
    eventually("the folder stays", || spec.folders_of("held").is_empty().then_some(()));
}

#[test]
fn its_groups_are_loading() {
    let (spec, gate) = killed("/__consumer_offsets-");
    let (_node, mut client) = restarted(&spec, &gate);
    let refused = client.commit_offset("g", "held", 2);
    assert_eq!(refused, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
    gate.open();
    client.wait_for_coordinator("g");
    assert_eq!(client.committed_offset("g", "held"), 1);
}
