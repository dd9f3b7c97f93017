//! DescribeTopicPartitions: topics page by page, with eligible leader replicas (KIP-966).
//!
//! An empty topic list asks for all. Topics are answered in order of name, and a cursor says where the next page
//! starts. At most `max.request.partition.size.limit` partitions a page, or what the request asks for if that is fewer.
//! Errors, per topic: UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION; INVALID_REQUEST for a bad limit or cursor.

use ottla_metadata::MetadataImage;
use ottla_metadata::image::{PartitionImage, TopicImage};
use ottla_protocol::messages::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponseCursor,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use ottla_protocol::{ErrorCode, NodeIds, Request};
use ottla_server::{RequestContext, ResourceType};
use ottla_types::{NodeId, TopicName};

use crate::Broker;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let cursor_is_bad = request.cursor.as_ref().is_some_and(|cursor| cursor.partition_index < 0);
    let Ok(asked) = usize::try_from(request.response_partition_limit) else {
        return request.error_response(cx.version, ErrorCode::INVALID_REQUEST);
    };
    if asked == 0 || cursor_is_bad {
        return request.error_response(cx.version, ErrorCode::INVALID_REQUEST);
    }
    broker.settle().await;
    let image = broker.image();
    let (start_topic, start_partition) = match &request.cursor {
        Some(cursor) => (cursor.topic_name.as_ref(), usize::try_from(cursor.partition_index).unwrap_or(0)),
        None => ("", 0),
    };
    let names: Vec<TopicName> = if request.topics.is_empty() {
        image.topics.from_name(start_topic).map(|topic| topic.name.clone()).collect()
    } else {
        let mut names: Vec<TopicName> =
            request.topics.iter().map(|topic| TopicName::from(topic.name.clone())).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| name.as_str() >= start_topic);
        names
    };
    let mut page = Page {
        room: asked
            .min(usize::try_from(broker.config().topics.max_request_partition_size_limit).unwrap_or(1)),
        response: DescribeTopicPartitionsResponse::default(),
        cx,
    };
    for name in names {
        let skip = if name.as_str() == start_topic { start_partition } else { 0 };
        if !page.add(&image, &name, skip) {
            break;
        }
    }
    page.response
}

struct Page<'a> {
    room: usize,
    response: DescribeTopicPartitionsResponse,
    cx: &'a RequestContext,
}

impl Page<'_> {
    /// Whether the topic fitted, and another may follow.
    fn add(&mut self, image: &MetadataImage, name: &TopicName, skip: usize) -> bool {
        let Some(topic) = image.topics.by_name(name.as_str()) else {
            self.response.topics.push(unknown(name));
            return true;
        };
        if self.room == 0 {
            self.response.next_cursor = Some(cursor(name, skip));
            return false;
        }
        let partitions: Vec<_> = topic.partitions().skip(skip).take(self.room).collect();
        let next = skip + partitions.len();
        self.room -= partitions.len();
        self.response.topics.push(described(image, topic, &partitions, self.cx));
        let complete = next >= topic.partition_count();
        if !complete {
            self.response.next_cursor = Some(cursor(name, next));
        }
        complete
    }
}

fn cursor(name: &TopicName, partition: usize) -> DescribeTopicPartitionsResponseCursor {
    DescribeTopicPartitionsResponseCursor {
        topic_name: name.clone().into(),
        partition_index: i32::try_from(partition).unwrap_or(i32::MAX),
        ..Default::default()
    }
}

fn unknown(name: &TopicName) -> DescribeTopicPartitionsResponseTopic {
    let error_code = match name.validate() {
        Ok(()) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Err(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
    };
    DescribeTopicPartitionsResponseTopic { error_code, name: Some(name.clone().into()), ..Default::default() }
}

fn described(
    image: &MetadataImage,
    topic: &TopicImage,
    partitions: &[(ottla_types::PartitionIndex, &std::sync::Arc<PartitionImage>)],
    cx: &RequestContext,
) -> DescribeTopicPartitionsResponseTopic {
    let partitions = partitions.iter().map(|(index, partition)| {
        let leader = image.brokers.get(partition.leader).filter(|leader| !leader.fenced);
        DescribeTopicPartitionsResponsePartition {
            error_code: if leader.is_some() { ErrorCode::NONE } else { ErrorCode::LEADER_NOT_AVAILABLE },
            partition_index: index.0,
            leader_id: leader.map_or(-1, |leader| leader.id.0),
            leader_epoch: partition.leader_epoch.0,
            replica_nodes: ids(&partition.replicas),
            isr_nodes: ids(&partition.isr),
            eligible_leader_replicas: Some(ids(&partition.elr)),
            last_known_elr: Some(ids(&partition.last_known_elr)),
            offline_replicas: super::offline_replicas(image, partition),
            ..Default::default()
        }
    });
    DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::NONE,
        name: Some(topic.name.clone().into()),
        topic_id: topic.id,
        is_internal: topic.name.is_internal(),
        partitions: partitions.collect(),
        topic_authorized_operations: cx.authorized_operations(ResourceType::Topic, topic.name.as_str()),
        ..Default::default()
    }
}

fn ids(nodes: &[NodeId]) -> NodeIds {
    nodes.iter().map(|id| id.0).collect()
}
