//! AlterConfigs: replaces all configs of each resource. Resources are decided one by one.
//!
//! Errors: INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, BROKER_ID_NOT_REGISTERED,
//! TOPIC_, GROUP_ and CLUSTER_AUTHORIZATION_FAILED, NOT_CONTROLLER.

use ottla_metadata::image::{ConfigResource, ResourceKind};
use ottla_metadata::plan::{ReplaceConfigs, plan_alter_configs};
use ottla_protocol::messages::alter_configs::{AlterConfigsResource, AlterConfigsResourceResponse};
use ottla_protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};
use ottla_protocol::{ByteString, ErrorCode, Request};
use ottla_server::{AclOperation, RequestContext, ResourceType};

use super::coded;
use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let mut responses = Vec::new();
    let mut changes = Vec::new();
    for resource in &request.resources {
        match alterable(cx, resource.resource_type, &resource.resource_name) {
            Ok(target) => changes.push(replace(target, resource)),
            Err((error_code, error_message)) => responses.push(AlterConfigsResourceResponse {
                error_code,
                error_message,
                resource_type: resource.resource_type,
                resource_name: resource.resource_name.clone(),
                ..Default::default()
            }),
        }
    }
    let validate_only = request.validate_only;
    let outcome = controller
        .decide(move |plan| {
            let mut decision = plan_alter_configs(plan.image, plan.settings, &changes);
            if validate_only {
                decision.records.clear();
            }
            decision
        })
        .await;
    match outcome {
        Ok(answer) => responses.extend(answer.into_iter().map(|(resource, outcome)| {
            let (error_code, error_message) =
                outcome.err().map_or((ErrorCode::NONE, None), |error| coded(&error));
            AlterConfigsResourceResponse {
                error_code,
                error_message,
                resource_type: resource.kind.code(),
                resource_name: resource.name,
                ..Default::default()
            }
        })),
        Err(error) => return request.error_response(cx.version, error.code()),
    }
    AlterConfigsResponse { responses, ..Default::default() }
}

/// The resource, if it is of a kind that has configs in the metadata, and the principal may change them.
pub(super) fn alterable(
    cx: &RequestContext,
    kind: i8,
    name: &ByteString,
) -> Result<ConfigResource, (ErrorCode, Option<ByteString>)> {
    let Some(kind) = ResourceKind::from_code(kind) else {
        return Err((ErrorCode::INVALID_REQUEST, Some(format!("Unknown resource type {kind}").into())));
    };
    let (resource, resource_name) = match kind {
        ResourceKind::Topic => (ResourceType::Topic, &**name),
        ResourceKind::Group => (ResourceType::Group, &**name),
        ResourceKind::Broker | ResourceKind::ClientMetrics => {
            (ResourceType::Cluster, ResourceType::CLUSTER_NAME)
        }
    };
    if cx.allows(AclOperation::AlterConfigs, resource, resource_name) {
        Ok(ConfigResource { kind, name: name.clone() })
    } else {
        Err((resource.denied(), None))
    }
}

fn replace(target: ConfigResource, resource: &AlterConfigsResource) -> ReplaceConfigs {
    let configs = resource.configs.iter().map(|config| (config.name.clone(), config.value.clone())).collect();
    ReplaceConfigs { resource: target, configs }
}
