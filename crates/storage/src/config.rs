//! What a log obeys: the topic-level settings that matter on disk, under Kafka's names.

use ottla_records::{Codec, TimestampType};
use ottla_types::{NodeId, TimestampMs};

/// `compression.type`: what the broker stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompressionType {
    /// What the producer sent.
    #[default]
    Producer,
    /// This codec, whatever the producer sent (`uncompressed` is [`Codec::None`]).
    Codec(Codec),
}

/// `record.validation`: how much of a producer's batch is checked. Header, CRC and, if it is not compressed, record
/// framing always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordValidation {
    /// Compressed records are not looked into, unless the topic is compacted or the codec changes.
    #[default]
    Framing,
    /// Compressed records are checked as Kafka does.
    Full,
}

/// Settings of one log. Defaults are Kafka's (`org.apache.kafka.storage.internals.log.LogConfig`), except where noted.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment is rolled before it grows over this.
    pub segment_bytes: u64,
    /// `segment.ms`: a segment is rolled when its first record is older than this, ms.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: at most this is taken off `segment.ms`, by chance per segment.
    pub segment_jitter_ms: i64,
    /// `index.interval.bytes`: one index entry each.
    pub index_interval_bytes: u64,
    /// `segment.index.bytes`: a segment is rolled before its index grows over this.
    pub segment_index_bytes: u64,
    /// `max.message.bytes`: the largest batch.
    pub max_message_bytes: u64,
    /// `compression.type`.
    pub compression: CompressionType,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub timestamp_after_max_ms: i64,
    /// `retention.ms`; −1: none.
    pub retention_ms: i64,
    /// `retention.bytes`; −1: none.
    pub retention_bytes: i64,
    /// Whether `cleanup.policy` has `delete`.
    pub cleanup_delete: bool,
    /// Whether `cleanup.policy` has `compact`.
    pub cleanup_compact: bool,
    /// `min.cleanable.dirty.ratio`: the share of a compacted log that must be dirty before it is cleaned.
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`: younger records are not cleaned.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`: older records are cleaned however small the dirty share is.
    pub max_compaction_lag_ms: i64,
    /// `delete.retention.ms`: how long tombstones and markers stay after they were first cleaned.
    pub delete_retention_ms: i64,
    /// `record.validation` (not Kafka's).
    pub record_validation: RecordValidation,
    /// How large the records of one batch may be once decompressed, where they are (not Kafka's).
    pub max_decompressed_bytes: usize,
    /// `producer.id.expiration.ms`: a producer's state is dropped this long after its last write.
    pub producer_id_expiration_ms: i64,
    /// Producer state is saved at least each so many appended bytes; bounds recovery (not Kafka's).
    pub snapshot_interval_bytes: u64,
    /// Where syncing is left to the operating system: each so many appended bytes a mark tells what a start after the death of
    /// the process needs not check (not Kafka's).
    pub mark_interval_bytes: Option<u64>,
    /// The tail of the log that is kept in memory for readers, bytes (not Kafka's).
    pub tail_cache_bytes: usize,
    /// Whether blocks are reserved ahead of the log's end. Unlike Kafka's `preallocate`, lengths do not change.
    pub preallocate: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3_600_000,
            segment_jitter_ms: 0,
            index_interval_bytes: 4096,
            segment_index_bytes: 10 << 20,
            max_message_bytes: 1_048_588,
            compression: CompressionType::Producer,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            retention_ms: 7 * 24 * 3_600_000,
            retention_bytes: -1,
            cleanup_delete: true,
            cleanup_compact: false,
            min_cleanable_dirty_ratio: 0.5,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: i64::MAX,
            delete_retention_ms: 24 * 3_600_000,
            record_validation: RecordValidation::Framing,
            max_decompressed_bytes: 64 << 20,
            producer_id_expiration_ms: 24 * 3_600_000,
            snapshot_interval_bytes: 64 << 20,
            mark_interval_bytes: None,
            tail_cache_bytes: 1 << 20,
            preallocate: true,
        }
    }
}

impl LogConfig {
    /// After how long a segment is rolled, ms: of a compacted log before its records must be cleaned.
    pub(crate) fn max_segment_ms(&self) -> i64 {
        match self.max_compaction_lag_ms {
            lag if self.cleanup_compact && lag > 0 => self.segment_ms.min(lag),
            _ => self.segment_ms,
        }
    }

    /// What `message.timestamp.*.max.ms` accept at `now_ms`.
    pub(crate) fn timestamp_bounds(&self, now_ms: TimestampMs) -> (TimestampMs, TimestampMs) {
        (
            now_ms.saturating_sub(self.timestamp_before_max_ms),
            now_ms.saturating_add(self.timestamp_after_max_ms),
        )
    }
}

/// How a log directory is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDirOptions {
    /// The cluster; an empty directory is formatted for it, another one's is refused.
    pub cluster_id: String,
    /// The node, likewise.
    pub node_id: NodeId,
    /// Random bits for a new directory's id.
    pub new_directory_id: ottla_types::DirectoryId,
    /// Sealed segments and indexes that are kept open.
    pub open_files: usize,
    /// Files that are kept open for appends: about as many as partitions are written to. A file that is closed for the sake of another
    /// is synced first.
    pub appending_files: usize,
    /// The bound of all tail caches of the directory together, bytes.
    pub tail_cache_bytes: usize,
}

impl LogDirOptions {
    /// For `node_id` of `cluster_id`, with the default limits.
    pub fn new(cluster_id: impl Into<String>, node_id: NodeId) -> Self {
        Self {
            cluster_id: cluster_id.into(),
            node_id,
            new_directory_id: ottla_types::Uuid::random(),
            open_files: 512,
            appending_files: 4096,
            tail_cache_bytes: 16 << 20,
        }
    }
}
