//! What is known about the cluster.

use std::collections::{BTreeMap, HashMap, HashSet};

use std::sync::Arc;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::metadata::{MetadataResponse, MetadataResponseTopic};
use ottla_types::{LeaderEpoch, NodeId, PartitionIndex, TopicId, TopicName, TopicPartition};
use tokio::time::Instant;

/// A broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerInfo {
    /// Its `node.id`.
    pub id: NodeId,
    /// Where clients reach it.
    pub host: String,
    /// Where clients reach it.
    pub port: i32,
    /// Its `broker.rack`.
    pub rack: Option<String>,
}

impl BrokerInfo {
    /// `host:port`; IPv6 addresses in brackets.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// A topic and its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its name.
    pub name: TopicName,
    /// This creation of it; zero if the broker is older than topic ids.
    pub id: TopicId,
    /// Whether it is one of the platform's own.
    pub internal: bool,
    /// By number, from 0 without gaps.
    pub partitions: Vec<PartitionInfo>,
}

impl TopicInfo {
    /// The partition of that number.
    pub fn partition(&self, partition: PartitionIndex) -> Option<&PartitionInfo> {
        let at = usize::try_from(partition.0).ok()?;
        self.partitions.get(at).filter(|p| p.index == partition)
    }

    /// All its partitions.
    pub fn topic_partitions(&self) -> impl Iterator<Item = TopicPartition> {
        self.partitions.iter().map(|p| TopicPartition::new(self.name.clone(), p.index))
    }
}

/// A partition and its replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionInfo {
    /// Its number.
    pub index: PartitionIndex,
    /// Its leader, or none for the moment.
    pub leader: Option<NodeId>,
    /// The leader's epoch, or none from old brokers.
    pub leader_epoch: LeaderEpoch,
    /// The brokers that hold it, the preferred leader first.
    pub replicas: Vec<NodeId>,
    /// Those that have everything that was acknowledged.
    pub isr: Vec<NodeId>,
    /// Those that are down.
    pub offline: Vec<NodeId>,
}

/// A snapshot; a refresh makes a new one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) cluster_id: Option<String>,
    pub(crate) controller: Option<NodeId>,
    pub(crate) brokers: BTreeMap<NodeId, BrokerInfo>,
    topics: HashMap<TopicName, (Instant, Arc<TopicInfo>)>,
}

impl Metadata {
    pub(crate) fn topic(&self, name: &TopicName) -> Option<&Arc<TopicInfo>> {
        self.topics.get(name).map(|(_, topic)| topic)
    }

    pub(crate) fn topics(&self) -> impl Iterator<Item = &Arc<TopicInfo>> {
        self.topics.values().map(|(_, topic)| topic)
    }

    /// When the topic was last asked about.
    pub(crate) fn topic_updated(&self, name: &TopicName) -> Option<Instant> {
        self.topics.get(name).map(|(at, _)| *at)
    }

    pub(crate) fn topic_by_id(&self, id: TopicId) -> Option<&Arc<TopicInfo>> {
        self.topics.values().map(|(_, topic)| topic).find(|t| t.id == id)
    }

    pub(crate) fn partition(&self, name: &TopicName, partition: PartitionIndex) -> Option<&PartitionInfo> {
        self.topic(name)?.partition(partition)
    }

