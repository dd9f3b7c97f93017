//! Values in batches.

use ottla_history::Value;
use ottla_records::BatchBuilder;
use ottla_types::{Bytes, ProducerEpoch, ProducerId};

/// A batch with these values; of an idempotent producer if its id and the first sequence number are given.
pub(crate) fn batch(values: &[Value], producer: Option<(i64, i32)>, now_ms: i64) -> Option<Bytes> {
    let mut builder = BatchBuilder::new();
    if let Some((id, sequence)) = producer {
        builder.set_producer(ProducerId(id), ProducerEpoch(0), sequence);
    }
    for value in values {
        builder.append(now_ms, None, Some(value.to_string().as_bytes()), &[]).ok()?;
    }
    builder.build().ok()
}
