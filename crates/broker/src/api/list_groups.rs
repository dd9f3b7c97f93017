//! ListGroups: the groups that this broker coordinates; a client asks every broker.
//!
//! From version 4 on filtered by state (KIP-518), from 5 on by type (KIP-848). Errors: COORDINATOR_LOAD_IN_PROGRESS,
//! COORDINATOR_NOT_AVAILABLE.

use ottla_group_coordinator::{GroupRequest, GroupResponse, ListGroups};
use ottla_protocol::Request;
use ottla_protocol::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};
use ottla_server::RequestContext;
use ottla_types::ByteString;

use crate::Broker;
use crate::error_codes::ToErrorCode;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: ListGroupsRequest,
) -> ListGroupsResponse {
    let list = ListGroups {
        states_filter: request.states_filter.clone(),
        types_filter: request.types_filter.clone(),
    };
    let answers = match broker.groups().ask_all(&GroupRequest::List(list)).await {
        Ok(answers) => answers,
        Err(error) => return request.error_response(cx.version, error.to_error_code()),
    };
    let groups = answers.into_iter().flat_map(|answer| match answer {
        GroupResponse::List(groups) => groups,
        _ => Vec::new(),
    });
    let groups = groups.map(|group| ListedGroup {
        group_id: group.group_id,
        protocol_type: group.protocol_type,
        group_state: ByteString::from(group.state.to_string()),
        group_type: ByteString::from_static(group.group_type),
        ..Default::default()
    });
    ListGroupsResponse { groups: groups.collect(), ..Default::default() }
}
