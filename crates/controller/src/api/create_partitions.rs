//! CreatePartitions. Each topic grows or not by itself.
//!
//! Errors: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR,
//! INVALID_REQUEST (a topic twice), POLICY_VIOLATION (too many), TOPIC_AUTHORIZATION_FAILED, NOT_CONTROLLER.

use ottla_metadata::plan::{MorePartitions, plan_create_partitions};
use ottla_protocol::messages::create_partitions::{CreatePartitionsTopic, CreatePartitionsTopicResult};
use ottla_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::{AclOperation, RequestContext, ResourceType};
use ottla_types::{NodeId, PartitionIndex, TopicName};

use super::coded;
use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let (allowed, denied): (Vec<_>, Vec<_>) = request
        .topics
        .iter()
        .partition(|topic| cx.allows(AclOperation::Alter, ResourceType::Topic, &topic.name));
    let wishes: Vec<_> = allowed.into_iter().map(more_partitions).collect();
    let by_hand: Vec<_> = wishes.iter().flat_map(assigned).collect();
    let validate_only = request.validate_only;
    let outcome = controller
        .decide(move |plan| {
            plan_create_partitions(plan.image, plan.settings, &wishes, validate_only, plan.draw)
        })
        .await;
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => return request.error_response(cx.version, error.code()),
    };
    if !validate_only {
        let is_created =
            |name: &TopicName| answer.iter().any(|(grown, outcome)| grown == name && outcome.is_ok());
        controller.placed_by_hand(by_hand.into_iter().filter(|(name, _)| is_created(name)));
    }
    let decided = answer.into_iter().map(|(name, outcome)| {
        let (error_code, error_message) =
            outcome.err().map_or((ErrorCode::NONE, None), |error| coded(&error));
        CreatePartitionsTopicResult { name: name.into(), error_code, error_message, ..Default::default() }
    });
    let refused = denied.into_iter().map(|topic| CreatePartitionsTopicResult {
        name: topic.name.clone(),
        error_code: ErrorCode::TOPIC_AUTHORIZATION_FAILED,
        ..Default::default()
    });
    CreatePartitionsResponse { results: decided.chain(refused).collect(), ..Default::default() }
}

/// The partitions whose replicas the client has chosen.
fn assigned(wish: &MorePartitions) -> impl Iterator<Item = (TopicName, PartitionIndex)> {
    let chosen = wish.assignments.as_ref().map_or(0, |chosen| i32::try_from(chosen.len()).unwrap_or(0));
    (wish.count.saturating_sub(chosen)..wish.count).map(|index| (wish.name.clone(), PartitionIndex(index)))
}

fn more_partitions(topic: &CreatePartitionsTopic) -> MorePartitions {
    let nodes = |ids: &[i32]| ids.iter().copied().map(NodeId).collect();
    MorePartitions {
        name: topic.name.clone().into(),
        count: topic.count,
        assignments: topic
            .assignments
            .as_ref()
            .map(|assignments| assignments.iter().map(|one| nodes(&one.broker_ids)).collect()),
    }
}
