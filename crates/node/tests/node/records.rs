//! Records go in and come out, in every version of Produce and Fetch.

use ottla_protocol::messages::fetch::FetchRequest;
use ottla_protocol::messages::produce::ProduceRequest;
use ottla_protocol::{ApiMessage, ErrorCode, Uuid};
use ottla_testkit::batch::{self, Codec};
use ottla_testkit::{
    ACKS_ALL, ACKS_LEADER, FetchAt, TestNode, TopicSpec, bytes_of, produce_request, produce_request_by_id,
};

const CODECS: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

#[test]
fn every_version_of_produce_is_read_by_every_version_of_fetch() {
    let node = TestNode::start();
    let mut client = node.client();
    let id = client.create_topic("t");
    let mut expected = Vec::new();
    for version in ProduceRequest::VERSIONS {
        let value = format!("produced by version {version}");
        let request = produce_request_by_id("t", id, 0, ACKS_ALL, batch::one(&value));
        let mut response = client.call(version, &request);
        let topic = response.responses.remove(0);
        let answer = &topic.partition_responses[0];
        assert_eq!(answer.error_code, ErrorCode::NONE, "version {version}: {answer:?}");
        assert_eq!((answer.index, answer.base_offset), (0, expected.len() as i64), "version {version}");
        assert_eq!(answer.log_append_time_ms, -1);
        assert_eq!(answer.log_start_offset, if version >= 5 { 0 } else { -1 });
        match version {
            13.. => assert_eq!((topic.topic_id, topic.name.as_ref()), (id, "")),
            _ => assert_eq!(topic.name, "t"),
        }
        expected.push(value);
    }
    assert_eq!(expected.len(), 11);
    for version in FetchRequest::VERSIONS {
        let mut response = client.call(version, &FetchAt::new("t", 0).to_request_by_id(id));
        assert_eq!(response.error_code, ErrorCode::NONE);
        assert_eq!(response.responses.len(), 1, "version {version}");
        let topic = response.responses.remove(0);
        match version {
            13.. => assert_eq!((topic.topic_id, topic.topic.as_ref()), (id, "")),
            _ => assert_eq!(topic.topic, "t"),
        }
        let data = &topic.partitions[0];
        assert_eq!(batch::values_of(&bytes_of(data)), expected, "version {version}");
        assert_eq!(
            (data.error_code, data.high_watermark, data.last_stable_offset),
            (ErrorCode::NONE, 11, 11)
        );
    }
}

#[test]
fn nothing_about_a_record_changes_on_its_way() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.produce("t", batch::rich());
    let read = client.read_all("t", 0, 0).concat().into();
    assert_eq!(batch::records_of(&read), batch::records_of(&batch::rich()));
}

#[test]
fn every_codec_is_stored_as_it_came() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    for (offset, codec) in (0..).zip(CODECS) {
        let sent = batch::compressed(codec, ["x".repeat(5000)]);
        assert_eq!(client.produce("t", sent.clone()), offset);
        let fetched = bytes_of(&client.fetch(FetchAt::new("t", offset)));
        // The base offset in front and the leader epoch behind the length are the broker's.
        assert_eq!((fetched.len(), &fetched[16..]), (sent.len(), &sent[16..]), "{codec:?}");
    }
    assert_eq!(client.read_values("t", 0).len(), 5);
}

#[test]
fn a_topic_with_a_codec_of_its_own_stores_that() {
    let node = TestNode::start();
    let mut client = node.client();
    for codec in ["gzip", "snappy", "lz4", "zstd", "uncompressed"] {
        client.create(&TopicSpec::new(codec).config("compression.type", codec));
        client.produce(codec, batch::values(["y".repeat(3000), "z".repeat(3000)]));
        let fetched = bytes_of(&client.fetch(FetchAt::new(codec, 0)));
        assert_eq!(fetched.len() < 3000, codec != "uncompressed", "{codec}: {} bytes", fetched.len());
        assert_eq!(batch::values_of(&fetched), ["y".repeat(3000), "z".repeat(3000)], "{codec}");
    }
}

#[test]
fn zstd_is_kept_from_versions_that_do_not_know_it() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    let zstd = batch::compressed(Codec::Zstd, ["v"]);
    let old = client.call(6, &produce_request("t", 0, ACKS_ALL, zstd.clone()));
    assert_eq!(
        old.responses[0].partition_responses[0].error_code,
        ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
        "Produce 7 brought zstd (KIP-110)"
    );
    client.create(&TopicSpec::new("z").config("compression.type", "zstd"));
    client.produce("z", zstd);
    let old = client.call(9, &FetchAt::new("z", 0).to_request());
    assert_eq!(old.responses[0].partitions[0].error_code, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
}

