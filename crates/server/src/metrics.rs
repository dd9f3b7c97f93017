//! Counts of each API, reached by the index of its row: no lookup by name while a request is served.

use std::time::Duration;

use ottla_network::Reply;
use ottla_telemetry::{Counter, Encoder, Kind, Timer};

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
    total_time: Timer,
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
        let help = "Time from the start of a request to its answer, milliseconds, over the last minutes.";
        self.total_time.collect(
            ("kafka_network_requestmetrics_totaltimems", help),
            ("kafka_network_requestmetrics_totaltimems_count", "Requests whose time is known."),
            ("request", name),
            encoder,
        );
        let bounds = BOUNDS_US.map(Duration::from_micros);
        encoder
            .family(
                "ottla_request_duration_seconds",
                Kind::Histogram,
                "Time from the start of a request to its answer.",
            )
            .histogram(&[("api", name)], &self.total_time.snapshot(), &bounds);
    }
}
