//! IncrementalAlterConfigs (KIP-339): sets, deletes, appends to or subtracts from single keys. The levels of this broker's
//! loggers (KIP-412) are changed here, and forgotten when the process ends; all else is the controller's, which does not know
//! this broker's directories.
//!
//! Errors of loggers, per resource: INVALID_REQUEST for another broker's id, an operation that is neither SET nor DELETE, the
//! deletion of the root's level, something named twice; INVALID_CONFIG for an unknown logger or level;
//! CLUSTER_AUTHORIZATION_FAILED. Others: those of the controller's handler.

use std::collections::{HashMap, HashSet};

use ottla_protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use ottla_protocol::{ByteString, ErrorCode};
use ottla_server::resource_type::{BROKER, BROKER_LOGGER};
use ottla_server::{AclOperation, RequestContext, ResourceType, forward};
use ottla_telemetry::{LogLevel, LogLevels, ROOT_LOGGER};

use crate::Broker;

// Operations by Kafka's number (`AlterConfigOp.OpType`).
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;
/// Each change is remembered, and a line of the log.
const MAX_LOGGERS: usize = 100;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    mut request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let of_loggers = request.resources.extract_if(.., |resource| resource.resource_type == BROKER_LOGGER);
    let loggers: Vec<_> = of_loggers.collect();
    let mut refused = Vec::new();
    request.resources.retain(|resource| {
        let refusal = check_own_directories(broker, resource).err();
        let is_fine = refusal.is_none();
        refused.extend(refusal.map(|refusal| answer(resource, Err(refusal))));
        is_fine
    });
    let validate_only = request.validate_only;
    let mut response = match request.resources.is_empty() {
        true => IncrementalAlterConfigsResponse::default(),
        false => forward(broker, cx, request).await,
    };
    response.responses.append(&mut refused);
    let mut times = HashMap::<&str, usize>::new();
    loggers.iter().for_each(|resource| *times.entry(&resource.resource_name).or_default() += 1);
    response.responses.extend(loggers.iter().map(|resource| {
        let outcome = match times[&*resource.resource_name] {
            1 => alter_levels(broker, cx, resource, validate_only),
            _ => Err(invalid("Each resource must appear at most once.")),
        };
        answer(resource, outcome)
    }));
    response
}

fn answer(resource: &AlterConfigsResource, outcome: Result<(), Refusal>) -> AlterConfigsResourceResponse {
    let (error_code, error_message) = outcome.err().unwrap_or((ErrorCode::NONE, None));
    AlterConfigsResourceResponse {
        error_code,
        error_message,
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
        ..Default::default()
    }
}

/// Only a broker itself knows its directories (`cordoned.log.dirs`).
fn check_own_directories(broker: &Broker, resource: &AlterConfigsResource) -> Result<(), Refusal> {
    if resource.resource_type != BROKER || resource.resource_name.parse() != Ok(broker.node_id().0) {
        return Ok(());
    }
    let cordons = resource.configs.iter().filter(|config| config.name == "cordoned.log.dirs");
    let values = cordons.filter(|config| matches!(config.config_operation, SET | APPEND));
    for value in values.filter_map(|config| config.value.as_deref()) {
        let paths = value.split(',').map(str::trim).filter(|path| !path.is_empty());
        let paths: Vec<String> = paths.map(str::to_owned).collect();
        broker.replicas.check_cordon(&paths).map_err(invalid)?;
    }
    Ok(())
}

type Refusal = (ErrorCode, Option<ByteString>);

/// What is to become of a logger: a level of its own, or none.
type Change<'a> = (&'a str, Option<LogLevel>);

/// All changes of the resource, or none.
fn alter_levels(
    broker: &Broker,
    cx: &RequestContext,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), Refusal> {
    if resource.configs.len() > MAX_LOGGERS {
        return Err(invalid(format!(
            "More than {MAX_LOGGERS} loggers at once; set the level of one above them"
        )));
    }
    let mut names = HashSet::new();
    if !resource.configs.iter().all(|config| names.insert(&config.name)) {
        return Err(invalid("Error due to duplicate config keys"));
    }
    if !cx.allows(AclOperation::AlterConfigs, ResourceType::Cluster, ResourceType::CLUSTER_NAME) {
        return Err((ResourceType::Cluster.denied(), None));
    }
    check_node_id(broker, &resource.resource_name)?;
    let Some(levels) = broker.log_levels() else {
        return Err(invalid("This process has its logs from elsewhere, and no levels of its own"));
    };
    let changes = resource.configs.iter().map(|config| judge(levels, config));
    let changes: Vec<Change<'_>> = changes.collect::<Result<_, _>>()?;
    if !validate_only {
        levels.change(&changes);
        for (logger, level) in changes {
            let level = level.map_or("that of its parent", LogLevel::name);
            tracing::warn!("the log level of {logger} is {level} now");
        }
    }
    Ok(())
}

fn check_node_id(broker: &Broker, name: &str) -> Result<(), Refusal> {
    let me = broker.node_id().0;
    match name.parse::<i32>() {
        Err(_) => Err(invalid(format!("Node id must be an integer, but it is: {name}"))),
        Ok(id) if id != me => Err(invalid(format!("Unexpected node id. Expected {me}, but received {id}"))),
        Ok(_) => Ok(()),
    }
}

fn judge<'a>(levels: &LogLevels, config: &'a AlterableConfig) -> Result<Change<'a>, Refusal> {
    let logger = &*config.name;
    let not_allowed =
        |what: &str| Err(invalid(format!("{what} is not allowed for the BROKER_LOGGER resource")));
    match config.config_operation {
        SET | DELETE if !levels.exists(logger) => {
            let message = format!("Logger {logger} does not exist!");
            Err((ErrorCode::INVALID_CONFIG, Some(message.into())))
        }
        SET => {
            let Some(level) = config.value.as_deref() else {
                return Err(invalid(format!("Null value not supported for : {logger}")));
            };
            level.parse().map(|level| (logger, Some(level))).map_err(|()| {
                let valid = LogLevel::names().collect::<Vec<_>>().join(", ");
                let message = format!(
                    "Cannot set the log level of {logger} to {level} as it is not a supported log level. Valid log \
                     levels are {valid}"
                );
                (ErrorCode::INVALID_CONFIG, Some(message.into()))
            })
        }
        DELETE if logger == ROOT_LOGGER => {
            Err(invalid(format!("Removing the log level of the {ROOT_LOGGER} logger is not allowed")))
        }
        DELETE => Ok((logger, None)),
        APPEND => not_allowed("APPEND operation"),
        SUBTRACT => not_allowed("SUBTRACT operation"),
        other => not_allowed(&format!("Unknown operation type {other}")),
    }
}

fn invalid(message: impl Into<ByteString>) -> Refusal {
    (ErrorCode::INVALID_REQUEST, Some(message.into()))
}
