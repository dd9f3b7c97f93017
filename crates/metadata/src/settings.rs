//! What decisions take from configuration, resolved through all its levels.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ottla_config::{
    BrokerConfig, ConfigEntry, ConfigError, ConfigErrors, ConfigLayers, ConfigMap, MIN_INSYNC_REPLICAS, table,
};
use ottla_types::{ByteString, NodeId};

use crate::image::{ConfigResource, MetadataImage, ResourceKind};

/// What decisions take from a controller's own configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the process was started with.
    pub configured: Arc<ottla_config::Settings>,
    /// How many partitions one request may create (Kafka: 10,000 records per operation).
    pub max_partitions_per_request: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Settings {
    /// With what the process was started with.
    pub const fn new(configured: Arc<ottla_config::Settings>) -> Self {
        Self { configured, max_partitions_per_request: 10_000 }
    }

    /// The defaults of topics in the cluster that `image` describes: what was set for all brokers, else what this
    /// process was started with, else what the table says for so many brokers.
    pub fn topic_defaults(&self, image: &MetadataImage) -> TopicDefaults {
        self.in_cluster(image, |layers| TopicDefaults {
            partitions: number(layers, "num.partitions", 1),
            replication_factor: number(layers, "default.replication.factor", 1),
            min_insync_replicas: number(layers, MIN_INSYNC_REPLICAS, 1),
            unclean_leader_election: flag(layers, "unclean.leader.election.enable"),
        })
    }

    /// Whether `controller.quorum.voters` names the voters.
    pub(crate) fn names_voters(&self) -> bool {
        let none = ConfigMap::new();
        let layers = ConfigLayers {
            settings: &self.configured,
            broker: &none,
            cluster: &none,
            brokers: 1,
            elr: false,
        };
        layers.broker_value("controller.quorum.voters").is_some_and(|voters| !voters.trim().is_empty())
    }

    /// What the balancer goes by, from the same levels.
    pub fn balancer(&self, image: &MetadataImage) -> BalancerSettings {
        self.in_cluster(image, |layers| BalancerSettings {
            enabled: flag(layers, "ottla.balancer.enable"),
            drained: layers
                .broker_value("ottla.balancer.drained.brokers")
                .map(|ids| ids.split(',').filter_map(|id| id.trim().parse().ok().map(NodeId)).collect())
                .unwrap_or_default(),
            max_moves: number(layers, "ottla.balancer.max.moves", 10),
            lost_after: number::<i64>(layers, "ottla.balancer.lost.broker.ms", -1)
                .try_into()
                .ok()
                .map(Duration::from_millis),
            interval: Duration::from_millis(number(layers, "ottla.balancer.interval.ms", 2000)),
        })
    }

    /// Whether `id` is a controller: this process, or one that `controller.quorum.voters` names.
    pub(crate) fn is_voter(&self, id: NodeId) -> bool {
        let config = BrokerConfig::from_settings(&self.configured);
        config.is_ok_and(|config| {
            let is_myself = config.node.is_controller && config.node.node_id == id;
            is_myself || config.quorum.voters.iter().any(|voter| voter.id == id.0)
        })
    }

    /// How the settings of a broker would contradict each other if `resource`, that broker or the default of all, had
    /// the dynamic ones `configs`; without what is so already. Static settings are those of this process.
    pub(crate) fn new_conflicts(
        &self,
        image: &MetadataImage,
        resource: &ConfigResource,
        configs: &ConfigMap,
    ) -> Vec<ConfigError> {
        let judge = |broker: &ConfigMap, cluster: &ConfigMap| {
            let brokers = image.brokers.len();
            let elr = image.features.elr_enabled();
            let layers = ConfigLayers { settings: &self.configured, broker, cluster, brokers, elr };
            BrokerConfig::from_layers(&layers).err().map(|ConfigErrors(errors)| errors).unwrap_or_default()
        };
        let (before, cluster) =
            (image.own_configs(resource), image.own_configs(&ConfigResource::default_broker()));
        let (known, mut found) = match resource.name.is_empty() {
            true => (judge(&ConfigMap::new(), &cluster), judge(&ConfigMap::new(), configs)),
            false => (judge(&before, &cluster), judge(configs, &cluster)),
        };
        found.retain(|error| !known.contains(error));
        found
    }

    /// Reads the levels that count for all brokers of the cluster that `image` describes.
    pub(crate) fn in_cluster<T>(
        &self,
        image: &MetadataImage,
        read: impl FnOnce(&ConfigLayers<'_>) -> T,
    ) -> T {
        let cluster = image.own_configs(&ConfigResource::default_broker());
        let none = ConfigMap::new();
        let (brokers, elr) = (image.brokers.len(), image.features.elr_enabled());
        read(&ConfigLayers { settings: &self.configured, broker: &none, cluster: &cluster, brokers, elr })
    }
}

/// What a topic has that does not say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicDefaults {
    /// `num.partitions`.
    pub partitions: i32,
    /// `default.replication.factor`.
    pub replication_factor: i16,
    /// `min.insync.replicas`.
    pub min_insync_replicas: i32,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election: bool,
}

