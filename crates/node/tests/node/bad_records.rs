//! Records that are none: refused with Kafka's errors, and without a trace in the log.

use ottla_protocol::{Bytes, ErrorCode};
use ottla_testkit::batch::{self, Codec};
use ottla_testkit::{ACKS_ALL, NodeSpec, TestNode, TopicSpec};

/// `bytes` with some replaced, and the checksum made right again.
fn changed(bytes: &Bytes, at: usize, with: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    batch::with_crc(bytes)
}

// Where things are in a batch.
const LENGTH: usize = 8;
const MAGIC: usize = 16;
const CRC: usize = 17;
const ATTRIBUTES: usize = 21;
const LAST_OFFSET_DELTA: usize = 23;
const RECORDS_COUNT: usize = 57;
const RECORDS: usize = 61;

#[test]
fn broken_batches_get_kafkas_errors() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    let good = batch::values(["one", "two", "three"]);
    let mut wrong_crc = good.to_vec();
    wrong_crc[CRC] ^= 1;
    let flipped = {
        let mut bytes = good.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        Bytes::from(bytes)
    };
    let cases: Vec<(&str, Bytes, &[ErrorCode])> = vec![
        ("wrong checksum", wrong_crc.into(), &[ErrorCode::CORRUPT_MESSAGE]),
        ("a flipped bit", flipped, &[ErrorCode::CORRUPT_MESSAGE]),
        ("cut short", good.slice(..good.len() - 1), &[ErrorCode::CORRUPT_MESSAGE]),
        ("a header only", good.slice(..61), &[ErrorCode::CORRUPT_MESSAGE]),
        ("half a header", good.slice(..20), &[ErrorCode::CORRUPT_MESSAGE]),
        ("one byte", good.slice(..1), &[ErrorCode::CORRUPT_MESSAGE, ErrorCode::INVALID_RECORD]),
        ("nothing", Bytes::new(), &[ErrorCode::INVALID_RECORD]),
        ("two batches", [good.clone(), good.clone()].concat().into(), &[ErrorCode::INVALID_RECORD]),
        (
            "bytes behind it",
            [&good[..], b"x"].concat().into(),
            &[ErrorCode::CORRUPT_MESSAGE, ErrorCode::INVALID_RECORD],
        ),
        ("negative length", changed(&good, LENGTH, &(-1i32).to_be_bytes()), &[ErrorCode::CORRUPT_MESSAGE]),
        ("length of 2 GiB", changed(&good, LENGTH, &i32::MAX.to_be_bytes()), &[ErrorCode::CORRUPT_MESSAGE]),
        ("magic 7", changed(&good, MAGIC, &[7]), &[ErrorCode::CORRUPT_MESSAGE, ErrorCode::INVALID_RECORD]),
        ("too few records", changed(&good, RECORDS_COUNT, &2i32.to_be_bytes()), &[ErrorCode::INVALID_RECORD]),
        (
            "too many records",
            changed(&good, RECORDS_COUNT, &4i32.to_be_bytes()),
            &[ErrorCode::INVALID_RECORD],
        ),
        (
            "2^31 records",
            changed(&good, RECORDS_COUNT, &i32::MAX.to_be_bytes()),
            &[ErrorCode::INVALID_RECORD],
        ),
        (
            "negative count",
            changed(&good, RECORDS_COUNT, &(-3i32).to_be_bytes()),
            &[ErrorCode::INVALID_RECORD],
        ),
        (
            "wrong last delta",
            changed(&good, LAST_OFFSET_DELTA, &9i32.to_be_bytes()),
            &[ErrorCode::INVALID_RECORD],
        ),
        (
            "unknown codec",
            changed(&good, ATTRIBUTES, &7i16.to_be_bytes()),
            &[ErrorCode::CORRUPT_MESSAGE, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE],
        ),
        ("a control batch", changed(&good, ATTRIBUTES, &0x20i16.to_be_bytes()), &[ErrorCode::INVALID_RECORD]),
        (
            "a transaction",
            changed(&good, ATTRIBUTES, &0x10i16.to_be_bytes()),
            &[ErrorCode::INVALID_TXN_STATE, ErrorCode::INVALID_RECORD],
        ),
        (
            "a transaction of a producer",
            changed(&batch::idempotent(7, 0, 0, ["one"]), ATTRIBUTES, &0x10i16.to_be_bytes()),
            &[ErrorCode::INVALID_TXN_STATE],
        ),
        ("a base offset", changed(&good, 0, &77i64.to_be_bytes()), &[ErrorCode::INVALID_RECORD]),
        (
            "record of length −1",
            changed(&good, RECORDS, &[1]),
            &[ErrorCode::INVALID_RECORD, ErrorCode::CORRUPT_MESSAGE],
        ),
        (
            "record of huge length",
            changed(&good, RECORDS, &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            &[ErrorCode::INVALID_RECORD, ErrorCode::CORRUPT_MESSAGE],
        ),
        (
            "record length never ends",
            changed(&good, RECORDS, &[0xff; 10]),
            &[ErrorCode::INVALID_RECORD, ErrorCode::CORRUPT_MESSAGE],
        ),
        (
            "key longer than its record",
            changed(&good, RECORDS + 4, &[0x7e]),
            &[ErrorCode::INVALID_RECORD, ErrorCode::CORRUPT_MESSAGE],
        ),
    ];
    for (what, records, allowed) in cases {
        let produced = client.try_produce("t", 0, ACKS_ALL, records);
        assert!(allowed.contains(&produced.error_code), "{what}: {:?}, not {allowed:?}", produced.error_code);
        assert_eq!(produced.base_offset, -1, "{what}");
        assert!(produced.error_message.is_some_and(|message| !message.is_empty()), "{what}");
    }
    assert_eq!(client.produce("t", good), 0, "nothing of it was appended");
    assert_eq!(client.read_values("t", 0), ["one", "two", "three"]);
}

