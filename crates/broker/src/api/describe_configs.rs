//! DescribeConfigs: every key of a topic, broker, group or client metrics subscription with its value, where that comes from,
//! and what it is for; and the levels of this broker's loggers.
//!
//! Resource types: topic 2, broker 4 (an empty name: what is set for all brokers), broker loggers 8, client metrics 16, group
//! 32. No keys, null or empty, means all. Synonyms, and from version 3 on documentation, on request only.
//! Errors, per resource: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_REQUEST for another broker's id, an
//! empty name of a group or subscription, an unknown type, or more than ten thousand groups and subscriptions.

use std::collections::HashSet;

use ottla_config::ConfigEntry;
use ottla_metadata::image::{ConfigResource, ResourceKind};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use ottla_server::RequestContext;
use ottla_telemetry::{LogLevel, LogLevels};
use ottla_types::{ByteString, NodeId, TopicName};

use super::distinct::distinct;
use crate::Broker;
use crate::effective_configs::own;

// The types of resources by Kafka's numbers (`ConfigResource.Type`).
pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;
pub(super) const BROKER_LOGGER: i8 = 8;
pub(super) const CLIENT_METRICS: i8 = 16;
pub(super) const GROUP: i8 = 32;
/// `ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG`.
const FROM_LOGGER: i8 = 6;
/// Any name of a group or subscription has configs, so that a request of names could make an answer a thousand times as
/// large.
const MAX_FREE_NAMES: usize = 10_000;

/// Resources described before others get their turn: each costs some tens of microseconds.
const AT_A_TIME: usize = 8;

type Described<T> = Result<Vec<T>, (ErrorCode, String)>;

pub(crate) async fn handle(
    broker: &Broker,
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
            BROKER_LOGGER => loggers(broker, name),
            kind => settings(broker, kind, name, &mut free_names_left)
                .map(|entries| entries.into_iter().map(|entry| config(&request, entry)).collect()),
        };
        results.push(result(resource, described));
    }
    DescribeConfigsResponse { results, ..Default::default() }
}

fn settings(broker: &Broker, kind: i8, name: &str, free_names_left: &mut usize) -> Described<ConfigEntry> {
    match kind {
        TOPIC => topic(broker, name),
        BROKER => this_broker(broker, name),
        CLIENT_METRICS | GROUP if *free_names_left == 0 => {
            let what = format!("more than {MAX_FREE_NAMES} groups and subscriptions at once");
            Err((ErrorCode::INVALID_REQUEST, format!("{what}; ask for fewer at a time")))
        }
        CLIENT_METRICS | GROUP => {
            *free_names_left -= 1;
            if kind == GROUP { group(broker, name) } else { client_metrics(broker, name) }
        }
        other => Err((ErrorCode::INVALID_REQUEST, format!("resource type {other} has no configs"))),
    }
}

fn topic(broker: &Broker, name: &str) -> Described<ConfigEntry> {
    let image = broker.image();
    TopicName::from(name)
        .validate()
        .map_err(|error| (ErrorCode::INVALID_TOPIC_EXCEPTION, error.to_string()))?;
    if image.topics.by_name(name).is_none() {
        return Err((ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, format!("there is no topic {name:?}")));
    }
    let own = own(&image, &ConfigResource::topic(name));
    Ok(broker.configs().with_layers(&image, |layers| layers.describe_topic(&own)))
}

fn this_broker(broker: &Broker, name: &str) -> Described<ConfigEntry> {
    let image = broker.image();
    if name.is_empty() {
        return Ok(broker.configs().with_layers(&image, |layers| layers.describe_cluster_default()));
    }
    match broker_id(name)? {
        id if id == broker.node_id() => {
            Ok(broker.configs().with_layers(&image, |layers| layers.describe_broker()))
        }
        _ => {
            let expected = format!("expected {} or empty string", broker.node_id());
            Err((
                ErrorCode::INVALID_REQUEST,
                format!("Unexpected broker id, {expected}, but received {name}"),
            ))
        }
    }
}

fn loggers(broker: &Broker, name: &str) -> Described<DescribeConfigsResourceResult> {
    if name.is_empty() {
        return Err((ErrorCode::INVALID_REQUEST, "Broker id must not be empty".to_owned()));
    }
    let me = broker.node_id();
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
    Ok(broker.log_levels().map(LogLevels::all).unwrap_or_default().into_iter().map(level).collect())
}

fn broker_id(name: &str) -> Result<NodeId, (ErrorCode, String)> {
    let not_a_number =
        |_| (ErrorCode::INVALID_REQUEST, format!("Broker id must be an integer, but it is: {name}"));
    name.parse().map(NodeId).map_err(not_a_number)
}

fn client_metrics(broker: &Broker, name: &str) -> Described<ConfigEntry> {
    if name.is_empty() {
        let message = "Client metrics subscription name must not be empty";
        return Err((ErrorCode::INVALID_REQUEST, message.to_owned()));
    }
    let resource = ConfigResource { kind: ResourceKind::ClientMetrics, name: ByteString::from(name) };
    let image = broker.image();
    let own = own(&image, &resource);
    Ok(broker.configs().with_layers(&image, |layers| layers.describe_client_metrics(&own)))
}

fn group(broker: &Broker, name: &str) -> Described<ConfigEntry> {
    if name.is_empty() {
        return Err((ErrorCode::INVALID_REQUEST, "Group name must not be empty".to_owned()));
    }
    let image = broker.image();
    let resource = ConfigResource { kind: ResourceKind::Group, name: ByteString::from(name) };
    let own = own(&image, &resource);
    Ok(broker.configs().with_layers(&image, |layers| layers.describe_group(&own)))
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
