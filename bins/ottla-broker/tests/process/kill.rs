//! SIGKILL while records are on their way: every acknowledged one is there afterwards.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ottla_testkit::{
    ACKS_ALL, BrokerProcess, EARLIEST, PATIENCE, RawClient, TopicSpec, batch, produce_request,
};

use crate::support::Home;

const PARTITIONS: i32 = 4;
const IN_FLIGHT: usize = 20;

/// What one producer was told: offset and value, in one partition.
type Acknowledged = Vec<(i64, String)>;

/// Appends until the connection ends; `count` grows with each acknowledgement.
fn produce_until_killed(
    address: SocketAddr,
    partition: i32,
    round: usize,
    count: &AtomicU64,
) -> Acknowledged {
    let mut client = RawClient::connect(address);
    let mut acknowledged = Vec::new();
    let mut number = 0;
    loop {
        let mut window = Vec::new();
        for _ in 0..IN_FLIGHT {
            let value = format!("{round}/{partition}/{number}/").repeat(20);
            number += 1;
            let request = produce_request("t", partition, ACKS_ALL, batch::one(&value));
            window.push((client.send(9, &request), value));
        }
        for (_, value) in window {
            let Ok(Some(frame)) = client.read_frame() else { return acknowledged };
            let Ok((_, response)) = ottla_testkit::decode_produced(frame) else { return acknowledged };
            assert_eq!(response.error_code.0, 0, "{response:?}");
            acknowledged.push((response.base_offset, value));
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn every_acknowledged_record_survives_a_kill() {
    let home = Home::new();
    let mut promised: BTreeMap<i32, Acknowledged> = BTreeMap::new();
    let mut topic_id = None;
    for round in 0..3 {
        let process = home.start();
        assert!(process.start_to_ready() < Duration::from_secs(3), "{:?}", process.start_to_ready());
        let mut admin = process.client();
        match topic_id {
            None => topic_id = Some(admin.create(&TopicSpec::new("t").partitions(PARTITIONS))),
            Some(id) => admin.wait_for_topic("t", id, PARTITIONS),
        }
        check(&mut admin, &promised);
        let address = process.listener("PLAINTEXT");
        let count = AtomicU64::new(0);
        thread::scope(|scope| {
            let producers: Vec<_> = (0..PARTITIONS)
                .map(|partition| {
                    let count = &count;
                    (partition, scope.spawn(move || produce_until_killed(address, partition, round, count)))
                })
                .collect();
            wait_for(&count, 500);
            process.kill();
            for (partition, producer) in producers {
                promised.entry(partition).or_default().extend(producer.join().expect("a producer"));
            }
        });
    }
    let process = home.start();
    let mut client = process.client();
    client.wait_for_topic("t", topic_id.expect("created"), PARTITIONS);
    check(&mut client, &promised);
    assert!(promised.values().map(Vec::len).sum::<usize>() >= 1500);
    // And it goes on.
    assert_eq!(client.list_offset("t", EARLIEST).offset, 0);
    client.produce("t", batch::one("after"));
    drop_quietly(process);
}

fn wait_for(count: &AtomicU64, wanted: u64) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while count.load(Ordering::Relaxed) < wanted {
        assert!(std::time::Instant::now() < deadline, "only {} acknowledged", count.load(Ordering::Relaxed));
        thread::yield_now();
    }
}

fn check(client: &mut RawClient, promised: &BTreeMap<i32, Acknowledged>) {
    for (&partition, records) in promised {
        let mut found = BTreeMap::new();
        for bytes in client.read_all("t", partition, 0) {
            for record in batch::records_of(&bytes) {
                let value = String::from_utf8(record.value.expect("a value").to_vec()).expect("text");
                assert_eq!(found.insert(record.offset.0, value), None, "an offset twice");
            }
        }
        for (offset, value) in records {
            assert_eq!(found.get(offset), Some(value), "partition {partition}, offset {offset}");
        }
    }
}

fn drop_quietly(process: BrokerProcess) {
    process.terminate();
    assert_eq!(process.wait().code, Some(0));
}
