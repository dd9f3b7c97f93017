//! A topic's settings as typed values, after all defaults.

use std::collections::BTreeSet;

use crate::def::ConfigDef;
use crate::table;
use crate::value::{Syntax, Value};

/// What a topic's storage and replication read. Times are milliseconds, sizes bytes, as in Kafka's keys.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `compression.type`.
    pub compression_type: CompressionType,
    /// `compression.gzip.level`; -1 is the library's choice.
    pub compression_gzip_level: i32,
    /// `compression.lz4.level`.
    pub compression_lz4_level: i32,
    /// `compression.zstd.level`.
    pub compression_zstd_level: i32,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
    /// `flush.messages`; `i64::MAX` is never.
    pub flush_messages: i64,
    /// `flush.ms`; `i64::MAX` is never.
    pub flush_ms: i64,
    /// `follower.replication.throttled.replicas`.
    pub follower_throttled_replicas: ThrottledReplicas,
    /// `index.interval.bytes`.
    pub index_interval_bytes: i32,
    /// `leader.replication.throttled.replicas`.
    pub leader_throttled_replicas: ThrottledReplicas,
    /// `max.compaction.lag.ms`.
    pub max_compaction_lag_ms: i64,
    /// `max.message.bytes`.
    pub max_message_bytes: i32,
    /// `message.timestamp.after.max.ms`.
    pub message_timestamp_after_max_ms: i64,
    /// `message.timestamp.before.max.ms`.
    pub message_timestamp_before_max_ms: i64,
    /// `message.timestamp.type`.
    pub message_timestamp_type: TimestampType,
    /// `min.cleanable.dirty.ratio`.
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag_ms: i64,
    /// `min.insync.replicas`.
    pub min_insync_replicas: i32,
    /// `preallocate`.
    pub preallocate: bool,
    /// `retention.bytes`; -1 is no limit.
    pub retention_bytes: i64,
    /// `retention.ms`; -1 is for ever.
    pub retention_ms: i64,
    /// `segment.bytes`, or `internal.segment.bytes` where that is set.
    pub segment_bytes: i32,
    /// `segment.index.bytes`.
    pub segment_index_bytes: i32,
    /// `segment.jitter.ms`.
    pub segment_jitter_ms: i64,
    /// `segment.ms`.
    pub segment_ms: i64,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election_enable: bool,
}

/// `cleanup.policy`: either, both or (since Kafka 4.2) neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Drop old segments.
    pub delete: bool,
    /// Keep the last record of each key.
    pub compact: bool,
}

/// `compression.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompressionType {
    /// As the producer chose.
    Producer,
    /// None.
    Uncompressed,
    /// gzip.
    Gzip,
    /// snappy.
    Snappy,
    /// lz4.
    Lz4,
    /// zstd.
    Zstd,
}

/// Replicas whose copying is throttled (KIP-73).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThrottledReplicas {
    /// All of the topic (`*`).
    All,
    /// These, as partition and broker; often none.
    These(BTreeSet<(i32, i32)>),
}

impl ThrottledReplicas {
    /// Whether it has the replica of `partition` on `broker`.
    pub fn contains(&self, partition: i32, broker: i32) -> bool {
        match self {
            Self::All => true,
            Self::These(replicas) => replicas.contains(&(partition, broker)),
        }
    }
}

impl Default for ThrottledReplicas {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

/// `message.timestamp.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The time of the append.
    LogAppendTime,
}

impl Default for TopicConfig {
    fn default() -> Self {
        Self::from_values(|_| None)
    }
}

