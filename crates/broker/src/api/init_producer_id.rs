//! InitProducerId: gives an idempotent producer its id (KIP-98).
//!
//! Ids come in blocks from the controller. A producer without a transactional id always gets a new id and epoch 0, also
//! when it names its old one (KIP-360). With a transactional id: INVALID_REQUEST, as there is no transaction coordinator
//! yet. Errors: COORDINATOR_LOAD_IN_PROGRESS while no block can be had, which producers retry.

use ottla_protocol::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;

use crate::Broker;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    if request.transactional_id.is_some() {
        return request.error_response(cx.version, ErrorCode::INVALID_REQUEST);
    }
    match broker.producer_ids().next(broker.channel(), broker.registration()).await {
        Ok(id) => InitProducerIdResponse { producer_id: id.0, producer_epoch: 0, ..Default::default() },
        Err(error) => {
            tracing::warn!("no producer id: {error}");
            request.error_response(cx.version, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS)
        }
    }
}
