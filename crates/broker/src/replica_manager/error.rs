//! Why a partition does not do what a request asks.

use ottla_replication::{EpochError, NotFollower, NotLeader, NotLeading, NotReady};
use ottla_storage::{AppendError, ReadError, StorageError};
use ottla_types::Offset;

/// Why a partition does not do what a request asks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartitionError {
    #[error("there is no such topic or partition; create it, or check its name")]
    UnknownTopicOrPartition,
    #[error("there is no topic with this id; it may have been deleted: refresh the metadata")]
    UnknownTopicId,
    #[error("this broker holds no replica of the partition; refresh the metadata")]
    NotHosted,
    #[error("the partition is being opened after a start; retry")]
    Opening,
    #[error(
        "no controller has answered for a while, another broker may lead the partition; refresh the metadata"
    )]
    LeaseRanOut,
    #[error("the partition cannot be served: {reason}")]
    Damaged { reason: String },
    #[error(
        "the leader is new and does not know yet what is committed: high watermark {high_watermark}, took office at {epoch_start}; retry"
    )]
    HighWatermarkBehind { high_watermark: Offset, epoch_start: Offset },
    #[error(transparent)]
    NotFollower(#[from] NotFollower),
    #[error(transparent)]
    NotLeading(#[from] NotLeading),
    #[error("this version has no transactions; send the records without a transactional.id")]
    NoTransactions,
    #[error(transparent)]
    NotReady(#[from] NotReady),
    #[error(transparent)]
    NotLeader(#[from] NotLeader),
    #[error(transparent)]
    Epoch(#[from] EpochError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why records are not deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeleteRecordsError {
    #[error(transparent)]
    Partition(#[from] PartitionError),
    #[error("offset {offset} is not between the log start and the high watermark {high_watermark}")]
    OutOfRange { offset: Offset, high_watermark: Offset },
    #[error("the topic's cleanup.policy does not delete; add delete to it")]
    NotDeletable,
}
