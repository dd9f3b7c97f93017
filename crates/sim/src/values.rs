//! Values in batches and back.

use ottla_records::{BatchBuilder, batches};
use ottla_types::{Bytes, Offset, ProducerEpoch, ProducerId};

use crate::history::{Dumped, Value};

/// Records are small, and no batch has many.
const MAX_BYTES: usize = 1 << 16;

/// A batch with these values; of an idempotent producer if its id and the first sequence number are given.
pub(crate) fn batch(values: &[Value], producer: Option<(i64, i32)>, now_ms: i64) -> Option<Bytes> {
    let mut builder = BatchBuilder::new();
    if let Some((id, sequence)) = producer {
        builder.set_producer(ProducerId(id), ProducerEpoch(0), sequence);
    }
    for Value(writer, number) in values {
        builder.append(now_ms, None, Some(format!("{writer}:{number}").as_bytes()), &[]).ok()?;
    }
    builder.build().ok()
}

/// The records in `bytes` from `from` on. What is no batch of ours, or changed, has a value that nobody sent.
pub(crate) fn records(bytes: &Bytes, from: Offset) -> Vec<Dumped> {
    let mut found = Vec::new();
    for batch in batches(bytes) {
        let Ok(batch) = batch else { break };
        let intact = batch.check_crc().is_ok();
        let Ok(records) = batch.records(MAX_BYTES) else { break };
        for record in records.flatten().filter(|record| record.offset >= from) {
            let value = record.value.as_deref().filter(|_| intact).and_then(parse);
            found.push(Dumped {
                offset: record.offset,
                epoch: batch.partition_leader_epoch,
                crc: batch.crc,
                value: value.unwrap_or(Value(u32::MAX, u64::MAX)),
            });
        }
    }
    found
}

fn parse(bytes: &[u8]) -> Option<Value> {
    let (writer, number) = std::str::from_utf8(bytes).ok()?.split_once(':')?;
    Some(Value(writer.parse().ok()?, number.parse().ok()?))
}
