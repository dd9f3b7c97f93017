//! The records of one partition of one fetch, decoded as they are taken.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use ottla_protocol::messages::fetch::AbortedTransaction;
use ottla_records::{BatchView, Batches, ControlType, Record, Records, RecordsError, batches, legacy, peek};
use ottla_types::{Offset, TopicPartition};

use super::record::ConsumerRecord;
use crate::cluster::IsolationLevel;
use crate::{ClientError, Result};

/// What one batch may decompress to, bytes.
const MAX_DECOMPRESSED: usize = 256 << 20;

/// What a fetch brought, and how far it was taken.
#[derive(Debug)]
pub(crate) struct Fetched {
    partition: Arc<TopicPartition>,
    batches: Batches,
    current: Option<Current>,
    /// The next record to give.
    position: Offset,
    check_crcs: bool,
    /// In read_committed: transactions that were aborted, by their first offset …
    aborted: VecDeque<AbortedTransaction>,
    /// … and the producers of those that are open where we are.
    aborting: HashSet<i64>,
}

#[derive(Debug)]
enum Current {
    /// And the offset behind the batch.
    Batch(Records, Offset),
    /// Of a format before 0.11.
    Legacy(std::vec::IntoIter<Record>),
}

impl Fetched {
    pub(crate) fn new(
        partition: Arc<TopicPartition>,
        records: &Bytes,
        position: Offset,
        check_crcs: bool,
        isolation: IsolationLevel,
        mut aborted: Vec<AbortedTransaction>,
    ) -> Self {
        if isolation == IsolationLevel::ReadUncommitted {
            aborted.clear();
        }
        aborted.sort_by_key(|t| t.first_offset);
        Self {
            partition,
            batches: batches(records),
            current: None,
            position,
            check_crcs,
            aborted: aborted.into(),
            aborting: HashSet::new(),
        }
    }

    /// The offset behind everything taken so far; control batches and compacted records count as taken.
    pub(crate) const fn position(&self) -> Offset {
        self.position
    }

    /// The next record at or behind the position.
    pub(crate) fn next_record(&mut self) -> Option<Result<ConsumerRecord>> {
        loop {
            let record = match &mut self.current {
                Some(Current::Batch(records, behind)) => match records.next() {
                    Some(record) => record,
                    None => {
                        self.position = self.position.max(*behind);
                        self.current = None;
                        continue;
                    }
                },
                Some(Current::Legacy(records)) => match records.next() {
                    Some(record) => Ok(record),
                    None => {
                        self.current = None;
                        continue;
                    }
                },
                None => match self.open_next() {
                    Ok(true) => continue,
                    Ok(false) => return None,
                    Err(e) => return Some(Err(self.corrupt(&e))),
                },
            };
            match record {
                // A batch is fetched whole, its start included.
                Ok(record) if record.offset < self.position => {}
                Ok(record) => {
                    self.position = record.offset.next();
                    return Some(Ok(self.give(record)));
                }
                Err(e) => {
                    self.current = None;
                    return Some(Err(self.corrupt(&e)));
                }
            }
        }
    }

    /// Goes on to the next batch; `false` at the end.
    fn open_next(&mut self) -> Result<bool, RecordsError> {
        let rest = self.batches.rest().clone();
        if peek(&rest).is_ok_and(|p| p.is_legacy() && p.size <= rest.len()) {
            let (records, size) = legacy::message(&rest, MAX_DECOMPRESSED)?;
            self.batches = batches(&rest.slice(size..));
            self.current = Some(Current::Legacy(records.into_iter()));
            return Ok(true);
        }
        let Some(batch) = self.batches.next() else { return Ok(false) };
        let batch = batch?;
        if self.check_crcs {
            batch.check_crc()?;
        }
        if self.is_hidden(&batch)? {
            self.position = self.position.max(batch.next_offset());
        } else {
            self.current = Some(Current::Batch(batch.records(MAX_DECOMPRESSED)?, batch.next_offset()));
        }
        Ok(true)
    }

