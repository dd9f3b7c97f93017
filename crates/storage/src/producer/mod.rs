//! What idempotent and transactional producers wrote last, so that a batch sent twice is stored once (KIP-98).
//! The rules are Kafka's `ProducerStateManager` and `ProducerAppendInfo`.

mod snapshot;
#[cfg(test)]
mod state_test;

use std::collections::{BTreeMap, HashMap, VecDeque};

use ottla_records::{BatchHeader, EndTxnMarker, add_sequence};
use ottla_types::{ProducerEpoch, ProducerId, TimestampMs};

use crate::append::AppendOrigin;
use crate::error::AppendError;

/// How many batches of a producer are remembered: what a client may have in flight.
const BATCHES: usize = 5;
/// One before the first.
const NO_SEQUENCE: i32 = -1;

/// A batch that a producer wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrittenBatch {
    pub(crate) last_sequence: i32,
    pub(crate) last_offset: i64,
    pub(crate) offset_delta: i32,
    pub(crate) timestamp: TimestampMs,
}

impl WrittenBatch {
    pub(crate) fn first_offset(&self) -> i64 {
        self.last_offset - i64::from(self.offset_delta)
    }

    fn first_sequence(&self) -> i32 {
        // 0 comes after 2³¹ − 1.
        self.last_sequence.wrapping_sub(self.offset_delta) & i32::MAX
    }
}

/// One producer's state in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) epoch: ProducerEpoch,
    pub(crate) coordinator_epoch: i32,
    pub(crate) last_timestamp: TimestampMs,
    /// Where its open transaction starts.
    pub(crate) txn_first_offset: Option<i64>,
    batches: VecDeque<WrittenBatch>,
}

impl Producer {
    fn new(epoch: ProducerEpoch) -> Self {
        Self {
            epoch,
            coordinator_epoch: -1,
            last_timestamp: -1,
            txn_first_offset: None,
            batches: VecDeque::new(),
        }
    }

    pub(crate) fn last_batch(&self) -> Option<&WrittenBatch> {
        self.batches.back()
    }

    fn last_sequence(&self) -> i32 {
        self.last_batch().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    fn set_epoch(&mut self, epoch: ProducerEpoch) {
        if self.epoch != epoch {
            self.batches.clear();
            self.epoch = epoch;
        }
    }

    fn add_batch(&mut self, batch: WrittenBatch) {
        if self.batches.len() == BATCHES {
            self.batches.pop_front();
        }
        self.last_timestamp = batch.timestamp;
        self.batches.push_back(batch);
    }
}

/// All producers of one log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Producers {
    by_id: HashMap<ProducerId, Producer>,
    /// Open transactions by first offset.
    open_txns: BTreeMap<i64, ProducerId>,
    /// Ended transactions whose marker the high watermark has not passed: first offset → marker's offset.
    unreplicated_txns: BTreeMap<i64, i64>,
}

