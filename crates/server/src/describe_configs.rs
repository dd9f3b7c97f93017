//! DescribeConfigs: every key of a topic, broker, group or client metrics subscription with its value, where that comes from,
//! and what it is for; and the levels of this node's loggers. Shared by broker and controller.
//!
//! Resource types: topic 2, broker 4 (an empty name: what is set for all brokers), broker loggers 8, client metrics 16, group
//! 32. No keys, null or empty, means all. Synonyms, and from version 3 on documentation, on request only.
//! Errors, per resource: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_REQUEST for another node's id, an
//! empty name of a group or subscription, an unknown type, or more than ten thousand groups and subscriptions.

use std::collections::HashSet;
use std::sync::Arc;

use ottla_config::ConfigEntry;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use ottla_telemetry::{LogLevel, LogLevels};
use ottla_types::{ByteString, NodeId, TopicName};

use crate::RequestContext;
use crate::distinct::distinct;

/// The types of resources by Kafka's numbers (`ConfigResource.Type`).
pub mod resource_type {
    /// A topic.
    pub const TOPIC: i8 = 2;
    /// A broker or, with an empty name, all of them.
    pub const BROKER: i8 = 4;
    /// The loggers of a broker.
    pub const BROKER_LOGGER: i8 = 8;
    /// A subscription of client metrics.
    pub const CLIENT_METRICS: i8 = 16;
    /// A group.
    pub const GROUP: i8 = 32;
}

use resource_type::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC};

/// `ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG`.
const FROM_LOGGER: i8 = 6;
/// Any name of a group or subscription has configs, so that a request of names could make an answer a thousand times as
/// large.
const MAX_FREE_NAMES: usize = 10_000;

/// Resources described before others get their turn: each costs some tens of microseconds.
const AT_A_TIME: usize = 8;

/// A host that tells of its configuration.
pub trait HasConfigs: Send + Sync + 'static {
    /// This node.
    fn id(&self) -> NodeId;

    /// Its loggers, if it has any.
    fn loggers(&self) -> Option<&LogLevels>;

    /// Every setting of the resource with this [type](resource_type), as it is in force on this node; `None` for a topic that
    /// there is not.
    fn describe(&self, resource_type: i8, name: &str) -> Option<Vec<ConfigEntry>>;
}

type Described<T> = Result<Vec<T>, (ErrorCode, String)>;

impl<H: HasConfigs> HasConfigs for Arc<H> {
    fn id(&self) -> NodeId {
        (**self).id()
    }

    fn loggers(&self) -> Option<&LogLevels> {
        (**self).loggers()
    }

    fn describe(&self, resource_type: i8, name: &str) -> Option<Vec<ConfigEntry>> {
        (**self).describe(resource_type, name)
    }
}

/// Answers the request.
pub async fn describe_configs<H: HasConfigs>(
    host: &H,
    _cx: &RequestContext,
    mut request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    distinct(&mut request.resources, |resource| (resource.resource_type, resource.resource_name.clone()));
    let mut free_names_left = MAX_FREE_NAMES;
    let mut results = Vec::with_capacity(request.resources.len());
    for (number, resource) in request.resources.iter().enumerate() {
        if number % AT_A_TIME == AT_A_TIME - 1 {
            tokio::task::yield_now().await;
        }
        let name = &*resource.resource_name;
        let described = match resource.resource_type {
            BROKER_LOGGER => loggers(host, name),
            kind => settings(host, kind, name, &mut free_names_left)
                .map(|entries| entries.into_iter().map(|entry| config(&request, entry)).collect()),
        };
        results.push(result(resource, described));
    }
    DescribeConfigsResponse { results, ..Default::default() }
}

