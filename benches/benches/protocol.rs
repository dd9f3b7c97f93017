//! The wire protocol beside the `kafka-protocol` crate, on the same bytes.
#![allow(clippy::unwrap_used, reason = "a benchmark may fail loudly")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable};
use kafka_protocol::records::RecordBatchDecoder;
use ottla_protocol::frame::{decode_body, encode_response_segments};
use ottla_protocol::messages::fetch::{self, FetchResponse, FetchableTopicResponse};
use ottla_protocol::messages::join_group::{JoinGroupResponse, JoinGroupResponseMember};
use ottla_protocol::messages::metadata::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use ottla_protocol::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use ottla_protocol::{ApiMessage, ByteString, FetchedRecords, Message, Uuid, Version, Writer};
use ottla_records::{BatchBuilder, Keys, batches};

/// Partitions in a Produce request and a Fetch response of 1 MiB.
const PARTITIONS: i32 = 16;
const BATCH: usize = (1 << 20) / PARTITIONS as usize;

/// Rounds in which both take turns, and how long a turn is.
const ROUNDS: usize = 51;
const TURN: Duration = Duration::from_millis(20);

fn encoded<M: Message>(message: &M, version: Version) -> Bytes {
    let mut w = Writer::new();
    message.encode(&mut w, version).unwrap();
    w.into_bytes()
}

fn metadata() -> MetadataResponse {
    let partition = |partition_index| MetadataResponsePartition {
        partition_index,
        leader_id: partition_index % 3,
        leader_epoch: 5,
        replica_nodes: [0, 1, 2].into_iter().collect(),
        isr_nodes: [0, 1, 2].into_iter().collect(),
        ..Default::default()
    };
    let topic = |number: i32| MetadataResponseTopic {
        name: Some(ByteString::from(format!("topic-{number:04}").as_str())),
        topic_id: Uuid::from_random_bits(|| [(number % 200) as u8; 16]),
        partitions: (0..3).map(partition).collect(),
        ..Default::default()
    };
    let broker = |node_id| MetadataResponseBroker {
        node_id,
        host: "broker.example".into(),
        port: 9092,
        ..Default::default()
    };
    MetadataResponse {
        brokers: (0..3).map(broker).collect(),
        cluster_id: Some("cluster".into()),
        controller_id: 1,
        topics: (0..1000).map(topic).collect(),
        ..Default::default()
    }
}

/// A batch of records of 1 KB, as many as fit.
fn batch() -> Bytes {
    let mut builder = BatchBuilder::new();
    let value = vec![b'v'; 1000];
    while builder.size() + 1020 < BATCH {
        builder.append(1_700_000_000_000, Some(b"key-0001"), Some(&value), &[]).unwrap();
    }
    builder.build().unwrap()
}

fn produce() -> ProduceRequest {
    let partition = |index| PartitionProduceData { index, records: Some(batch()), ..Default::default() };
    let topic = TopicProduceData {
        name: "topic".into(),
        partition_data: (0..PARTITIONS).map(partition).collect(),
        ..Default::default()
    };
    ProduceRequest { acks: -1, timeout_ms: 30_000, topic_data: [topic].into(), ..Default::default() }
}

fn fetched() -> FetchResponse {
    let partition = |partition_index| fetch::PartitionData {
        partition_index,
        high_watermark: 1000,
        last_stable_offset: 1000,
        log_start_offset: 0,
        records: Some(FetchedRecords::Bytes(batch())),
        ..Default::default()
    };
    let topic = FetchableTopicResponse {
        topic: "topic".into(),
        partitions: (0..PARTITIONS).map(partition).collect(),
        ..Default::default()
    };
    FetchResponse { responses: vec![topic], ..Default::default() }
}

fn joined() -> JoinGroupResponse {
    let member = |number: i32| JoinGroupResponseMember {
        member_id: ByteString::from(format!("consumer-{number}-01234567-89ab-cdef").as_str()),
        metadata: Bytes::from(vec![7; 200]),
        ..Default::default()
    };
    JoinGroupResponse {
        generation_id: 3,
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        leader: "consumer-0-01234567-89ab-cdef".into(),
        member_id: "consumer-0-01234567-89ab-cdef".into(),
        members: (0..100).map(member).collect(),
        ..Default::default()
    }
}