impl Producers {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ProducerId, &Producer)> {
        self.by_id.iter().map(|(id, producer)| (*id, producer))
    }

    pub(crate) fn get(&self, id: ProducerId) -> Option<&Producer> {
        self.by_id.get(&id)
    }

    /// The batch with these sequence numbers, if it is among the last that its producer wrote.
    pub(crate) fn duplicate_of(&self, header: &BatchHeader) -> Option<WrittenBatch> {
        let producer = self.by_id.get(&header.producer_id).filter(|p| p.epoch == header.producer_epoch)?;
        let (first, last) = (header.base_sequence, header.last_sequence());
        producer.batches.iter().find(|b| b.first_sequence() == first && b.last_sequence == last).copied()
    }

    /// Whether the producer may append a data batch.
    pub(crate) fn check(&self, header: &BatchHeader, origin: AppendOrigin) -> Result<(), AppendError> {
        let producer = self.by_id.get(&header.producer_id);
        self.check_epoch(producer, header)?;
        if origin == AppendOrigin::Client {
            check_sequence(producer, header)?;
        }
        let in_txn = producer.is_some_and(|p| p.txn_first_offset.is_some());
        if in_txn && !header.attributes.is_transactional() {
            return Err(AppendError::InvalidTxnState { producer_id: header.producer_id });
        }
        Ok(())
    }

    /// Whether a transaction's end marker may be appended.
    pub(crate) fn check_marker(
        &self,
        header: &BatchHeader,
        marker: &EndTxnMarker,
    ) -> Result<(), AppendError> {
        let producer = self.by_id.get(&header.producer_id);
        self.check_epoch(producer, header)?;
        match producer {
            Some(p) if p.coordinator_epoch > marker.coordinator_epoch => {
                Err(AppendError::TransactionCoordinatorFenced {
                    producer_id: header.producer_id,
                    found: marker.coordinator_epoch,
                    current: p.coordinator_epoch,
                })
            }
            _ => Ok(()),
        }
    }

    /// A data batch is in the log.
    pub(crate) fn wrote(&mut self, header: &BatchHeader) {
        let producer =
            self.by_id.entry(header.producer_id).or_insert_with(|| Producer::new(header.producer_epoch));
        producer.set_epoch(header.producer_epoch);
        producer.add_batch(WrittenBatch {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset().0,
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        });
        if header.attributes.is_transactional() && producer.txn_first_offset.is_none() {
            producer.txn_first_offset = Some(header.base_offset.0);
            self.open_txns.insert(header.base_offset.0, header.producer_id);
        }
    }

    /// An end marker is in the log. The transaction that it ended: where it began, and whether it was aborted.
    pub(crate) fn wrote_marker(
        &mut self,
        header: &BatchHeader,
        marker: &EndTxnMarker,
    ) -> Option<(i64, bool)> {
        let producer =
            self.by_id.entry(header.producer_id).or_insert_with(|| Producer::new(header.producer_epoch));
        producer.set_epoch(header.producer_epoch);
        producer.coordinator_epoch = marker.coordinator_epoch;
        producer.last_timestamp = header.max_timestamp;
        let first = producer.txn_first_offset.take()?;
        self.open_txns.remove(&first);
        self.unreplicated_txns.insert(first, header.base_offset.0);
        Some((first, !marker.commit))
    }

    /// The first offset of which it is not known whether it will be committed.
    pub(crate) fn first_unstable_offset(&self) -> Option<i64> {
        let open = self.open_txns.keys().next();
        let unreplicated = self.unreplicated_txns.keys().next();
        open.into_iter().chain(unreplicated).min().copied()
    }

    /// Markers below the high watermark decide their transactions.
    pub(crate) fn on_high_watermark(&mut self, high_watermark: i64) {
        self.unreplicated_txns.retain(|_, marker| *marker >= high_watermark);
    }

    /// Forgets producers that were silent for `expiration_ms`; not those with an open transaction.
    pub(crate) fn expire(&mut self, now_ms: TimestampMs, expiration_ms: i64) {
        self.by_id.retain(|_, p| {
            p.txn_first_offset.is_some() || now_ms.saturating_sub(p.last_timestamp) < expiration_ms
        });
    }

    fn check_epoch(&self, producer: Option<&Producer>, header: &BatchHeader) -> Result<(), AppendError> {
        match producer {
            Some(p) if header.producer_epoch < p.epoch => Err(AppendError::InvalidProducerEpoch {
                producer_id: header.producer_id,
                found: header.producer_epoch,
                current: p.epoch,
            }),
            _ => Ok(()),
        }
    }

    fn restore(&mut self, id: ProducerId, producer: Producer) {
        if let Some(first) = producer.txn_first_offset {
            self.open_txns.insert(first, id);
        }
        self.by_id.insert(id, producer);
    }
}

/// An unknown producer may start anywhere: its state may have expired. A new epoch starts at 0; within an epoch, numbers
/// follow each other.
fn check_sequence(producer: Option<&Producer>, header: &BatchHeader) -> Result<(), AppendError> {
    let Some(producer) = producer.filter(|p| p.epoch.is_some()) else { return Ok(()) };
    let last = producer.last_sequence();
    let found = header.base_sequence;
    let expected = if header.producer_epoch == producer.epoch { add_sequence(last, 1) } else { 0 };
    let in_order = found == expected;
    if in_order {
        return Ok(());
    }
    Err(AppendError::OutOfOrderSequence { producer_id: header.producer_id, found, last })
}