/// What the balancer goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancerSettings {
    /// `ottla.balancer.enable`.
    pub enabled: bool,
    /// `ottla.balancer.drained.brokers`: they are to be empty.
    pub drained: BTreeSet<NodeId>,
    /// `ottla.balancer.max.moves`: how many partitions may be on the move at a time.
    pub max_moves: usize,
    /// `ottla.balancer.lost.broker.ms`: how long a broker is away until it counts as lost; `None` for ever.
    pub lost_after: Option<Duration>,
    /// `ottla.balancer.interval.ms`: how often to look.
    pub interval: Duration,
}

impl TopicDefaults {
    /// How many replicas of `topic`'s partitions have to be in sync for acks=all; never more than there are replicas.
    pub(crate) fn min_insync_replicas(&self, image: &MetadataImage, topic: &str, replicas: usize) -> usize {
        let own = image
            .configs
            .value(&ConfigResource::topic(topic), MIN_INSYNC_REPLICAS)
            .and_then(|value| value.trim().parse().ok());
        usize::try_from(own.unwrap_or(self.min_insync_replicas)).unwrap_or(1).clamp(1, replicas.max(1))
    }

    /// Whether a replica out of sync may lead `topic`'s partitions when no other can.
    pub(crate) fn unclean_leader_election(&self, image: &MetadataImage, topic: &str) -> bool {
        image
            .configs
            .value(&ConfigResource::topic(topic), "unclean.leader.election.enable")
            .map_or(self.unclean_leader_election, |value| is_true(value))
    }
}

impl MetadataImage {
    /// The dynamic settings of `resource`.
    pub fn own_configs(&self, resource: &ConfigResource) -> ConfigMap {
        let set = self.configs.get(resource);
        set.iter()
            .flat_map(|set| set.iter())
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect()
    }

    /// Calls `look` with all levels of the settings of node `id`, which was started with `settings`.
    pub fn with_layers<T>(
        &self,
        settings: &ottla_config::Settings,
        id: NodeId,
        look: impl FnOnce(&ConfigLayers<'_>) -> T,
    ) -> T {
        let broker = self.own_configs(&ConfigResource::broker(id));
        let cluster = self.own_configs(&ConfigResource::default_broker());
        let (brokers, elr) = (self.brokers.len(), self.features.elr_enabled());
        look(&ConfigLayers { settings, broker: &broker, cluster: &cluster, brokers, elr })
    }

    /// Every setting of `resource`, as it is in force on node `id`, which was started with `settings`; `None` for a topic that
    /// there is not.
    pub fn describe_configs(
        &self,
        settings: &ottla_config::Settings,
        id: NodeId,
        resource: &ConfigResource,
    ) -> Option<Vec<ConfigEntry>> {
        let own = || self.own_configs(resource);
        self.with_layers(settings, id, |layers| match resource.kind {
            ResourceKind::Topic if self.topics.by_name(&resource.name).is_none() => None,
            ResourceKind::Topic => Some(layers.describe_topic(&own())),
            ResourceKind::Broker if resource.name.is_empty() => Some(layers.describe_cluster_default()),
            ResourceKind::Broker => Some(layers.describe_broker()),
            ResourceKind::ClientMetrics => Some(layers.describe_client_metrics(&own())),
            ResourceKind::Group => Some(layers.describe_group(&own())),
        })
    }

    /// The dynamic value of `topic`'s `key`: its own, else `broker`'s of the key or one that stands in for it, else
    /// that of all brokers. `None` if it is static or default.
    pub fn topic_config(&self, topic: &str, broker: NodeId, key: &str) -> Option<&ByteString> {
        let synonyms = table::topic(key).map_or::<&[&str], _>(&[], |def| def.synonyms);
        self.configs
            .value(&ConfigResource::topic(topic), key)
            .or_else(|| synonyms.iter().find_map(|synonym| self.configs.broker_value(broker, synonym)))
    }
}

fn number<T: std::str::FromStr>(layers: &ConfigLayers<'_>, key: &str, otherwise: T) -> T {
    layers.broker_value(key).and_then(|value| value.trim().parse().ok()).unwrap_or(otherwise)
}

fn flag(layers: &ConfigLayers<'_>, key: &str) -> bool {
    layers.broker_value(key).is_some_and(|value| is_true(&value))
}

fn is_true(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("true")
}
