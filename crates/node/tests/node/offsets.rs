//! Offsets of records: by time, by epoch, and where logs start.

use ottla_protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use ottla_protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use ottla_protocol::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use ottla_protocol::{ApiMessage, ErrorCode};
use ottla_testkit::batch::FIRST_TIMESTAMP;
use ottla_testkit::{EARLIEST, FetchAt, LATEST, NodeSpec, RawClient, TestNode, TopicSpec, batch};

#[test]
fn every_version_of_list_offsets_finds_ends_and_times() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.produce("t", batch::values(["0", "1", "2", "3"]));
    for version in ListOffsetsRequest::VERSIONS {
        let mut find = |timestamp| {
            let partition = ListOffsetsPartition { timestamp, ..Default::default() };
            let topic =
                ListOffsetsTopic { name: "t".into(), partitions: vec![partition], ..Default::default() };
            let request = ListOffsetsRequest {
                replica_id: -1,
                isolation_level: i8::from(version >= 2),
                topics: vec![topic],
                timeout_ms: 1000,
                ..Default::default()
            };
            let answer = client.call(version, &request).topics.remove(0).partitions.remove(0);
            (answer.error_code, answer.offset, answer.timestamp)
        };
        let found = |offset, timestamp| (ErrorCode::NONE, offset, timestamp);
        let refused = (ErrorCode::UNSUPPORTED_VERSION, -1, -1);
        assert_eq!(find(LATEST), found(4, -1), "version {version}");
        assert_eq!(find(EARLIEST), found(0, -1));
        assert_eq!(find(0), found(0, FIRST_TIMESTAMP));
        assert_eq!(find(FIRST_TIMESTAMP + 2), found(2, FIRST_TIMESTAMP + 2));
        assert_eq!(find(FIRST_TIMESTAMP + 4), found(-1, -1), "after the last record");
        assert_eq!(find(-3), if version >= 7 { found(3, FIRST_TIMESTAMP + 3) } else { refused });
        assert_eq!(find(-4), if version >= 8 { found(0, -1) } else { refused });
        assert_eq!(find(-5), if version >= 9 { found(-1, -1) } else { refused });
    }
}

#[test]
fn an_empty_log_has_ends_but_no_times() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    assert_eq!(client.list_offset("t", LATEST).offset, 0);
    assert_eq!(client.list_offset("t", EARLIEST).offset, 0);
    assert_eq!(client.list_offset("t", 0).offset, -1);
    assert_eq!(client.list_offset("t", -3).offset, -1);
    assert_eq!(client.list_offset("none", LATEST).error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

fn delete_records(client: &mut RawClient, version: i16, topic: &str, offset: i64) -> (ErrorCode, i64) {
    let partition = DeleteRecordsPartition { partition_index: 0, offset, ..Default::default() };
    let topic = DeleteRecordsTopic { name: topic.into(), partitions: vec![partition], ..Default::default() };
    let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 5000, ..Default::default() };
    let answer = client.call(version, &request).topics.remove(0).partitions.remove(0);
    (answer.error_code, answer.low_watermark)
}

#[test]
fn deleted_records_are_out_of_reach() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.produce("t", batch::values(["0", "1"]));
    client.produce("t", batch::values(["2", "3"]));
    assert_eq!(delete_records(&mut client, 0, "t", 1), (ErrorCode::NONE, 1));
    assert_eq!(client.list_offset("t", EARLIEST).offset, 1);
    assert_eq!(client.fetch(FetchAt::new("t", 0)).error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(client.fetch(FetchAt::new("t", 1)).log_start_offset, 1);
    assert_eq!(delete_records(&mut client, 1, "t", 0), (ErrorCode::NONE, 1), "it never moves back");
    assert_eq!(delete_records(&mut client, 2, "t", 5).0, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(delete_records(&mut client, 2, "t", -2).0, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(delete_records(&mut client, 2, "none", 0).0, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(delete_records(&mut client, 2, "t", -1), (ErrorCode::NONE, 4), "-1: all that is committed");
    assert_eq!(client.read_values("t", 4).len(), 0);
    assert_eq!(client.produce("t", batch::one("4")), 4);
    assert_eq!(client.read_values("t", 4), ["4"]);
}

#[test]
fn records_of_a_compacted_topic_cannot_be_deleted() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").config("cleanup.policy", "compact"));
    assert_eq!(delete_records(&mut client, 2, "t", 0).0, ErrorCode::POLICY_VIOLATION);
}

fn end_of_epoch(client: &mut RawClient, version: i16, current: i32, epoch: i32) -> EpochEndOffset {
    let partition = OffsetForLeaderPartition {
        partition: 0,
        current_leader_epoch: current,
        leader_epoch: epoch,
        ..Default::default()
    };
    let topic = OffsetForLeaderTopic { topic: "t".into(), partitions: vec![partition], ..Default::default() };
    let request = OffsetForLeaderEpochRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    client.call(version, &request).topics.remove(0).partitions.remove(0)
}

#[test]
fn epochs_tell_where_they_end() {
    let spec = NodeSpec::new();
    let node = spec.start();
    let mut client = node.client();
    let id = client.create_topic("t");
    client.produce("t", batch::values(["0", "1", "2"]));
    let epoch = client.topic("t").partitions[0].leader_epoch;
    for version in OffsetForLeaderEpochRequest::VERSIONS {
        let found = end_of_epoch(&mut client, version, -1, epoch);
        assert_eq!((found.error_code, found.leader_epoch, found.end_offset), (ErrorCode::NONE, epoch, 3));
    }
    let error = |client: &mut RawClient, current, epoch| end_of_epoch(client, 4, current, epoch).error_code;
    assert_eq!(error(&mut client, epoch + 1, epoch), ErrorCode::UNKNOWN_LEADER_EPOCH);
    assert_eq!(error(&mut client, epoch, epoch), ErrorCode::NONE);
    let unknown = end_of_epoch(&mut client, 4, -1, epoch + 5);
    assert_eq!((unknown.leader_epoch, unknown.end_offset), (-1, -1), "no such epoch yet");
    node.stop();

    let node = spec.start();
    let mut client = node.client();
    client.wait_for_topic("t", id, 1);
    client.produce("t", batch::one("3"));
    let now = client.topic("t").partitions[0].leader_epoch;
    assert!(now > epoch, "a restart is a new leadership: {now}");
    assert_eq!(error(&mut client, epoch, epoch), ErrorCode::FENCED_LEADER_EPOCH);
    let (former, current) =
        (end_of_epoch(&mut client, 4, now, epoch), end_of_epoch(&mut client, 4, now, now));
    assert_eq!((former.leader_epoch, former.end_offset), (epoch, 3));
    assert_eq!((current.leader_epoch, current.end_offset), (now, 4));
}

#[test]
fn a_fetch_of_another_lineage_is_told_where_it_diverges() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.produce("t", batch::values(["0", "1", "2"]));
    let epoch = client.topic("t").partitions[0].leader_epoch;
    let mut request = FetchAt::new("t", 7).to_request();
    request.topics[0].partitions[0].last_fetched_epoch = epoch;
    let answer = client.call(12, &request).responses.remove(0).partitions.remove(0);
    assert_eq!((answer.diverging_epoch.epoch, answer.diverging_epoch.end_offset), (epoch, 3));
    request.topics[0].partitions[0].fetch_offset = 3;
    let answer = client.call(12, &request).responses.remove(0).partitions.remove(0);
    assert_eq!((answer.error_code, answer.diverging_epoch.epoch), (ErrorCode::NONE, -1));
}
