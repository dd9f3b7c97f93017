//! What all listeners of a process share: one budget of memory, one quota of connections, and the metrics of each
//! (`kafka.network.SocketServer`).

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ottla_config::{Listener, SocketConfig};
use ottla_network::{ConnectionOptions, ConnectionQuota, ListenerConfig, NetworkMetrics, RequestBudget};
use ottla_telemetry::Registry;

use crate::network_metrics::NetworkCollector;

/// Request bytes admitted at a time when `queued.max.request.bytes` is not set.
const DEFAULT_REQUEST_BUDGET: usize = 256 * 1024 * 1024;

/// The limits and counters of a process's listeners.
#[derive(Debug)]
pub struct SocketServer {
    config: SocketConfig,
    budget: Arc<RequestBudget>,
    quota: Arc<ConnectionQuota>,
    /// What the quota holds to.
    limits: Mutex<ConnectionLimits>,
    collector: Arc<NetworkCollector>,
}

impl SocketServer {
    /// Limits by `config`; the listeners' metrics are reported by `registry`.
    pub fn new(config: &SocketConfig, registry: &Registry) -> Self {
        let budget = config.queued_max_request_bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let budget = RequestBudget::new(budget.unwrap_or(DEFAULT_REQUEST_BUDGET));
        let collector = NetworkCollector::new(Arc::clone(&budget));
        registry.add(Arc::clone(&collector) as Arc<_>);
        let (quota, limits) = (ConnectionQuota::unlimited(), Mutex::default());
        let server = Self { quota, limits, config: config.clone(), budget, collector };
        server.limit_connections(config);
        server
    }

    /// Has the limits of connections be those of `config` from now on.
    pub fn limit_connections(&self, config: &SocketConfig) {
        let limits = ConnectionLimits::of(config);
        let mut in_force = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        if *in_force != limits {
            self.quota.limit(limits.max, limits.max_per_ip, limits.overrides());
            *in_force = limits;
        }
    }

    /// How to bind `listener`.
    pub fn listener(&self, listener: &Listener) -> ListenerConfig {
        let config = &self.config;
        let metrics: Arc<NetworkMetrics> = Arc::default();
        self.collector.add(listener.name.as_str().into(), Arc::clone(&metrics));
        ListenerConfig {
            backlog: config.listen_backlog_size,
            send_buffer: config.send_buffer_bytes.map(|bytes| bytes as usize),
            receive_buffer: config.receive_buffer_bytes.map(|bytes| bytes as usize),
            quota: Arc::clone(&self.quota),
            connection: ConnectionOptions {
                max_request_bytes: usize::try_from(config.request_max_bytes).unwrap_or(0),
                max_idle: Duration::from_millis(
                    u64::try_from(config.connections_max_idle_ms).unwrap_or(u64::MAX),
                ),
                budget: Arc::clone(&self.budget),
                metrics,
                ..ConnectionOptions::default()
            },
            ..ListenerConfig::new(&listener.name, &listener.host, listener.port)
        }
    }
}

/// `max.connections`, `max.connections.per.ip` and its overrides.
#[derive(Debug, PartialEq, Eq)]
struct ConnectionLimits {
    max: usize,
    max_per_ip: usize,
    overrides: Vec<(String, i32)>,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { max: usize::MAX, max_per_ip: usize::MAX, overrides: Vec::new() }
    }
}

impl ConnectionLimits {
    fn of(config: &SocketConfig) -> Self {
        Self {
            max: count(config.max_connections),
            max_per_ip: count(config.max_connections_per_ip),
            overrides: config.max_connections_per_ip_overrides.clone(),
        }
    }

    /// Kafka takes host names here too; they are looked up once.
    fn overrides(&self) -> HashMap<IpAddr, usize> {
        let overrides = self.overrides.iter().flat_map(|(host, limit)| {
            let addresses = (host.as_str(), 0).to_socket_addrs().into_iter().flatten();
            addresses.map(|address| (address.ip(), count(*limit)))
        });
        overrides.collect()
    }
}

fn count(limit: i32) -> usize {
    usize::try_from(limit).unwrap_or(0)
}
