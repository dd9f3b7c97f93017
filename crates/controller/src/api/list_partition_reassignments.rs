//! ListPartitionReassignments (KIP-455): which partitions are on the move, of those asked for or of all.
//!
//! Errors: NOT_CONTROLLER. What does not exist is not in the answer.

use ottla_metadata::plan::{OngoingReassignments, list_partition_reassignments};
use ottla_protocol::Request;
use ottla_protocol::messages::list_partition_reassignments::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use ottla_protocol::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};
use ottla_server::RequestContext;
use ottla_types::{NodeId, PartitionIndex, TopicName};

use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    if let Err(error) = controller.check_active() {
        return request.error_response(cx.version, error.code());
    }
    let asked: Option<Vec<_>> = request.topics.as_ref().map(|topics| {
        let indexes = |ids: &[i32]| ids.iter().copied().map(PartitionIndex).collect();
        topics
            .iter()
            .map(|topic| (TopicName::from(topic.name.clone()), indexes(&topic.partition_indexes)))
            .collect()
    });
    let ongoing = list_partition_reassignments(&controller.image(), asked.as_deref());
    ListPartitionReassignmentsResponse {
        topics: ongoing.into_iter().map(topic).collect(),
        ..Default::default()
    }
}

fn topic((name, moving): OngoingReassignments) -> OngoingTopicReassignment {
    let ids = |nodes: &[NodeId]| nodes.iter().map(|id| id.0).collect();
    let partitions = moving.into_iter().map(|(index, partition)| OngoingPartitionReassignment {
        partition_index: index.0,
        replicas: ids(&partition.replicas),
        adding_replicas: ids(&partition.adding_replicas),
        removing_replicas: ids(&partition.removing_replicas),
        ..Default::default()
    });
    OngoingTopicReassignment { name: name.into(), partitions: partitions.collect(), ..Default::default() }
}
