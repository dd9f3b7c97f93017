//! What is in force for a topic or this broker: the table's defaults, what the process was started with, and the
//! dynamic settings of the metadata image, in that order.

use std::sync::Arc;
use std::time::Duration;

use ottla_config::{
    BrokerConfig, ConfigEntry, ConfigErrors, ConfigLayers, Durability, MIN_INSYNC_REPLICAS, RecordValidation,
    Settings, ThrottledReplicas, TopicConfig,
};
use ottla_metadata::MetadataImage;
use ottla_metadata::image::ConfigResource;
use ottla_records::{Codec, TimestampType};
use ottla_storage::CompressionType;
use ottla_types::NodeId;

use crate::replica_manager::{MARK_INTERVAL_BYTES, SyncMode, SyncPolicy};

/// What the process was started with.
#[derive(Debug)]
pub(crate) struct EffectiveConfigs {
    node_id: NodeId,
    settings: Settings,
}

/// What a partition's log and replica obey.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PartitionConfig {
    pub(crate) log: Arc<ottla_storage::LogConfig>,
    pub(crate) sync: SyncPolicy,
    pub(crate) min_insync_replicas: usize,
    /// Replicas that followers may copy from here only as fast as `leader.replication.throttled.rate` allows.
    pub(crate) leader_throttled: ThrottledReplicas,
    /// Replicas that may be copied to here only as fast as `follower.replication.throttled.rate` allows.
    pub(crate) follower_throttled: ThrottledReplicas,
}

impl EffectiveConfigs {
    pub(crate) fn new(node_id: NodeId, settings: Settings) -> Self {
        Self { node_id, settings }
    }

    /// Calls `look` with all layers of this broker's settings.
    pub(crate) fn with_layers<T>(
        &self,
        image: &MetadataImage,
        look: impl FnOnce(&ConfigLayers<'_>) -> T,
    ) -> T {
        image.with_layers(&self.settings, self.node_id, look)
    }

    /// This broker's typed settings with the dynamic ones applied.
    pub(crate) fn broker(&self, image: &MetadataImage) -> Result<BrokerConfig, ConfigErrors> {
        self.with_layers(image, BrokerConfig::from_layers)
    }

    /// Every setting of `resource`, as it is in force on this broker; `None` for a topic that there is not.
    pub(crate) fn describe(
        &self,
        image: &MetadataImage,
        resource: &ConfigResource,
    ) -> Option<Vec<ConfigEntry>> {
        image.describe_configs(&self.settings, self.node_id, resource)
    }

    /// The value of `key` that this process was started with, if any was given.
    pub(crate) fn given(&self, key: &str) -> Option<&str> {
        self.settings.get(key)
    }

    /// Tells people that this process was started with a `min.insync.replicas` which is not the cluster's.
    pub(crate) fn warn_of_min_isr(&self, image: &MetadataImage) {
        self.with_layers(image, |layers| {
            let (given, counts) = (layers.settings.get(MIN_INSYNC_REPLICAS), layers.cluster.get(MIN_INSYNC_REPLICAS));
            if let (Some(given), Some(counts)) = (given, counts)
                && given.trim() != counts.trim()
            {
                tracing::warn!(
                    "min.insync.replicas={given} of this broker's configuration has no effect, for all brokers it is {counts}: alter that (kafka-configs --entity-type brokers --entity-default)"
                );
            }
        });
    }

    /// What the partitions of `topic` obey.
    pub(crate) fn partition(
        &self,
        image: &MetadataImage,
        broker: &BrokerConfig,
        topic: &str,
    ) -> PartitionConfig {
        let own = image.own_configs(&ConfigResource::topic(topic));
        let topic = self.with_layers(image, |layers| layers.topic_config(&own));
        PartitionConfig {
            sync: sync_policy(broker, &topic),
            min_insync_replicas: usize::try_from(topic.min_insync_replicas).unwrap_or(1),
            log: Arc::new(log_config(broker, &topic)),
            leader_throttled: topic.leader_throttled_replicas,
            follower_throttled: topic.follower_throttled_replicas,
        }
    }
}

fn sync_policy(broker: &BrokerConfig, topic: &TopicConfig) -> SyncPolicy {
    SyncPolicy {
        mode: match broker.log.durability {
            Durability::Fsync => SyncMode::Fsync,
            Durability::Interval { interval_ms } => {
                SyncMode::Interval(Duration::from_millis(u64::try_from(interval_ms).unwrap_or(0)))
            }
            Durability::Os => SyncMode::Os,
        },
        flush_messages: topic.flush_messages,
        flush_within: match topic.flush_ms {
            i64::MAX => None,
            ms => Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0))),
        },
    }
}

fn log_config(broker: &BrokerConfig, topic: &TopicConfig) -> ottla_storage::LogConfig {
    let is_left_to_system = matches!(broker.log.durability, Durability::Os);
    ottla_storage::LogConfig {
        segment_bytes: u64::try_from(topic.segment_bytes).unwrap_or(0),
        segment_ms: topic.segment_ms,
        segment_jitter_ms: topic.segment_jitter_ms,
        index_interval_bytes: u64::try_from(topic.index_interval_bytes).unwrap_or(0),
        segment_index_bytes: u64::try_from(topic.segment_index_bytes).unwrap_or(0),
        max_message_bytes: u64::try_from(topic.max_message_bytes).unwrap_or(0),
        compression: compression(topic),
        timestamp_type: match topic.message_timestamp_type {
            ottla_config::TimestampType::CreateTime => TimestampType::CreateTime,
            ottla_config::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
        },
        timestamp_before_max_ms: topic.message_timestamp_before_max_ms,
        timestamp_after_max_ms: topic.message_timestamp_after_max_ms,
        retention_ms: topic.retention_ms,
        retention_bytes: topic.retention_bytes,
        cleanup_delete: topic.cleanup_policy.delete,
        cleanup_compact: topic.cleanup_policy.compact,
        min_cleanable_dirty_ratio: topic.min_cleanable_dirty_ratio,
        min_compaction_lag_ms: topic.min_compaction_lag_ms,
        max_compaction_lag_ms: topic.max_compaction_lag_ms,
        delete_retention_ms: topic.delete_retention_ms,
        record_validation: match broker.log.record_validation {
            RecordValidation::Framing => ottla_storage::RecordValidation::Framing,
            RecordValidation::Full => ottla_storage::RecordValidation::Full,
        },
        max_decompressed_bytes: usize::try_from(broker.log.record_decompressed_max_bytes).unwrap_or(0),
        producer_id_expiration_ms: broker.log.producer_id_expiration_ms,
        // A sync of blocks that are there already is cheaper. Where nothing is synced, the reservation is a transaction of the
        // file system that appends would wait for.
        preallocate: topic.preallocate || !is_left_to_system,
        mark_interval_bytes: is_left_to_system.then_some(MARK_INTERVAL_BYTES),
        ..ottla_storage::LogConfig::default()
    }
}

fn compression(topic: &TopicConfig) -> CompressionType {
    CompressionType::Codec(match topic.compression_type {
        ottla_config::CompressionType::Producer => return CompressionType::Producer,
        ottla_config::CompressionType::Uncompressed => Codec::None,
        ottla_config::CompressionType::Gzip => Codec::Gzip,
        ottla_config::CompressionType::Snappy => Codec::Snappy,
        ottla_config::CompressionType::Lz4 => Codec::Lz4,
        ottla_config::CompressionType::Zstd => Codec::Zstd,
    })
}
