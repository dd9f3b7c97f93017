//! DescribeGroups: state, protocol and members of groups.
//!
//! A group that is not there is described as `Dead` up to version 5, and is GROUP_ID_NOT_FOUND with a message from 6 on
//! (KIP-1043). Errors, per group: see `GroupError`.

use ottla_group_coordinator::{DescribeGroups, GroupError, GroupRequest, GroupResponse};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};
use ottla_server::{RequestContext, ResourceType, distinct};
use ottla_types::ByteString;

use crate::Broker;
use crate::coordinators::AskError;
use crate::error_codes::ToErrorCode;

const NOT_FOUND_FROM: i16 = 6;
const DEAD: ByteString = ByteString::from_static("Dead");

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    mut request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    distinct(&mut request.groups, ByteString::clone);
    let mut groups = Vec::with_capacity(request.groups.len());
    for group_id in request.groups {
        let mut described = match describe(broker, &group_id).await {
            Ok(described) => answer(described),
            Err(error) => refuse(cx, &error),
        };
        if request.include_authorized_operations && described.error_code == ErrorCode::NONE {
            described.authorized_operations = cx.authorized_operations(ResourceType::Group, &group_id);
        }
        described.group_id = group_id;
        groups.push(described);
    }
    DescribeGroupsResponse { groups, ..Default::default() }
}

async fn describe(
    broker: &Broker,
    group_id: &ByteString,
) -> Result<ottla_group_coordinator::DescribedGroup, AskError> {
    let describe = GroupRequest::Describe(DescribeGroups { group_ids: vec![group_id.clone()] });
    let pick = |response| {
        if let GroupResponse::Describe(groups) = response { groups.into_iter().next() } else { None }
    };
    let (_, described) = broker.groups().ask(&broker.image(), group_id, describe, pick).await?;
    Ok(described?)
}

fn answer(group: ottla_group_coordinator::DescribedGroup) -> DescribedGroup {
    let members = group.members.into_iter().map(|member| DescribedGroupMember {
        member_id: member.member_id,
        group_instance_id: member.instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        member_metadata: member.metadata,
        member_assignment: member.assignment,
        ..Default::default()
    });
    DescribedGroup {
        group_state: ByteString::from(group.state.to_string()),
        protocol_type: group.protocol_type,
        protocol_data: group.protocol,
        members: members.collect(),
        ..Default::default()
    }
}

fn refuse(cx: &RequestContext, error: &AskError) -> DescribedGroup {
    match error {
        AskError::Group(GroupError::GroupIdNotFound { .. }) if cx.version < NOT_FOUND_FROM => {
            DescribedGroup { group_state: DEAD, ..Default::default() }
        }
        AskError::Group(error @ GroupError::GroupIdNotFound { .. }) => DescribedGroup {
            group_state: DEAD,
            error_code: error.to_error_code(),
            error_message: Some(ByteString::from(error.to_string())),
            ..Default::default()
        },
        error => DescribedGroup { error_code: error.to_error_code(), ..Default::default() },
    }
}
