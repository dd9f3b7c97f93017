//! What all listeners of a process share: one budget of memory, one quota of connections, and the metrics of each
//! (`kafka.network.SocketServer`).

use std::net::ToSocketAddrs;
use std::sync::Arc;
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
    collector: Arc<NetworkCollector>,
}

impl SocketServer {
    /// Limits by `config`; the listeners' metrics are reported by `registry`.
    pub fn new(config: &SocketConfig, registry: &Registry) -> Self {
        let budget = config.queued_max_request_bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let budget = RequestBudget::new(budget.unwrap_or(DEFAULT_REQUEST_BUDGET));
        let collector = NetworkCollector::new(Arc::clone(&budget));
        registry.add(Arc::clone(&collector) as Arc<_>);
        Self { quota: connection_quota(config), config: config.clone(), budget, collector }
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

fn connection_quota(config: &SocketConfig) -> Arc<ConnectionQuota> {
    let count = |limit: i32| usize::try_from(limit).unwrap_or(0);
    // Kafka takes host names here too; they are looked up once.
    let overrides = config.max_connections_per_ip_overrides.iter().flat_map(|(host, limit)| {
        let addresses = (host.as_str(), 0).to_socket_addrs().into_iter().flatten();
        addresses.map(|address| (address.ip(), count(*limit)))
    });
    ConnectionQuota::new(
        count(config.max_connections),
        count(config.max_connections_per_ip),
        overrides.collect(),
    )
}
