//! Durations as Kafka's timers show them: quantiles of the last minutes, and how many there were.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::encoder::{Encoder, Kind};
use crate::histogram::{Histogram, HistogramSnapshot, QuantileWindow};

/// Kafka's reservoirs weigh about the last five minutes.
const WINDOW: Duration = Duration::from_secs(300);
/// The quantiles that Kafka exports.
const QUANTILES: [(&str, f64); 6] =
    [("0.50", 0.5), ("0.75", 0.75), ("0.95", 0.95), ("0.98", 0.98), ("0.99", 0.99), ("0.999", 0.999)];

/// See the module.
#[derive(Debug)]
pub struct Timer {
    times: Histogram,
    window: Mutex<QuantileWindow>,
}

impl Default for Timer {
    fn default() -> Self {
        Self { times: Histogram::default(), window: Mutex::new(QuantileWindow::new(WINDOW)) }
    }
}

impl Timer {
    /// Something took so long.
    pub fn record(&self, took: Duration) {
        self.times.record(took);
    }

    /// The distribution until now.
    pub fn snapshot(&self) -> HistogramSnapshot {
        self.times.snapshot()
    }

    /// Writes the recent quantiles, milliseconds, as the family `times`, and the number of all as `count`: names, and what they say.
    pub fn collect(
        &self,
        times: (&'static str, &'static str),
        count: (&'static str, &'static str),
        label: (&str, &str),
        encoder: &mut Encoder,
    ) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = window.observe(Instant::now(), &self.times);
        let (name, help) = times;
        let mut family = encoder.family(name, Kind::Gauge, help);
        for (text, quantile) in QUANTILES {
            let ms = recent.quantile(quantile).map_or(0.0, |time| time.as_secs_f64() * 1e3);
            family.sample(&[label, ("quantile", text)], ms);
        }
        let (name, help) = count;
        encoder.family(name, Kind::Counter, help).sample(&[label], self.snapshot().count());
    }
}
