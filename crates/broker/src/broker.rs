//! What handlers see of the broker.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use ottla_config::{BrokerConfig, ConfigEntry};
use ottla_env::{Clock, Monotonic};
use ottla_group_coordinator::DeletedTopic;
use ottla_metadata::image::{ConfigResource, ResourceKind, SUPPORTED_FEATURES};
use ottla_metadata::{MetadataDelta, MetadataImage};
use ottla_server::{FeatureRange, Forwards, HasConfigs, HasFeatures, NodeFeatures, SocketServer};
use ottla_telemetry::LogLevels;
use ottla_types::{ByteString, NodeId, PartitionIndex, TopicId, TopicName};
use tokio::time::Instant;

use crate::auto_topics::AutoTopics;
use crate::controller_channel::ControllerChannel;
use crate::coordinators::GroupCoordinator;
use crate::effective_configs::EffectiveConfigs;
use crate::fetch_session::FetchSessions;
use crate::lifecycle::Registration;
use crate::metadata_cache::MetadataCache;
use crate::metadata_feed::OnMetadata;
use crate::producer_ids::ProducerIds;
use crate::replica_manager::{Partition, PartitionError, ReplicaManager};
use crate::suspects::{LostBrokers, Suspects};

/// How long a read waits for a partition to be opened. It holds up the connection's other answers.
const OPENS_WITHIN: Duration = Duration::from_millis(500);
/// How long a client waits for metadata while this broker may have missed some.
const CATCHES_UP_WITHIN: Duration = Duration::from_millis(500);
/// How long after a client this broker may notice that a process has ended.
const NOTICES_WITHIN: Duration = Duration::from_millis(5);
/// How long a client that asks who leads waits for the election after a leader's death. A controller that is in office needs a
/// few milliseconds; one that has to be elected first would make clients wait for too long.
const ELECTS_WITHIN: Duration = Duration::from_millis(200);

/// A running broker, as its handlers see it.
#[derive(Debug)]
pub struct Broker {
    pub(crate) node_id: NodeId,
    pub(crate) cluster_id: ByteString,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: ArcSwap<BrokerConfig>,
    pub(crate) configs: EffectiveConfigs,
    pub(crate) metadata: Arc<MetadataCache>,
    pub(crate) replicas: Arc<ReplicaManager>,
    pub(crate) groups: Arc<GroupCoordinator>,
    pub(crate) controller: ControllerChannel,
    pub(crate) registration: Arc<Registration>,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) producer_ids: ProducerIds,
    pub(crate) lost_brokers: LostBrokers,
    pub(crate) log_levels: Option<LogLevels>,
    pub(crate) socket_server: Arc<SocketServer>,
}

impl Broker {
    /// `node.id`.
    pub fn node_id(&self) -> NodeId {
        self.node_id
    }

    /// The cluster's id.
    pub fn cluster_id(&self) -> &ByteString {
        &self.cluster_id
    }

    /// The metadata now.
    pub(crate) fn image(&self) -> Arc<MetadataImage> {
        self.metadata.image()
    }

    pub(crate) fn metadata(&self) -> &MetadataCache {
        &self.metadata
    }

    /// The typed settings in force.
    pub(crate) fn config(&self) -> Arc<BrokerConfig> {
        self.config.load_full()
    }