    /// Takes an answer in. Topics that it does not name stay, unless it names `all`. The errors are
    /// given back per topic.
    pub(crate) fn merge(
        &mut self,
        response: &MetadataResponse,
        all: bool,
        now: Instant,
    ) -> HashMap<TopicName, ErrorCode> {
        self.cluster_id = response.cluster_id.as_ref().map(ToString::to_string);
        self.controller = Some(NodeId(response.controller_id)).filter(|id| id.is_some());
        if !response.brokers.is_empty() {
            self.brokers = response
                .brokers
                .iter()
                .map(|b| {
                    let rack = b.rack.as_ref().map(ToString::to_string);
                    let id = NodeId(b.node_id);
                    (id, BrokerInfo { id, host: b.host.to_string(), port: b.port, rack })
                })
                .collect();
        }
        let mut errors = HashMap::new();
        for topic in &response.topics {
            let Some(name) = topic.name.clone().map(TopicName::from) else { continue };
            match topic.error_code {
                ErrorCode::NONE => {
                    let known = self.topics.get(&name).map(|(_, t)| &**t);
                    let topic = topic_info(name.clone(), topic, known);
                    self.topics.insert(name, (now, Arc::new(topic)));
                }
                error => {
                    if matches!(error, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION | ErrorCode::UNKNOWN_TOPIC_ID) {
                        self.topics.remove(&name);
                    }
                    errors.insert(name, error);
                }
            }
        }
        if all {
            let named: HashSet<&str> = response.topics.iter().filter_map(|t| t.name.as_deref()).collect();
            self.topics.retain(|name, _| named.contains(name.as_str()));
        }
        errors
    }
}

/// A partition whose leader epoch is older than what is known stays as known: the broker that answered
/// is behind (KIP-320).
fn topic_info(name: TopicName, topic: &MetadataResponseTopic, known: Option<&TopicInfo>) -> TopicInfo {
    let known = known.filter(|k| k.id == topic.topic_id);
    let nodes = |ids: &[i32]| ids.iter().copied().map(NodeId).collect();
    let mut partitions: Vec<_> = topic
        .partitions
        .iter()
        .map(|p| {
            let fresh = PartitionInfo {
                index: PartitionIndex(p.partition_index),
                leader: Some(NodeId(p.leader_id)).filter(|id| id.is_some()),
                leader_epoch: LeaderEpoch(p.leader_epoch),
                replicas: nodes(&p.replica_nodes),
                isr: nodes(&p.isr_nodes),
                offline: nodes(&p.offline_replicas),
            };
            let known = known.and_then(|k| k.partitions.iter().find(|k| k.index == fresh.index));
            match known {
                Some(known) if fresh.leader_epoch.is_some() && fresh.leader_epoch < known.leader_epoch => {
                    known.clone()
                }
                _ => fresh,
            }
        })
        .collect();
    partitions.sort_by_key(|p| p.index);
    TopicInfo { name, id: topic.topic_id, internal: topic.is_internal, partitions }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_protocol::messages::metadata::MetadataResponsePartition;

    fn answer(leader_id: i32, leader_epoch: i32, error_code: ErrorCode) -> MetadataResponse {
        let partition = MetadataResponsePartition { leader_id, leader_epoch, ..Default::default() };
        let topic = MetadataResponseTopic {
            name: Some("t".into()),
            error_code,
            partitions: vec![partition],
            ..Default::default()
        };
        MetadataResponse { topics: vec![topic], ..Default::default() }
    }

    fn leader(metadata: &Metadata) -> Option<i32> {
        metadata.partition(&"t".into(), PartitionIndex(0))?.leader.map(|n| n.0)
    }

    #[tokio::test]
    async fn an_older_leader_epoch_does_not_win() {
        let mut metadata = Metadata::default();
        metadata.merge(&answer(1, 5, ErrorCode::NONE), false, Instant::now());
        metadata.merge(&answer(2, 4, ErrorCode::NONE), false, Instant::now());
        assert_eq!(leader(&metadata), Some(1));
        metadata.merge(&answer(2, 6, ErrorCode::NONE), false, Instant::now());
        assert_eq!(leader(&metadata), Some(2));
    }

    #[tokio::test]
    async fn a_deleted_topic_is_forgotten_and_a_hiccup_is_not() {
        let mut metadata = Metadata::default();
        metadata.merge(&answer(1, 5, ErrorCode::NONE), false, Instant::now());
        let errors = metadata.merge(&answer(-1, -1, ErrorCode::LEADER_NOT_AVAILABLE), false, Instant::now());
        assert_eq!(errors.get(&TopicName::from("t")), Some(&ErrorCode::LEADER_NOT_AVAILABLE));
        assert_eq!(leader(&metadata), Some(1));
        metadata.merge(&answer(-1, -1, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION), false, Instant::now());
        assert_eq!(leader(&metadata), None);
    }
}
