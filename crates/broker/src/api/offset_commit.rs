//! OffsetCommit: a group remembers how far it has consumed.
//!
//! Versions 2–4 say how long to keep the offsets, from 6 on leader epochs are kept too, from 10 on topics are named by their
//! ids. Topics that do not exist are refused one by one, the others are committed together.
//! Errors, per partition: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, and what `GroupError` lists; below version 9 a
//! group that is not there is ILLEGAL_GENERATION.

use ottla_group_coordinator::{
    CommitPartition, CommitTopic, CommittedTopic, GroupError, GroupRequest, GroupResponse, OffsetCommit,
};
use ottla_metadata::MetadataImage;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestTopic, OffsetCommitResponse, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use ottla_server::RequestContext;
use ottla_types::{LeaderEpoch, Offset, PartitionIndex, TopicName};

use crate::Broker;
use crate::coordinators::AskError;
use crate::error_codes::ToErrorCode;

const TOPIC_IDS_FROM: i16 = 10;
const GROUP_ID_NOT_FOUND_FROM: i16 = 9;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let image = broker.image();
    // In the order of the request: what to commit, or why not.
    let topics: Vec<Result<CommitTopic, (OffsetCommitRequestTopic, ErrorCode)>> =
        request.topics.into_iter().flat_map(|topic| resolve(&image, cx, topic)).collect();
    let known: Vec<CommitTopic> = topics.iter().flatten().cloned().collect();
    let mut committed = if known.is_empty() {
        Vec::new()
    } else {
        let commit = OffsetCommit {
            group_id: request.group_id.clone(),
            member_id: request.member_id,
            instance_id: request.group_instance_id,
            generation: request.generation_id_or_member_epoch,
            retention_ms: Some(request.retention_time_ms).filter(|&ms| ms != -1),
            topics: known.clone(),
        };
        let pick =
            |response| if let GroupResponse::CommitOffsets(topics) = response { Some(topics) } else { None };
        match broker.groups().ask(&image, &request.group_id, GroupRequest::CommitOffsets(commit), pick).await
        {
            Ok(topics) => topics.into_iter().map(answer).collect(),
            Err(error) => known.iter().map(|topic| all_refused(topic, code(cx, &error))).collect::<Vec<_>>(),
        }
    }
    .into_iter();
    let answers = topics.into_iter().filter_map(|topic| match topic {
        Ok(_) => committed.next(),
        Err((topic, error)) => Some(unknown(&topic, error)),
    });
    let mut topics: Vec<OffsetCommitResponseTopic> = Vec::new();
    for answer in answers {
        match topics.last_mut().filter(|last| last.name == answer.name && last.topic_id == answer.topic_id) {
            Some(last) => last.partitions.extend(answer.partitions),
            None => topics.push(answer),
        }
    }
    OffsetCommitResponse { topics, ..Default::default() }
}

/// What of a topic can be committed, and what not.
fn resolve(
    image: &MetadataImage,
    cx: &RequestContext,
    mut topic: OffsetCommitRequestTopic,
) -> Vec<Result<CommitTopic, (OffsetCommitRequestTopic, ErrorCode)>> {
    let by_id = cx.version >= TOPIC_IDS_FROM;
    let found = if by_id { image.topics.by_id(topic.topic_id) } else { image.topics.by_name(&topic.name) };
    let Some(found) = found else {
        let error = if by_id { ErrorCode::UNKNOWN_TOPIC_ID } else { ErrorCode::UNKNOWN_TOPIC_OR_PARTITION };
        return vec![Err((topic, error))];
    };
    let is_there = |index| found.partition(PartitionIndex(index)).is_some();
    let (there, missing): (Vec<_>, Vec<_>) =
        topic.partitions.into_iter().partition(|partition| is_there(partition.partition_index));
    let mut resolved = Vec::new();
    let partitions = there.into_iter().map(|partition| CommitPartition {
        partition: PartitionIndex(partition.partition_index),
        offset: Offset(partition.committed_offset),
        leader_epoch: LeaderEpoch(partition.committed_leader_epoch),
        metadata: partition.committed_metadata,
    });
    let partitions: Vec<CommitPartition> = partitions.collect();
    if !partitions.is_empty() || missing.is_empty() {
        resolved.push(Ok(CommitTopic { topic: found.name.clone(), topic_id: found.id, partitions }));
    }
    if !missing.is_empty() {
        (topic.name, topic.topic_id) = (found.name.clone().into(), found.id);
        topic.partitions = missing;
        resolved.push(Err((topic, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)));
    }
    resolved
}

fn code(cx: &RequestContext, error: &AskError) -> ErrorCode {
    match error {
        AskError::Group(GroupError::GroupIdNotFound { .. }) if cx.version < GROUP_ID_NOT_FOUND_FROM => {
            ErrorCode::ILLEGAL_GENERATION
        }
        error => error.to_error_code(),
    }
}

fn answer(topic: CommittedTopic) -> OffsetCommitResponseTopic {
    let partitions = topic.partitions.into_iter().map(|(partition, result)| {
        let error_code = result.map_or_else(|error| error.to_error_code(), |()| ErrorCode::NONE);
        partition_response(partition.0, error_code)
    });
    topic_response(topic.topic, topic.topic_id, partitions.collect())
}

fn all_refused(topic: &CommitTopic, error: ErrorCode) -> OffsetCommitResponseTopic {
    let partitions =
        topic.partitions.iter().map(|partition| partition_response(partition.partition.0, error));
    topic_response(topic.topic.clone(), topic.topic_id, partitions.collect())
}

fn unknown(topic: &OffsetCommitRequestTopic, error: ErrorCode) -> OffsetCommitResponseTopic {
    let partitions =
        topic.partitions.iter().map(|partition| partition_response(partition.partition_index, error));
    topic_response(TopicName::from(topic.name.clone()), topic.topic_id, partitions.collect())
}

fn topic_response(
    name: TopicName,
    topic_id: ottla_types::TopicId,
    partitions: Vec<OffsetCommitResponsePartition>,
) -> OffsetCommitResponseTopic {
    OffsetCommitResponseTopic { name: name.into(), topic_id, partitions, ..Default::default() }
}

fn partition_response(partition_index: i32, error_code: ErrorCode) -> OffsetCommitResponsePartition {
    OffsetCommitResponsePartition { partition_index, error_code, ..Default::default() }
}
