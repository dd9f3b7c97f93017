//! AlterPartitionReassignments (KIP-455): partitions move to other brokers, or with null replicas no longer do. Each partition is
//! decided by itself.
//!
//! Versions: 1 may forbid changes of the replication factor (KIP-860). Errors: UNKNOWN_TOPIC_OR_PARTITION,
//! INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR, NO_REASSIGNMENT_IN_PROGRESS, INVALID_REQUEST (a partition twice),
//! POLICY_VIOLATION (too many), NOT_CONTROLLER.

use ottla_metadata::plan::{Reassignment, plan_alter_partition_reassignments};
use ottla_protocol::messages::alter_partition_reassignments::{
    ReassignablePartitionResponse, ReassignableTopic, ReassignableTopicResponse,
};
use ottla_protocol::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};
use ottla_protocol::{ByteString, ErrorCode, Request};
use ottla_server::RequestContext;
use ottla_types::{NodeId, PartitionIndex, TopicName};

use super::coded;
use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let allow_replication_factor_change = request.allow_replication_factor_change;
    let wishes: Vec<_> = request.topics.iter().flat_map(wishes).collect();
    let outcome = controller
        .decide(move |plan| {
            let allow = allow_replication_factor_change;
            plan_alter_partition_reassignments(plan.image, plan.settings, allow, &wishes)
        })
        .await;
    let outcomes = match outcome {
        Ok(outcomes) => outcomes,
        Err(error) => return request.error_response(cx.version, error.code()),
    };
    let decided = outcomes.iter().filter(|(_, _, outcome)| outcome.is_ok());
    controller.placed_by_hand(decided.map(|(topic, index, _)| (topic.clone(), *index)));
    let mut responses: Vec<ReassignableTopicResponse> = Vec::new();
    for (topic, index, outcome) in outcomes {
        let (error_code, error_message) =
            outcome.err().map_or((ErrorCode::NONE, None), |error| coded(&error));
        let partition_index = index.0;
        let partition = ReassignablePartitionResponse {
            partition_index,
            error_code,
            error_message,
            ..Default::default()
        };
        add(&mut responses, topic.into(), partition);
    }
    AlterPartitionReassignmentsResponse { allow_replication_factor_change, responses, ..Default::default() }
}

fn wishes(topic: &ReassignableTopic) -> impl Iterator<Item = Reassignment> {
    let name = TopicName::from(topic.name.clone());
    topic.partitions.iter().map(move |partition| Reassignment {
        topic: name.clone(),
        index: PartitionIndex(partition.partition_index),
        replicas: partition.replicas.as_ref().map(|ids| ids.iter().copied().map(NodeId).collect()),
    })
}

/// Partitions of one topic follow each other, as in the request.
fn add(
    responses: &mut Vec<ReassignableTopicResponse>,
    name: ByteString,
    partition: ReassignablePartitionResponse,
) {
    match responses.last_mut() {
        Some(last) if last.name == name => last.partitions.push(partition),
        _ => responses.push(ReassignableTopicResponse {
            name,
            partitions: vec![partition],
            ..Default::default()
        }),
    }
}
