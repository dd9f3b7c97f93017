//! A shard's view of its partition: appends as one batch, loads by reading all batches.

use std::sync::Arc;

use ottla_coordinator::{Appended, Failure, HostedShard, KeyValueRecord, Now, ReplayError, Shard, ShardLog};
use ottla_records::{BatchBuilder, BatchView, RecordsError, batches};
use ottla_storage::AppendError;
use ottla_types::{Bytes, LeaderEpoch, Offset};

use crate::replica_manager::{Partition, PartitionError};

/// How much is read at a time while loading, bytes.
const LOAD_BYTES: usize = 1024 * 1024;
/// What decompressed offsets records may take, bytes; a coordinator's batches are not compressed unless the operator
/// asked for it.
const MAX_DECOMPRESSED_BYTES: usize = 64 * 1024 * 1024;

/// A partition as its shard appends to it.
pub(super) struct PartitionLog<'a> {
    partition: &'a Arc<Partition>,
    leader_epoch: LeaderEpoch,
}

impl<'a> PartitionLog<'a> {
    pub(super) fn new(partition: &'a Arc<Partition>, leader_epoch: LeaderEpoch) -> Self {
        Self { partition, leader_epoch }
    }
}

impl ShardLog for PartitionLog<'_> {
    fn append(&mut self, now: Now, records: &[KeyValueRecord]) -> Result<Appended, Failure> {
        let mut builder = BatchBuilder::new();
        for record in records {
            builder
                .append(now.wall_ms, Some(&record.key), record.value.as_deref(), &[])
                .map_err(|_| Failure::RecordTooLarge { len: builder.size() })?;
        }
        let len = builder.size();
        let batch = builder.build().map_err(|_| Failure::RecordTooLarge { len })?;
        match self.partition.append_as_coordinator(batch, self.leader_epoch) {
            Ok(base_offset) => Ok(Appended { base_offset }),
            Err(error) => Err(failure(&error, len)),
        }
    }

    fn log_end_offset(&self) -> Offset {
        self.partition.offsets().log_end
    }

    fn high_watermark(&self) -> Offset {
        self.partition.offsets().high_watermark
    }
}

fn failure(error: &PartitionError, len: usize) -> Failure {
    match error {
        PartitionError::NotReady(ottla_replication::NotReady::NotEnoughReplicas { .. }) => {
            Failure::NotEnoughReplicas
        }
        PartitionError::Append(AppendError::MessageTooLarge { .. } | AppendError::BatchTooLarge { .. }) => {
            Failure::RecordTooLarge { len }
        }
        PartitionError::Append(_)
        | PartitionError::Read(_)
        | PartitionError::Storage(_)
        | PartitionError::Damaged { .. } => Failure::Storage,
        PartitionError::UnknownTopicOrPartition
        | PartitionError::UnknownTopicId
        | PartitionError::NotHosted
        | PartitionError::LeaseRanOut
        | PartitionError::NotFollower(_)
        | PartitionError::NotLeading(_)
        | PartitionError::NoTransactions
        | PartitionError::Opening
        | PartitionError::HighWatermarkBehind { .. }
        | PartitionError::NotReady(_)
        | PartitionError::NotLeader(_)
        | PartitionError::Epoch(_) => Failure::NotLeader,
    }
}

/// Why a partition's records cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error(transparent)]
    Partition(#[from] PartitionError),
    #[error("cannot read the log: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("a fault of the broker, report it")]
    Panicked,
}

/// Replays the whole log of `partition` into `shard`.
pub(super) fn load_into<S: Shard>(
    partition: &Partition,
    shard: &mut HostedShard<S>,
) -> Result<(), LoadError> {
    let offsets = partition.offsets();
    let mut next = offsets.log_start;
    while next < offsets.log_end {
        let bytes = partition.read_for_load(next, LOAD_BYTES)?;
        let mut progressed = false;
        for batch in batches(&bytes) {
            let batch = batch?;
            if batch.header().last_offset() >= next {
                load_batch(&batch, next, shard)?;
                next = batch.header().next_offset();
                progressed = true;
            }
        }
        if !progressed {
            break;
        }
    }
    Ok(())
}

fn load_batch<S: Shard>(
    batch: &BatchView,
    from: Offset,
    shard: &mut HostedShard<S>,
) -> Result<(), LoadError> {
    if batch.header().attributes.is_control() {
        return Ok(());
    }
    for record in batch.records(MAX_DECOMPRESSED_BYTES)? {
        let record = record?;
        if let Some(key) = record.key
            && record.offset >= from
        {
            // Copies: what the shard keeps must not hold the whole chunk that it was read in.
            let record_copy = KeyValueRecord {
                key: Bytes::copy_from_slice(&key),
                value: record.value.map(|value| Bytes::copy_from_slice(&value)),
            };
            shard.load(record.offset, None, &record_copy)?;
        }
    }
    Ok(())
}
