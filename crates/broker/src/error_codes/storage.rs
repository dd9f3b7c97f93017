//! Errors of `ottla-storage`.

use ottla_protocol::ErrorCode;
use ottla_storage::{AppendError, ReadError, StorageError};

use super::ToErrorCode;

impl ToErrorCode for StorageError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::Full { .. }
            | Self::TooManyOpenFiles { .. }
            | Self::Offline { .. }
            | Self::Io { .. }
            | Self::Damaged { .. }
            | Self::Format { .. }
            | Self::Poisoned { .. } => ErrorCode::KAFKA_STORAGE_ERROR,
        }
    }
}

impl ToErrorCode for ReadError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            Self::Storage(error) => error.to_error_code(),
        }
    }
}

impl ToErrorCode for AppendError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::InvalidRecord { .. } => ErrorCode::INVALID_RECORD,
            Self::InvalidTimestamp { .. } => ErrorCode::INVALID_TIMESTAMP,
            Self::Corrupt(_) | Self::OffsetsOutOfOrder { .. } => ErrorCode::CORRUPT_MESSAGE,
            Self::UnsupportedFormat { .. } => ErrorCode::UNSUPPORTED_FOR_MESSAGE_FORMAT,
            Self::UnsupportedCompression(_) => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            Self::MessageTooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
            Self::BatchTooLarge { .. } => ErrorCode::RECORD_LIST_TOO_LARGE,
            Self::OutOfOrderSequence { .. } => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            Self::InvalidProducerEpoch { .. } => ErrorCode::INVALID_PRODUCER_EPOCH,
            Self::InvalidTxnState { .. } => ErrorCode::INVALID_TXN_STATE,
            Self::TransactionCoordinatorFenced { .. } => ErrorCode::TRANSACTION_COORDINATOR_FENCED,
            Self::FencedLeaderEpoch { .. } => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            Self::Storage(error) => error.to_error_code(),
        }
    }
}
