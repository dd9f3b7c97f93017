//! What a node reads at start and, for its dynamic parts, after each change: typed and consistent.

use std::path::PathBuf;

use ottla_types::NodeId;

use crate::effective::ConfigLayers;
use crate::listener::{Endpoint, Listener, Voter};
use crate::settings::{ConfigErrors, Settings};
use crate::validate::ConfigMap;

mod check;
mod read;

/// A node's settings. Times are milliseconds and sizes bytes, as in Kafka's keys; each field is named after
/// its key unless its comment says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerConfig {
    /// Who this node is and whom it knows.
    pub node: NodeConfig,
    /// Where it listens.
    pub listeners: ListenerConfig,
    /// Defaults of topics beyond the log.
    pub topics: TopicDefaults,
    /// Files and syncing.
    pub log: LogConfig,
    /// Connections and requests.
    pub socket: SocketConfig,
    /// Fetching, by consumers and followers.
    pub replication: ReplicationConfig,
    /// The metadata quorum.
    pub quorum: QuorumConfig,
    /// Classic groups.
    pub group: GroupConfig,
    /// Committed offsets.
    pub offsets: OffsetsConfig,
}

/// `node.id`, `process.roles`, …
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    /// `node.id`, or `broker.id` where only that is given.
    pub node_id: NodeId,
    /// Whether `process.roles` has `broker`.
    pub is_broker: bool,
    /// Whether `process.roles` has `controller`.
    pub is_controller: bool,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// `cluster.id`: what a new cluster is to be called.
    pub cluster_id: Option<String>,
    /// `admin.listener`: HTTP for metrics and health.
    pub admin_listener: Option<Endpoint>,
    /// `insecure`.
    pub insecure: bool,
    /// `log.format`: `pretty`, `kafka` or `json`.
    pub log_format: String,
    /// `broker.heartbeat.interval.ms`.
    pub heartbeat_interval_ms: i64,
    /// `broker.session.timeout.ms`.
    pub session_timeout_ms: i64,
    /// `initial.broker.registration.timeout.ms`.
    pub initial_registration_timeout_ms: i64,
    /// `controlled.shutdown.enable`.
    pub controlled_shutdown_enable: bool,
    /// `request.timeout.ms`.
    pub request_timeout_ms: i64,
}

/// `listeners` and what belongs to them.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenerConfig {
    /// Those for clients and brokers; none on a node that is a controller only.
    pub broker: Vec<Listener>,
    /// Those whose names are in `controller.listener.names`. May be empty on a node that is alone.
    pub controller: Vec<Listener>,
    /// `advertised.listeners`, or `broker` where it is not given. Port 0 and an empty host are to be replaced
    /// by what the node is bound to.
    pub advertised: Vec<Listener>,
    /// The listener over which brokers talk to each other.
    pub inter_broker_name: String,
    /// `controller.listener.names`.
    pub controller_names: Vec<String>,
    /// Listeners that other machines can reach without authentication, for the warning at start. Empty with
    /// `insecure=true`.
    pub exposed: Vec<Listener>,
}

/// How topics come and go.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicDefaults {
    /// `auto.create.topics.enable`.
    pub auto_create_enable: bool,
    /// `delete.topic.enable`.
    pub delete_enable: bool,
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `default.replication.factor`, or what the size of the cluster suggests.
    pub replication_factor: i16,
    /// `min.insync.replicas`, or what the size of the cluster suggests.
    pub min_insync_replicas: i32,
    /// `auto.leader.rebalance.enable`.
    pub auto_leader_rebalance_enable: bool,
    /// `leader.imbalance.check.interval.seconds`.
    pub leader_imbalance_check_interval_seconds: i64,
    /// `max.request.partition.size.limit`.
    pub max_request_partition_size_limit: i32,
}

/// Which replica consumers are told to read from (`replica.selector.class`, KIP-392).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplicaSelector {
    /// The leader.
    #[default]
    Leader,
    /// One in the consumer's rack.
    RackAware,
}

/// When a record counts as written (`log.durability`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When it is on disk.
    Fsync,
    /// At once; synced at intervals of so many milliseconds.
    Interval {
        /// `log.durability.interval.ms`.
        interval_ms: i64,
    },
    /// At once; the operating system decides about syncing.
    Os,
}