    pub(crate) fn configs(&self) -> &EffectiveConfigs {
        &self.configs
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    pub(crate) fn groups(&self) -> &GroupCoordinator {
        &self.groups
    }

    pub(crate) fn channel(&self) -> &ControllerChannel {
        &self.controller
    }

    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Brokers that clients are not to be sent to, though the metadata has them lead: this one, if its lease has run out,
    /// and those that are lost.
    pub(crate) fn suspects(&self) -> Suspects {
        let myself = (!self.has_lease()).then_some(self.node_id);
        self.lost_brokers.suspects(myself, self.clock.now(), self.decided_by())
    }

    /// When the controller will have decided what becomes of a broker that is lost now.
    pub(crate) fn decided_by(&self) -> Monotonic {
        let session = u64::try_from(self.config().node.session_timeout_ms).unwrap_or(0);
        self.clock.now() + Duration::from_millis(session)
    }

    /// Waits, not for long, while the metadata is known to be old, before it is shown to clients. Returns who is still not to be named as a
    /// leader.
    ///
    /// This broker may have stood still for longer than its lease: what came since lies in its sockets. Or a leader's process has
    /// just ended: the controller is about to elect others. Who is told meanwhile that nobody leads may give up
    /// (librdkafka's `query_watermark_offsets`), or asks again only a second later (its producer).
    pub(crate) async fn settle(&self) -> Suspects {
        if !self.has_lease() {
            let is_news = |image: &MetadataImage| {
                self.has_lease() || image.brokers.get(self.node_id).is_none_or(|myself| myself.fenced)
            };
            let _ = self.metadata.wait_for(CATCHES_UP_WITHIN, is_news).await;
        }
        let mut suspects = self.suspects();
        if suspects.are_none() && self.lost_brokers.watch_any() {
            tokio::time::sleep(NOTICES_WITHIN).await;
            suspects = self.suspects();
        }
        let is_decided = |image: &MetadataImage| !suspects.await_decision(image);
        let _ = self.metadata.wait_for(ELECTS_WITHIN, is_decided).await;
        suspects
    }

    /// Whether this broker may answer clients for what it leads.
    pub(crate) fn has_lease(&self) -> bool {
        self.replicas.lease().is_valid(Duration::from_nanos(self.clock.now().0))
    }

    pub(crate) fn lost_brokers(&self) -> &LostBrokers {
        &self.lost_brokers
    }

    /// The levels of this process's loggers; `None` where somebody else set up its logs.
    pub(crate) fn log_levels(&self) -> Option<&LogLevels> {
        self.log_levels.as_ref()
    }

    pub(crate) fn fetch_sessions(&self) -> &FetchSessions {
        &self.fetch_sessions
    }

    pub(crate) fn producer_ids(&self) -> &ProducerIds {
        &self.producer_ids
    }

    pub(crate) fn auto_topics(&self) -> AutoTopics<'_> {
        AutoTopics::new(self)
    }

    /// The name of the topic with this id.
    pub(crate) fn topic_name(&self, id: TopicId) -> Option<TopicName> {
        self.image().topics.by_id(id).map(|topic| topic.name.clone())
    }

    /// Like [`Broker::partition`] for a request that names the topic by its id: a topic created anew under the name is
    /// another one.
    pub(crate) fn partition_by_id(
        &self,
        topic: &str,
        id: TopicId,
        index: PartitionIndex,
    ) -> Result<Arc<Partition>, PartitionError> {
        let partition = self.partition(topic, index)?;
        if partition.id().topic_id == id { Ok(partition) } else { Err(PartitionError::UnknownTopicId) }
    }

    /// Those of the partitions named that are not open yet, as after a start. They are opened next.
    pub(crate) fn unopened(
        &self,
        named: impl Iterator<Item = (TopicName, PartitionIndex)>,
    ) -> Vec<(TopicName, PartitionIndex)> {
        let opening = self.replicas.opening();
        if opening.is_empty() {
            return Vec::new();
        }
        named.filter(|(topic, index)| opening.hurry(topic.as_str(), *index)).collect()
    }

    /// Waits, not for long, until partitions are open. For requests that change nothing: others could overtake each
    /// other, and are refused until then.
    pub(crate) async fn opened(&self, unopened: Vec<(TopicName, PartitionIndex)>) {
        if unopened.is_empty() {
            return;
        }
        self.replicas.start_opening();
        let deadline = Instant::now() + OPENS_WITHIN;
        for (topic, index) in unopened {
            self.replicas.opening().opened(topic.as_str(), index, deadline).await;
        }
    }

