//! Errors of fetch sessions.

use ottla_protocol::ErrorCode;

use super::ToErrorCode;
use crate::fetch_session::FetchSessionError;

impl ToErrorCode for FetchSessionError {
    fn to_error_code(&self) -> ErrorCode {
        match self {
            Self::NotFound { .. } => ErrorCode::FETCH_SESSION_ID_NOT_FOUND,
            Self::InvalidEpoch { .. } => ErrorCode::INVALID_FETCH_SESSION_EPOCH,
            Self::TopicIds { .. } => ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR,
        }
    }
}