/// Both by criterion, one after the other; then in turn, since the machine is not the same from one second to the next:
/// the ratio of each round's times, of which the median counts.
fn pair<O, T>(
    c: &mut Criterion,
    group: &str,
    bytes: usize,
    mut ours: impl FnMut() -> O,
    mut theirs: impl FnMut() -> T,
) {
    let mut criterion = c.benchmark_group(group);
    criterion.throughput(Throughput::Bytes(bytes as u64));
    criterion.bench_function("ottla", |b| b.iter(&mut ours));
    criterion.bench_function("kafka-protocol", |b| b.iter(&mut theirs));
    criterion.finish();

    let calls = calls_of(TURN, &mut theirs);
    let mut ratios: Vec<_> = (0..ROUNDS)
        .map(|round| {
            // Whoever comes first finds the other's heap; so each does half of the time.
            if round % 2 == 0 {
                let ours = time(calls, &mut ours);
                ours / time(calls, &mut theirs)
            } else {
                let theirs = time(calls, &mut theirs);
                time(calls, &mut ours) / theirs
            }
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let at = |quantile: usize| ratios[(ROUNDS - 1) * quantile / 10];
    println!(
        "{group}: ottla takes {:.2} of kafka-protocol's time (median of {ROUNDS} rounds; 80 % in {:.2}-{:.2})\n",
        at(5),
        at(1),
        at(9)
    );
}

/// How often it can be called in `turn`.
fn calls_of<T>(turn: Duration, call: &mut impl FnMut() -> T) -> u32 {
    let (start, mut calls) = (Instant::now(), 0);
    while start.elapsed() < turn {
        black_box(call());
        calls += 1;
    }
    calls
}

/// What so many calls take, seconds.
fn time<T>(calls: u32, call: &mut impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(call());
    }
    start.elapsed().as_secs_f64()
}

/// Decoding the same bytes, and encoding what came of it.
fn both<O: ApiMessage, T: Decodable + Encodable>(
    c: &mut Criterion,
    name: &str,
    message: &O,
    version: Version,
) {
    let bytes = encoded(message, version);
    let other = T::decode(&mut bytes.clone(), version).unwrap();
    let mut again = BytesMut::new();
    other.encode(&mut again, version).unwrap();
    assert_eq!(again, bytes, "both mean the same");

    let len = bytes.len();
    let ours = || decode_body::<O>(black_box(bytes.clone()), version).unwrap();
    pair(c, &format!("{name}/decode"), len, ours, || {
        T::decode(&mut black_box(bytes.clone()), version).unwrap()
    });
    let ours = || encode(message, version);
    pair(c, &format!("{name}/encode"), len, ours, || encode_theirs(&other, version));
}

/// A Produce request decoded, with every batch's checksum and the framing of its records checked.
fn checked(bytes: &Bytes) -> ProduceRequest {
    let request: ProduceRequest = decode_body(black_box(bytes.clone()), 9).unwrap();
    for partition in &request.topic_data[0].partition_data {
        for batch in batches(partition.records.as_ref().unwrap()) {
            let batch = batch.unwrap();
            batch.check_crc().unwrap();
            black_box(batch.validate_framing(Keys::Optional, None).unwrap());
        }
    }
    request
}

fn checked_by_theirs(bytes: &Bytes) -> theirs::ProduceRequest {
    let request = theirs::ProduceRequest::decode(&mut black_box(bytes.clone()), 9).unwrap();
    for partition in &request.topic_data[0].partition_data {
        let mut records = partition.records.clone().unwrap();
        black_box(RecordBatchDecoder::decode_all(&mut records).unwrap());
    }
    request
}

/// A Fetch response decoded, and every record's key and value read.
fn read(bytes: &Bytes) -> FetchResponse {
    let response: FetchResponse = decode_body(black_box(bytes.clone()), 12).unwrap();
    for partition in &response.responses[0].partitions {
        let Some(FetchedRecords::Bytes(records)) = &partition.records else { continue };
        for batch in batches(records) {
            let batch = batch.unwrap();
            batch.check_crc().unwrap();
            for record in batch.records(1 << 20).unwrap().views() {
                black_box(record.unwrap());
            }
        }
    }
    response
}

fn read_by_theirs(bytes: &Bytes) -> theirs::FetchResponse {
    let response = theirs::FetchResponse::decode(&mut black_box(bytes.clone()), 12).unwrap();
    for partition in &response.responses[0].partitions {
        let mut records = partition.records.clone().unwrap();
        black_box(RecordBatchDecoder::decode_all(&mut records).unwrap());
    }
    response
}

/// As the network takes it: records are handed over and not copied.
fn encode<M: ApiMessage>(message: &M, version: Version) -> impl Sized + use<M> {
    encode_response_segments(1, version, black_box(message)).unwrap()
}

fn encode_theirs<M: Encodable>(message: &M, version: Version) -> Bytes {
    let mut out = BytesMut::with_capacity(black_box(message).compute_size(version).unwrap());
    message.encode(&mut out, version).unwrap();
    out.freeze()
}

/// What a broker does with records that are produced, and a client with those it fetched; and all three steps: decode,
/// check or read, encode.
fn records(c: &mut Criterion) {
    let bytes = encoded(&produce(), 9);
    let len = bytes.len();
    pair(c, "Produce 1 MiB/decode and check", len, || checked(&bytes), || checked_by_theirs(&bytes));
    let ours = || encode(&checked(&bytes), 9);
    pair(c, "Produce 1 MiB/in all", len, ours, || encode_theirs(&checked_by_theirs(&bytes), 9));

    let bytes = encoded(&fetched(), 12);
    let len = bytes.len();
    pair(c, "Fetch 1 MiB/decode and read", len, || read(&bytes), || read_by_theirs(&bytes));
    let ours = || encode(&read(&bytes), 12);
    pair(c, "Fetch 1 MiB/in all", len, ours, || encode_theirs(&read_by_theirs(&bytes), 12));
}

fn messages(c: &mut Criterion) {
    both::<_, theirs::MetadataResponse>(c, "Metadata 1,000 topics", &metadata(), 12);
    both::<_, theirs::JoinGroupResponse>(c, "JoinGroup 100 members", &joined(), 9);
    both::<_, theirs::FetchResponse>(c, "Fetch 1 MiB", &fetched(), 12);
    both::<_, theirs::ProduceRequest>(c, "Produce 1 MiB", &produce(), 9);
}

criterion_group!(benches, messages, records);
criterion_main!(benches);
