//! DescribeConfigs: every key of a topic, broker or group with its value, where that comes from, and what it is for.
//!
//! Resource types: topic 2, broker 4 (an empty name: what is set for all brokers), broker loggers 8, client metrics 16, group
//! 32. No keys, null or empty, means all. Synonyms, and from version 3 on documentation, on request only.
//! Errors, per resource: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_REQUEST for another broker's id, an
//! empty group name, an unknown type, or more than ten thousand groups.

use std::collections::HashSet;

use ottla_config::ConfigEntry;
use ottla_metadata::image::{ConfigResource, ResourceKind};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use ottla_server::RequestContext;
use ottla_types::{ByteString, TopicName};

use super::distinct::distinct;
use crate::Broker;
use crate::effective_configs::own;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
/// Any name of a group has configs, so that a request of names could make an answer a thousand times as large.
const MAX_GROUPS: usize = 10_000;

/// Resources described before others get their turn: each costs some tens of microseconds.
const AT_A_TIME: usize = 8;

type Described = Result<Vec<ConfigEntry>, (ErrorCode, String)>;

pub(crate) async fn handle(
    broker: &Broker,
    _cx: &RequestContext,
    mut request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    distinct(&mut request.resources, |resource| (resource.resource_type, resource.resource_name.clone()));
    let mut groups_left = MAX_GROUPS;
    let mut results = Vec::with_capacity(request.resources.len());
    for (number, resource) in request.resources.iter().enumerate() {
        if number % AT_A_TIME == AT_A_TIME - 1 {
            tokio::task::yield_now().await;
        }
        let described = match resource.resource_type {
            TOPIC => topic(broker, &resource.resource_name),
            BROKER => this_broker(broker, &resource.resource_name),
            BROKER_LOGGER | CLIENT_METRICS => Ok(Vec::new()),
            GROUP if groups_left == 0 => Err((
                ErrorCode::INVALID_REQUEST,
                format!("more than {MAX_GROUPS} groups at once; ask for fewer at a time"),
            )),
            GROUP => {
                groups_left -= 1;
                group(broker, &resource.resource_name)
            }
            other => Err((ErrorCode::INVALID_REQUEST, format!("resource type {other} has no configs"))),
        };
        results.push(result(&request, resource, described));
    }
    DescribeConfigsResponse { results, ..Default::default() }
}

fn topic(broker: &Broker, name: &str) -> Described {
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

fn this_broker(broker: &Broker, name: &str) -> Described {
    let me = broker.node_id();
    let image = broker.image();
    match name {
        "" => Ok(broker.configs().with_layers(&image, |layers| layers.describe_cluster_default())),
        name if name.parse() == Ok(me.0) => {
            Ok(broker.configs().with_layers(&image, |layers| layers.describe_broker()))
        }
        other => {
            let message = format!("this is broker {me}, but {other:?} was asked for; ask that broker");
            Err((ErrorCode::INVALID_REQUEST, message))
        }
    }
}

fn group(broker: &Broker, name: &str) -> Described {
    if name.is_empty() {
        return Err((ErrorCode::INVALID_REQUEST, "the group name is empty".to_owned()));
    }
    let image = broker.image();
    let resource = ConfigResource { kind: ResourceKind::Group, name: ByteString::from(name) };
    let own = own(&image, &resource);
    Ok(broker.configs().with_layers(&image, |layers| layers.describe_group(&own)))
}

fn result(
    request: &DescribeConfigsRequest,
    resource: &DescribeConfigsResource,
    described: Described,
) -> DescribeConfigsResult {
    let mut result = DescribeConfigsResult {
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
        ..Default::default()
    };
    match described {
        Ok(entries) => {
            let keys: HashSet<&str> =
                resource.configuration_keys.iter().flatten().map(AsRef::as_ref).collect();
            let asked = |entry: &ConfigEntry| keys.is_empty() || keys.contains(entry.name.as_str());
            result.configs = entries.into_iter().filter(asked).map(|entry| config(request, entry)).collect();
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
