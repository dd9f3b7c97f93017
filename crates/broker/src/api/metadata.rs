//! Metadata: the brokers, and for each topic who leads its partitions.
//!
//! A topic that is named twice is answered once. Version 0 asks for all topics with an empty list, later ones with null. From 12 on a topic can be asked for by its id
//! alone. A name that does not exist is created if both the request and `auto.create.topics.enable` allow it, and
//! the answer waits for it, so that a client's first record finds its leader.
//!
//! Errors, per topic: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INVALID_TOPIC_EXCEPTION, LEADER_NOT_AVAILABLE;
//! INVALID_REQUEST for the whole.

use std::collections::HashMap;
use std::sync::Arc;

use ottla_metadata::MetadataImage;
use ottla_metadata::image::{BrokerImage, PartitionImage, TopicImage};
use ottla_protocol::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::{RequestContext, ResourceType, distinct};
use ottla_types::{ByteString, TopicName, Uuid};

use crate::Broker;
use crate::suspects::Suspects;

/// The first version that may name a topic by its id alone.
const TOPIC_IDS_FROM: i16 = 12;

/// Why topics could not be created.
type Refused = HashMap<TopicName, ErrorCode>;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    mut request: MetadataRequest,
) -> MetadataResponse {
    if let Some(topics) = &mut request.topics {
        distinct(topics, |topic| (topic.name.clone(), topic.topic_id));
    }
    let wanted = match &request.topics {
        None => None,
        Some(topics) if topics.is_empty() && cx.version == 0 => None,
        Some(topics) => Some(topics.as_slice()),
    };
    if let Some(topics) = wanted
        && cx.version < TOPIC_IDS_FROM
        && topics.iter().any(|topic| topic.name.is_none() || !topic.topic_id.is_zero())
    {
        return request.error_response(cx.version, ErrorCode::INVALID_REQUEST);
    }
    let suspects = broker.settle().await;
    let may_create = request.allow_auto_topic_creation && broker.config().topics.auto_create_enable;
    let missing = match wanted {
        Some(topics) if may_create => missing_names(&broker.image(), topics),
        _ => Vec::new(),
    };
    // Topics that could not be created keep the controller's answer.
    let refused: Refused = broker
        .auto_topics()
        .create(&missing)
        .await
        .into_iter()
        .map(|wanted| (wanted.name, wanted.error))
        .collect();
    let image = broker.image();
    let describe = |topic: &TopicImage| topic_metadata(cx, &request, &image, &suspects, topic);
    let topics = match wanted {
        None => image.topics.iter().map(|topic| describe(topic)).collect(),
        Some(topics) => topics
            .iter()
            .map(|topic| match find(&image, topic) {
                Some(found) => describe(found),
                None => unknown(topic, &refused),
            })
            .collect(),
    };
    answer(broker, cx, &request, &image, &suspects, topics)
}

fn missing_names(image: &MetadataImage, topics: &[MetadataRequestTopic]) -> Vec<TopicName> {
    let mut missing: Vec<TopicName> = topics
        .iter()
        .filter(|topic| topic.topic_id.is_zero())
        .filter_map(|topic| topic.name.clone())
        .map(TopicName::from)
        .filter(|name| image.topics.by_name(name.as_str()).is_none() && name.validate().is_ok())
        .collect();
    missing.sort_unstable();
    missing
}

fn find<'a>(image: &'a MetadataImage, topic: &MetadataRequestTopic) -> Option<&'a TopicImage> {
    let found = match &topic.name {
        Some(name) if topic.topic_id.is_zero() => image.topics.by_name(name),
        _ => image.topics.by_id(topic.topic_id),
    };
    found.map(AsRef::as_ref)
}

fn unknown(topic: &MetadataRequestTopic, refused: &Refused) -> MetadataResponseTopic {
    let (name, topic_id, error_code) = match &topic.name {
        Some(name) if topic.topic_id.is_zero() => {
            let name = TopicName::from(name.clone());
            let error = match refused.get(&name) {
                Some(&error) => error,
                None if name.validate().is_err() => ErrorCode::INVALID_TOPIC_EXCEPTION,
                None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            };
            (Some(ByteString::from(name)), Uuid::ZERO, error)
        }
        _ => (None, topic.topic_id, ErrorCode::UNKNOWN_TOPIC_ID),
    };
    MetadataResponseTopic { error_code, name, topic_id, ..Default::default() }
}

fn topic_metadata(
    cx: &RequestContext,
    request: &MetadataRequest,
    image: &MetadataImage,
    suspects: &Suspects,
    topic: &TopicImage,
) -> MetadataResponseTopic {
    let partitions = topic.partitions().map(|(index, partition)| MetadataResponsePartition {
        partition_index: index.0,
        ..partition_metadata(image, cx, suspects, partition)
    });
    MetadataResponseTopic {
        error_code: ErrorCode::NONE,
        name: Some(topic.name.clone().into()),
        topic_id: topic.id,
        is_internal: topic.name.is_internal(),
        partitions: partitions.collect(),
        topic_authorized_operations: if request.include_topic_authorized_operations {
            cx.authorized_operations(ResourceType::Topic, topic.name.as_str())
        } else {
            super::NOT_ASKED
        },
        ..Default::default()
    }
}

fn partition_metadata(
    image: &MetadataImage,
    cx: &RequestContext,
    suspects: &Suspects,
    partition: &PartitionImage,
) -> MetadataResponsePartition {
    let serves = |leader: &&Arc<BrokerImage>| !leader.fenced && !suspects.include(leader);
    let leader = image.brokers.get(partition.leader).filter(serves);
    let (error_code, leader_id) = match leader {
        None => (ErrorCode::LEADER_NOT_AVAILABLE, -1),
        Some(leader) if leader.endpoint(&cx.listener_name).is_none() => (ErrorCode::LISTENER_NOT_FOUND, -1),
        Some(leader) => (ErrorCode::NONE, leader.id.0),
    };
    MetadataResponsePartition {
        error_code,
        leader_id,
        leader_epoch: partition.leader_epoch.0,
        replica_nodes: partition.replicas.iter().map(|id| id.0).collect(),
        isr_nodes: partition.isr.iter().map(|id| id.0).collect(),
        offline_replicas: super::offline_replicas(image, partition),
        ..Default::default()
    }
}

fn answer(
    broker: &Broker,
    cx: &RequestContext,
    request: &MetadataRequest,
    image: &MetadataImage,
    suspects: &Suspects,
    topics: Vec<MetadataResponseTopic>,
) -> MetadataResponse {
    let shown = image.brokers.iter().filter(|node| !node.fenced || suspects.show(node));
    let brokers = shown.filter_map(|node| {
        node.endpoint(&cx.listener_name).map(|endpoint| MetadataResponseBroker {
            node_id: node.id.0,
            host: endpoint.host.clone(),
            port: i32::from(endpoint.port),
            rack: node.rack.clone(),
            ..Default::default()
        })
    });
    MetadataResponse {
        brokers: brokers.collect(),
        cluster_id: Some(broker.cluster_id().clone()),
        // Clients send what is for the controller to this broker, and it forwards.
        controller_id: broker.node_id().0,
        topics,
        cluster_authorized_operations: if request.include_cluster_authorized_operations {
            cx.authorized_operations(ResourceType::Cluster, ResourceType::CLUSTER_NAME)
        } else {
            super::NOT_ASKED
        },
        ..Default::default()
    }
}
