//! AllocateProducerIds: a broker gets the next block of producer ids. Errors: STALE_BROKER_EPOCH, NOT_CONTROLLER.

use ottla_metadata::plan::plan_allocate_producer_ids;
use ottla_protocol::Request;
use ottla_protocol::messages::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};
use ottla_server::RequestContext;
use ottla_types::{BrokerEpoch, NodeId};

use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: AllocateProducerIdsRequest,
) -> AllocateProducerIdsResponse {
    let (broker, epoch) = (NodeId(request.broker_id), BrokerEpoch(request.broker_epoch));
    let outcome = controller.decide(move |plan| plan_allocate_producer_ids(plan.image, broker, epoch)).await;
    let error = match outcome {
        Ok(Ok(block)) => {
            return AllocateProducerIdsResponse {
                producer_id_start: block.first.0,
                producer_id_len: block.len,
                ..Default::default()
            };
        }
        Ok(Err(error)) => error.code(),
        Err(error) => error.code(),
    };
    request.error_response(cx.version, error)
}
