//! SyncGroup: the leader of a generation hands in the assignment, every member gets its own.
//!
//! From version 5 on the member says which protocol it takes for the group's (KIP-559). Errors: see `GroupError`.

use ottla_group_coordinator::{GroupRequest, GroupResponse, SyncGroup};
use ottla_protocol::Request;
use ottla_protocol::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use ottla_server::RequestContext;

use crate::Broker;
use crate::error_codes::ToErrorCode;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: SyncGroupRequest,
) -> SyncGroupResponse {
    let sync = SyncGroup {
        group_id: request.group_id.clone(),
        member_id: request.member_id.clone(),
        instance_id: request.group_instance_id.clone(),
        generation: request.generation_id,
        protocol_type: request.protocol_type.clone(),
        protocol: request.protocol_name.clone(),
        assignments: request
            .assignments
            .iter()
            .map(|assigned| (assigned.member_id.clone(), assigned.assignment.clone()))
            .collect(),
    };
    let pick = |response| if let GroupResponse::Sync(synced) = response { Some(synced) } else { None };
    match broker.groups().ask(&broker.image(), &request.group_id, GroupRequest::Sync(sync), pick).await {
        Ok(synced) => SyncGroupResponse {
            protocol_type: synced.protocol_type,
            protocol_name: synced.protocol,
            assignment: synced.assignment,
            ..Default::default()
        },
        Err(error) => request.error_response(cx.version, error.to_error_code()),
    }
}
