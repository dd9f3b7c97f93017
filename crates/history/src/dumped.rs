//! Records as they lie in a log.

use ottla_records::batches;
use ottla_types::{Bytes, Offset};

use crate::{Dumped, Value};

/// No test sends batches that are larger once they are decompressed.
const MAX_BYTES: usize = 1 << 20;

impl Dumped {
    /// The records of the batches in `bytes` from `from` on, up to where there is no whole batch. What is no batch of a test's,
    /// or changed, has a value that nobody sent.
    pub fn all_in(bytes: &Bytes, from: Offset) -> Vec<Self> {
        let mut found = Vec::new();
        for batch in batches(bytes) {
            let Ok(batch) = batch else { break };
            let intact = batch.check_crc().is_ok();
            let Ok(records) = batch.records(MAX_BYTES) else { break };
            for record in records.flatten().filter(|record| record.offset >= from) {
                let value = record.value.as_deref().filter(|_| intact);
                found.push(Self {
                    offset: record.offset,
                    epoch: batch.partition_leader_epoch,
                    crc: batch.crc,
                    value: value.map_or(Value::UNKNOWN, Value::of),
                });
            }
        }
        found
    }
}
