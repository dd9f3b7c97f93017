//! Record batches as fixtures.

use bytes::Bytes;
use ottla_records::{BatchBuilder, Record, RecordHeader, batches, crc32c, layout};
use ottla_types::{ProducerEpoch, ProducerId};

pub use ottla_records::Codec;

/// The timestamp of fixtures' first record, ms since 1970; each further one is 1 ms later.
pub const FIRST_TIMESTAMP: i64 = 1_700_000_000_000;
/// The most that a batch read back may decompress to.
const LIMIT: usize = 64 << 20;

/// A batch with one record of this value, without a key.
pub fn one(value: &str) -> Bytes {
    values([value])
}

/// A batch with a record for each value, without keys.
pub fn values<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Bytes {
    build(BatchBuilder::new(), values)
}

/// A compressed batch.
pub fn compressed<V: AsRef<[u8]>>(codec: Codec, values: impl IntoIterator<Item = V>) -> Bytes {
    build(BatchBuilder::new().compression(codec), values)
}

/// A batch of an idempotent producer.
pub fn idempotent<V: AsRef<[u8]>>(
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    values: impl IntoIterator<Item = V>,
) -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.set_producer(ProducerId(producer_id), ProducerEpoch(producer_epoch), base_sequence);
    build(builder, values)
}

/// A batch with everything that records may have: null key, null value, headers that repeat.
pub fn rich() -> Bytes {
    let mut builder = BatchBuilder::new();
    let headers = [
        RecordHeader::new("h", "1"),
        RecordHeader::new("h", "2"),
        RecordHeader { key: "none".into(), value: None },
    ];
    builder.append(FIRST_TIMESTAMP, Some(b"key"), Some(b"value"), &headers).unwrap();
    builder.append(FIRST_TIMESTAMP + 1, None, None, &[]).unwrap();
    builder.append(FIRST_TIMESTAMP + 2, Some(b""), Some(b""), &[]).unwrap();
    builder.build().unwrap()
}

/// One record with a key.
pub fn keyed(key: &str, value: &str) -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.append(FIRST_TIMESTAMP, Some(key.as_bytes()), Some(value.as_bytes()), &[]).unwrap();
    builder.build().unwrap()
}

/// The offset after the last whole batch in `bytes`, which may be one without records.
pub fn next_offset(bytes: &Bytes) -> Option<i64> {
    batches(bytes).map_while(Result::ok).last().map(|batch| batch.next_offset().0)
}

/// Makes the checksum of a batch right that was changed by hand.
pub fn with_crc(mut bytes: Vec<u8>) -> Bytes {
    let crc = crc32c(&bytes[layout::ATTRIBUTES..]);
    bytes[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

/// The records of all batches in `bytes`; an incomplete batch at the end is left out, as clients do.
pub fn records_of(bytes: &Bytes) -> Vec<Record> {
    let whole = batches(bytes).map_while(Result::ok);
    whole.flat_map(|batch| batch.records(LIMIT).unwrap().map(Result::unwrap).collect::<Vec<_>>()).collect()
}

/// The values of all records as text; a null value is `<null>`.
pub fn values_of(bytes: &Bytes) -> Vec<String> {
    let text = |value: Bytes| String::from_utf8_lossy(&value).into_owned();
    records_of(bytes)
        .into_iter()
        .map(|record| record.value.map_or_else(|| "<null>".to_owned(), text))
        .collect()
}

fn build<V: AsRef<[u8]>>(mut builder: BatchBuilder, values: impl IntoIterator<Item = V>) -> Bytes {
    for (index, value) in (0..).zip(values) {
        builder.append(FIRST_TIMESTAMP + index, None, Some(value.as_ref()), &[]).unwrap();
    }
    builder.build().unwrap()
}
