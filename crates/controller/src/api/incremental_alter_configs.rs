//! IncrementalAlterConfigs (KIP-339): sets, deletes, appends to or subtracts from single keys. Resources are decided one by
//! one.
//!
//! Errors: those of AlterConfigs; INVALID_REQUEST for an unknown operation.

use ottla_metadata::image::ConfigResource;
use ottla_metadata::plan::{ConfigOp, IncrementalChange, plan_incremental_alter_configs};
use ottla_protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig,
};
use ottla_protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
use ottla_protocol::{ByteString, ErrorCode, Request};
use ottla_server::RequestContext;

use super::alter_configs::alterable;
use super::coded;
use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let mut responses = Vec::new();
    let mut changes = Vec::new();
    for resource in &request.resources {
        let target = alterable(cx, resource.resource_type, &resource.resource_name);
        match target.and_then(|target| change(target, resource)) {
            Ok(change) => changes.push(change),
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
            let mut decision = plan_incremental_alter_configs(plan.image, plan.settings, &changes);
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
    IncrementalAlterConfigsResponse { responses, ..Default::default() }
}

fn change(
    target: ConfigResource,
    resource: &AlterConfigsResource,
) -> Result<IncrementalChange, (ErrorCode, Option<ByteString>)> {
    let ops = resource.configs.iter().map(|config| Ok((config.name.clone(), op(config)?)));
    Ok(IncrementalChange { resource: target, ops: ops.collect::<Result<_, _>>()? })
}

/// The operation by Kafka's number (`AlterConfigOp.OpType`).
fn op(config: &AlterableConfig) -> Result<ConfigOp, (ErrorCode, Option<ByteString>)> {
    let value = config.value.clone();
    match config.config_operation {
        0 => Ok(ConfigOp::Set(value)),
        1 => Ok(ConfigOp::Delete),
        2 => Ok(ConfigOp::Append(value)),
        3 => Ok(ConfigOp::Subtract(value)),
        other => {
            let message = format!("Unknown operation type {other} for config key {}.", config.name);
            Err((ErrorCode::INVALID_REQUEST, Some(message.into())))
        }
    }
}
