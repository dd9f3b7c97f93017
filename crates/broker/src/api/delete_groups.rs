//! DeleteGroups: removes groups without members, with their offsets (KIP-229).
//!
//! Errors, per group: NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND, INVALID_GROUP_ID, NOT_COORDINATOR. Version 3 adds messages.

use ottla_group_coordinator::{DeleteGroups, GroupRequest, GroupResponse};
use ottla_protocol::messages::delete_groups::{
    DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse,
};
use ottla_server::RequestContext;
use ottla_types::ByteString;

use crate::Broker;
use crate::coordinators::AskError;
use crate::error_codes::ToErrorCode;

pub(crate) async fn handle(
    broker: &Broker,
    _cx: &RequestContext,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let mut results = Vec::with_capacity(request.groups_names.len());
    for group_id in request.groups_names {
        let mut result = DeletableGroupResult { group_id: group_id.clone(), ..Default::default() };
        if let Err(error) = delete(broker, &group_id).await {
            result.error_code = error.to_error_code();
            result.error_message = Some(ByteString::from(error.to_string()));
        }
        results.push(result);
    }
    DeleteGroupsResponse { results, ..Default::default() }
}

async fn delete(broker: &Broker, group_id: &ByteString) -> Result<(), AskError> {
    let delete = GroupRequest::Delete(DeleteGroups { group_ids: vec![group_id.clone()] });
    let pick = |response| {
        if let GroupResponse::Delete(groups) = response { groups.into_iter().next() } else { None }
    };
    let (_, deleted) = broker.groups().ask(&broker.image(), group_id, delete, pick).await?;
    Ok(deleted?)
}
