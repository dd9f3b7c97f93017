//! ListConfigResources (KIP-1142; version 0 is ListClientMetricsResources of KIP-714): names what can have configs.
//!
//! Topics, brokers and their loggers are named as they exist; client metrics subscriptions and groups exist here by what
//! is set for them. No types means all. Version 0 knows client metrics only.
//! Errors: UNSUPPORTED_VERSION for a type that the version does not know.

use ottla_metadata::MetadataImage;
use ottla_metadata::image::{BrokerImage, ResourceKind};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use ottla_server::RequestContext;
use ottla_server::resource_type::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC};
use ottla_types::ByteString;

use crate::Broker;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: ListConfigResourcesRequest,
) -> ListConfigResourcesResponse {
    let known: &[i8] = match cx.version {
        0 => &[CLIENT_METRICS],
        _ => &[GROUP, CLIENT_METRICS, BROKER_LOGGER, BROKER, TOPIC],
    };
    let asked = |kind: &i8| request.resource_types.is_empty() || request.resource_types.contains(kind);
    if request.resource_types.iter().any(|kind| !known.contains(kind)) {
        return ListConfigResourcesResponse {
            error_code: ErrorCode::UNSUPPORTED_VERSION,
            ..Default::default()
        };
    }
    let image = broker.image();
    let named = |kind: i8| {
        let resource =
            move |resource_name| ConfigResource { resource_name, resource_type: kind, ..Default::default() };
        names(&image, kind, &cx.listener_name).into_iter().map(resource)
    };
    let config_resources = known.iter().copied().filter(asked).flat_map(named).collect();
    ListConfigResourcesResponse { config_resources, ..Default::default() }
}

fn names(image: &MetadataImage, kind: i8, listener: &str) -> Vec<ByteString> {
    match kind {
        TOPIC => image.topics.iter().map(|topic| topic.name.clone().into()).collect(),
        BROKER | BROKER_LOGGER => {
            let reachable = image.brokers.iter().filter(|node| is_reachable(node, listener));
            reachable.map(|node| node.id.to_string().into()).collect()
        }
        CLIENT_METRICS => configured(image, ResourceKind::ClientMetrics),
        GROUP => configured(image, ResourceKind::Group),
        _ => Vec::new(),
    }
}

/// Whether clients of this listener can ask the broker.
fn is_reachable(node: &BrokerImage, listener: &str) -> bool {
    !node.fenced && node.endpoint(listener).is_some()
}

fn configured(image: &MetadataImage, kind: ResourceKind) -> Vec<ByteString> {
    let of_kind = image.configs.iter().filter(|(resource, _)| resource.kind == kind);
    of_kind.map(|(resource, _)| resource.name.clone()).collect()
}