impl TopicConfig {
    /// Builds the settings from `value_of`, which gives a topic key's effective value. A value that is
    /// missing or not allowed (which validation keeps out) counts as the default.
    pub fn from_values(value_of: impl Fn(&str) -> Option<String>) -> Self {
        let read = Reader { value_of };
        let segment_bytes = read.whole_if_set("internal.segment.bytes");
        Self {
            cleanup_policy: read.cleanup_policy(),
            compression_type: read.compression_type(),
            compression_gzip_level: read.int("compression.gzip.level"),
            compression_lz4_level: read.int("compression.lz4.level"),
            compression_zstd_level: read.int("compression.zstd.level"),
            delete_retention_ms: read.long("delete.retention.ms"),
            flush_messages: read.long("flush.messages"),
            flush_ms: read.long("flush.ms"),
            follower_throttled_replicas: read.throttled_replicas("follower.replication.throttled.replicas"),
            index_interval_bytes: read.int("index.interval.bytes"),
            leader_throttled_replicas: read.throttled_replicas("leader.replication.throttled.replicas"),
            max_compaction_lag_ms: read.long("max.compaction.lag.ms"),
            max_message_bytes: read.int("max.message.bytes"),
            message_timestamp_after_max_ms: read.long("message.timestamp.after.max.ms"),
            message_timestamp_before_max_ms: read.long("message.timestamp.before.max.ms"),
            message_timestamp_type: match read.text("message.timestamp.type").as_str() {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            min_cleanable_dirty_ratio: read.double("min.cleanable.dirty.ratio"),
            min_compaction_lag_ms: read.long("min.compaction.lag.ms"),
            min_insync_replicas: read.int("min.insync.replicas"),
            preallocate: read.boolean("preallocate"),
            retention_bytes: read.long("retention.bytes"),
            retention_ms: read.long("retention.ms"),
            segment_bytes: segment_bytes.unwrap_or_else(|| read.int("segment.bytes")),
            segment_index_bytes: read.int("segment.index.bytes"),
            segment_jitter_ms: read.long("segment.jitter.ms"),
            segment_ms: read.long("segment.ms"),
            unclean_leader_election_enable: read.boolean("unclean.leader.election.enable"),
        }
    }
}

struct Reader<F> {
    value_of: F,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn value(&self, name: &str) -> Option<Value> {
        let def: &ConfigDef = table::topic(name)?;
        let parse = |text: &str| def.parse(text, Syntax::WithUnits).ok();
        (self.value_of)(name).and_then(|text| parse(&text)).or_else(|| parse(def.default?))
    }

    fn long(&self, name: &str) -> i64 {
        match self.value(name) {
            Some(Value::Whole(value)) => value,
            _ => 0,
        }
    }

    fn int(&self, name: &str) -> i32 {
        i32::try_from(self.long(name)).unwrap_or(i32::MAX)
    }

    fn whole_if_set(&self, name: &str) -> Option<i32> {
        match self.value(name) {
            Some(Value::Whole(value)) => i32::try_from(value).ok(),
            _ => None,
        }
    }

    fn double(&self, name: &str) -> f64 {
        match self.value(name) {
            Some(Value::Double(value)) => value,
            _ => 0.0,
        }
    }

    fn boolean(&self, name: &str) -> bool {
        self.value(name) == Some(Value::Boolean(true))
    }

    fn text(&self, name: &str) -> String {
        match self.value(name) {
            Some(Value::Text(value)) => value,
            _ => String::new(),
        }
    }

    fn list(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::List(values)) => values,
            _ => Vec::new(),
        }
    }

    fn throttled_replicas(&self, name: &str) -> ThrottledReplicas {
        let values = self.list(name);
        if values.iter().any(|value| value == "*") {
            return ThrottledReplicas::All;
        }
        let pair = |value: &String| {
            let (partition, broker) = value.split_once(':')?;
            Some((partition.parse().ok()?, broker.parse().ok()?))
        };
        ThrottledReplicas::These(values.iter().filter_map(pair).collect())
    }

    fn cleanup_policy(&self) -> CleanupPolicy {
        let values = self.list("cleanup.policy");
        let has = |policy: &str| values.iter().any(|value| value == policy);
        CleanupPolicy { delete: has("delete"), compact: has("compact") }
    }

    fn compression_type(&self) -> CompressionType {
        match self.text("compression.type").as_str() {
            "uncompressed" => CompressionType::Uncompressed,
            "gzip" => CompressionType::Gzip,
            "snappy" => CompressionType::Snappy,
            "lz4" => CompressionType::Lz4,
            "zstd" => CompressionType::Zstd,
            _ => CompressionType::Producer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_tables() {
        let config = TopicConfig::default();
        assert_eq!(config.retention_ms, 604_800_000);
        assert_eq!(config.segment_bytes, 1 << 30);
        assert_eq!(config.max_message_bytes, 1_048_588);
        assert_eq!(config.cleanup_policy, CleanupPolicy { delete: true, compact: false });
        assert_eq!(config.compression_type, CompressionType::Producer);
    }

    #[test]
    fn set_values_count() {
        let config = TopicConfig::from_values(|name| match name {
            "cleanup.policy" => Some("compact, delete".to_owned()),
            "internal.segment.bytes" => Some("4096".to_owned()),
            "retention.ms" => Some("-1".to_owned()),
            "leader.replication.throttled.replicas" => Some("0:1,3:2".to_owned()),
            "follower.replication.throttled.replicas" => Some("*".to_owned()),
            _ => None,
        });
        let leaders = &config.leader_throttled_replicas;
        assert!(leaders.contains(3, 2) && !leaders.contains(3, 1));
        assert_eq!(config.follower_throttled_replicas, ThrottledReplicas::All);
        assert_eq!(config.cleanup_policy, CleanupPolicy { delete: true, compact: true });
        assert_eq!((config.segment_bytes, config.retention_ms), (4096, -1));
    }
}
