//! UnregisterBroker: a broker that will not come back is forgotten. Errors: BROKER_ID_NOT_REGISTERED, NOT_CONTROLLER.

use ottla_metadata::plan::plan_unregister_broker;
use ottla_protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};
use ottla_server::RequestContext;
use ottla_types::NodeId;

use super::coded;
use crate::Controller;

pub(crate) async fn handle(
    controller: &Controller,
    _: &RequestContext,
    request: UnregisterBrokerRequest,
) -> UnregisterBrokerResponse {
    let broker = NodeId(request.broker_id);
    let outcome =
        controller.decide(move |plan| plan_unregister_broker(plan.image, plan.settings, broker)).await;
    let (error_code, error_message) = match outcome {
        Ok(Ok(())) => return UnregisterBrokerResponse::default(),
        Ok(Err(error)) => coded(&error),
        Err(error) => coded(&error),
    };
    UnregisterBrokerResponse { error_code, error_message, ..Default::default() }
}
