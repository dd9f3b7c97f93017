//! Errors of `ottla-group-coordinator` and of hosting its shards.

use ottla_group_coordinator::GroupError;
use ottla_protocol::ErrorCode;

use super::ToErrorCode;
use crate::coordinators::{AskError, HostError};

impl ToErrorCode for AskError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::Host(error) => error.to_error_code(),
            Self::Group(error) => error.to_error_code(),
        }
    }
}

impl ToErrorCode for HostError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::NotCoordinator => ErrorCode::NOT_COORDINATOR,
            Self::Loading => ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
            Self::Failed => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        }
    }
}

impl ToErrorCode for GroupError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::InvalidGroupId => ErrorCode::INVALID_GROUP_ID,
            Self::InvalidSessionTimeout { .. } => ErrorCode::INVALID_SESSION_TIMEOUT,
            Self::MemberIdRequired { .. } => ErrorCode::MEMBER_ID_REQUIRED,
            Self::UnknownMemberId { .. } => ErrorCode::UNKNOWN_MEMBER_ID,
            Self::FencedInstanceId { .. } => ErrorCode::FENCED_INSTANCE_ID,
            Self::IllegalGeneration { .. } => ErrorCode::ILLEGAL_GENERATION,
            Self::RebalanceInProgress => ErrorCode::REBALANCE_IN_PROGRESS,
            Self::InconsistentGroupProtocol => ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
            Self::GroupMaxSizeReached { .. } => ErrorCode::GROUP_MAX_SIZE_REACHED,
            Self::GroupIdNotFound { .. } => ErrorCode::GROUP_ID_NOT_FOUND,
            Self::NonEmptyGroup { .. } => ErrorCode::NON_EMPTY_GROUP,
            Self::GroupSubscribedToTopic { .. } => ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
            Self::OffsetMetadataTooLarge { .. } => ErrorCode::OFFSET_METADATA_TOO_LARGE,
            Self::UnstableOffsetCommit => ErrorCode::UNSTABLE_OFFSET_COMMIT,
            Self::NotCoordinator => ErrorCode::NOT_COORDINATOR,
            Self::CoordinatorNotAvailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
            Self::RecordTooLarge { .. } | Self::Unwritable { .. } => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}
