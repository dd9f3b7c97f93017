//! Counts of each API, reached by the index of its row: no lookup by name while a request is served.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use ottla_network::Reply;
use ottla_telemetry::{Counter, Encoder, Histogram, Kind, QuantileWindow};

/// Kafka's reservoirs weigh about the last five minutes.
const WINDOW: Duration = Duration::from_secs(300);
/// The quantiles that Kafka exports.
const QUANTILES: [(&str, f64); 6] =
    [("0.50", 0.5), ("0.75", 0.75), ("0.95", 0.95), ("0.98", 0.98), ("0.99", 0.99), ("0.999", 0.999)];
/// Bounds of our own latency histogram, microseconds.
const BOUNDS_US: [u64; 13] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 10_000_000];

/// What is counted of one API.
#[derive(Debug, Default)]
pub(crate) struct ApiStats {
    requests: Counter,
    request_bytes: Counter,
    response_bytes: Counter,
    /// Connections that ended instead of an answer.
    closed: Counter,
    total_time: Histogram,
    window: Mutex<Option<QuantileWindow>>,
}

impl ApiStats {
    pub(crate) fn received(&self, bytes: usize) {
        self.requests.inc();
        self.request_bytes.add(bytes as u64);
    }

    pub(crate) fn answered(&self, reply: &Reply, took: Duration) {
        self.total_time.record(took);
        self.response_bytes.add(reply.len());
        if matches!(reply, Reply::Close { .. }) {
            self.closed.inc();
        }
    }

    /// Writes the samples of the API `name`; nothing if it was never called.
    pub(crate) fn collect(&self, name: &str, encoder: &mut Encoder) {
        if self.requests.get() == 0 {
            return;
        }
        let labels = [("request", name)];
        let mut counter = |family, help, counter: &Counter| {
            encoder.family(family, Kind::Counter, help).sample(&labels, counter.get());
        };
        counter("kafka_network_requestmetrics_requests_total", "Requests received.", &self.requests);
        counter("kafka_network_requestmetrics_requestbytes_total", "Bytes of requests.", &self.request_bytes);
        counter(
            "kafka_network_requestmetrics_responsebytes_total",
            "Bytes of responses.",
            &self.response_bytes,
        );
        counter(
            "kafka_network_requestmetrics_errors_total",
            "Requests that ended the connection.",
            &self.closed,
        );
        self.collect_times(name, encoder);
    }

    fn collect_times(&self, name: &str, encoder: &mut Encoder) {
        let mut window = self.window.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let window = window.get_or_insert_with(|| QuantileWindow::new(WINDOW));
        let recent = window.observe(Instant::now(), &self.total_time);
        let help = "Time from the start of a request to its answer, milliseconds, over the last minutes.";
        let mut times = encoder.family("kafka_network_requestmetrics_totaltimems", Kind::Gauge, help);
        for (label, quantile) in QUANTILES {
            let ms = recent.quantile(quantile).map_or(0.0, |time| time.as_secs_f64() * 1e3);
            times.sample(&[("request", name), ("quantile", label)], ms);
        }
        let snapshot = self.total_time.snapshot();
        let help = "Requests whose time is known.";
        encoder
            .family("kafka_network_requestmetrics_totaltimems_count", Kind::Counter, help)
            .sample(&[("request", name)], snapshot.count());
        let bounds = BOUNDS_US.map(Duration::from_micros);
        encoder
            .family(
                "ottla_request_duration_seconds",
                Kind::Histogram,
                "Time from the start of a request to its answer.",
            )
            .histogram(&[("api", name)], &snapshot, &bounds);
    }
}
