//! DescribeCluster on a controller listener (KIP-919): the controllers, for tools with `--bootstrap-controller`.
//!
//! Errors: MISMATCHED_ENDPOINT_TYPE (brokers are asked for), UNSUPPORTED_ENDPOINT_TYPE.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_cluster::DescribeClusterBroker;
use ottla_protocol::messages::{DescribeClusterRequest, DescribeClusterResponse};
use ottla_server::{RequestContext, ResourceType};

use crate::Controller;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    let refused = |error: ErrorCode, message: String| DescribeClusterResponse {
        error_code: error,
        error_message: Some(message.into()),
        endpoint_type: request.endpoint_type,
        ..Default::default()
    };
    match request.endpoint_type {
        CONTROLLERS => {}
        BROKERS => {
            let message = "The request was sent to an endpoint of type CONTROLLER, but we wanted an endpoint of type BROKER";
            return refused(ErrorCode::MISMATCHED_ENDPOINT_TYPE, message.to_owned());
        }
        other => {
            let message = format!("Unsupported endpoint type {other}");
            return refused(ErrorCode::UNSUPPORTED_ENDPOINT_TYPE, message);
        }
    }
    let state = controller.quorum_state();
    let controllers = state.voters.iter().filter_map(|voter| {
        let at = controller.endpoint_of(voter)?;
        Some(DescribeClusterBroker {
            broker_id: voter.id.0,
            host: at.host,
            port: at.port.into(),
            ..Default::default()
        })
    });
    let mut response = DescribeClusterResponse {
        endpoint_type: CONTROLLERS,
        cluster_id: controller.cluster_id().into(),
        controller_id: state.leader.map_or(-1, |id| id.0),
        brokers: controllers.collect(),
        ..Default::default()
    };
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations =
            cx.authorized_operations(ResourceType::Cluster, ResourceType::CLUSTER_NAME);
    }
    response
}