fn settings(
    host: &impl HasConfigs,
    kind: i8,
    name: &str,
    free_names_left: &mut usize,
) -> Described<ConfigEntry> {
    let invalid = |message: String| Err((ErrorCode::INVALID_REQUEST, message));
    match kind {
        TOPIC => {
            let valid = TopicName::from(name).validate();
            valid.map_err(|error| (ErrorCode::INVALID_TOPIC_EXCEPTION, error.to_string()))?;
        }
        BROKER if name.is_empty() => {}
        BROKER => {
            let (id, me) = (broker_id(name)?, host.id());
            if id != me {
                return invalid(format!(
                    "Unexpected broker id, expected {me} or empty string, but received {name}"
                ));
            }
        }
        CLIENT_METRICS | GROUP if *free_names_left == 0 => {
            return invalid(format!(
                "more than {MAX_FREE_NAMES} groups and subscriptions at once; ask for fewer at a time"
            ));
        }
        CLIENT_METRICS if name.is_empty() => {
            return invalid("Client metrics subscription name must not be empty".to_owned());
        }
        GROUP if name.is_empty() => return invalid("Group name must not be empty".to_owned()),
        CLIENT_METRICS | GROUP => *free_names_left -= 1,
        other => return invalid(format!("resource type {other} has no configs")),
    }
    let no_such_topic = || (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, format!("there is no topic {name:?}"));
    host.describe(kind, name).ok_or_else(no_such_topic)
}

fn loggers(host: &impl HasConfigs, name: &str) -> Described<DescribeConfigsResourceResult> {
    if name.is_empty() {
        return Err((ErrorCode::INVALID_REQUEST, "Broker id must not be empty".to_owned()));
    }
    let me = host.id();
    if broker_id(name)? != me {
        let message = format!("Unexpected broker id, expected {me} but received {name}");
        return Err((ErrorCode::INVALID_REQUEST, message));
    }
    let level = |(name, level): (String, LogLevel)| DescribeConfigsResourceResult {
        name: name.into(),
        value: Some(ByteString::from_static(level.name())),
        config_source: FROM_LOGGER,
        ..Default::default()
    };
    Ok(host.loggers().map(LogLevels::all).unwrap_or_default().into_iter().map(level).collect())
}

fn broker_id(name: &str) -> Result<NodeId, (ErrorCode, String)> {
    let not_a_number =
        |_| (ErrorCode::INVALID_REQUEST, format!("Broker id must be an integer, but it is: {name}"));
    name.parse().map(NodeId).map_err(not_a_number)
}

fn result(
    resource: &DescribeConfigsResource,
    described: Described<DescribeConfigsResourceResult>,
) -> DescribeConfigsResult {
    let mut result = DescribeConfigsResult {
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
        ..Default::default()
    };
    match described {
        Ok(configs) => {
            let keys: HashSet<&str> =
                resource.configuration_keys.iter().flatten().map(AsRef::as_ref).collect();
            let asked =
                |config: &DescribeConfigsResourceResult| keys.is_empty() || keys.contains(&*config.name);
            result.configs = configs.into_iter().filter(asked).collect();
        }
        Err((code, message)) => {
            result.error_code = code;
            result.error_message = Some(ByteString::from(message));
        }
    }
    result
}

fn config(request: &DescribeConfigsRequest, entry: ConfigEntry) -> DescribeConfigsResourceResult {
    let synonyms = entry.synonyms.into_iter().map(|synonym| DescribeConfigsSynonym {
        name: synonym.name.into(),
        value: synonym.value.map(ByteString::from),
        source: synonym.source.code(),
        ..Default::default()
    });
    DescribeConfigsResourceResult {
        name: entry.name.into(),
        value: entry.value.map(ByteString::from),
        read_only: entry.read_only,
        config_source: entry.source.code(),
        is_sensitive: entry.sensitive,
        synonyms: if request.include_synonyms { synonyms.collect() } else { Vec::new() },
        config_type: entry.value_type.code(),
        documentation: request.include_documentation.then(|| ByteString::from_static(entry.documentation)),
        ..Default::default()
    }
}
