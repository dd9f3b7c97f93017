//! Several log directories: what lies where.

use std::collections::BTreeMap;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsRequest, DescribeLogDirsResponse,
};
use ottla_simdisk::SimDisk;
use ottla_testkit::{ACKS_ALL, NodeSpec, RawClient, TopicSpec, batch};

/// The metadata log is elsewhere, so that each of the two may fail.
fn two_directories(disk: &SimDisk) -> NodeSpec {
    NodeSpec::on_sim(disk).set("log.dirs", "/a,/b").set("metadata.log.dir", "/meta")
}

fn describe(
    client: &mut RawClient,
    version: i16,
    topics: Option<Vec<(&str, Vec<i32>)>>,
) -> DescribeLogDirsResponse {
    let topic = |(topic, partitions): (&str, Vec<i32>)| DescribableLogDirTopic {
        topic: topic.into(),
        partitions,
        ..Default::default()
    };
    let topics = topics.map(|topics| topics.into_iter().map(topic).collect());
    client.call(version, &DescribeLogDirsRequest { topics, ..Default::default() })
}

/// Directory → partitions of "t" in it, with their size.
fn partitions_of_t(response: &DescribeLogDirsResponse) -> BTreeMap<String, Vec<(i32, i64)>> {
    let of_t = response.results.iter().map(|dir| {
        let t = dir.topics.iter().filter(|topic| &*topic.name == "t");
        let partitions = t.flat_map(|topic| &topic.partitions);
        (dir.log_dir.to_string(), partitions.map(|p| (p.partition_index, p.partition_size)).collect())
    });
    of_t.collect()
}

#[test]
fn partitions_are_spread_over_the_directories_and_described() {
    let disk = SimDisk::new(1);
    let node = two_directories(&disk).start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(4));
    let produced = client.try_produce("t", 1, ACKS_ALL, batch::one("v"));
    assert_eq!(produced.error_code, ErrorCode::NONE);
    for version in 1..=5 {
        let response = describe(&mut client, version, None);
        assert_eq!(response.error_code, ErrorCode::NONE);
        let of_t = partitions_of_t(&response);
        assert_eq!(of_t.keys().collect::<Vec<_>>(), ["/a", "/b"]);
        assert!(of_t.values().all(|partitions| partitions.len() == 2), "{of_t:?}");
        let sizes: BTreeMap<i32, i64> = of_t.into_values().flatten().collect();
        assert!(sizes[&1] > 60 && sizes[&0] == 0, "{sizes:?}");
        for dir in &response.results {
            assert_eq!(dir.error_code, ErrorCode::NONE);
            assert_eq!(dir.total_bytes > 0 && dir.usable_bytes > 0, version >= 4, "{dir:?}");
            let partitions = dir.topics.iter().flat_map(|topic| &topic.partitions);
            assert!(partitions.into_iter().all(|p| p.offset_lag == 0 && !p.is_future_key));
        }
    }
}

#[test]
fn only_the_partitions_that_are_asked_for_are_described() {
    let disk = SimDisk::new(1);
    let node = two_directories(&disk).start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(3));
    client.create_topic("u");
    let response = describe(&mut client, 5, Some(vec![("t", vec![2, 7]), ("nothing", vec![0])]));
    let topics = response.results.iter().flat_map(|dir| &dir.topics);
    let found: Vec<_> =
        topics.flat_map(|t| t.partitions.iter().map(|p| (&*t.name, p.partition_index))).collect();
    assert_eq!(found, [("t", 2)]);
    assert_eq!(response.results.len(), 2, "a directory without such a partition is named all the same");
}
