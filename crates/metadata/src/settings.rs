//! What decisions take from static configuration, and configs resolved through all their levels.

use ottla_config::table;
use ottla_types::{ByteString, NodeId};

use crate::image::{ConfigResource, MetadataImage};

/// With this many brokers, replication is the default.
const BROKERS_FOR_REPLICATION: usize = 3;

/// What decisions take from a controller's static configuration. `None`: not configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: Option<i16>,
    /// `min.insync.replicas`.
    pub min_insync_replicas: Option<i32>,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election_enable: bool,
    /// How many partitions one request may create (Kafka: 10,000 records per operation).
    pub max_partitions_per_request: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            num_partitions: 1,
            default_replication_factor: None,
            min_insync_replicas: None,
            unclean_leader_election_enable: false,
            max_partitions_per_request: 10_000,
        }
    }
}

impl Settings {
    /// Replicas of a topic that does not say: what is configured, else 3 if there are as many brokers, else 1.
    pub fn replication_factor(&self, image: &MetadataImage) -> i16 {
        self.default_replication_factor.unwrap_or(if image.brokers.len() >= BROKERS_FOR_REPLICATION {
            3
        } else {
            1
        })
    }

    /// How many replicas of `topic`'s partitions must be in sync for acks=all: its own `min.insync.replicas`, else
    /// the brokers', else what is configured, else 2 with three brokers; but never more than there are replicas.
    pub fn min_insync_replicas(&self, image: &MetadataImage, topic: &str, replicas: usize) -> usize {
        let default = if image.brokers.len() >= BROKERS_FOR_REPLICATION { 2 } else { 1 };
        let wished = topic_or_default_broker(image, topic, "min.insync.replicas")
            .and_then(|value| value.trim().parse::<i32>().ok())
            .or(self.min_insync_replicas)
            .unwrap_or(default);
        usize::try_from(wished).unwrap_or(1).clamp(1, replicas.max(1))
    }

    /// Whether a replica out of sync may lead `topic`'s partitions when no other can.
    pub fn unclean_leader_election(&self, image: &MetadataImage, topic: &str) -> bool {
        topic_or_default_broker(image, topic, "unclean.leader.election.enable")
            .map_or(self.unclean_leader_election_enable, |value| value.trim().eq_ignore_ascii_case("true"))
    }
}

impl MetadataImage {
    /// The dynamic value of `topic`'s `key`: its own, else `broker`'s of the key or one that stands in for it, else
    /// that of all brokers. `None` if it is static or default.
    pub fn topic_config(&self, topic: &str, broker: NodeId, key: &str) -> Option<&ByteString> {
        let synonyms = table::topic(key).map_or::<&[&str], _>(&[], |def| def.synonyms);
        self.configs
            .value(&ConfigResource::topic(topic), key)
            .or_else(|| synonyms.iter().find_map(|synonym| self.configs.broker_value(broker, synonym)))
    }
}

/// `key` is spelled alike for topics and brokers.
fn topic_or_default_broker<'a>(image: &'a MetadataImage, topic: &str, key: &str) -> Option<&'a ByteString> {
    image
        .configs
        .value(&ConfigResource::topic(topic), key)
        .or_else(|| image.configs.value(&ConfigResource::default_broker(), key))
}
