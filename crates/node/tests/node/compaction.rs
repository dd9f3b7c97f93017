//! Compacted topics: of each key the last record stays.

use std::collections::BTreeMap;

use ottla_testkit::{FetchAt, NodeSpec, RawClient, TopicSpec, batch, bytes_of, eventually};

use crate::configs::{BROKER, SET, alter};

const RECORDS: i64 = 300;
const KEYS: i64 = 7;

fn value(number: i64) -> String {
    format!("{number:06}{}", "x".repeat(10_000))
}

/// The values by offset, from the log's start to its end.
fn read_all(client: &mut RawClient) -> BTreeMap<i64, String> {
    let (mut found, mut next) = (BTreeMap::new(), 0);
    while next < RECORDS {
        let data = client.fetch(FetchAt { max_wait_ms: 5000, ..FetchAt::new("t", next) });
        let bytes = bytes_of(&data);
        for record in batch::records_of(&bytes) {
            found.insert(record.offset.0, String::from_utf8(record.value.unwrap().to_vec()).unwrap());
        }
        // Batches may be empty, and others missing.
        next = batch::next_offset(&bytes).unwrap_or(next);
    }
    found
}

fn check(found: &BTreeMap<i64, String>) {
    assert!(found.iter().all(|(offset, found)| *found == value(*offset)));
    assert!((RECORDS - KEYS..RECORDS).all(|offset| found.contains_key(&offset)), "{:?}", found.keys());
}

#[test]
fn cleaner_threads_come_when_they_are_asked_for() {
    let node = NodeSpec::new().set("log.cleaner.backoff.ms", "10").set("log.cleaner.threads", "0").start();
    let mut client = node.client();
    let topic = TopicSpec::new("t").config("cleanup.policy", "compact").config("segment.bytes", "1048576");
    client.create(&topic);
    for number in 0..RECORDS {
        client.produce("t", batch::keyed(&format!("k{}", number % KEYS), &value(number)));
    }
    assert_eq!(read_all(&mut client).len(), RECORDS as usize, "nobody cleans");
    alter(&mut client, BROKER, "", &[(SET, "log.cleaner.threads", Some("2"))]);
    let found = eventually("the topic is compacted", || {
        Some(read_all(&mut client)).filter(|found| found.len() < 120)
    });
    check(&found);
}

#[test]
fn a_compacted_topic_keeps_the_last_record_of_each_key() {
    let spec = NodeSpec::new().set("log.cleaner.backoff.ms", "10");
    let node = spec.start();
    let mut client = node.client();
    let topic = TopicSpec::new("t").config("cleanup.policy", "compact").config("segment.bytes", "1048576");
    client.create(&topic);
    for number in 0..RECORDS {
        client.produce("t", batch::keyed(&format!("k{}", number % KEYS), &value(number)));
    }
    // 3 MB are two sealed segments, of which next to nothing stays.
    let is_clean = |found: &BTreeMap<i64, String>| found.len() < 120;
    let found = eventually("the topic is compacted", || Some(read_all(&mut client)).filter(is_clean));
    check(&found);
    node.kill();
    let node = spec.start();
    let found = read_all(&mut node.client());
    assert!(is_clean(&found), "what was cleaned stays so");
    check(&found);
}