    /// The partition `index` of `topic` on this broker, or why there is none.
    pub(crate) fn partition(
        &self,
        topic: &str,
        index: PartitionIndex,
    ) -> Result<Arc<Partition>, PartitionError> {
        if let Some(partition) = self.replicas.partition(topic, index) {
            return Ok(partition);
        }
        let image = self.image();
        let known = image.topics.by_name(topic).and_then(|topic| topic.partition(index));
        match known {
            None => Err(PartitionError::UnknownTopicOrPartition),
            Some(_) => match self.replicas.damage(&TopicName::from(topic), index) {
                Some(reason) => Err(PartitionError::Damaged { reason }),
                None if self.replicas.opening().hurry(topic, index) => Err(PartitionError::Opening),
                None => Err(PartitionError::NotHosted),
            },
        }
    }
}

impl Forwards for Broker {
    type Channel = ControllerChannel;

    fn controller(&self) -> &ControllerChannel {
        &self.controller
    }
}

impl HasFeatures for Broker {
    fn features(&self) -> NodeFeatures {
        let image = self.image();
        let range = |name: &str, min, max| FeatureRange { name: ByteString::from(name), min, max };
        NodeFeatures {
            node_id: self.node_id.0,
            cluster_id: Some(self.cluster_id.clone()),
            supported: SUPPORTED_FEATURES.iter().map(|&(name, min, max)| range(name, min, max)).collect(),
            finalized_epoch: image.offset.0,
            finalized: image.features.iter().map(|(name, level)| range(name, level, level)).collect(),
        }
    }
}

impl HasConfigs for Broker {
    fn id(&self) -> NodeId {
        self.node_id
    }

    fn loggers(&self) -> Option<&LogLevels> {
        self.log_levels()
    }

    fn describe(&self, resource_type: i8, name: &str) -> Option<Vec<ConfigEntry>> {
        let kind = ResourceKind::from_code(resource_type)?;
        self.configs.describe(&self.image(), &ConfigResource { kind, name: name.into() })
    }
}

impl OnMetadata for Broker {
    fn apply(&self, before: &MetadataImage, after: &Arc<MetadataImage>, delta: &MetadataDelta) {
        if !delta.configs.is_empty() || !delta.brokers.is_empty() || delta.features {
            match self.configs.broker(after) {
                Ok(config) => self.config.store(Arc::new(config)),
                // The controller validates what it accepts; what fits no longer leaves the former settings in force.
                Err(errors) => tracing::error!("dynamic settings are not applied: {errors}"),
            }
        }
        if delta.configs.contains(&ConfigResource::default_broker()) {
            self.configs.warn_of_min_isr(after);
        }
        let config = self.config();
        self.replicas.limit_moves(config.replication.alter_log_dirs_max_bytes_per_second);
        self.replicas.quotas().configure(&config.replication);
        self.socket_server.limit_connections(&config.socket);
        if self.replicas.cordon(&config.log.cordoned_dirs) {
            self.registration.heartbeat_now();
        }
        if let Err(error) = self.replicas.configure_cleaner(&config.log.cleaner) {
            tracing::error!(
                "cannot start a log cleaner thread: {error}; raise the process limit (ulimit -u)"
            );
        }
        self.replicas.apply(before, after, delta, |topic| self.configs.partition(after, &config, topic));
        self.forget_topics(delta);
    }
}

impl Broker {
    fn forget_topics(&self, delta: &MetadataDelta) {
        if delta.topics.deleted.is_empty() {
            return;
        }
        let topics: Vec<DeletedTopic> = delta
            .topics
            .deleted
            .values()
            .map(|topic| DeletedTopic { topic: topic.name.clone(), topic_id: topic.id })
            .collect();
        for topic in &topics {
            self.replicas.topic_metrics().forget(topic.topic.as_str());
        }
        let groups = Arc::clone(&self.groups);
        tokio::spawn(async move { groups.topics_deleted(topics).await });
    }
}
