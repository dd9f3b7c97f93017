//! What of a batch stays (`Cleaner.cleanInto`, `MemoryRecords.filterTo`).

use std::collections::HashMap;

use bytes::Bytes;
use ottla_records::{BatchBuilder, BatchHeader, BatchView, Record, RecordsError};
use ottla_types::{Offset, ProducerEpoch, ProducerId, TimestampMs};

use super::offset_map::OffsetMap;
use super::transactions::{AbortedTxn, Transactions};
use crate::log::end_marker;

/// What an active producer wrote last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastRecord {
    /// The last offset of its last batch of data, if it has written any.
    pub(crate) data: Option<i64>,
    pub(crate) epoch: ProducerEpoch,
}

/// What to write of a batch.
#[derive(Debug)]
pub(super) enum Kept {
    /// It as it is.
    All,
    Nothing,
    /// Another in its place, with some of its records or none.
    Some(Bytes),
}

/// The rules of one round.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    pub(super) map: &'a OffsetMap,
    pub(super) producers: &'a HashMap<ProducerId, LastRecord>,
    /// Where the round ends.
    pub(super) upper: i64,
    pub(super) now_ms: TimestampMs,
    pub(super) delete_retention_ms: i64,
    /// What decompression may yield, bytes.
    pub(super) limit: usize,
}

impl Rules<'_> {
    /// Decides on a batch; `ends_segment` if none follows it in the segment that is written. Tells too whether the batch is the
    /// marker of an aborted transaction that has records left.
    pub(super) fn retain(
        &self,
        batch: &BatchView,
        transactions: &mut Transactions,
        ends_segment: bool,
    ) -> Result<(Kept, Option<AbortedTxn>), RecordsError> {
        let is_control = batch.attributes.is_control();
        let (can_discard, aborts) = if is_control {
            let end = end_marker(batch)?;
            let marker = transactions.on_marker(batch, end.as_ref());
            // Control records of other kinds stay.
            (marker.is_idle && (end.is_some() || batch.records_count == 0), marker.aborts)
        } else {
            (transactions.on_data(batch), None)
        };
        let is_past = |horizon: TimestampMs| horizon <= self.now_ms;
        let discards = can_discard && (!is_control || batch.delete_horizon().is_some_and(is_past));
        let tells_producer = batch.next_offset().0 == self.upper || self.is_last_of_producer(batch);
        let stays_empty = ends_segment || tells_producer;
        if discards && !stays_empty {
            return Ok((Kept::Nothing, aborts));
        }
        let mut kept = Vec::new();
        let (mut has_tombstones, mut all) = (false, true);
        for record in batch.records(self.limit)? {
            let record = record?;
            let stays = !discards && (is_control || self.stays(batch, &record));
            if stays {
                has_tombstones |= record.value.is_none();
                kept.push(record);
            } else {
                all = false;
            }
        }
        if kept.is_empty() {
            let empty = if tells_producer {
                Kept::Some(BatchBuilder::emptied(batch))
            } else if ends_segment {
                Kept::Some(BatchBuilder::emptied(&without_producer(batch)))
            } else {
                Kept::Nothing
            };
            return Ok((empty, aborts));
        }
        let wants_horizon = has_tombstones || can_discard && is_control;
        let sets_horizon = wants_horizon && batch.delete_horizon().is_none();
        if all && !sets_horizon {
            return Ok((Kept::All, aborts));
        }
        let mut builder = BatchBuilder::replacing(batch)?;
        if sets_horizon {
            builder = builder.delete_horizon(self.now_ms.saturating_add(self.delete_retention_ms));
        }
        kept.iter().try_for_each(|record| builder.append_record(record))?;
        Ok((Kept::Some(builder.build()?), aborts))
    }

    /// A record of data that was not aborted.
    fn stays(&self, batch: &BatchView, record: &Record) -> bool {
        if record.offset > Offset(self.map.latest()) {
            // Its key may be anywhere beyond.
            return true;
        }
        let Some(key) = &record.key else { return false };
        let is_last = self.map.get(key).is_none_or(|last| record.offset.0 >= last);
        let is_tombstone = record.value.is_none();
        is_last && !(is_tombstone && batch.delete_horizon().is_some_and(|horizon| horizon <= self.now_ms))
    }

    /// It tells the producer's epoch and last sequence number after a start that has no snapshot.
    fn is_last_of_producer(&self, batch: &BatchView) -> bool {
        if !batch.has_producer_id() {
            return false;
        }
        self.producers.get(&batch.producer_id).is_some_and(|last| match last.data {
            Some(offset) => batch.last_offset().0 == offset,
            None => batch.attributes.is_control() && batch.producer_epoch == last.epoch,
        })
    }
}

/// A header that tells of nothing but its offsets. Kafka has no batch there: the next round must not take it for one that is left of a
/// transaction, whose marker would then stay longer than Kafka's.
fn without_producer(header: &BatchHeader) -> BatchHeader {
    BatchHeader {
        attributes: header.attributes.with_transactional(false).with_control(false),
        producer_id: ProducerId::NONE,
        producer_epoch: ProducerEpoch::NONE,
        base_sequence: -1,
        ..*header
    }
}
