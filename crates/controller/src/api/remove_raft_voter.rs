//! RemoveRaftVoter (KIP-853): a voter of the metadata quorum loses its vote; while it is there, it follows as an observer. An
//! active controller that is removed hands over to another voter.
//!
//! Errors: INCONSISTENT_CLUSTER_ID, NOT_LEADER_OR_FOLLOWER, UNSUPPORTED_VERSION (fixed voters), INVALID_REQUEST (no id, or the
//! only voter), VOTER_NOT_FOUND, REQUEST_TIMED_OUT (another change is under way, or no majority has it yet).

use ottla_protocol::messages::{RemoveRaftVoterRequest, RemoveRaftVoterResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;

use super::coded;
use crate::Controller;
use crate::error::VoterError;
use crate::error_codes::Coded;
use crate::voters::{check_cluster, voter_id};

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: RemoveRaftVoterRequest,
) -> RemoveRaftVoterResponse {
    let (error_code, error_message) = match remove(controller, &request).await {
        Ok(()) => Default::default(),
        // In the shape by which brokers know that they have to ask another controller.
        Err(error) if error.code() == ErrorCode::NOT_LEADER_OR_FOLLOWER => {
            return request.error_response(cx.version, error.code());
        }
        Err(error) => coded(&error),
    };
    RemoveRaftVoterResponse { error_code, error_message, ..Default::default() }
}

async fn remove(controller: &Controller, request: &RemoveRaftVoterRequest) -> Result<(), VoterError> {
    check_cluster(controller, request.cluster_id.as_ref())?;
    controller.check_changes_voters()?;
    let id = voter_id(request.voter_id, request.voter_directory_id)?;
    let limit = controller.quorum_request_timeout;
    Ok(controller.log.remove_voter(id, request.voter_directory_id, limit).await?)
}
