//! Many at once: order and completeness while segments roll, offsets are committed and topics come and go.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ottla_protocol::ErrorCode;
use ottla_testkit::{ACKS_ALL, ACKS_LEADER, FetchAt, NodeSpec, RawClient, TopicSpec, batch, bytes_of};

const PARTITIONS: i32 = 4;
const RECORDS: usize = 2000;
const IN_FLIGHT: usize = 10;

fn produce_all(client: &mut RawClient, partition: i32) {
    let mut number = 0;
    while number < RECORDS {
        let window: Vec<i32> = (0..IN_FLIGHT)
            .map(|i| {
                let value = format!("{:06}", number + i).repeat(1 + (number % 7) * 50);
                let acks = if number.is_multiple_of(3) { ACKS_LEADER } else { ACKS_ALL };
                client.send(9, &ottla_testkit::produce_request("t", partition, acks, batch::one(&value)))
            })
            .collect();
        for (offset, id) in (number..).zip(window) {
            let produced = client.receive_produced(id);
            assert_eq!(
                (produced.error_code, produced.base_offset),
                (ErrorCode::NONE, offset as i64),
                "partition {partition}"
            );
        }
        number += IN_FLIGHT;
    }
}

/// Follows the partition from its start; every record must be there once and in order.
fn consume_all(client: &mut RawClient, partition: i32, group: &str) {
    let mut next = 0;
    while next < RECORDS as i64 {
        let at = FetchAt { partition, max_wait_ms: 5000, ..FetchAt::new("t", next) };
        let data = client.fetch(at);
        assert_eq!(data.error_code, ErrorCode::NONE);
        for record in batch::records_of(&bytes_of(&data)) {
            assert_eq!(record.offset.0, next, "partition {partition}");
            let value = record.value.expect("a value");
            assert_eq!(&value[..6], format!("{next:06}").as_bytes(), "partition {partition}");
            next += 1;
        }
        assert_eq!(client.commit_offset(group, "t", next), ErrorCode::NONE);
    }
}

#[test]
fn producers_and_consumers_see_one_order() {
    let node = NodeSpec::new().set("log.segment.bytes", "1048576").start();
    let mut admin = node.client();
    admin.create(&TopicSpec::new("t").partitions(PARTITIONS));
    admin.wait_for_coordinator("g");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let churn = scope.spawn(|| {
            let mut client = node.client();
            let mut count = 0;
            while !done.load(Ordering::Relaxed) {
                let name = format!("churn-{}", count % 3);
                client.create_topic(&name);
                client.produce(&name, batch::one("v"));
                client.delete_topic(&name);
                count += 1;
            }
            count
        });
        let mut workers = Vec::new();
        for partition in 0..PARTITIONS {
            let (mut producer, mut consumer) = (node.client(), node.client());
            workers.push(scope.spawn(move || produce_all(&mut producer, partition)));
            workers
                .push(scope.spawn(move || consume_all(&mut consumer, partition, &format!("g{partition}"))));
        }
        let results: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(churn.join().expect("topics come and go") > 3);
        assert!(results.iter().all(Result::is_ok));
    });
    for partition in 0..PARTITIONS {
        assert_eq!(admin.committed_offset(&format!("g{partition}"), "t"), RECORDS as i64);
    }
}

#[test]
fn topics_that_are_deleted_while_they_are_written_cost_nobody_else_anything() {
    let node = NodeSpec::new().set("auto.create.topics.enable", "false").start();
    let mut admin = node.client();
    admin.create_topic("bystander");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut client = node.client();
        let done = &done;
        let producer = scope.spawn(move || {
            let mut appended = 0;
            while !done.load(Ordering::Relaxed) {
                let request = ottla_testkit::produce_request("again", 0, ACKS_LEADER, batch::one("v"));
                let answer = client.call(9, &request).responses.remove(0).partition_responses.remove(0);
                appended += usize::from(answer.error_code == ErrorCode::NONE);
            }
            appended
        });
        for _ in 0..30 {
            admin.create_topic("again");
            admin.produce("again", batch::one("v"));
            admin.delete_topic("again");
        }
        done.store(true, Ordering::Relaxed);
        assert!(producer.join().expect("whatever the answers") > 30);
    });
    assert_eq!(admin.produce("bystander", batch::one("v")), 0);
}

#[test]
fn retention_takes_whole_segments_from_the_start_only() {
    let node = NodeSpec::new()
        .set("log.segment.bytes", "1048576")
        .set("log.retention.check.interval.ms", "50")
        .start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").config("retention.bytes", "3000000"));
    for i in 0..100 {
        client.produce("t", batch::one(&format!("{i:03}").repeat(30_000)));
    }
    let start = ottla_testkit::eventually("nothing is deleted", || {
        let start = client.list_offset("t", ottla_testkit::EARLIEST).offset;
        (start > 0).then_some(start)
    });
    assert!(start < 90, "{start}");
    let start = client.list_offset("t", ottla_testkit::EARLIEST).offset;
    let values = client.read_values("t", start);
    assert_eq!(values.len() as i64, 100 - start);
    assert_eq!(&values[0][..3], format!("{start:03}"));
    assert_eq!(client.fetch(FetchAt::new("t", 0)).error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
}
