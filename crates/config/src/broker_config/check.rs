//! Settings that are each allowed but do not fit together (`KafkaConfig.validateValues`), with the remedy.

use super::BrokerConfig;
use super::read::conflict;
use crate::settings::{ConfigError, Settings, Source};

/// Reports every contradiction.
pub(super) fn check(config: &BrokerConfig, settings: &Settings, errors: &mut Vec<ConfigError>) {
    roles(config, settings, errors);
    quorum(config, errors);
    // Where the listeners could not be read, complaints about them would only mislead.
    if errors.is_empty() {
        listeners(config, errors);
        exposure(config, settings, errors);
    }
    log_dirs(config, errors);
    ranges(config, errors);
}

fn roles(config: &BrokerConfig, settings: &Settings, errors: &mut Vec<ConfigError>) {
    // Taken as it is, such a file makes each node a cluster of its own.
    let roles_set = settings.setting("process.roles").is_some_and(|set| set.source != Source::BuiltIn);
    if let (Some(zookeeper), false) = (settings.get("zookeeper.connect"), roles_set) {
        let reason = "there is no ZooKeeper here, and nothing says what this node is in a cluster: take the line out, and \
                      set process.roles, node.id and controller.quorum.voters";
        errors.push(conflict("zookeeper.connect", zookeeper, reason));
    }
    if !config.node.is_broker && !config.node.is_controller {
        errors.push(conflict("process.roles", "", "name broker, controller or both"));
    }
}

fn quorum(config: &BrokerConfig, errors: &mut Vec<ConfigError>) {
    let id = config.node.node_id.0;
    let voters = &config.quorum.voters;
    let is_voter = voters.iter().any(|voter| voter.id == id);
    let text = || {
        let one = |v: &crate::Voter| format!("{}@{}", v.id, v.endpoint);
        voters.iter().map(one).collect::<Vec<_>>().join(",")
    };
    if config.node.is_controller && !voters.is_empty() && !is_voter {
        let reason = format!("a controller must be among the voters: add {id}@host:port for node.id={id}");
        errors.push(conflict("controller.quorum.voters", text(), reason));
    }
    if !config.node.is_controller && is_voter {
        let reason = format!("node.id={id} is a voter: add controller to process.roles, or change the id");
        errors.push(conflict("controller.quorum.voters", text(), reason));
    }
    if !config.node.is_controller && voters.is_empty() && config.quorum.bootstrap_servers.is_empty() {
        let reason = "a broker that is no controller needs this or controller.quorum.voters to find one";
        errors.push(conflict("controller.quorum.bootstrap.servers", "", reason));
    }
}

fn listeners(config: &BrokerConfig, errors: &mut Vec<ConfigError>) {
    let listeners = &config.listeners;
    let all = || listeners.broker.iter().chain(&listeners.controller);
    let text = || all().map(ToString::to_string).collect::<Vec<_>>().join(",");
    if config.node.is_broker && listeners.broker.is_empty() {
        let reason = "a broker needs a listener whose name is not in controller.listener.names";
        errors.push(conflict("listeners", text(), reason));
    }
    let others = config.quorum.voters.len() > 1 || !config.quorum.bootstrap_servers.is_empty();
    if config.node.is_controller && others && listeners.controller.is_empty() {
        let reason = format!(
            "a controller needs a listener named in controller.listener.names ({})",
            listeners.controller_names.join(",")
        );
        errors.push(conflict("listeners", text(), reason));
    }
    if !config.node.is_broker && !listeners.broker.is_empty() {
        let reason = "a node that is only a controller has only listeners of controller.listener.names";
        errors.push(conflict("listeners", text(), reason));
    }
    for (at, one) in all().enumerate() {
        let same = |other: &&crate::Listener| other.port == one.port && other.host == one.host;
        if one.port != 0 && all().take(at).any(|other| same(&other)) {
            errors.push(conflict("listeners", text(), format!("two listeners share port {}", one.port)));
        }
    }
    if config.node.is_broker && !listeners.broker.is_empty() {
        let known = |name: &str| all().any(|listener| listener.name == name);
        for advertised in &listeners.advertised {
            if !known(&advertised.name) {
                let reason = format!("{} is not in listeners", advertised.name);
                errors.push(conflict("advertised.listeners", advertised.to_string(), reason));
            }
            let explicit = !listeners.broker.contains(advertised);
            if explicit && !advertised.host.is_empty() && advertised.is_unspecified() {
                let reason = "clients cannot connect to this address; give the host name they shall use";
                errors.push(conflict("advertised.listeners", advertised.to_string(), reason));
            }
        }
        let name = &listeners.inter_broker_name;
        if !listeners.advertised.iter().any(|listener| listener.name == *name) {
            let reason = format!("must be one of the listeners of brokers: {}", text());
            errors.push(conflict("inter.broker.listener.name", name.clone(), reason));
        }
    }
}

