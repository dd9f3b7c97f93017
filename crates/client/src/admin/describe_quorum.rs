//! Describing the metadata quorum (KIP-595, KIP-853).

use ottla_protocol::messages::DescribeQuorumRequest;
use ottla_protocol::messages::describe_quorum::{
    DescribeQuorumResponse, Node, PartitionData, ReplicaState, TopicData,
};
use ottla_types::{DirectoryId, LeaderEpoch, NodeId, Offset, TimestampMs};

use super::{Admin, silent};
use crate::Result;
use crate::error::check;

const METADATA_TOPIC: &str = "__cluster_metadata";
const WHAT: &str = "describing the metadata quorum";

/// The metadata quorum as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumInfo {
    /// The active controller; none while there is an election.
    pub leader: Option<NodeId>,
    /// Of the leader.
    pub epoch: LeaderEpoch,
    /// The offset up to which the log is committed.
    pub high_watermark: Option<Offset>,
    /// Those with a vote, by id.
    pub voters: Vec<QuorumReplica>,
    /// Those that follow without one: controllers and brokers, by id.
    pub observers: Vec<QuorumReplica>,
}

/// One that keeps the metadata log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumReplica {
    /// Its `node.id`.
    pub id: NodeId,
    /// The directory that it keeps the log in, if the cluster tells.
    pub directory_id: Option<DirectoryId>,
    /// The offset after its last record, as far as the leader knows.
    pub log_end: Option<Offset>,
    /// When it fetched last, by the leader's clock; the leader's own is the time of the answer.
    pub last_fetch: Option<TimestampMs>,
    /// When it last had everything.
    pub last_caught_up: Option<TimestampMs>,
    /// Where it is reached, if the cluster tells.
    pub endpoints: Vec<QuorumEndpoint>,
}

/// Where a controller is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumEndpoint {
    /// The name of its listener.
    pub listener: String,
    /// A name or address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl QuorumInfo {
    /// The leader's entry among the voters. One that was just removed has none.
    pub fn leading(&self) -> Option<&QuorumReplica> {
        self.voters.iter().find(|voter| Some(voter.id) == self.leader)
    }
}

impl Admin {
    /// Who votes and follows in the metadata quorum, and how far each is.
    pub async fn describe_quorum(&self) -> Result<QuorumInfo> {
        let topic = TopicData {
            topic_name: METADATA_TOPIC.into(),
            partitions: vec![PartitionData::default()],
            ..TopicData::default()
        };
        let request = &DescribeQuorumRequest { topics: vec![topic], ..DescribeQuorumRequest::default() };
        self.at_controller(WHAT.to_owned(), move |connection| async move {
            let response = connection.call(request).await?;
            let message = response.error_message.as_deref();
            check(response.error_code, message, || WHAT.to_owned())?;
            quorum(response)?.ok_or_else(|| silent(&connection, METADATA_TOPIC))
        })
        .await
    }
}

fn quorum(response: DescribeQuorumResponse) -> Result<Option<QuorumInfo>> {
    let partition = response.topics.into_iter().next().and_then(|topic| topic.partitions.into_iter().next());
    let Some(partition) = partition else { return Ok(None) };
    check(partition.error_code, partition.error_message.as_deref(), || WHAT.to_owned())?;
    let replicas = |states: Vec<ReplicaState>| {
        let mut replicas: Vec<_> = states.into_iter().map(|state| replica(&state, &response.nodes)).collect();
        replicas.sort_by_key(|replica| replica.id);
        replicas
    };
    Ok(Some(QuorumInfo {
        leader: Some(NodeId(partition.leader_id)).filter(|id| id.is_some()),
        epoch: LeaderEpoch(partition.leader_epoch),
        high_watermark: offset(partition.high_watermark),
        voters: replicas(partition.current_voters),
        observers: replicas(partition.observers),
    }))
}

fn replica(state: &ReplicaState, nodes: &[Node]) -> QuorumReplica {
    let node = nodes.iter().find(|node| node.node_id == state.replica_id);
    let listeners = node.into_iter().flat_map(|node| &node.listeners);
    let endpoints = listeners.map(|at| QuorumEndpoint {
        listener: at.name.to_string(),
        host: at.host.to_string(),
        port: at.port,
    });
    let time = |ms: i64| Some(ms).filter(|_| ms >= 0);
    QuorumReplica {
        id: NodeId(state.replica_id),
        directory_id: Some(state.replica_directory_id).filter(|id| !id.is_zero()),
        log_end: offset(state.log_end_offset),
        last_fetch: time(state.last_fetch_timestamp),
        last_caught_up: time(state.last_caught_up_timestamp),
        endpoints: endpoints.collect(),
    }
}

fn offset(offset: i64) -> Option<Offset> {
    Some(Offset(offset)).filter(|_| offset >= 0)
}

#[cfg(test)]
mod tests {
    use ottla_protocol::messages::describe_quorum::{
        DescribeQuorumResponsePartitionData, DescribeQuorumResponseTopicData,
    };

    use super::*;

    #[test]
    fn what_is_not_known_is_none() {
        let voter = ReplicaState { replica_id: 3, log_end_offset: -1, ..ReplicaState::default() };
        let partition = DescribeQuorumResponsePartitionData {
            leader_id: -1,
            high_watermark: -1,
            current_voters: vec![voter],
            ..Default::default()
        };
        let topic = DescribeQuorumResponseTopicData { partitions: vec![partition], ..Default::default() };
        let response = DescribeQuorumResponse { topics: vec![topic], ..Default::default() };
        let quorum = quorum(response).unwrap().unwrap();
        assert_eq!((quorum.leader, quorum.high_watermark), (None, None));
        let expected = QuorumReplica {
            id: NodeId(3),
            directory_id: None,
            log_end: None,
            last_fetch: None,
            last_caught_up: None,
            endpoints: Vec::new(),
        };
        assert_eq!(quorum.voters, [expected]);
    }
}
