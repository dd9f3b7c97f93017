//! Fetches that wait.

use std::time::Duration;

use ottla_protocol::messages::fetch::{FetchPartition, FetchRequest};
use ottla_protocol::{Bytes, ErrorCode};
use ottla_testkit::{
    ACKS_ALL, ACKS_LEADER, FetchAt, NodeSpec, RawClient, TestNode, TopicSpec, batch, bytes_of,
};

/// A wake-up that gets lost would show as a fetch that returns empty after its whole wait.
#[test]
fn a_waiting_fetch_is_woken_by_every_append() {
    let node = TestNode::start();
    let (mut producer, mut consumer) = (node.client(), node.client());
    producer.create_topic("t");
    for offset in 0..500 {
        let at = FetchAt { max_wait_ms: 15_000, ..FetchAt::new("t", offset) };
        // Each order of the two at the broker occurs.
        let early = offset % 2 == 0;
        let mut waiting = None;
        if early {
            waiting = Some(consumer.send(11, &at.to_request()));
        }
        let value = offset.to_string();
        let produced =
            producer.send_produce("t", if offset % 3 == 0 { -1 } else { ACKS_LEADER }, batch::one(&value));
        let waiting = waiting.unwrap_or_else(|| consumer.send(11, &at.to_request()));
        let (response, took) = consumer.timed(|consumer| consumer.receive::<FetchRequest>(11, waiting));
        let values = batch::values_of(&bytes_of(&response.responses[0].partitions[0]));
        assert_eq!(values, [value], "after {took:?}");
        assert!(took < Duration::from_secs(5), "record {offset} came after {took:?}");
        producer.receive_produced(produced);
    }
}

#[test]
fn the_wait_ends_after_its_time_without_an_error() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    let at = FetchAt { max_wait_ms: 100, ..FetchAt::new("t", 0) };
    let (data, took) = client.timed(|client| client.fetch(at));
    assert!(bytes_of(&data).is_empty());
    assert!(took >= Duration::from_millis(100) && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_fetch_waits_for_min_bytes() {
    let node = TestNode::start();
    let (mut producer, mut consumer) = (node.client(), node.client());
    producer.create_topic("t");
    let mut request = FetchAt { max_wait_ms: 15_000, ..FetchAt::new("t", 0) }.to_request();
    request.min_bytes = 3000;
    let waiting = consumer.send(11, &request);
    producer.produce("t", batch::one(&"x".repeat(1000)));
    producer.produce("t", batch::one(&"x".repeat(1000)));
    assert!(consumer.is_silent());
    producer.produce("t", batch::one(&"x".repeat(1000)));
    let response = consumer.receive::<FetchRequest>(11, waiting);
    assert_eq!(batch::values_of(&bytes_of(&response.responses[0].partitions[0])).len(), 3);
}

fn produce(producer: &mut RawClient, partition: i32, records: Bytes) {
    assert_eq!(producer.try_produce("t", partition, ACKS_ALL, records).error_code, ErrorCode::NONE);
}

#[test]
fn a_fetch_waits_for_min_bytes_of_all_its_partitions_together() {
    let node = TestNode::start();
    let (mut producer, mut consumer) = (node.client(), node.client());
    producer.create(&TopicSpec::new("t").partitions(3));
    let mut request = FetchAt { max_wait_ms: 15_000, ..FetchAt::new("t", 0) }.to_request();
    request.min_bytes = 3000;
    let first = request.topics[0].partitions[0].clone();
    for partition in [1, 2] {
        request.topics[0].partitions.push(FetchPartition { partition, ..first.clone() });
    }
    let waiting = consumer.send(11, &request);
    let value = "x".repeat(1000);
    for partition in [0, 2] {
        produce(&mut producer, partition, batch::one(&value));
    }
    assert!(consumer.is_silent());
    produce(&mut producer, 2, batch::one(&value));
    let response = consumer.receive::<FetchRequest>(11, waiting);
    let counts = response.responses[0]
        .partitions
        .iter()
        .map(|data| (data.partition_index, data.high_watermark, batch::values_of(&bytes_of(data)).len()));
    assert_eq!(counts.collect::<Vec<_>>(), [(0, 1, 1), (1, 0, 0), (2, 2, 2)]);
}

#[test]
fn a_waiting_fetch_keeps_to_max_bytes() {
    let node = TestNode::start();
    let (mut producer, mut consumer) = (node.client(), node.client());
    producer.create(&TopicSpec::new("t").partitions(2));
    let mut request = FetchAt { max_wait_ms: 15_000, ..FetchAt::new("t", 0) }.to_request();
    (request.min_bytes, request.max_bytes) = (1500, 2500);
    let first = request.topics[0].partitions[0].clone();
    request.topics[0].partitions.push(FetchPartition { partition: 1, ..first });
    let waiting = consumer.send(11, &request);
    produce(&mut producer, 1, batch::one(&"x".repeat(1000)));
    produce(&mut producer, 0, batch::one(&"x".repeat(2000)));
    let response = consumer.receive::<FetchRequest>(11, waiting);
    let sizes: Vec<_> = response.responses[0].partitions.iter().map(|data| bytes_of(data).len()).collect();
    assert!(sizes.iter().sum::<usize>() >= 1500, "{sizes:?}");
    // What is left is for the next fetch.
    assert!(sizes.iter().sum::<usize>() <= 2500, "{sizes:?}");
}

/// Nothing fits, and yet there is progress (KIP-74).
#[test]
fn a_fetch_without_room_gets_one_batch_of_all_its_partitions() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(2));
    let mut request = FetchAt::new("t", 0).to_request();
    request.max_bytes = 0;
    let first = request.topics[0].partitions[0].clone();
    request.topics[0].partitions.push(FetchPartition { partition: 1, ..first });
    for partition in [0, 1] {
        produce(&mut client, partition, batch::one("v"));
    }
    let response = client.call(11, &request);
    let counts = response.responses[0].partitions.iter().map(|data| batch::values_of(&bytes_of(data)).len());
    assert_eq!(counts.collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn a_waiting_fetch_learns_that_its_topic_was_deleted() {
    let node = TestNode::start();
    let (mut admin, mut consumer) = (node.client(), node.client());
    admin.create_topic("t");
    let waiting = consumer.send(11, &FetchAt { max_wait_ms: 15_000, ..FetchAt::new("t", 0) }.to_request());
    admin.delete_topic("t");
    let (response, took) = consumer.timed(|consumer| consumer.receive::<FetchRequest>(11, waiting));
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_ne!(response.responses[0].partitions[0].error_code, ErrorCode::NONE);
}

#[test]
fn waiting_fetches_do_not_hold_up_an_orderly_stop() {
    let spec = NodeSpec::new();
    let node = spec.start();
    let mut consumer = node.client();
    consumer.create_topic("t");
    consumer.send(11, &FetchAt { max_wait_ms: 60_000, ..FetchAt::new("t", 0) }.to_request());
    let start = std::time::Instant::now();
    node.stop();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    consumer.wait_closed();
}
