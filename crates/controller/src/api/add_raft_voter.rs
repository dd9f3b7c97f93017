//! AddRaftVoter (KIP-853): an observer of the metadata quorum gets a vote, once it has the whole log.
//!
//! Versions: 1 lets the answer leave before the change is committed (KIP-1186); here it always waits for that. Errors:
//! INCONSISTENT_CLUSTER_ID, NOT_LEADER_OR_FOLLOWER, UNSUPPORTED_VERSION (fixed voters), INVALID_REQUEST, DUPLICATE_VOTER,
//! REQUEST_TIMED_OUT (it does not follow or lags behind, or another change is under way).

use std::time::Duration;

use ottla_consensus::Member;
use ottla_protocol::messages::{AddRaftVoterRequest, AddRaftVoterResponse};
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
    request: AddRaftVoterRequest,
) -> AddRaftVoterResponse {
    let (error_code, error_message) = match add(controller, &request).await {
        Ok(()) => Default::default(),
        // In the shape by which brokers know that they have to ask another controller.
        Err(error) if error.code() == ErrorCode::NOT_LEADER_OR_FOLLOWER => {
            return request.error_response(cx.version, error.code());
        }
        Err(error) => coded(&error),
    };
    AddRaftVoterResponse { error_code, error_message, ..Default::default() }
}

async fn add(controller: &Controller, request: &AddRaftVoterRequest) -> Result<(), VoterError> {
    check_cluster(controller, request.cluster_id.as_ref())?;
    controller.check_changes_voters()?;
    let id = voter_id(request.voter_id, request.voter_directory_id)?;
    let listeners = request.listeners.iter().map(|at| (&at.name, &at.host, at.port));
    let endpoint = controller.voter_endpoint(listeners)?;
    let voter = Member { id, directory_id: request.voter_directory_id, endpoint };
    let limit = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    Ok(controller.log.add_voter(&voter, limit.min(controller.quorum_request_timeout)).await?)
}
