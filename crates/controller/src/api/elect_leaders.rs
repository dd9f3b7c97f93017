//! ElectLeaders (KIP-460): preferred leaders take over, or replicas out of sync where nobody leads.
//!
//! Without partitions all that need it are elected, and only those are in the answer. Errors: UNKNOWN_TOPIC_OR_PARTITION,
//! ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE, INVALID_REQUEST, NOT_CONTROLLER.

use ottla_metadata::plan::{ElectionType, plan_elect_leaders};
use ottla_protocol::messages::elect_leaders::{PartitionResult, ReplicaElectionResult};
use ottla_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};
use ottla_protocol::{ByteString, ErrorCode, Request};
use ottla_server::RequestContext;
use ottla_types::{PartitionIndex, TopicName};

use super::coded;
use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: ElectLeadersRequest,
) -> ElectLeadersResponse {
    let kind = match request.election_type {
        0 => ElectionType::Preferred,
        1 => ElectionType::Unclean,
        _ => return request.error_response(cx.version, ErrorCode::INVALID_REQUEST),
    };
    let partitions: Option<Vec<_>> = request.topic_partitions.as_ref().map(|topics| {
        let of_topic = |topic: &ottla_protocol::messages::elect_leaders::TopicPartitions| {
            let name = TopicName::from(topic.topic.clone());
            topic.partitions.iter().map(|index| (name.clone(), PartitionIndex(*index))).collect::<Vec<_>>()
        };
        topics.iter().flat_map(of_topic).collect()
    });
    let outcome = controller
        .decide(move |plan| plan_elect_leaders(plan.image, plan.settings, kind, partitions.as_deref()))
        .await;
    let outcomes = match outcome {
        Ok(outcomes) => outcomes,
        Err(error) => return request.error_response(cx.version, error.code()),
    };
    let mut results: Vec<ReplicaElectionResult> = Vec::new();
    for (topic, index, outcome) in outcomes {
        let (error_code, error_message) =
            outcome.err().map_or((ErrorCode::NONE, None), |error| coded(&error));
        let result =
            PartitionResult { partition_id: index.0, error_code, error_message, ..Default::default() };
        add(&mut results, topic.into(), result);
    }
    ElectLeadersResponse { replica_election_results: results, ..Default::default() }
}

fn add(results: &mut Vec<ReplicaElectionResult>, topic: ByteString, result: PartitionResult) {
    match results.last_mut() {
        Some(last) if last.topic == topic => last.partition_result.push(result),
        _ => results.push(ReplicaElectionResult {
            topic,
            partition_result: vec![result],
            ..Default::default()
        }),
    }
}
