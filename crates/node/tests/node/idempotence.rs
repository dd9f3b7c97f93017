//! Idempotent producers: ids, duplicates, gaps, fencing.

use std::collections::BTreeSet;

use ottla_protocol::messages::init_producer_id::InitProducerIdRequest;
use ottla_protocol::{ApiMessage, ErrorCode};
use ottla_testkit::{ACKS_ALL, NodeSpec, RawClient, TestNode, batch};

fn append(
    client: &mut RawClient,
    producer: i64,
    epoch: i16,
    sequence: i32,
    values: &[&str],
) -> (ErrorCode, i64) {
    let records = batch::idempotent(producer, epoch, sequence, values);
    let produced = client.try_produce("t", 0, ACKS_ALL, records);
    (produced.error_code, produced.base_offset)
}

#[test]
fn every_version_of_init_producer_id_gives_an_id_of_its_own() {
    let node = TestNode::start();
    let mut client = node.client();
    let mut ids = BTreeSet::from([client.init_producer_id()]);
    for version in InitProducerIdRequest::VERSIONS {
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: 1000,
            ..Default::default()
        };
        let response = client.call(version, &request);
        assert_eq!((response.error_code, response.producer_epoch), (ErrorCode::NONE, 0), "version {version}");
        assert!(ids.insert(response.producer_id), "{} twice", response.producer_id);
    }
}

#[test]
fn ids_are_never_given_twice_not_even_across_restarts() {
    let spec = NodeSpec::new();
    let mut ids = BTreeSet::new();
    for round in 0..3 {
        let node = spec.start();
        let mut client = node.client();
        // More than one block of 1000.
        for _ in 0..1200 {
            let id = client.init_producer_id();
            assert!(ids.insert(id), "{id} twice");
        }
        if round == 1 { node.kill() } else { node.stop() }
    }
}

#[test]
fn a_batch_sent_twice_is_there_once() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    let producer = client.init_producer_id();
    for sequence in 0..5 {
        let value = sequence.to_string();
        let first = append(&mut client, producer, 0, sequence, &[&value]);
        assert_eq!(first, (ErrorCode::NONE, i64::from(sequence)));
    }
    for sequence in 0..5 {
        let again = append(&mut client, producer, 0, sequence, &[&sequence.to_string()]);
        assert_eq!(again, (ErrorCode::NONE, i64::from(sequence)), "each of the last five is known");
    }
    assert_eq!(client.read_values("t", 0), ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_gap_is_refused_until_it_is_filled() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    let producer = client.init_producer_id();
    assert_eq!(append(&mut client, producer, 0, 0, &["0", "1"]).0, ErrorCode::NONE);
    let gap = append(&mut client, producer, 0, 3, &["3"]);
    assert_eq!(gap, (ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1));
    assert_eq!(append(&mut client, producer, 0, 2, &["2"]).0, ErrorCode::NONE);
    assert_eq!(append(&mut client, producer, 0, 3, &["3"]).0, ErrorCode::NONE);
    assert_eq!(client.read_values("t", 0), ["0", "1", "2", "3"]);
}

#[test]
fn a_former_epoch_is_refused_and_a_new_one_begins_at_zero() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    let producer = client.init_producer_id();
    assert_eq!(append(&mut client, producer, 1, 0, &["a"]).0, ErrorCode::NONE);
    assert_eq!(append(&mut client, producer, 0, 1, &["x"]).0, ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(append(&mut client, producer, 2, 5, &["x"]).0, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(append(&mut client, producer, 2, 0, &["b"]).0, ErrorCode::NONE);
    assert_eq!(client.read_values("t", 0), ["a", "b"]);
}

#[test]
fn duplicates_are_known_after_a_restart() {
    let spec = NodeSpec::new();
    let mut producer = -1;
    let mut topic_id = Default::default();
    for round in 0..3 {
        let node = spec.start();
        let mut client = node.client();
        if round == 0 {
            topic_id = client.create_topic("t");
            producer = client.init_producer_id();
        }
        client.wait_for_topic("t", topic_id, 1);
        if round > 0 {
            let again = append(&mut client, producer, 0, round - 1, &["again"]);
            assert_eq!(again, (ErrorCode::NONE, i64::from(round - 1)), "round {round}");
        }
        let next = append(&mut client, producer, 0, round, &[&round.to_string()]);
        assert_eq!(next, (ErrorCode::NONE, i64::from(round)), "round {round}");
        assert_eq!(client.read_values("t", 0).len(), usize::try_from(round).unwrap() + 1);
        // Once from the snapshot of an orderly stop, once from the log.
        if round == 0 { node.stop() } else { node.kill() }
    }
}

#[test]
fn pipelined_batches_of_a_producer_keep_their_order() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    let producer = client.init_producer_id();
    let sent: Vec<i32> = (0..200)
        .map(|i| client.send_produce("t", ACKS_ALL, batch::idempotent(producer, 0, i, [i.to_string()])))
        .collect();
    for (offset, id) in (0..).zip(sent) {
        let produced = client.receive_produced(id);
        assert_eq!((produced.error_code, produced.base_offset), (ErrorCode::NONE, offset));
    }
}

#[test]
fn transactions_are_refused() {
    let node = TestNode::start();
    let mut client = node.client();
    let request = InitProducerIdRequest {
        transactional_id: Some("tx".into()),
        transaction_timeout_ms: 1000,
        ..Default::default()
    };
    assert_ne!(client.call(4, &request).error_code, ErrorCode::NONE);
}
