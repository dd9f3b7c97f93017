//! Listing partitions that move to other brokers (KIP-455).

use ottla_protocol::messages::ListPartitionReassignmentsRequest;
use ottla_protocol::messages::list_partition_reassignments::OngoingTopicReassignment;
use ottla_types::{NodeId, TopicPartition};

use super::Admin;
use crate::Result;
use crate::error::check;

const WHAT: &str = "listing reassignments";

/// A partition on the move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassignment {
    /// The partition.
    pub partition: TopicPartition,
    /// The brokers that hold it or will, the preferred leader first.
    pub replicas: Vec<NodeId>,
    /// Those of them that are new.
    pub adding: Vec<NodeId>,
    /// Those of them that leave it at the end.
    pub removing: Vec<NodeId>,
}

impl Admin {
    /// All partitions that are on the move, by topic and number.
    pub async fn list_partition_reassignments(&self) -> Result<Vec<Reassignment>> {
        let request = &ListPartitionReassignmentsRequest {
            timeout_ms: self.timeout_ms(),
            topics: None,
            ..ListPartitionReassignmentsRequest::default()
        };
        self.at_controller(WHAT.to_owned(), move |connection| async move {
            let response = connection.call(request).await?;
            check(response.error_code, response.error_message.as_deref(), || WHAT.to_owned())?;
            let mut moves: Vec<_> = response.topics.into_iter().flat_map(reassignments).collect();
            moves.sort_by(|a, b| a.partition.cmp(&b.partition));
            Ok(moves)
        })
        .await
    }
}

fn reassignments(topic: OngoingTopicReassignment) -> impl Iterator<Item = Reassignment> {
    let nodes = |ids: &[i32]| ids.iter().copied().map(NodeId).collect();
    topic.partitions.into_iter().map(move |partition| Reassignment {
        partition: TopicPartition::new(topic.name.clone(), partition.partition_index),
        replicas: nodes(&partition.replicas),
        adding: nodes(&partition.adding_replicas),
        removing: nodes(&partition.removing_replicas),
    })
}
