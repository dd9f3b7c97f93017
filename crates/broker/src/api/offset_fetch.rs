//! OffsetFetch: how far groups have consumed.
//!
//! Up to version 7 one group, from 8 on many (KIP-709). No topics (from 2 on) means all that the group has offsets for. From
//! 10 on topics are named by their ids. A group or offset that is not there is offset −1, not an error.
//! Errors, per group from 8 on, else for the whole (from 2 on) or per partition: see `GroupError`. Per partition:
//! UNSTABLE_OFFSET_COMMIT, UNKNOWN_TOPIC_ID.

use std::collections::HashSet;

use ottla_group_coordinator::{
    FetchTopic, FetchedPartition, FetchedTopic, GroupRequest, GroupResponse, OffsetFetch,
};
use ottla_metadata::MetadataImage;
use ottla_protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::{RequestContext, distinct};
use ottla_types::{ByteString, PartitionIndex, TopicId, TopicName};

use crate::Broker;
use crate::coordinators::AskError;
use crate::error_codes::ToErrorCode;

const MANY_FROM: i16 = 8;
const TOPIC_IDS_FROM: i16 = 10;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    mut request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    let image = broker.image();
    if cx.version >= MANY_FROM {
        distinct(&mut request.groups, |group| group.group_id.clone());
        let mut groups = Vec::with_capacity(request.groups.len());
        for group in request.groups {
            groups.push(fetch(broker, &image, cx, group, request.require_stable).await);
        }
        return OffsetFetchResponse { groups, ..Default::default() };
    }
    let topics = request.topics.as_ref().map(|topics| {
        let topics = topics.iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name.clone(),
            partition_indexes: topic.partition_indexes.clone(),
            ..Default::default()
        });
        topics.collect()
    });
    let group = OffsetFetchRequestGroup { group_id: request.group_id.clone(), topics, ..Default::default() };
    let group = fetch(broker, &image, cx, group, request.require_stable).await;
    if group.error_code != ErrorCode::NONE {
        return request.error_response(cx.version, group.error_code);
    }
    OffsetFetchResponse { topics: group.topics.into_iter().map(flat).collect(), ..Default::default() }
}

async fn fetch(
    broker: &Broker,
    image: &MetadataImage,
    cx: &RequestContext,
    group: OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let by_id = cx.version >= TOPIC_IDS_FROM;
    let all = group.topics.is_none();
    let (known, unknown) = resolve(image, by_id, group.topics.unwrap_or_default());
    let request =
        OffsetFetch { group_id: group.group_id.clone(), topics: (!all).then_some(known), require_stable };
    let pick =
        |response| if let GroupResponse::FetchOffsets(topics) = response { Some(topics) } else { None };
    let mut response = OffsetFetchResponseGroup { group_id: group.group_id.clone(), ..Default::default() };
    match broker.groups().ask(image, &group.group_id, GroupRequest::FetchOffsets(request), pick).await {
        Ok(topics) => {
            response.topics = topics.into_iter().filter_map(|topic| answer(image, by_id, topic)).collect();
            response.topics.extend(unknown);
        }
        Err(error) => response.error_code = code(&error),
    }
    response
}

/// Topics to ask for, and the answers for ids that no topic has.
fn resolve(
    image: &MetadataImage,
    by_id: bool,
    topics: Vec<OffsetFetchRequestTopics>,
) -> (Vec<FetchTopic>, Vec<OffsetFetchResponseTopics>) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for mut topic in topics {
        // An offset may carry 4 KiB of metadata: each is answered once.
        topic.partition_indexes.retain(|&index| seen.insert((topic.name.clone(), topic.topic_id, index)));
        let partitions = topic.partition_indexes.iter().map(|&index| PartitionIndex(index));
        let named = if by_id {
            image.topics.by_id(topic.topic_id).map(|found| (found.name.clone(), found.id))
        } else {
            let id = image.topics.id_of(&topic.name).unwrap_or(TopicId::ZERO);
            Some((TopicName::from(topic.name.clone()), id))
        };
        match named {
            Some((name, topic_id)) => {
                known.push(FetchTopic { topic: name, topic_id, partitions: partitions.collect() });
            }
            None => unknown.push(OffsetFetchResponseTopics {
                topic_id: topic.topic_id,
                partitions: partitions.map(|index| none(index, ErrorCode::UNKNOWN_TOPIC_ID)).collect(),
                ..Default::default()
            }),
        }
    }
    (known, unknown)
}

/// Old consumers do not retry COORDINATOR_NOT_AVAILABLE here.
fn code(error: &AskError) -> ErrorCode {
    match error.to_error_code() {
        ErrorCode::COORDINATOR_NOT_AVAILABLE => ErrorCode::NOT_COORDINATOR,
        code => code,
    }
}

/// `None` for an offset in a topic that is gone, where only ids can be answered.
fn answer(image: &MetadataImage, by_id: bool, topic: FetchedTopic) -> Option<OffsetFetchResponseTopics> {
    let topic_id = if topic.topic_id.is_zero() {
        image.topics.id_of(topic.topic.as_str())
    } else {
        Some(topic.topic_id)
    };
    if by_id && topic_id.is_none() {
        return None;
    }
    Some(OffsetFetchResponseTopics {
        name: topic.topic.into(),
        topic_id: topic_id.unwrap_or(TopicId::ZERO),
        partitions: topic.partitions.into_iter().map(partition).collect(),
        ..Default::default()
    })
}

fn partition(fetched: FetchedPartition) -> OffsetFetchResponsePartitions {
    match fetched.result {
        Ok(Some(committed)) => OffsetFetchResponsePartitions {
            partition_index: fetched.partition.0,
            committed_offset: committed.offset.0,
            committed_leader_epoch: committed.leader_epoch.0,
            metadata: Some(committed.metadata),
            ..Default::default()
        },
        Ok(None) => none(fetched.partition, ErrorCode::NONE),
        Err(error) => none(fetched.partition, error.to_error_code()),
    }
}

fn none(partition: PartitionIndex, error_code: ErrorCode) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index: partition.0,
        committed_offset: -1,
        metadata: Some(ByteString::new()),
        error_code,
        ..Default::default()
    }
}

fn flat(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partitions = topic.partitions.into_iter().map(|partition| OffsetFetchResponsePartition {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: partition.error_code,
        ..Default::default()
    });
    OffsetFetchResponseTopic { name: topic.name, partitions: partitions.collect(), ..Default::default() }
}