/// What is checked in compressed batches (`record.validation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordValidation {
    /// Counts, sizes and checksum of the batch.
    Framing,
    /// Also every record inside.
    Full,
}

/// Files and syncing. What topics may override is in [`TopicConfig`](crate::TopicConfig).
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// `log.dirs`, or `log.dir` where that is not given.
    pub dirs: Vec<PathBuf>,
    /// `cordoned.log.dirs`: those of `dirs` that take no new partitions; `*` for all.
    pub cordoned_dirs: Vec<String>,
    /// `metadata.log.dir`, or the first of `dirs`.
    pub metadata_dir: PathBuf,
    /// `log.durability`.
    pub durability: Durability,
    /// `record.validation`.
    pub record_validation: RecordValidation,
    /// `record.decompressed.max.bytes`.
    pub record_decompressed_max_bytes: i32,
    /// `log.retention.check.interval.ms`.
    pub retention_check_interval_ms: i64,
    /// `log.flush.offset.checkpoint.interval.ms`.
    pub flush_offset_checkpoint_interval_ms: i64,
    /// `log.flush.start.offset.checkpoint.interval.ms`.
    pub flush_start_offset_checkpoint_interval_ms: i64,
    /// `log.flush.scheduler.interval.ms`.
    pub flush_scheduler_interval_ms: i64,
    /// `num.recovery.threads.per.data.dir`.
    pub recovery_threads_per_data_dir: i32,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
    /// The compaction that is not per topic.
    pub cleaner: CleanerConfig,
}

/// `log.cleaner.*` beyond what topics may override.
#[derive(Clone, Debug, PartialEq)]
pub struct CleanerConfig {
    /// `log.cleaner.enable`.
    pub enable: bool,
    /// `log.cleaner.threads`.
    pub threads: i32,
    /// `log.cleaner.backoff.ms`.
    pub backoff_ms: i64,
    /// `log.cleaner.dedupe.buffer.size`.
    pub dedupe_buffer_bytes: i64,
    /// `log.cleaner.io.buffer.size`.
    pub io_buffer_bytes: i32,
    /// `log.cleaner.io.buffer.load.factor`.
    pub load_factor: f64,
    /// `log.cleaner.io.max.bytes.per.second`.
    pub max_bytes_per_second: f64,
}

/// Connections and requests.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketConfig {
    /// `socket.send.buffer.bytes`; `None` leaves it to the system.
    pub send_buffer_bytes: Option<u32>,
    /// `socket.receive.buffer.bytes`; `None` leaves it to the system.
    pub receive_buffer_bytes: Option<u32>,
    /// `socket.request.max.bytes`.
    pub request_max_bytes: i32,
    /// `socket.listen.backlog.size`.
    pub listen_backlog_size: i32,
    /// `connections.max.idle.ms`.
    pub connections_max_idle_ms: i64,
    /// `max.connections`.
    pub max_connections: i32,
    /// `max.connections.per.ip`.
    pub max_connections_per_ip: i32,
    /// `max.connections.per.ip.overrides`, host to count.
    pub max_connections_per_ip_overrides: Vec<(String, i32)>,
    /// `max.connection.creation.rate`, per second.
    pub max_connection_creation_rate: i32,
    /// `queued.max.requests`.
    pub queued_max_requests: i32,
    /// `queued.max.request.bytes`; `None` leaves it to Ottla.
    pub queued_max_request_bytes: Option<i64>,
    /// `socket.connection.setup.timeout.ms`.
    pub connection_setup_timeout_ms: i64,
    /// `socket.connection.setup.timeout.max.ms`.
    pub connection_setup_timeout_max_ms: i64,
}