/// Opening a port to the world takes two steps when it is done with our own flags; a file made for Kafka is
/// taken as it is (the caller warns).
fn exposure(config: &BrokerConfig, settings: &Settings, errors: &mut Vec<ConfigError>) {
    let by_flag = settings.setting("listeners").is_some_and(|set| set.source == Source::CommandLine);
    if let (true, Some(listener)) = (by_flag, config.listeners.exposed.first()) {
        let reason = "other machines could connect without authentication; bind to 127.0.0.1, or accept it \
                      with --set insecure=true";
        errors.push(conflict("listeners", listener.to_string(), reason));
    }
}

fn log_dirs(config: &BrokerConfig, errors: &mut Vec<ConfigError>) {
    let dirs = &config.log.dirs;
    if dirs.is_empty() || dirs.iter().any(|dir| dir.as_os_str().is_empty()) {
        errors.push(conflict("log.dirs", "", "name at least one directory, and none that is empty"));
    }
    for (at, dir) in dirs.iter().enumerate() {
        if dirs[..at].contains(dir) {
            errors.push(conflict("log.dirs", dir.display().to_string(), "is there twice"));
        }
    }
}

fn ranges(config: &BrokerConfig, errors: &mut Vec<ConfigError>) {
    let (min, max) = (config.group.min_session_timeout_ms, config.group.max_session_timeout_ms);
    if min > max {
        let reason = format!("must not exceed group.max.session.timeout.ms, which is {max}");
        errors.push(conflict("group.min.session.timeout.ms", min.to_string(), reason));
    }
    let (beat, session) = (config.node.heartbeat_interval_ms, config.node.session_timeout_ms);
    if beat > session / 2 {
        let reason = format!("must be at most half of broker.session.timeout.ms, which is {session}");
        errors.push(conflict("broker.heartbeat.interval.ms", beat.to_string(), reason));
    }
    let request = i64::from(config.socket.request_max_bytes);
    if let Some(queued) = config.socket.queued_max_request_bytes.filter(|bytes| *bytes < request) {
        let reason = format!("must be at least socket.request.max.bytes, which is {request}");
        errors.push(conflict("queued.max.request.bytes", queued.to_string(), reason));
    }
    let (wait, lag) = (config.replication.fetch_wait_max_ms, config.replication.lag_time_max_ms);
    if wait > lag {
        let reason = format!("must not exceed replica.lag.time.max.ms, which is {lag}");
        errors.push(conflict("replica.fetch.wait.max.ms", wait.to_string(), reason));
    }
    let cleaner = &config.log.cleaner;
    if cleaner.threads > 0 && cleaner.dedupe_buffer_bytes / i64::from(cleaner.threads) <= 1024 * 1024 {
        let reason = format!(
            "must be more than 1 MiB for each of the threads that clean; log.cleaner.threads is {}",
            cleaner.threads
        );
        errors.push(conflict(
            "log.cleaner.dedupe.buffer.size",
            cleaner.dedupe_buffer_bytes.to_string(),
            reason,
        ));
    }
}
