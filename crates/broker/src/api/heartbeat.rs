//! Heartbeat: keeps a member in its group, and tells it when to join again.
//!
//! Errors: REBALANCE_IN_PROGRESS (join again), ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, NOT_COORDINATOR,
//! COORDINATOR_LOAD_IN_PROGRESS, INVALID_GROUP_ID.

use ottla_group_coordinator::{GroupRequest, GroupResponse, Heartbeat};
use ottla_protocol::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;

use crate::Broker;
use crate::coordinators::{AskError, HostError};
use crate::error_codes::ToErrorCode;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: HeartbeatRequest,
) -> HeartbeatResponse {
    let heartbeat = Heartbeat {
        group_id: request.group_id.clone(),
        member_id: request.member_id.clone(),
        instance_id: request.group_instance_id.clone(),
        generation: request.generation_id,
    };
    let pick = |response| matches!(response, GroupResponse::Heartbeat).then_some(());
    match broker
        .groups()
        .ask(&broker.image(), &request.group_id, GroupRequest::Heartbeat(heartbeat), pick)
        .await
    {
        Ok(()) => HeartbeatResponse::default(),
        // As Kafka: a member must not leave the group because its coordinator has just restarted.
        Err(AskError::Host(HostError::Loading)) => request.error_response(cx.version, ErrorCode::NONE),
        Err(error) => request.error_response(cx.version, error.to_error_code()),
    }
}
