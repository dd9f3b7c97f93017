//! The samples of listeners, under the names of Kafka's `socket-server-metrics`.

use std::sync::{Arc, Mutex, PoisonError};

use ottla_network::{NetworkMetrics, RequestBudget};
use ottla_telemetry::{Collect, Encoder, Kind};

/// Writes what the listeners of a process count.
#[derive(Debug)]
pub struct NetworkCollector {
    budget: Arc<RequestBudget>,
    listeners: Mutex<Vec<(Arc<str>, Arc<NetworkMetrics>)>>,
}

type Read = fn(&NetworkMetrics) -> u64;

const FAMILIES: [(&str, Kind, &str, Read); 9] = [
    ("kafka_server_socket_server_metrics_connection_count", Kind::Gauge, "Open connections.", |listener| {
        listener.connections.get()
    }),
    (
        "kafka_server_socket_server_metrics_connection_creation_total",
        Kind::Counter,
        "Accepted connections.",
        |listener| listener.accepted.get(),
    ),
    (
        "kafka_server_socket_server_metrics_incoming_byte_total",
        Kind::Counter,
        "Bytes received.",
        |listener| listener.bytes_in.get(),
    ),
    ("kafka_server_socket_server_metrics_outgoing_byte_total", Kind::Counter, "Bytes sent.", |listener| {
        listener.bytes_out.get()
    }),
    ("kafka_server_socket_server_metrics_request_total", Kind::Counter, "Requests received.", |listener| {
        listener.requests.get()
    }),
    (
        "kafka_server_socket_server_metrics_expired_connections_killed_count",
        Kind::Counter,
        "Connections closed for connections.max.idle.ms.",
        |listener| listener.closed_idle.get(),
    ),
    (
        "ottla_connections_rejected_total",
        Kind::Counter,
        "Connections above max.connections.per.ip.",
        |listener| listener.rejected.get(),
    ),
    (
        "ottla_connections_closed_bad_input_total",
        Kind::Counter,
        "Connections closed because of what the peer sent.",
        |listener| listener.closed_bad_input.get(),
    ),
    ("ottla_connections_closed_panic_total", Kind::Counter, "Connections closed by a panic.", |listener| {
        listener.closed_panic.get()
    }),
];

impl NetworkCollector {
    /// No listeners yet; all of them admit bodies by `budget`.
    pub fn new(budget: Arc<RequestBudget>) -> Arc<Self> {
        Arc::new(Self { budget, listeners: Mutex::default() })
    }

    /// Adds a listener.
    pub fn add(&self, name: Arc<str>, metrics: Arc<NetworkMetrics>) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push((name, metrics));
    }
}

impl Collect for NetworkCollector {
    fn collect(&self, encoder: &mut Encoder) {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, kind, help, read) in FAMILIES {
            let mut family = encoder.family(name, kind, help);
            for (listener, metrics) in listeners.iter() {
                family.sample(&[("listener", listener)], read(metrics));
            }
        }
        encoder.gauge("ottla_request_bytes_held", "Bytes of requests in memory.", self.budget.used());
        encoder.gauge(
            "ottla_request_budget_waiters",
            "Connections that wait for room in queued.max.request.bytes.",
            self.budget.waiting(),
        );
    }
}