    /// Control batches, and what aborted transactions wrote.
    fn is_hidden(&mut self, batch: &BatchView) -> Result<bool, RecordsError> {
        while let Some(begun) = self.aborted.pop_front_if(|t| t.first_offset <= batch.last_offset().0) {
            self.aborting.insert(begun.producer_id);
        }
        if batch.attributes.is_control() {
            if let Some(record) = batch.records(MAX_DECOMPRESSED)?.next() {
                let key = record?.key.unwrap_or_default();
                if ControlType::parse(&key)? == ControlType::Abort {
                    self.aborting.remove(&batch.producer_id.0);
                }
            }
            return Ok(true);
        }
        Ok(batch.attributes.is_transactional() && self.aborting.contains(&batch.producer_id.0))
    }

    fn give(&self, record: Record) -> ConsumerRecord {
        ConsumerRecord {
            source: Arc::clone(&self.partition),
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key,
            value: record.value,
            headers: record.headers,
        }
    }

    fn corrupt(&self, error: &RecordsError) -> ClientError {
        let partition = TopicPartition::clone(&self.partition);
        ClientError::CorruptRecords { partition, offset: self.position, reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_records::{BatchBuilder, EndTxnMarker};
    use ottla_types::{LeaderEpoch, ProducerEpoch, ProducerId};

    fn batch(base: i64, producer: i64, values: &[&'static str]) -> Bytes {
        let mut builder = BatchBuilder::new().base_offset(Offset(base)).transactional(producer >= 0);
        if producer >= 0 {
            builder.set_producer(ProducerId(producer), ProducerEpoch(0), 0);
        }
        for value in values {
            builder.append(0, None, Some(value.as_bytes()), &[]).unwrap();
        }
        builder.build().unwrap()
    }

    fn marker(base: i64, producer: i64, commit: bool) -> Bytes {
        EndTxnMarker { commit, coordinator_epoch: 0 }
            .batch(Offset(base), LeaderEpoch(0), 0, ProducerId(producer), ProducerEpoch(0))
            .unwrap()
    }

    fn take(
        log: &[Bytes],
        from: i64,
        isolation: IsolationLevel,
        aborted: &[(i64, i64)],
    ) -> (Vec<String>, i64) {
        let aborted = aborted
            .iter()
            .map(|&(producer_id, first_offset)| AbortedTransaction {
                producer_id,
                first_offset,
                ..Default::default()
            })
            .collect();
        let partition = Arc::new(TopicPartition::new("t", 0));
        let mut fetched =
            Fetched::new(partition, &log.concat().into(), Offset(from), true, isolation, aborted);
        let mut values = Vec::new();
        while let Some(record) = fetched.next_record() {
            values.push(String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap());
        }
        (values, fetched.position().0)
    }

    #[test]
    fn records_before_the_position_are_left_out() {
        let log = [batch(10, -1, &["a", "b", "c"])];
        assert_eq!(take(&log, 11, IsolationLevel::ReadUncommitted, &[]), (vec!["b".into(), "c".into()], 13));
    }

    #[test]
    fn aborted_records_are_hidden_from_committed_readers_only() {
        let log = [
            batch(0, 1, &["aborted"]),
            batch(1, 2, &["committed"]),
            marker(2, 1, false),
            batch(3, 1, &["later"]),
            marker(4, 2, true),
            marker(5, 1, true),
        ];
        let committed = take(&log, 0, IsolationLevel::ReadCommitted, &[(1, 0)]);
        assert_eq!(committed, (vec!["committed".into(), "later".into()], 6));
        let all = take(&log, 0, IsolationLevel::ReadUncommitted, &[(1, 0)]);
        assert_eq!(all.0.len(), 3);
    }

    #[test]
    fn a_damaged_batch_is_an_error() {
        let mut damaged = batch(0, -1, &["a"]).to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        let partition = Arc::new(TopicPartition::new("t", 0));
        let mut fetched =
            Fetched::new(partition, &damaged.into(), Offset(0), true, IsolationLevel::default(), Vec::new());
        let error = fetched.next_record().unwrap().unwrap_err().to_string();
        assert!(error.starts_with("t-0 at offset 0 cannot be read"), "{error}");
    }
}
