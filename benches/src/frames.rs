//! The requests that are replayed: encoded once, sent as they are.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use ottla_protocol::frame::encode_request;
use ottla_protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use ottla_protocol::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use ottla_protocol::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use ottla_protocol::messages::{MetadataRequest, RequestHeader};
use ottla_protocol::{EncodeError, Uuid};
use ottla_records::{BatchBuilder, Codec, RecordsError};

/// The versions that are spoken: all that Kafka 4 and Ottla have. Produce and Fetch name topics by text and id.
pub const PRODUCE: i16 = 11;
pub const FETCH: i16 = 16;
pub const CREATE_TOPICS: i16 = 7;
pub const METADATA: i16 = 12;

/// How many words the records are made of.
const WORDS: u64 = 500;

/// A record batch, and how many records it has.
pub struct Batch {
    pub bytes: Bytes,
    pub records: u32,
    /// Bytes before compression.
    pub uncompressed: usize,
}

/// Records of `record` bytes, as many as make up `size` bytes, at least one. Of words, so that they compress as text does.
pub fn batch(record: usize, size: usize, codec: &str) -> Result<Batch, RecordsError> {
    // Of today, or retention would take them at once.
    let timestamp = now_ms();
    let codec = match codec {
        "lz4" => Codec::Lz4,
        "zstd" => Codec::Zstd,
        _ => Codec::None,
    };
    let mut builder = BatchBuilder::new().compression(codec);
    let mut seed = 1_u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let words: Vec<Vec<u8>> =
        (0..WORDS).map(|_| (0..4 + draw(6)).map(|_| b'a' + draw(26) as u8).chain([b' ']).collect()).collect();
    loop {
        let mut value = Vec::with_capacity(record + 16);
        while value.len() < record {
            value.extend(&words[draw(WORDS) as usize]);
        }
        value.truncate(record);
        builder.append(timestamp, None, Some(&value), &[])?;
        if builder.size() + record > size {
            break;
        }
    }
    let records = builder.count().unsigned_abs();
    let uncompressed = builder.size();
    Ok(Batch { bytes: builder.build()?, records, uncompressed })
}

/// The time as records carry it.
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// A Produce request of one batch.
pub fn produce(topic: &str, partition: i32, batch: &Batch, acks: i16) -> Result<Bytes, EncodeError> {
    let partition =
        PartitionProduceData { index: partition, records: Some(batch.bytes.clone()), ..Default::default() };
    let topic =
        TopicProduceData { name: topic.into(), partition_data: [partition].into(), ..Default::default() };
    let request =
        ProduceRequest { acks, timeout_ms: 30_000, topic_data: [topic].into(), ..Default::default() };
    encode_request(&RequestHeader::of::<ProduceRequest>(PRODUCE, 7, Some("replay".into())), &request)
}

/// A Fetch request outside of any session for at most `max_bytes` of one partition.
pub fn fetch(topic_id: Uuid, partition: i32, offset: i64, max_bytes: i32) -> Result<Bytes, EncodeError> {
    let partition = FetchPartition {
        partition,
        fetch_offset: offset,
        partition_max_bytes: max_bytes,
        ..Default::default()
    };
    fetch_partitions(topic_id, vec![partition], max_bytes)
}

/// The same of partitions 0, 1, 2 …, from the offset that is given for each.
pub fn fetch_all(topic_id: Uuid, offsets: &[i64], max_bytes: i32) -> Result<Bytes, EncodeError> {
    let partitions = (0..).zip(offsets).map(|(partition, offset)| FetchPartition {
        partition,
        fetch_offset: *offset,
        partition_max_bytes: max_bytes,
        ..Default::default()
    });
    fetch_partitions(topic_id, partitions.collect(), max_bytes)
}

fn fetch_partitions(
    topic_id: Uuid,
    partitions: Vec<FetchPartition>,
    max_bytes: i32,
) -> Result<Bytes, EncodeError> {
    let topic = FetchTopic { topic_id, partitions, ..Default::default() };
    let request = FetchRequest {
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes,
        session_id: 0,
        session_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    };
    encode_request(&RequestHeader::of::<FetchRequest>(FETCH, 7, Some("replay".into())), &request)
}

/// A CreateTopics request for one topic with one replica.
pub fn create_topic(name: &str, partitions: i32) -> Result<Bytes, EncodeError> {
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
    encode_request(
        &RequestHeader::of::<CreateTopicsRequest>(CREATE_TOPICS, 7, Some("replay".into())),
        &request,
    )
}

/// A Metadata request for one topic.
pub fn metadata(name: &str) -> Result<Bytes, EncodeError> {
    let topic = ottla_protocol::messages::metadata::MetadataRequestTopic {
        name: Some(name.into()),
        ..Default::default()
    };
    let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
    encode_request(&RequestHeader::of::<MetadataRequest>(METADATA, 7, Some("replay".into())), &request)
}
