//! From effective values to fields. Values were judged one by one when they were set; what is read here can
//! only be wrong in its inner syntax (listeners, voters).

use std::path::PathBuf;

use ottla_types::NodeId;

use super::{
    BrokerConfig, CleanerConfig, Durability, GroupConfig, ListenerConfig, LogConfig, NodeConfig,
    OffsetsConfig, QuorumConfig, RecordValidation, ReplicaSelector, ReplicationConfig, SocketConfig,
    TopicDefaults,
};
use crate::effective::ConfigLayers;
use crate::listener::{self, Listener, SecurityProtocol};
use crate::settings::ConfigError;
use crate::table;
use crate::value::{Syntax, Value, split_list};

/// Reads everything; what cannot be read is reported and left empty.
pub(super) fn read(layers: &ConfigLayers<'_>, errors: &mut Vec<ConfigError>) -> BrokerConfig {
    let values = Values { layers };
    BrokerConfig {
        node: values.node(),
        listeners: values.listeners(errors),
        topics: values.topics(),
        log: values.log(),
        socket: values.socket(errors),
        replication: values.replication(errors),
        quorum: values.quorum(errors),
        group: GroupConfig {
            initial_rebalance_delay_ms: values.long("group.initial.rebalance.delay.ms"),
            min_session_timeout_ms: values.long("group.min.session.timeout.ms"),
            max_session_timeout_ms: values.long("group.max.session.timeout.ms"),
            max_size: values.int("group.max.size"),
        },
        offsets: OffsetsConfig {
            metadata_max_bytes: values.int("offset.metadata.max.bytes"),
            commit_timeout_ms: values.long("offsets.commit.timeout.ms"),
            retention_ms: values.long("offsets.retention.minutes").saturating_mul(60_000),
            retention_check_interval_ms: values.long("offsets.retention.check.interval.ms"),
            topic_num_partitions: values.int("offsets.topic.num.partitions"),
            topic_replication_factor: values.short("offsets.topic.replication.factor"),
            topic_segment_bytes: values.int("offsets.topic.segment.bytes"),
        },
    }
}

/// Reports a key whose value does not fit.
pub(super) fn conflict(name: &str, value: impl Into<String>, reason: impl Into<String>) -> ConfigError {
    ConfigError::Conflict { name: name.to_owned(), value: value.into(), reason: reason.into() }
}

struct Values<'a> {
    layers: &'a ConfigLayers<'a>,
}

