//! Errors of `ottla-replication`.

use ottla_protocol::ErrorCode;
use ottla_replication::{EpochError, NotFollower, NotLeader, NotLeading, NotReady};

use super::ToErrorCode;

impl ToErrorCode for NotLeader {
    fn to_error_code(&self) -> ErrorCode {
        ErrorCode::NOT_LEADER_OR_FOLLOWER
    }
}

impl ToErrorCode for NotFollower {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::NoReplica { .. } | Self::FormerProcess { .. } => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            // As in Kafka: the replica and the epoch together are not known, which has the follower try again.
            Self::NoReplicaYet { .. } => ErrorCode::UNKNOWN_LEADER_EPOCH,
        }
    }
}

impl ToErrorCode for NotLeading {
    fn to_error_code(&self) -> ErrorCode {
        ErrorCode::NOT_LEADER_OR_FOLLOWER
    }
}

impl ToErrorCode for NotReady {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::NotLeader(error) => error.to_error_code(),
            Self::NotEnoughReplicas { .. } => ErrorCode::NOT_ENOUGH_REPLICAS,
        }
    }
}

impl ToErrorCode for EpochError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::Fenced { .. } => ErrorCode::FENCED_LEADER_EPOCH,
            Self::Unknown { .. } => ErrorCode::UNKNOWN_LEADER_EPOCH,
        }
    }
}
