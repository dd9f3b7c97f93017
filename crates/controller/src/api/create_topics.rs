//! CreateTopics. Each topic is created or refused by itself.
//!
//! Versions: 5 tells the configs and counts of what was created, 6 is refused with THROTTLING_QUOTA_EXCEEDED when there are
//! quotas, 7 tells the id. Errors: TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS,
//! INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG, INVALID_REQUEST, POLICY_VIOLATION,
//! TOPIC_AUTHORIZATION_FAILED, NOT_CONTROLLER.

use std::collections::BTreeMap;

use ottla_config::{ConfigEntry, ConfigLayers, ConfigMap};
use ottla_metadata::image::{ConfigResource, MetadataImage};
use ottla_metadata::plan::{CreateTopicError, CreatedTopic, NewTopic, plan_create_topics};
use ottla_protocol::messages::create_topics::{CreatableTopic, CreatableTopicConfigs, CreatableTopicResult};
use ottla_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::{AclOperation, RequestContext, ResourceType};
use ottla_types::{NodeId, PartitionIndex, TopicName};

use super::coded;
use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let (allowed, denied): (Vec<_>, Vec<_>) =
        request.topics.iter().partition(|topic| may_create(cx, &topic.name));
    let wishes: Vec<_> = allowed.iter().map(|topic| new_topic(topic)).collect();
    let validate_only = request.validate_only;
    let by_hand: Vec<_> = wishes.iter().filter(|topic| !topic.assignments.is_empty()).cloned().collect();
    let outcome = controller
        .decide(move |plan| plan_create_topics(plan.image, plan.settings, &wishes, validate_only, plan.draw))
        .await;
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => return request.error_response(cx.version, error.code()),
    };
    if !validate_only {
        let is_created =
            |name: &TopicName| answer.iter().any(|(created, outcome)| created == name && outcome.is_ok());
        let created = by_hand.into_iter().filter(|topic| is_created(&topic.name));
        let partitions = |topic: NewTopic| {
            let name = topic.name;
            topic.assignments.into_iter().map(move |(index, _)| (name.clone(), index))
        };
        controller.placed_by_hand(created.flat_map(partitions));
    }
    let image = controller.image();
    let refused = denied.into_iter().map(|topic| CreatableTopicResult {
        name: topic.name.clone(),
        error_code: ErrorCode::TOPIC_AUTHORIZATION_FAILED,
        error_message: Some("Authorization failed.".into()),
        ..Default::default()
    });
    let decided = answer.into_iter().map(|(name, outcome)| result(controller, cx, &image, name, outcome));
    CreateTopicsResponse { topics: decided.chain(refused).collect(), ..Default::default() }
}

fn may_create(cx: &RequestContext, topic: &str) -> bool {
    cx.allows(AclOperation::Create, ResourceType::Cluster, ResourceType::CLUSTER_NAME)
        || cx.allows(AclOperation::Create, ResourceType::Topic, topic)
}

fn new_topic(topic: &CreatableTopic) -> NewTopic {
    NewTopic {
        name: topic.name.clone().into(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic
            .assignments
            .iter()
            .map(|partition| {
                let replicas = partition.broker_ids.iter().copied().map(NodeId).collect();
                (PartitionIndex(partition.partition_index), replicas)
            })
            .collect(),
        configs: topic.configs.iter().map(|config| (config.name.clone(), config.value.clone())).collect(),
    }
}

fn result(
    controller: &Controller,
    cx: &RequestContext,
    image: &MetadataImage,
    name: TopicName,
    outcome: Result<CreatedTopic, CreateTopicError>,
) -> CreatableTopicResult {
    let created = match outcome {
        Ok(created) => created,
        Err(error) => {
            let (error_code, error_message) = coded(&error);
            return CreatableTopicResult {
                name: name.into(),
                error_code,
                error_message,
                ..Default::default()
            };
        }
    };
    let result = CreatableTopicResult { topic_id: created.id, ..Default::default() };
    if !cx.allows(AclOperation::DescribeConfigs, ResourceType::Topic, name.as_str()) {
        return CreatableTopicResult {
            name: name.into(),
            topic_config_error_code: ErrorCode::TOPIC_AUTHORIZATION_FAILED,
            ..result
        };
    }
    CreatableTopicResult {
        name: name.into(),
        num_partitions: created.partitions as i32,
        replication_factor: created.replication_factor as i16,
        configs: Some(configs(controller, image, &created)),
        ..result
    }
}

/// The effective configs of the new topic.
fn configs(
    controller: &Controller,
    image: &MetadataImage,
    created: &CreatedTopic,
) -> Vec<CreatableTopicConfigs> {
    let text = |set: &BTreeMap<_, _>| -> ConfigMap {
        set.iter()
            .map(|(key, value): (&ottla_types::ByteString, &ottla_types::ByteString)| {
                (key.to_string(), value.to_string())
            })
            .collect()
    };
    let cluster =
        image.configs.get(&ConfigResource::default_broker()).map(|set| text(set)).unwrap_or_default();
    let broker = image
        .configs
        .get(&ConfigResource::broker(controller.node_id()))
        .map(|set| text(set))
        .unwrap_or_default();
    let layers = ConfigLayers {
        settings: &controller.settings.configured,
        broker: &broker,
        cluster: &cluster,
        brokers: image.brokers.len(),
        elr: image.features.elr_enabled(),
    };
    layers.describe_topic(&text(&created.configs)).into_iter().map(config).collect()
}

fn config(entry: ConfigEntry) -> CreatableTopicConfigs {
    CreatableTopicConfigs {
        name: entry.name.into(),
        value: entry.value.map(Into::into),
        read_only: entry.read_only,
        config_source: entry.source.code(),
        is_sensitive: entry.sensitive,
        ..Default::default()
    }
}
