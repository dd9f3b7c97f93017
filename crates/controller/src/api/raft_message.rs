//! RaftMessage, a private API: what voters say to each other. The quorum alone knows what it means.
//!
//! Errors: INVALID_REQUEST (a kind that this version does not know). Others travel inside of the payload.

use ottla_consensus::RpcKind;
use ottla_protocol::messages::{RaftMessageRequest, RaftMessageResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;
use ottla_types::NodeId;

use crate::Controller;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: RaftMessageRequest,
) -> RaftMessageResponse {
    let Some(kind) = RpcKind::from_code(request.kind) else {
        return request.error_response(cx.version, ErrorCode::INVALID_REQUEST);
    };
    let from = NodeId(request.from_node);
    controller.voter_heard(from, cx.connection_id);
    let payload = controller.raft(from, kind, request.payload).await;
    RaftMessageResponse { payload, ..Default::default() }
}
