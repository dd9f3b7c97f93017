//! Fetches: one under way per broker.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData,
};
use ottla_types::{ByteString, NodeId, Offset, TopicId, TopicName, TopicPartition};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::config::ConsumerConfig;
use super::fetched::Fetched;
use super::positions::{Position, Positions};
use crate::cluster::{Cluster, Lane, Want};
use crate::{ClientError, Result};

/// What brokers may take beyond `fetch.max.wait.ms`.
const GRACE: Duration = Duration::from_secs(30);

/// The fetches of one consumer.
#[derive(Debug)]
pub(super) struct Fetcher {
    cluster: Arc<Cluster>,
    lane: Lane,
    fetches: JoinSet<Fetch>,
    busy: HashSet<NodeId>,
    /// Topics whose metadata is out of date.
    stale: HashSet<TopicName>,
}

/// A fetch that came back.
struct Fetch {
    node: NodeId,
    asked: HashMap<TopicPartition, Offset>,
    names: HashMap<TopicId, TopicName>,
    result: Result<FetchResponse>,
}

impl Fetcher {
    pub(super) fn new(cluster: Arc<Cluster>, lane: Lane) -> Self {
        Self { cluster, lane, fetches: JoinSet::new(), busy: HashSet::new(), stale: HashSet::new() }
    }

    /// Sends a fetch to each leader that has something to bring and none to answer.
    pub(super) async fn send(&mut self, config: &ConsumerConfig, positions: &mut Positions) {
        self.refresh().await;
        let metadata = self.cluster.metadata();
        let mut by_node: HashMap<NodeId, HashMap<TopicPartition, Offset>> = HashMap::new();
        for (partition, offset) in positions.wanted(Instant::now()) {
            match metadata.partition(&partition.topic, partition.partition).and_then(|p| p.leader) {
                Some(node) if self.busy.contains(&node) => {}
                Some(node) => {
                    by_node.entry(node).or_default().insert(partition.clone(), offset);
                }
                None => {
                    self.stale.insert(partition.topic.clone());
                }
            }
        }
        for (node, asked) in by_node {
            for (partition, offset) in &asked {
                if let Some(state) = positions.get_mut(partition) {
                    state.fetching = Some(*offset);
                }
            }
            self.busy.insert(node);
            self.fetches.spawn(fetch(Arc::clone(&self.cluster), self.lane, config.clone(), node, asked));
        }
    }

    /// Waits for a fetch to come back and takes it in. Without one under way it waits a little, then
    /// returns, so that the caller can try again.
    pub(super) async fn receive(&mut self, config: &ConsumerConfig, positions: &mut Positions) -> Result<()> {
        let fetch = match self.fetches.join_next().await {
            Some(Ok(fetch)) => fetch,
            Some(Err(error)) => {
                // Only a defect ends one without an answer; whose it was is unknown, so all are asked again.
                tracing::error!(%error, "a fetch ended early");
                self.fetches.abort_all();
                self.busy.clear();
                positions.forget_fetches();
                return Ok(());
            }
            None => {
                tokio::time::sleep(self.cluster.config.retry_backoff).await;
                return Ok(());
            }
        };
        self.busy.remove(&fetch.node);
        for (partition, offset) in &fetch.asked {
            if let Some(state) = positions.get_mut(partition).filter(|s| s.fetching == Some(*offset)) {
                state.fetching = None;
            }
        }
        let response = match fetch.result {
            Ok(response) if response.error_code == ErrorCode::NONE => response,
            Ok(response) => {
                let error = ClientError::broker("fetching", response.error_code, None);
                return self.failed(&fetch.asked, positions, error);
            }
            Err(e) => return self.failed(&fetch.asked, positions, e),
        };
        let mut result = Ok(());
        for topic in response.responses {
            let by_id = || fetch.names.get(&topic.topic_id).cloned();
            let name = if topic.topic.is_empty() { by_id() } else { Some(topic.topic.clone().into()) };
            let Some(name) = name else { continue };
            for data in topic.partitions {
                let partition = TopicPartition::new(name.clone(), data.partition_index);
                let Some(&asked) = fetch.asked.get(&partition) else { continue };
                let taken = self.take(config, positions, &partition, asked, data);
                result = result.and(taken);
            }
        }
        result
    }

