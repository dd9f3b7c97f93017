//! JoinGroup: a member joins its group's next generation, and waits until all have.
//!
//! From version 4 on a new member without an id is sent back with one (MEMBER_ID_REQUIRED, KIP-394), from 5 on a
//! member may be static (KIP-345), from 9 on a leader may be told that its assignment stands (KIP-800). The answer comes when
//! the rebalance completes. Errors: see `GroupError`.

use ottla_group_coordinator::{GroupError, GroupRequest, GroupResponse, JoinGroup, Joined, Protocol};
use ottla_protocol::messages::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};
use ottla_server::RequestContext;
use ottla_types::{ByteString, Uuid};

use crate::Broker;
use crate::coordinators::AskError;
use crate::error_codes::ToErrorCode;

const MEMBER_ID_REQUIRED_FROM: i16 = 4;
const SKIP_ASSIGNMENT_FROM: i16 = 9;
/// The first version whose `protocol_name` may be null.
const NULL_PROTOCOL_FROM: i16 = 7;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let member_id = request.member_id.clone();
    let group_id = request.group_id.clone();
    let join = JoinGroup {
        group_id: request.group_id,
        member_id: request.member_id,
        instance_id: request.group_instance_id,
        client_id: cx.client_id.clone().unwrap_or_default(),
        client_host: ByteString::from(cx.client_host()),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: request.rebalance_timeout_ms,
        protocol_type: request.protocol_type,
        protocols: request
            .protocols
            .into_iter()
            .map(|protocol| Protocol { name: protocol.name, metadata: protocol.metadata })
            .collect(),
        member_id_required: cx.version >= MEMBER_ID_REQUIRED_FROM,
        can_skip_assignment: cx.version >= SKIP_ASSIGNMENT_FROM,
        random: Uuid::random().0,
    };
    let pick = |response| if let GroupResponse::Join(joined) = response { Some(joined) } else { None };
    match broker.groups().ask(&broker.image(), &group_id, GroupRequest::Join(Box::new(join)), pick).await {
        Ok(joined) => answer(cx, joined),
        Err(error) => refuse(cx, member_id, &error),
    }
}

fn answer(cx: &RequestContext, joined: Joined) -> JoinGroupResponse {
    JoinGroupResponse {
        generation_id: joined.generation,
        protocol_type: joined.protocol_type,
        protocol_name: named(cx, joined.protocol),
        leader: joined.leader,
        skip_assignment: joined.skip_assignment && cx.version >= SKIP_ASSIGNMENT_FROM,
        member_id: joined.member_id,
        members: joined
            .members
            .into_iter()
            .map(|member| JoinGroupResponseMember {
                member_id: member.member_id,
                group_instance_id: member.instance_id,
                metadata: member.metadata,
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

fn refuse(cx: &RequestContext, member_id: ByteString, error: &AskError) -> JoinGroupResponse {
    let member_id = match error {
        AskError::Group(GroupError::MemberIdRequired { member_id }) => member_id.clone(),
        _ => member_id,
    };
    JoinGroupResponse {
        error_code: error.to_error_code(),
        protocol_name: named(cx, None),
        member_id,
        ..Default::default()
    }
}

fn named(cx: &RequestContext, protocol: Option<ByteString>) -> Option<ByteString> {
    if cx.version >= NULL_PROTOCOL_FROM { protocol } else { Some(protocol.unwrap_or_default()) }
}
