//! LeaveGroup: members leave at once instead of being missed.
//!
//! Up to version 2 one member, from 3 on many, static ones also by their instance id alone (KIP-345). Errors, per member
//! from 3 on: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID; for the whole: see `GroupError`.

use ottla_group_coordinator::{GroupRequest, GroupResponse, LeaveGroup, LeavingMember};
use ottla_protocol::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;

use crate::Broker;
use crate::error_codes::ToErrorCode;

const MANY_FROM: i16 = 3;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: LeaveGroupRequest,
) -> LeaveGroupResponse {
    let members = if cx.version < MANY_FROM {
        vec![LeavingMember { member_id: request.member_id.clone(), instance_id: None }]
    } else {
        request
            .members
            .iter()
            .map(|member| LeavingMember {
                member_id: member.member_id.clone(),
                instance_id: member.group_instance_id.clone(),
            })
            .collect()
    };
    let leave = LeaveGroup { group_id: request.group_id.clone(), members };
    let pick = |response| if let GroupResponse::Leave(left) = response { Some(left) } else { None };
    let left =
        match broker.groups().ask(&broker.image(), &request.group_id, GroupRequest::Leave(leave), pick).await
        {
            Ok(left) => left,
            Err(error) => return request.error_response(cx.version, error.to_error_code()),
        };
    let members = left.into_iter().map(|member| MemberResponse {
        member_id: member.member_id,
        group_instance_id: member.instance_id,
        error_code: member.result.map_or_else(|error| error.to_error_code(), |()| ErrorCode::NONE),
        ..Default::default()
    });
    let members: Vec<MemberResponse> = members.collect();
    if cx.version < MANY_FROM {
        let error_code = members.first().map_or(ErrorCode::NONE, |member| member.error_code);
        return LeaveGroupResponse { error_code, ..Default::default() };
    }
    LeaveGroupResponse { members, ..Default::default() }
}