    fn take(
        &mut self,
        config: &ConsumerConfig,
        positions: &mut Positions,
        partition: &TopicPartition,
        asked: Offset,
        data: PartitionData,
    ) -> Result<()> {
        let Some(state) = positions.get_mut(partition).filter(|s| s.position == Position::At(asked)) else {
            // Moved or given up meanwhile.
            return Ok(());
        };
        match data.error_code {
            ErrorCode::NONE => {}
            ErrorCode::OFFSET_OUT_OF_RANGE => {
                let Some(spec) = config.auto_offset_reset.spec() else {
                    return Err(ClientError::OffsetOutOfRange {
                        partition: partition.clone(),
                        offset: asked,
                    });
                };
                state.position = Position::LookUp(spec);
                return Ok(());
            }
            code => {
                let error = ClientError::broker(format!("fetching {partition}"), code, None);
                return self.failed(&HashMap::from([(partition.clone(), asked)]), positions, error);
            }
        }
        state.high_watermark = Some(Offset(data.high_watermark));
        let Some(records) = data.records.as_ref().and_then(|r| r.bytes()).filter(|b| !b.is_empty()) else {
            return Ok(());
        };
        let aborted = data.aborted_transactions.unwrap_or_default();
        let name = Arc::clone(&state.name);
        let fetched = Fetched::new(name, records, asked, config.check_crcs, config.isolation_level, aborted);
        positions.fetched(partition, asked, fetched);
        Ok(())
    }

    /// A retriable failure waits and looks for the leader again.
    fn failed(
        &mut self,
        asked: &HashMap<TopicPartition, Offset>,
        positions: &mut Positions,
        error: ClientError,
    ) -> Result<()> {
        if !error.is_retriable() {
            return Err(error);
        }
        tracing::debug!(%error, "fetch failed; trying again");
        let again = Instant::now() + self.cluster.config.retry_backoff;
        for partition in asked.keys() {
            if let Some(state) = positions.get_mut(partition) {
                state.not_before = Some(again);
            }
            self.stale.insert(partition.topic.clone());
        }
        Ok(())
    }

    async fn refresh(&mut self) {
        if self.stale.is_empty() {
            return;
        }
        let topics: Vec<_> = self.stale.iter().cloned().collect();
        match self.cluster.refresh(Want::Topics(&topics), false).await {
            Ok(_) => self.stale.clear(),
            Err(error) => tracing::debug!(%error, "metadata could not be refreshed"),
        }
    }
}

async fn fetch(
    cluster: Arc<Cluster>,
    lane: Lane,
    config: ConsumerConfig,
    node: NodeId,
    asked: HashMap<TopicPartition, Offset>,
) -> Fetch {
    let (request, names) = request(&cluster, &config, &asked);
    let result = async {
        let connection = cluster.broker_on(node, lane).await?;
        connection.call_within(&request, config.fetch_max_wait + GRACE).await
    };
    let result = result.await;
    Fetch { node, asked, names, result }
}

fn request(
    cluster: &Cluster,
    config: &ConsumerConfig,
    asked: &HashMap<TopicPartition, Offset>,
) -> (FetchRequest, HashMap<TopicId, TopicName>) {
    let metadata = cluster.metadata();
    let mut topics: BTreeMap<&TopicName, Vec<FetchPartition>> = BTreeMap::new();
    for (partition, offset) in asked {
        let info = metadata.partition(&partition.topic, partition.partition);
        topics.entry(&partition.topic).or_default().push(FetchPartition {
            partition: partition.partition.0,
            current_leader_epoch: info.map_or(-1, |i| i.leader_epoch.0),
            fetch_offset: offset.0,
            partition_max_bytes: config.max_partition_fetch_bytes,
            ..FetchPartition::default()
        });
    }
    let mut names = HashMap::new();
    let topics = topics.into_iter().map(|(name, partitions)| {
        let topic_id = metadata.topic(name).map_or(TopicId::ZERO, |t| t.id);
        names.insert(topic_id, name.clone());
        FetchTopic { topic: ByteString::from(name.clone()), topic_id, partitions, ..FetchTopic::default() }
    });
    let request = FetchRequest {
        max_wait_ms: i32::try_from(config.fetch_max_wait.as_millis()).unwrap_or(i32::MAX),
        min_bytes: config.fetch_min_bytes,
        max_bytes: config.fetch_max_bytes,
        isolation_level: config.isolation_level.wire(),
        topics: topics.collect(),
        ..FetchRequest::default()
    };
    (request, names)
}