/// A batch whose records decompress to `bytes` zeros after a valid record.
fn bomb(codec: Codec, bytes: usize) -> Bytes {
    batch::compressed(codec, ["0".repeat(bytes)])
}

#[test]
fn compressed_bombs_do_not_go_off() {
    let spec = NodeSpec::new()
        .set("record.validation", "full")
        .set("record.decompressed.max.bytes", "1048576")
        .set("message.max.bytes", "10000000");
    let node = spec.start();
    let mut client = node.client();
    client.create_topic("t");
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let produced = client.try_produce("t", 0, ACKS_ALL, bomb(codec, 64 << 20));
        assert!(
            matches!(
                produced.error_code,
                ErrorCode::CORRUPT_MESSAGE
                    | ErrorCode::INVALID_RECORD
                    | ErrorCode::MESSAGE_TOO_LARGE
                    | ErrorCode::RECORD_LIST_TOO_LARGE
            ),
            "{codec:?}: {produced:?}"
        );
        let small = client.try_produce("t", 0, ACKS_ALL, bomb(codec, 1 << 19));
        assert_eq!(small.error_code, ErrorCode::NONE, "{codec:?}");
    }
}

#[test]
fn compacted_topics_and_full_validation_look_inside() {
    let node = NodeSpec::new().set("record.validation", "full").start();
    let plain = TestNode::start();
    let (mut full, mut client) = (node.client(), plain.client());
    full.create_topic("t");
    client.create_topic("t");
    client.create(&TopicSpec::new("compacted").config("cleanup.policy", "compact"));
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        // The count is right, the payload is not what it says.
        let good = batch::compressed(codec, ["one", "two"]);
        let damaged = {
            let mut bytes = good[..RECORDS].to_vec();
            bytes.extend_from_slice(&[0x5a; 40]);
            let len = i32::try_from(bytes.len() - 12).unwrap();
            bytes[LENGTH..LENGTH + 4].copy_from_slice(&len.to_be_bytes());
            batch::with_crc(bytes)
        };
        let error = |client: &mut ottla_testkit::RawClient, topic: &str| {
            client.try_produce(topic, 0, ACKS_ALL, damaged.clone()).error_code
        };
        let refused = [ErrorCode::CORRUPT_MESSAGE, ErrorCode::INVALID_RECORD];
        assert!(refused.contains(&error(&mut full, "t")), "{codec:?}");
        assert!(refused.contains(&error(&mut client, "compacted")), "{codec:?}");
        assert_eq!(error(&mut client, "t"), ErrorCode::NONE, "{codec:?}: framing only, as COMPAT.md says");
    }
}

#[test]
fn a_compacted_topic_needs_keys() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").config("cleanup.policy", "compact"));
    let produced = client.try_produce("t", 0, ACKS_ALL, batch::values(["no key"]));
    assert_eq!(produced.error_code, ErrorCode::INVALID_RECORD);
    assert_eq!(produced.record_errors.len(), 1);
    assert_eq!(produced.record_errors[0].batch_index, 0);
}
