//! How long it takes to sync a log (`LogFlushStats`).

use std::time::{Duration, Instant};

use ottla_telemetry::{Encoder, Histogram, Kind, QuantileWindow};
use parking_lot::Mutex;

/// Quantiles are of about that long.
const WINDOW: Duration = Duration::from_secs(300);
const QUANTILES: [(&str, f64); 4] = [("0.50", 0.5), ("0.95", 0.95), ("0.99", 0.99), ("0.999", 0.999)];

/// Of one log directory.
#[derive(Debug)]
pub(crate) struct FlushTimes {
    times: Histogram,
    window: Mutex<QuantileWindow>,
}

impl Default for FlushTimes {
    fn default() -> Self {
        Self { times: Histogram::default(), window: Mutex::new(QuantileWindow::new(WINDOW)) }
    }
}

impl FlushTimes {
    /// A flush took so long.
    pub(crate) fn record(&self, took: Duration) {
        self.times.record(took);
    }

    pub(super) fn collect(&self, dir: &str, encoder: &mut Encoder) {
        let recent = self.window.lock().observe(Instant::now(), &self.times);
        let help = "Time to sync a log, milliseconds, over the last minutes.";
        let mut times = encoder.family("kafka_log_logflushstats_logflushrateandtimems", Kind::Gauge, help);
        for (label, quantile) in QUANTILES {
            let ms = recent.quantile(quantile).map_or(0.0, |time| time.as_secs_f64() * 1e3);
            times.sample(&[("log_dir", dir), ("quantile", label)], ms);
        }
        encoder
            .family("kafka_log_logflushstats_logflushrateandtimems_count", Kind::Counter, "Syncs of logs.")
            .sample(&[("log_dir", dir)], self.times.snapshot().count());
    }
}