/// Fetching, by consumers and followers.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicationConfig {
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: i32,
    /// `max.incremental.fetch.session.cache.slots`.
    pub fetch_session_cache_slots: i32,
    /// `replica.lag.time.max.ms`.
    pub lag_time_max_ms: i64,
    /// `replica.fetch.max.bytes`.
    pub fetch_max_bytes_per_partition: i32,
    /// `replica.fetch.min.bytes`.
    pub fetch_min_bytes: i32,
    /// `replica.fetch.wait.max.ms`.
    pub fetch_wait_max_ms: i64,
    /// `replica.fetch.response.max.bytes`.
    pub fetch_response_max_bytes: i32,
    /// `replica.fetch.backoff.ms`.
    pub fetch_backoff_ms: i64,
    /// `replica.high.watermark.checkpoint.interval.ms`.
    pub high_watermark_checkpoint_interval_ms: i64,
    /// `replica.socket.timeout.ms`.
    pub socket_timeout_ms: i64,
    /// `num.replica.fetchers`.
    pub num_fetchers: i32,
    /// `replica.selector.class`.
    pub selector: ReplicaSelector,
    /// `replica.alter.log.dirs.io.max.bytes.per.second`.
    pub alter_log_dirs_max_bytes_per_second: i64,
    /// `leader.replication.throttled.rate`, bytes per second.
    pub leader_throttled_rate: i64,
    /// `follower.replication.throttled.rate`, bytes per second.
    pub follower_throttled_rate: i64,
    /// `replication.quota.window.num`.
    pub quota_window_num: i32,
    /// `replication.quota.window.size.seconds`.
    pub quota_window_size_seconds: i32,
}

/// The metadata quorum.
#[derive(Clone, Debug, PartialEq)]
pub struct QuorumConfig {
    /// `controller.quorum.voters`; empty where the quorum is not fixed.
    pub voters: Vec<Voter>,
    /// `controller.quorum.bootstrap.servers`.
    pub bootstrap_servers: Vec<Endpoint>,
    /// `controller.quorum.auto.join.enable`.
    pub auto_join_enable: bool,
    /// `controller.quorum.election.timeout.ms`.
    pub election_timeout_ms: i64,
    /// `controller.quorum.election.backoff.max.ms`.
    pub election_backoff_max_ms: i64,
    /// `controller.quorum.fetch.timeout.ms`.
    pub fetch_timeout_ms: i64,
    /// `controller.quorum.request.timeout.ms`.
    pub request_timeout_ms: i64,
    /// `controller.quorum.retry.backoff.ms`.
    pub retry_backoff_ms: i64,
    /// `metadata.log.max.record.bytes.between.snapshots`.
    pub max_bytes_between_snapshots: i64,
    /// `metadata.log.max.snapshot.interval.ms`.
    pub max_snapshot_interval_ms: i64,
}

/// Classic groups.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupConfig {
    /// `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay_ms: i64,
    /// `group.min.session.timeout.ms`.
    pub min_session_timeout_ms: i64,
    /// `group.max.session.timeout.ms`.
    pub max_session_timeout_ms: i64,
    /// `group.max.size`.
    pub max_size: i32,
}

/// Committed offsets and the topic `__consumer_offsets`.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetsConfig {
    /// `offset.metadata.max.bytes`.
    pub metadata_max_bytes: i32,
    /// `offsets.commit.timeout.ms`.
    pub commit_timeout_ms: i64,
    /// `offsets.retention.minutes`, in milliseconds.
    pub retention_ms: i64,
    /// `offsets.retention.check.interval.ms`.
    pub retention_check_interval_ms: i64,
    /// `offsets.topic.num.partitions`.
    pub topic_num_partitions: i32,
    /// `offsets.topic.replication.factor`, or what the size of the cluster allows.
    pub topic_replication_factor: i16,
    /// `offsets.topic.segment.bytes`.
    pub topic_segment_bytes: i32,
}

impl BrokerConfig {
    /// What a node starts with. Everything that does not fit together is reported at once.
    pub fn from_settings(settings: &Settings) -> Result<Self, ConfigErrors> {
        let none = ConfigMap::new();
        Self::from_layers(&ConfigLayers { settings, broker: &none, cluster: &none, brokers: 1, elr: false })
    }

    /// The same with dynamic settings applied.
    pub fn from_layers(layers: &ConfigLayers<'_>) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        let config = read::read(layers, &mut errors);
        check::check(&config, layers.settings, &mut errors);
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }
}

#[cfg(test)]
#[path = "broker_config_test.rs"]
mod broker_config_test;
