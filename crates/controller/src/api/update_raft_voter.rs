//! UpdateRaftVoter (KIP-853): a voter tells where it is reached now, and which levels of `kraft.version` it knows.
//!
//! Errors: INCONSISTENT_CLUSTER_ID, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, UNSUPPORTED_VERSION (fixed
//! voters), INVALID_REQUEST, VOTER_NOT_FOUND, REQUEST_TIMED_OUT. Each answer names the leader.

use ottla_consensus::Member;
use ottla_metadata::image::KRAFT_VERSION;
use ottla_protocol::messages::update_raft_voter::CurrentLeader;
use ottla_protocol::messages::{UpdateRaftVoterRequest, UpdateRaftVoterResponse};
use ottla_server::RequestContext;

use crate::Controller;
use crate::error::VoterError;
use crate::error_codes::Coded;
use crate::voters::{check_cluster, voter_id};

pub(crate) async fn handle(
    controller: &Controller,
    _: &RequestContext,
    request: UpdateRaftVoterRequest,
) -> UpdateRaftVoterResponse {
    let error_code = update(controller, &request).await.err().map(|error| error.code()).unwrap_or_default();
    let state = controller.quorum_state();
    let leader = state.leader.and_then(|id| state.voters.iter().find(|voter| voter.id == id));
    let at = leader.and_then(|leader| controller.endpoint_of(leader));
    let current_leader = CurrentLeader {
        leader_id: state.leader.map_or(-1, |id| id.0),
        leader_epoch: state.epoch.0,
        host: at.as_ref().map(|at| at.host.clone()).unwrap_or_default(),
        port: at.map_or(0, |at| at.port.into()),
        ..Default::default()
    };
    UpdateRaftVoterResponse { error_code, current_leader, ..Default::default() }
}

async fn update(controller: &Controller, request: &UpdateRaftVoterRequest) -> Result<(), VoterError> {
    check_cluster(controller, request.cluster_id.as_ref())?;
    let (given, own) = (request.current_leader_epoch, controller.quorum_state().epoch.0);
    if given >= 0 && given < own {
        return Err(VoterError::FencedEpoch { given, own });
    }
    if given > own {
        return Err(VoterError::UnknownEpoch { given });
    }
    controller.check_changes_voters()?;
    let id = voter_id(request.voter_id, request.voter_directory_id)?;
    let listeners = request.listeners.iter().map(|at| (&at.name, &at.host, at.port));
    let endpoint = controller.voter_endpoint(listeners)?;
    let range = &request.kraft_version_feature;
    let (min, max) = (range.min_supported_version, range.max_supported_version);
    let level = controller.image().features.level(KRAFT_VERSION);
    if min < 0 || !(min..=max).contains(&level) {
        return Err(VoterError::KRaftVersion { min, max, level });
    }
    let voter = Member { id, directory_id: request.voter_directory_id, endpoint };
    Ok(controller.log.update_voter(&voter, controller.quorum_request_timeout).await?)
}
