//! Bytes that Apache Kafka 4.3.1 wrote.

use bytes::Bytes;
use ottla_types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

use crate::{
    BatchBuilder, BatchView, Codec, EndTxnMarker, Keys, Record, RecordHeader, TimestampType, batches, legacy,
    peek,
};

const VECTORS: &str = include_str!("../vectors/kafka-4.3.1.txt");
const LIMIT: usize = 1 << 20;

fn vector(name: &str) -> Bytes {
    let line = VECTORS.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')).unwrap();
    (0..line.len()).step_by(2).map(|i| u8::from_str_radix(&line[i..i + 2], 16).unwrap()).collect()
}

fn records() -> Vec<Record> {
    let null = RecordHeader { key: "n".into(), value: None };
    let headers = vec![RecordHeader::new("h", "1"), RecordHeader::new("h", "2"), null];
    let record = |offset, timestamp, key: Option<&'static str>, value: Option<Bytes>| Record {
        offset: Offset(offset),
        timestamp,
        key: key.map(Bytes::from),
        value,
        headers: Vec::new(),
    };
    vec![
        Record { headers, ..record(7, 1_700_000_000_000, Some("k1"), Some(ONE.into())) },
        record(8, 1_699_999_999_990, None, Some(vec![0; 300].into())),
        record(9, 1_700_000_000_500, Some("k3"), None),
        record(10, 1_700_000_000_400, Some(""), Some("".into())),
    ]
}

const ONE: &str = "value one value one value one";

fn build(codec: Codec) -> Bytes {
    let mut builder = BatchBuilder::new()
        .compression(codec)
        .base_offset(Offset(7))
        .leader_epoch(LeaderEpoch(5))
        .transactional(true);
    builder.set_producer(ProducerId(4711), ProducerEpoch(3), 42);
    for r in records() {
        builder.append(r.timestamp, r.key.as_deref(), r.value.as_deref(), &r.headers).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn our_uncompressed_batch_is_kafkas_byte_for_byte() {
    assert_eq!(build(Codec::None), vector("v2-none"));
}

#[test]
fn kafkas_batches_are_read_in_every_codec() {
    for codec in Codec::ALL {
        let bytes = vector(&format!("v2-{codec}"));
        let batch = BatchView::parse(&bytes).unwrap();
        batch.check_crc().unwrap();
        assert_eq!(batch.attributes.codec().unwrap(), codec);
        assert_eq!(batch.attributes.timestamp_type(), TimestampType::CreateTime);
        assert!(batch.attributes.is_transactional() && !batch.attributes.is_control());
        assert_eq!((batch.base_offset, batch.last_offset()), (Offset(7), Offset(10)));
        assert_eq!((batch.producer_id, batch.producer_epoch), (ProducerId(4711), ProducerEpoch(3)));
        assert_eq!((batch.base_sequence, batch.last_sequence()), (42, 45));
        assert_eq!(batch.partition_leader_epoch, LeaderEpoch(5));
        assert_eq!(batch.max_timestamp, 1_700_000_000_500);
        batch.validate_from_client().unwrap();
        let framing = batch.validate_framing(Keys::Optional, Some(LIMIT)).unwrap().unwrap();
        assert_eq!((framing.max_timestamp, framing.max_timestamp_delta), (1_700_000_000_500, 2));
        assert_eq!(framing.min_timestamp, 1_699_999_999_990);
        assert!(batch.validate_framing(Keys::Required, Some(LIMIT)).is_err(), "record 1 has no key");
        let read: Result<Vec<_>, _> = batch.records(LIMIT).unwrap().collect();
        assert_eq!(read.unwrap(), records(), "{codec}");
    }
}

#[test]
fn end_markers_are_kafkas_byte_for_byte() {
    for (name, commit) in [("v2-commit", true), ("v2-abort", false)] {
        let marker = EndTxnMarker { commit, coordinator_epoch: 12 };
        let (id, epoch) = (ProducerId(4711), ProducerEpoch(3));
        let ours = marker.batch(Offset(99), LeaderEpoch(5), 1_700_000_000_000, id, epoch).unwrap();
        assert_eq!(ours, vector(name));
        let batch = batches(&ours).next().unwrap().unwrap();
        assert!(batch.attributes.is_control());
        let record = batch.records(LIMIT).unwrap().next().unwrap().unwrap();
        assert_eq!(EndTxnMarker::parse(&record).unwrap(), Some(marker));
    }
}

#[test]
fn message_sets_of_old_kafkas_are_read() {
    for magic in [0, 1] {
        for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4] {
            let mut bytes = vector(&format!("v{magic}-{codec}"));
            let mut read = Vec::new();
            while !bytes.is_empty() {
                assert!(peek(&bytes).unwrap().is_legacy());
                let (mut records, size) = legacy::message(&bytes, LIMIT).unwrap();
                read.append(&mut records);
                bytes = bytes.slice(size..);
            }
            let time = |t: i64| if magic == 0 { -1 } else { t };
            let record = |i: i64, key: Option<&'static str>, value: Option<&'static str>| Record {
                offset: Offset(7 + i),
                timestamp: time(1_700_000_000_000 + i),
                key: key.map(Bytes::from),
                value: value.map(Bytes::from),
                headers: Vec::new(),
            };
            let expected =
                [record(0, Some("k1"), Some(ONE)), record(1, None, Some("two")), record(2, Some("k3"), None)];
            assert_eq!(read, expected, "magic {magic} {codec}");
        }
    }
}
