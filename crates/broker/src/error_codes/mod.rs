//! Where the errors of the crates below meet Kafka's error codes: one file a crate, each match exhaustive, so that a new
//! error does not compile until somebody has decided what clients are told.

mod fetch_sessions;
mod groups;
mod replication;
mod storage;

use ottla_protocol::ErrorCode;

use crate::replica_manager::{AckOutcome, AlterLogDirError, DeleteRecordsError, PartitionError};

/// What a client is told.
pub(crate) trait ToErrorCode {
    /// Kafka's code for it.
    fn to_error_code(&self) -> ErrorCode;
}

impl ToErrorCode for PartitionError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::UnknownTopicOrPartition => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::UnknownTopicId => ErrorCode::UNKNOWN_TOPIC_ID,
            Self::HighWatermarkBehind { .. } => ErrorCode::OFFSET_NOT_AVAILABLE,
            Self::NoTransactions => ErrorCode::INVALID_TXN_STATE,
            Self::NotHosted | Self::Opening | Self::LeaseRanOut => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            Self::NotFollower(error) => error.to_error_code(),
            Self::NotLeading(error) => error.to_error_code(),
            Self::Damaged { .. } => ErrorCode::KAFKA_STORAGE_ERROR,
            Self::NotReady(error) => error.to_error_code(),
            Self::NotLeader(error) => error.to_error_code(),
            Self::Epoch(error) => error.to_error_code(),
            Self::Append(error) => error.to_error_code(),
            Self::Read(error) => error.to_error_code(),
            Self::Storage(error) => error.to_error_code(),
        }
    }
}

impl ToErrorCode for DeleteRecordsError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::Partition(error) => error.to_error_code(),
            Self::OutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            Self::NotDeletable => ErrorCode::POLICY_VIOLATION,
        }
    }
}

impl ToErrorCode for AlterLogDirError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::TopicNameTooLong => ErrorCode::INVALID_TOPIC_EXCEPTION,
            Self::LogDirNotFound { .. } => ErrorCode::LOG_DIR_NOT_FOUND,
            Self::LogDirCordoned { .. } => ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            Self::LogDirOffline { .. } | Self::PartitionOffline { .. } => ErrorCode::KAFKA_STORAGE_ERROR,
            Self::UnknownTopicOrPartition => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::ReplicaNotAvailable => ErrorCode::REPLICA_NOT_AVAILABLE,
            Self::Thread(_) => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl ToErrorCode for AckOutcome {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::Committed => ErrorCode::NONE,
            Self::NotEnoughReplicasAfterAppend => ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            Self::NotLeader => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            Self::StorageFailed => ErrorCode::KAFKA_STORAGE_ERROR,
        }
    }
}
