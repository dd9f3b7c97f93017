//! AssignReplicasToDirs: a broker tells in which of its log directories replicas are (KIP-858).
//!
//! Errors: STALE_BROKER_EPOCH and NOT_CONTROLLER for the request; for a partition UNKNOWN_TOPIC_ID,
//! UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER where the broker is no replica.

use ottla_metadata::plan::{AssignReplicaError, DirectoryAssignment, plan_assign_replicas_to_dirs};
use ottla_protocol::messages::assign_replicas_to_dirs::{
    AssignReplicasToDirsRequest, AssignReplicasToDirsResponse, AssignReplicasToDirsResponseDirectoryData,
    AssignReplicasToDirsResponsePartitionData, AssignReplicasToDirsResponseTopicData,
};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;
use ottla_types::{BrokerEpoch, NodeId, PartitionIndex};

use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: AssignReplicasToDirsRequest,
) -> AssignReplicasToDirsResponse {
    let (broker, epoch) = (NodeId(request.broker_id), BrokerEpoch(request.broker_epoch));
    let assignments = assignments(&request);
    let decided = controller.decide(move |plan| {
        plan_assign_replicas_to_dirs(plan.image, plan.settings, broker, epoch, &assignments)
    });
    let error = match decided.await {
        Ok(Ok(answers)) => return response(&request, answers),
        Ok(Err(stale)) => stale.code(),
        Err(error) => error.code(),
    };
    request.error_response(cx.version, error)
}

fn assignments(request: &AssignReplicasToDirsRequest) -> Vec<DirectoryAssignment> {
    let mut assignments = Vec::new();
    for directory in &request.directories {
        for topic in &directory.topics {
            assignments.extend(topic.partitions.iter().map(|partition| DirectoryAssignment {
                topic: topic.topic_id,
                index: PartitionIndex(partition.partition_index),
                directory: directory.id,
            }));
        }
    }
    assignments
}

/// In the shape of the request; `answers` are in its order.
fn response(
    request: &AssignReplicasToDirsRequest,
    answers: Vec<Result<(), AssignReplicaError>>,
) -> AssignReplicasToDirsResponse {
    let mut codes =
        answers.into_iter().map(|answer| answer.map_or_else(|error| error.code(), |()| ErrorCode::NONE));
    let mut directories = Vec::new();
    for directory in &request.directories {
        let mut topics = Vec::new();
        for topic in &directory.topics {
            let partition = |index| AssignReplicasToDirsResponsePartitionData {
                partition_index: index,
                error_code: codes.next().unwrap_or(ErrorCode::UNKNOWN_SERVER_ERROR),
                ..Default::default()
            };
            topics.push(AssignReplicasToDirsResponseTopicData {
                topic_id: topic.topic_id,
                partitions: topic.partitions.iter().map(|p| p.partition_index).map(partition).collect(),
                ..Default::default()
            });
        }
        let id = directory.id;
        directories.push(AssignReplicasToDirsResponseDirectoryData { id, topics, ..Default::default() });
    }
    AssignReplicasToDirsResponse { directories, ..Default::default() }
}
