//! DescribeCluster: the cluster's id, its brokers and whom to send controller requests to.
//!
//! Endpoint type 1 asks for brokers, 2 for controllers (KIP-919), which only a controller's listener answers.
//! Version 2 adds fenced brokers on request. Errors: MISMATCHED_ENDPOINT_TYPE, UNSUPPORTED_ENDPOINT_TYPE.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};
use ottla_server::{RequestContext, ResourceType};
use ottla_types::ByteString;

use crate::Broker;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    match request.endpoint_type {
        BROKERS => describe(broker, cx, &request),
        CONTROLLERS => refuse(
            ErrorCode::MISMATCHED_ENDPOINT_TYPE,
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER",
        ),
        other => refuse(ErrorCode::UNSUPPORTED_ENDPOINT_TYPE, &format!("Unsupported endpoint type {other}")),
    }
}

fn describe(
    broker: &Broker,
    cx: &RequestContext,
    request: &DescribeClusterRequest,
) -> DescribeClusterResponse {
    let image = broker.image();
    let brokers = image.brokers.iter().filter(|node| request.include_fenced_brokers || !node.fenced);
    let brokers = brokers.filter_map(|node| {
        node.endpoint(&cx.listener_name).map(|endpoint| DescribeClusterBroker {
            broker_id: node.id.0,
            host: endpoint.host.clone(),
            port: i32::from(endpoint.port),
            rack: node.rack.clone(),
            is_fenced: node.fenced,
            ..Default::default()
        })
    });
    DescribeClusterResponse {
        cluster_id: broker.cluster_id().clone(),
        controller_id: broker.node_id().0,
        brokers: brokers.collect(),
        cluster_authorized_operations: if request.include_cluster_authorized_operations {
            cx.authorized_operations(ResourceType::Cluster, ResourceType::CLUSTER_NAME)
        } else {
            super::NOT_ASKED
        },
        ..Default::default()
    }
}

fn refuse(error_code: ErrorCode, message: &str) -> DescribeClusterResponse {
    DescribeClusterResponse {
        error_code,
        error_message: Some(ByteString::from(message)),
        ..Default::default()
    }
}