#[test]
fn a_topic_may_stamp_its_records_itself() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").config("message.timestamp.type", "LogAppendTime"));
    let produced = client.try_produce("t", 0, ACKS_ALL, batch::values(["a", "b"]));
    assert!(produced.log_append_time_ms > batch::FIRST_TIMESTAMP);
    let read = client.read_all("t", 0, 0).concat().into();
    let stamps: Vec<i64> = batch::records_of(&read).iter().map(|record| record.timestamp).collect();
    assert_eq!(stamps, [produced.log_append_time_ms; 2]);
}

#[test]
fn what_cannot_be_appended_is_told_per_partition() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.create(&TopicSpec::new("small").config("max.message.bytes", "100"));
    let mut error = |topic: &str, partition, acks| {
        client.try_produce(topic, partition, acks, batch::values(["x".repeat(200)])).error_code
    };
    assert_eq!(error("t", 1, ACKS_ALL), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(error("t", -1, ACKS_ALL), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(error("none", 0, ACKS_LEADER), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(error("small", 0, ACKS_ALL), ErrorCode::MESSAGE_TOO_LARGE);
    assert_eq!(error("t", 0, 2), ErrorCode::INVALID_REQUIRED_ACKS);
    assert_eq!(error("__consumer_offsets", 0, ACKS_ALL), ErrorCode::INVALID_TOPIC_EXCEPTION);
    let by_id = produce_request_by_id("t", Uuid::random(), 0, ACKS_ALL, batch::one("x"));
    let answer = client.call(13, &by_id).responses.remove(0).partition_responses.remove(0);
    assert_eq!((answer.error_code, answer.base_offset), (ErrorCode::UNKNOWN_TOPIC_ID, -1));
    assert_eq!(client.read_values("t", 0).len(), 0);
}

#[test]
fn one_bad_partition_does_not_hold_back_the_others() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(2));
    let mut request = produce_request("t", 0, ACKS_ALL, batch::one("good"));
    let bad = produce_request("t", 1, ACKS_ALL, batch::one("bad").slice(..30));
    let good = produce_request("t", 7, ACKS_ALL, batch::one("nowhere"));
    request.topic_data[0].partition_data.extend(bad.topic_data[0].partition_data.clone());
    request.topic_data[0].partition_data.extend(good.topic_data[0].partition_data.clone());
    let answers = client.call(9, &request).responses.remove(0).partition_responses;
    let errors: Vec<(i32, ErrorCode)> = answers.iter().map(|a| (a.index, a.error_code)).collect();
    assert_eq!(errors[0], (0, ErrorCode::NONE));
    assert_eq!(errors[1], (1, ErrorCode::CORRUPT_MESSAGE));
    assert_eq!(errors[2], (7, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    assert_eq!(client.read_values("t", 0), ["good"]);
}

#[test]
fn reading_outside_of_the_log_is_refused() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.produce("t", batch::values(["a", "b"]));
    assert_eq!(client.fetch(FetchAt::new("t", 2)).error_code, ErrorCode::NONE);
    let mut error = |offset| client.fetch(FetchAt::new("t", offset)).error_code;
    assert_eq!(error(3), ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(error(-1), ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(error(i64::MAX), ErrorCode::OFFSET_OUT_OF_RANGE);
    let unknown = client.call(13, &FetchAt::new("t", 0).to_request_by_id(Uuid::random()));
    assert_eq!(unknown.responses[0].partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    let unknown = client.fetch(FetchAt::new("none", 0));
    assert_eq!(unknown.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[test]
fn the_first_batch_is_returned_however_small_the_limits() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(2));
    for partition in 0..2 {
        for value in ["first", "second"] {
            client.try_produce("t", partition, ACKS_ALL, batch::values([value.repeat(1000)]));
        }
    }
    let mut request = FetchAt::new("t", 0).to_request();
    request.max_bytes = 1;
    request.topics[0].partitions[0].partition_max_bytes = 1;
    let mut other = request.topics[0].partitions[0].clone();
    other.partition = 1;
    request.topics[0].partitions.push(other);
    let response = client.call(11, &request);
    let sizes: Vec<usize> =
        response.responses[0].partitions.iter().map(|p| batch::values_of(&bytes_of(p)).len()).collect();
    assert_eq!(sizes, [1, 0], "one batch, of the partition that was named first (KIP-74)");
}

#[test]
fn segments_are_one_log_to_readers() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").config("segment.bytes", "1048576"));
    let expected: Vec<String> = (0..60).map(|i| format!("{i:03}").repeat(20_000)).collect();
    for value in &expected {
        client.produce("t", batch::one(value));
    }
    assert_eq!(client.read_values("t", 0), expected);
    assert_eq!(client.read_values("t", 37), expected[37..]);
    assert!(node.metric("kafka_log_log_numlogsegments") >= 3.0);
}

#[test]
fn who_is_no_replica_does_not_fetch_as_a_follower() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.produce("t", batch::one("v"));
    for replica_id in [1, 7] {
        let request = FetchRequest { replica_id, ..FetchAt::new("t", 0).to_request() };
        let data = client.call(11, &request).responses.remove(0).partitions.remove(0);
        assert_eq!(data.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER, "{replica_id}");
    }
}
