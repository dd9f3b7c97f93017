//! ListOffsets: offsets by timestamp, and the ends of the log.
//!
//! Timestamps below zero are names: −1 latest, −2 earliest, −3 of the largest timestamp (from version 7), −4 earliest
//! local (8), −5 latest tiered (9), −6 earliest pending upload (11). Without a tier, −4 is the log start and −5 and −6 find
//! nothing. Consumers see offsets below the high watermark only.
//! Errors, per partition: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
//! OFFSET_NOT_AVAILABLE (below version 5 LEADER_NOT_AVAILABLE) while a new leader's high watermark is behind,
//! INVALID_REQUEST for a partition named twice, UNSUPPORTED_VERSION for a name that the version lacks.

use std::collections::HashSet;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};
use ottla_server::RequestContext;
use ottla_types::{LeaderEpoch, Offset, PartitionIndex, TopicName};

use crate::Broker;
use crate::error_codes::ToErrorCode;
use crate::replica_manager::{Found, Isolation, OffsetSpec, PartitionError};

/// The first version whose answers carry leader epochs.
const LEADER_EPOCH_FROM: i16 = 4;
/// The first version with OFFSET_NOT_AVAILABLE (KIP-207).
const OFFSET_NOT_AVAILABLE_FROM: i16 = 5;
/// Kafka's replica id of consumers.
const CONSUMER: i32 = -1;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let isolation = match (request.replica_id, request.isolation_level) {
        (CONSUMER, 0) => Isolation::HighWatermark,
        (CONSUMER, _) => Isolation::LastStableOffset,
        _ => Isolation::LogEnd,
    };
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            if !seen.insert((topic.name.clone(), partition.partition_index)) {
                twice.insert((topic.name.clone(), partition.partition_index));
            }
        }
    }
    let named = request.topics.iter().flat_map(|topic| {
        let name = TopicName::from(topic.name.clone());
        topic.partitions.iter().map(move |asked| (name.clone(), PartitionIndex(asked.partition_index)))
    });
    broker.opened(broker.unopened(named)).await;
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            if twice.contains(&(topic.name.clone(), asked.partition_index)) {
                return failed(asked, ErrorCode::INVALID_REQUEST);
            }
            let Some(spec) = spec(asked.timestamp, cx.version) else {
                return failed(asked, ErrorCode::UNSUPPORTED_VERSION);
            };
            match find(broker, &topic.name, asked, spec, isolation) {
                Ok(found) => answer(cx, asked, found),
                Err(PartitionError::HighWatermarkBehind { .. }) if cx.version < OFFSET_NOT_AVAILABLE_FROM => {
                    failed(asked, ErrorCode::LEADER_NOT_AVAILABLE)
                }
                Err(error) => failed(asked, error.to_error_code()),
            }
        });
        ListOffsetsTopicResponse {
            partitions: partitions.collect(),
            name: topic.name.clone(),
            ..Default::default()
        }
    });
    ListOffsetsResponse { topics: topics.collect(), ..Default::default() }
}

/// What a timestamp asks for; `None` if the version has no such name.
fn spec(timestamp: i64, version: i16) -> Option<OffsetSpec> {
    match timestamp {
        0.. => Some(OffsetSpec::Timestamp(timestamp)),
        -1 => Some(OffsetSpec::Latest),
        -2 => Some(OffsetSpec::Earliest),
        -3 if version >= 7 => Some(OffsetSpec::MaxTimestamp),
        -4 if version >= 8 => Some(OffsetSpec::Earliest),
        -5 if version >= 9 => Some(OffsetSpec::Nothing),
        -6 if version >= 11 => Some(OffsetSpec::Nothing),
        _ => None,
    }
}

fn find(
    broker: &Broker,
    topic: &str,
    asked: &ListOffsetsPartition,
    spec: OffsetSpec,
    isolation: Isolation,
) -> Result<Option<Found>, PartitionError> {
    let partition = broker.partition(topic, PartitionIndex(asked.partition_index))?;
    partition.find_offset(LeaderEpoch(asked.current_leader_epoch), spec, isolation)
}

fn answer(
    cx: &RequestContext,
    asked: &ListOffsetsPartition,
    found: Option<Found>,
) -> ListOffsetsPartitionResponse {
    let found =
        found.unwrap_or(Found { timestamp_ms: -1, offset: Offset::NONE, leader_epoch: LeaderEpoch::NONE });
    ListOffsetsPartitionResponse {
        partition_index: asked.partition_index,
        error_code: ErrorCode::NONE,
        timestamp: found.timestamp_ms,
        offset: found.offset.0,
        leader_epoch: if cx.version >= LEADER_EPOCH_FROM { found.leader_epoch.0 } else { -1 },
        ..Default::default()
    }
}

fn failed(asked: &ListOffsetsPartition, error_code: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse { partition_index: asked.partition_index, error_code, ..Default::default() }
}
