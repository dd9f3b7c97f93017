//! Applies snapshot and log to an image, in their order.

use std::collections::BTreeSet;

use ottla_metadata::{MetadataImage, MetadataRecord};
use ottla_records::{BatchView, ControlType, Record};
use ottla_types::{NodeId, Offset};

use crate::error::ImportError;
use crate::kafka_metadata::batches::Batches;
use crate::kafka_metadata::voters;

/// What the records of one batch may grow to. Kafka's batches have at most 8 MiB, and are not compressed.
const MAX_RECORDS_BYTES: usize = 64 << 20;

/// See the module.
#[derive(Debug)]
pub(crate) struct Loader {
    image: MetadataImage,
    /// The offset that the next batch has to have.
    next: Offset,
    voters: Option<BTreeSet<NodeId>>,
    /// Records of a metadata transaction that has not ended (KIP-868).
    transaction: Option<Vec<MetadataRecord>>,
}

impl Loader {
    pub(crate) fn new() -> Self {
        Self { image: MetadataImage::empty(), next: Offset(0), voters: None, transaction: None }
    }

    pub(crate) const fn next(&self) -> Offset {
        self.next
    }

    /// A snapshot of all that is below `end`.
    pub(crate) fn snapshot(
        &mut self,
        mut batches: Batches,
        (end, _): (Offset, i32),
    ) -> Result<(), ImportError> {
        let mut complete = false;
        while let Some(batch) = batches.next()? {
            if complete {
                return Err(batches.damaged("there is something behind the snapshot's last record"));
            }
            if batch.attributes.is_control() {
                complete = self.control(&batch, &batches)?;
            } else {
                self.apply(&batch, &batches)?;
            }
        }
        if !complete {
            return Err(batches.damaged("the snapshot has no last record"));
        }
        self.next = end;
        Ok(())
    }

    /// One segment of the log.
    pub(crate) fn log(&mut self, mut batches: Batches) -> Result<(), ImportError> {
        while let Some(batch) = batches.next()? {
            if batch.next_offset() <= self.next {
                continue;
            }
            if batch.base_offset != self.next {
                let what = format!("offset {} follows {}: batches are missing", batch.base_offset, self.next);
                return Err(batches.damaged(what));
            }
            if batch.attributes.is_control() {
                self.control(&batch, &batches)?;
            } else {
                self.apply(&batch, &batches)?;
            }
            self.next = batch.next_offset();
        }
        Ok(())
    }

    /// The image as of the end, and the voters if a record names them. A transaction that has not ended did not happen.
    pub(crate) fn finish(mut self) -> (MetadataImage, Option<BTreeSet<NodeId>>) {
        self.image.offset = Offset(self.next.0 - 1);
        (self.image, self.voters)
    }

    /// Whether it is a snapshot's last batch.
    fn control(&mut self, batch: &BatchView, batches: &Batches) -> Result<bool, ImportError> {
        let mut is_footer = false;
        for record in records(batch, batches)? {
            let key = record.key.as_deref().unwrap_or_default();
            let kind = ControlType::parse(key).map_err(|e| batches.damaged(e))?;
            let value = record.value.unwrap_or_default();
            match kind {
                ControlType::LeaderChange => self.voters = Some(voters::of_leader_change(&value, batches)?),
                ControlType::KRaftVoters => self.voters = Some(voters::of_voters_record(&value, batches)?),
                ControlType::SnapshotFooter => is_footer = true,
                _ => {}
            }
        }
        Ok(is_footer)
    }

    fn apply(&mut self, batch: &BatchView, batches: &Batches) -> Result<(), ImportError> {
        let mut committed = Vec::new();
        for record in records(batch, batches)? {
            let value = record.value.ok_or_else(|| batches.damaged("a record without a value"))?;
            let offset = record.offset;
            let record = MetadataRecord::decode(value)
                .map_err(|source| ImportError::UnknownRecord { offset, source })?;
            match (record, &mut self.transaction) {
                (MetadataRecord::BeginTransaction(_), transaction) => *transaction = Some(Vec::new()),
                (MetadataRecord::EndTransaction(_), transaction) => {
                    committed.extend(transaction.take().unwrap_or_default());
                }
                (MetadataRecord::AbortTransaction(_), transaction) => *transaction = None,
                (record, Some(transaction)) => transaction.push(record),
                (record, None) => committed.push(record),
            }
        }
        let offset = batch.last_offset();
        let applied = self.image.apply(&committed);
        self.image = applied.map_err(|source| ImportError::Apply { offset, source })?.0;
        Ok(())
    }
}

fn records(batch: &BatchView, batches: &Batches) -> Result<Vec<Record>, ImportError> {
    let records: Result<Vec<_>, _> = batch.records(MAX_RECORDS_BYTES).and_then(Iterator::collect);
    records.map_err(|e| batches.damaged(e))
}
