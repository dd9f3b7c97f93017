//! AlterPartition: a leader reports changes of its ISR (KIP-497). Each partition is decided by itself.
//!
//! Versions: 3 tells each member's broker epoch (KIP-903). Errors: STALE_BROKER_EPOCH and NOT_CONTROLLER for the request;
//! for a partition UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NOT_CONTROLLER, FENCED_LEADER_EPOCH, INVALID_REQUEST,
//! INVALID_UPDATE_VERSION, INELIGIBLE_REPLICA, NEW_LEADER_ELECTED.

use ottla_metadata::image::{LeaderRecoveryState, PartitionImage};
use ottla_metadata::plan::{AlterPartition, AlterPartitionError, plan_alter_partition};
use ottla_protocol::messages::alter_partition::{
    AlterPartitionResponsePartitionData, AlterPartitionResponseTopicData, PartitionData,
};
use ottla_protocol::messages::{AlterPartitionRequest, AlterPartitionResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;
use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, PartitionEpoch, PartitionIndex, TopicId};

use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: AlterPartitionRequest,
) -> AlterPartitionResponse {
    let (broker, epoch) = (NodeId(request.broker_id), BrokerEpoch(request.broker_epoch));
    let mut wishes = Vec::new();
    let mut meaningless = Vec::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            match wish(topic.topic_id, partition) {
                Some(wish) => wishes.push(wish),
                None => meaningless.push((topic.topic_id, PartitionIndex(partition.partition_index))),
            }
        }
    }
    let outcome = controller
        .decide(move |plan| plan_alter_partition(plan.image, plan.settings, broker, epoch, &wishes))
        .await;
    let error = match outcome {
        Ok(Ok(outcomes)) => {
            let mut topics = Vec::new();
            for (topic, index, outcome) in outcomes {
                add(&mut topics, topic, partition(index, outcome));
            }
            for (topic, index) in meaningless {
                add(&mut topics, topic, failed(index, ErrorCode::INVALID_REQUEST));
            }
            return AlterPartitionResponse { topics, ..Default::default() };
        }
        Ok(Err(stale)) => stale.code(),
        Err(error) => error.code(),
    };
    request.error_response(cx.version, error)
}

/// `None` if the leader's state is none that exists.
fn wish(topic: TopicId, partition: &PartitionData) -> Option<AlterPartition> {
    let with_epochs = partition
        .new_isr_with_epochs
        .iter()
        .map(|state| (NodeId(state.broker_id), BrokerEpoch(state.broker_epoch)));
    let without = partition.new_isr.iter().map(|id| (NodeId(*id), BrokerEpoch::NONE));
    Some(AlterPartition {
        topic,
        index: PartitionIndex(partition.partition_index),
        leader_epoch: LeaderEpoch(partition.leader_epoch),
        partition_epoch: PartitionEpoch(partition.partition_epoch),
        isr: with_epochs.chain(without).collect(),
        recovery: LeaderRecoveryState::from_code(partition.leader_recovery_state)?,
    })
}

/// Partitions of one topic follow each other, as in the request.
fn add(
    topics: &mut Vec<AlterPartitionResponseTopicData>,
    topic_id: TopicId,
    partition: AlterPartitionResponsePartitionData,
) {
    match topics.last_mut() {
        Some(last) if last.topic_id == topic_id => last.partitions.push(partition),
        _ => topics.push(AlterPartitionResponseTopicData {
            topic_id,
            partitions: vec![partition],
            ..Default::default()
        }),
    }
}

fn partition(
    index: PartitionIndex,
    outcome: Result<PartitionImage, AlterPartitionError>,
) -> AlterPartitionResponsePartitionData {
    match outcome {
        Ok(partition) => AlterPartitionResponsePartitionData {
            partition_index: index.0,
            leader_id: partition.leader.0,
            leader_epoch: partition.leader_epoch.0,
            isr: partition.isr.iter().map(|id| id.0).collect(),
            leader_recovery_state: partition.leader_recovery_state.code(),
            partition_epoch: partition.partition_epoch.0,
            ..Default::default()
        },
        Err(error) => {
            tracing::info!(%index, "ISR change refused: {error}");
            failed(index, error.code())
        }
    }
}

fn failed(index: PartitionIndex, error: ErrorCode) -> AlterPartitionResponsePartitionData {
    AlterPartitionResponsePartitionData { partition_index: index.0, error_code: error, ..Default::default() }
}