impl Values<'_> {
    fn node(&self) -> NodeConfig {
        let roles = self.list("process.roles");
        NodeConfig {
            node_id: NodeId(self.int("node.id")),
            is_broker: roles.iter().any(|role| role == "broker"),
            is_controller: roles.iter().any(|role| role == "controller"),
            rack: self.text_if_set("broker.rack"),
            cluster_id: self.text_if_set("cluster.id"),
            admin_listener: self.text_if_set("admin.listener").and_then(|t| listener::parse_endpoint(&t)),
            insecure: self.boolean("insecure"),
            log_format: self.text("log.format"),
            heartbeat_interval_ms: self.long("broker.heartbeat.interval.ms"),
            session_timeout_ms: self.long("broker.session.timeout.ms"),
            initial_registration_timeout_ms: self.long("initial.broker.registration.timeout.ms"),
            controlled_shutdown_enable: self.boolean("controlled.shutdown.enable"),
            request_timeout_ms: self.long("request.timeout.ms"),
        }
    }

    fn listeners(&self, errors: &mut Vec<ConfigError>) -> ListenerConfig {
        let mut parsed = |name: &str, parsed: Result<Vec<Listener>, String>| {
            parsed.unwrap_or_else(|reason| {
                errors.push(conflict(name, self.text(name), reason));
                Vec::new()
            })
        };
        let controller_names: Vec<String> =
            self.list("controller.listener.names").iter().map(|name| name.to_uppercase()).collect();
        // Kafka maps controller listeners to PLAINTEXT as long as nobody sets the map.
        let map_is_set = self.layers.settings.get("listener.security.protocol.map").is_some();
        let plain_names = if map_is_set { &[][..] } else { &controller_names };
        let map = listener::parse_protocol_map(&self.text("listener.security.protocol.map"));
        let map = map.unwrap_or_else(|reason| {
            parsed("listener.security.protocol.map", Err(reason));
            Default::default()
        });
        let parse = |text: &str| listener::parse_listeners(text, &map, plain_names);
        let all = parsed("listeners", parse(&self.text("listeners")));
        let (controller, broker): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|listener| controller_names.contains(&listener.name));
        let advertised = match self.text_if_set("advertised.listeners") {
            None => broker.clone(),
            Some(text) => parsed("advertised.listeners", parse(&text)),
        };
        let inter_broker_name = match self.text_if_set("inter.broker.listener.name") {
            Some(name) => name.to_uppercase(),
            None => {
                let protocol = self.text("security.inter.broker.protocol");
                let speaks = |listener: &&Listener| listener.protocol.name() == protocol.as_str();
                broker.iter().find(speaks).map(|listener| listener.name.clone()).unwrap_or(protocol)
            }
        };
        let insecure = self.boolean("insecure");
        let open =
            |listener: &&Listener| !insecure && !listener.is_loopback() && !self.authenticates(listener);
        let exposed = broker.iter().chain(&controller).filter(open).cloned().collect();
        ListenerConfig { broker, controller, advertised, inter_broker_name, controller_names, exposed }
    }

    fn authenticates(&self, listener: &Listener) -> bool {
        match listener.protocol {
            SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl => true,
            SecurityProtocol::Ssl => self.text("ssl.client.auth") == "required",
            SecurityProtocol::Plaintext => false,
        }
    }

    fn topics(&self) -> TopicDefaults {
        TopicDefaults {
            auto_create_enable: self.boolean("auto.create.topics.enable"),
            delete_enable: self.boolean("delete.topic.enable"),
            num_partitions: self.int("num.partitions"),
            replication_factor: self.short("default.replication.factor"),
            min_insync_replicas: self.int("min.insync.replicas"),
            auto_leader_rebalance_enable: self.boolean("auto.leader.rebalance.enable"),
            leader_imbalance_check_interval_seconds: self.long("leader.imbalance.check.interval.seconds"),
            max_request_partition_size_limit: self.int("max.request.partition.size.limit"),
        }
    }

    fn log(&self) -> LogConfig {
        let dirs = match self.list("log.dirs") {
            dirs if dirs.is_empty() => self.list("log.dir"),
            dirs => dirs,
        };
        let dirs: Vec<PathBuf> = dirs.iter().map(PathBuf::from).collect();
        let metadata_dir = self.text_if_set("metadata.log.dir").map(PathBuf::from);
        let interval_ms = self.long("log.durability.interval.ms");
        LogConfig {
            metadata_dir: metadata_dir.or_else(|| dirs.first().cloned()).unwrap_or_default(),
            dirs,
            cordoned_dirs: self.list("cordoned.log.dirs"),
            durability: match self.text("log.durability").as_str() {
                "os" => Durability::Os,
                "interval" => Durability::Interval { interval_ms },
                _ => Durability::Fsync,
            },
            record_validation: match self.text("record.validation").as_str() {
                "full" => RecordValidation::Full,
                _ => RecordValidation::Framing,
            },
            record_decompressed_max_bytes: self.int("record.decompressed.max.bytes"),
            retention_check_interval_ms: self.long("log.retention.check.interval.ms"),
            flush_offset_checkpoint_interval_ms: self.long("log.flush.offset.checkpoint.interval.ms"),
            flush_start_offset_checkpoint_interval_ms: self
                .long("log.flush.start.offset.checkpoint.interval.ms"),
            flush_scheduler_interval_ms: self.long("log.flush.scheduler.interval.ms"),
            recovery_threads_per_data_dir: self.int("num.recovery.threads.per.data.dir"),
            producer_id_expiration_ms: self.long("producer.id.expiration.ms"),
            cleaner: CleanerConfig {
                enable: self.boolean("log.cleaner.enable"),
                threads: self.int("log.cleaner.threads"),
                backoff_ms: self.long("log.cleaner.backoff.ms"),
                dedupe_buffer_bytes: self.long("log.cleaner.dedupe.buffer.size"),
                io_buffer_bytes: self.int("log.cleaner.io.buffer.size"),
                load_factor: self.double("log.cleaner.io.buffer.load.factor"),
                max_bytes_per_second: self.double("log.cleaner.io.max.bytes.per.second"),
            },
        }
    }

    fn socket(&self, errors: &mut Vec<ConfigError>) -> SocketConfig {
        let overrides = self.list("max.connections.per.ip.overrides");
        let parse = |entry: &String| {
            let (host, count) = entry.rsplit_once(':')?;
            Some((host.trim().to_owned(), count.trim().parse().ok()?))
        };
        let parsed: Option<Vec<_>> = overrides.iter().map(parse).collect();
        if parsed.is_none() {
            let name = "max.connections.per.ip.overrides";
            errors.push(conflict(name, overrides.join(","), "expected host:count, separated by commas"));
        }
        SocketConfig {
            send_buffer_bytes: u32::try_from(self.int("socket.send.buffer.bytes")).ok(),
            receive_buffer_bytes: u32::try_from(self.int("socket.receive.buffer.bytes")).ok(),
            request_max_bytes: self.int("socket.request.max.bytes"),
            listen_backlog_size: self.int("socket.listen.backlog.size"),
            connections_max_idle_ms: self.long("connections.max.idle.ms"),
            max_connections: self.int("max.connections"),
            max_connections_per_ip: self.int("max.connections.per.ip"),
            max_connections_per_ip_overrides: parsed.unwrap_or_default(),
            max_connection_creation_rate: self.int("max.connection.creation.rate"),
            queued_max_requests: self.int("queued.max.requests"),
            queued_max_request_bytes: Some(self.long("queued.max.request.bytes")).filter(|bytes| *bytes > 0),
            connection_setup_timeout_ms: self.long("socket.connection.setup.timeout.ms"),
            connection_setup_timeout_max_ms: self.long("socket.connection.setup.timeout.max.ms"),
        }
    }

    fn replication(&self, errors: &mut Vec<ConfigError>) -> ReplicationConfig {
        ReplicationConfig {
            selector: self.replica_selector(errors),
            fetch_max_bytes: self.int("fetch.max.bytes"),
            fetch_session_cache_slots: self.int("max.incremental.fetch.session.cache.slots"),
            lag_time_max_ms: self.long("replica.lag.time.max.ms"),
            fetch_max_bytes_per_partition: self.int("replica.fetch.max.bytes"),
            fetch_min_bytes: self.int("replica.fetch.min.bytes"),
            fetch_wait_max_ms: self.long("replica.fetch.wait.max.ms"),
            fetch_response_max_bytes: self.int("replica.fetch.response.max.bytes"),
            fetch_backoff_ms: self.long("replica.fetch.backoff.ms"),
            high_watermark_checkpoint_interval_ms: self.long("replica.high.watermark.checkpoint.interval.ms"),
            socket_timeout_ms: self.long("replica.socket.timeout.ms"),
            num_fetchers: self.int("num.replica.fetchers"),
            alter_log_dirs_max_bytes_per_second: self.long("replica.alter.log.dirs.io.max.bytes.per.second"),
            leader_throttled_rate: self.long("leader.replication.throttled.rate"),
            follower_throttled_rate: self.long("follower.replication.throttled.rate"),
            quota_window_num: self.int("replication.quota.window.num"),
            quota_window_size_seconds: self.int("replication.quota.window.size.seconds"),
        }
    }

    fn replica_selector(&self, errors: &mut Vec<ConfigError>) -> ReplicaSelector {
        let name = "replica.selector.class";
        match self.text_if_set(name).as_deref() {
            None | Some("org.apache.kafka.common.replica.LeaderSelector") => ReplicaSelector::Leader,
            Some("org.apache.kafka.common.replica.RackAwareReplicaSelector") => ReplicaSelector::RackAware,
            Some(other) => {
                let known = "Java classes are not loaded; use org.apache.kafka.common.replica.RackAwareReplicaSelector, \
                             or leave it out";
                errors.push(conflict(name, other, known));
                ReplicaSelector::Leader
            }
        }
    }

    fn quorum(&self, errors: &mut Vec<ConfigError>) -> QuorumConfig {
        let voters = listener::parse_voters(&self.text("controller.quorum.voters"));
        let servers = listener::parse_endpoints(&self.text("controller.quorum.bootstrap.servers"));
        QuorumConfig {
            voters: voters.unwrap_or_else(|reason| {
                let name = "controller.quorum.voters";
                errors.push(conflict(name, self.text(name), reason));
                Vec::new()
            }),
            bootstrap_servers: servers.unwrap_or_else(|reason| {
                let name = "controller.quorum.bootstrap.servers";
                errors.push(conflict(name, self.text(name), reason));
                Vec::new()
            }),
            auto_join_enable: self.boolean("controller.quorum.auto.join.enable"),
            election_timeout_ms: self.long("controller.quorum.election.timeout.ms"),
            election_backoff_max_ms: self.long("controller.quorum.election.backoff.max.ms"),
            fetch_timeout_ms: self.long("controller.quorum.fetch.timeout.ms"),
            request_timeout_ms: self.long("controller.quorum.request.timeout.ms"),
            retry_backoff_ms: self.long("controller.quorum.retry.backoff.ms"),
            max_bytes_between_snapshots: self.long("metadata.log.max.record.bytes.between.snapshots"),
            max_snapshot_interval_ms: self.long("metadata.log.max.snapshot.interval.ms"),
        }
    }

    fn text_if_set(&self, name: &str) -> Option<String> {
        self.layers.broker_value(name).filter(|text| !text.is_empty())
    }

    fn text(&self, name: &str) -> String {
        self.layers.broker_value(name).unwrap_or_default()
    }

    fn list(&self, name: &str) -> Vec<String> {
        split_list(&self.text(name))
    }

    fn value(&self, name: &str) -> Option<Value> {
        table::broker(name)?.parse(&self.layers.broker_value(name)?, Syntax::WithUnits).ok()
    }

    fn boolean(&self, name: &str) -> bool {
        self.value(name) == Some(Value::Boolean(true))
    }

    fn double(&self, name: &str) -> f64 {
        match self.value(name) {
            Some(Value::Double(value)) => value,
            _ => 0.0,
        }
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

    fn short(&self, name: &str) -> i16 {
        i16::try_from(self.long(name)).unwrap_or(i16::MAX)
    }
}
