//! Stands in for the crate of this name, which openraft counts its own batches and latencies with.
//!
//! The original builds tables for sixteen bucket widths when the first histogram is made: 27 MiB that stay resident, in
//! a process that is to be idle in less. Nobody here reads these counts. This one has a bucket for each power of two,
//! and only what openraft 0.10.0-alpha.37 calls. See docs/adr/0001-openraft.md.

#![forbid(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;

/// One bucket for zero, and one for each position of the highest bit.
const BUCKETS: usize = 65;

/// Counts of values by powers of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram<T = ()> {
    counts: [u64; BUCKETS],
    slots: PhantomData<T>,
}

/// What openraft shows of a histogram. A percentile is the lower bound of the bucket that it falls into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct PercentileStats {
    pub samples: u64,
    pub p0_1: u64,
    pub p1: u64,
    pub p5: u64,
    pub p10: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p99_9: u64,
}

/// Several histograms, for display.
#[derive(Debug, Clone, Default)]
pub struct AsciiChart(Vec<(String, PercentileStats)>);

impl<T> Default for Histogram<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Histogram<T> {
    /// No values yet.
    pub fn new() -> Self {
        Self { counts: [0; BUCKETS], slots: PhantomData }
    }

    /// Counts `value`.
    pub fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    /// Counts `value`, `count` times.
    pub fn record_n(&mut self, value: u64, count: u64) {
        let bucket = (u64::BITS - value.leading_zeros()) as usize;
        self.counts[bucket] = self.counts[bucket].saturating_add(count);
    }

    /// How many values were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count))
    }

    /// The lower bound of the bucket below which the share `p` of the values lies.
    pub fn percentile(&self, p: f64) -> u64 {
        let wanted = (self.total() as f64 * p).ceil() as u64;
        let mut seen: u64 = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen = seen.saturating_add(*count);
            if *count > 0 && seen >= wanted {
                return if bucket == 0 { 0 } else { 1 << (bucket - 1) };
            }
        }
        0
    }

    /// All that openraft shows.
    pub fn percentile_stats(&self) -> PercentileStats {
        PercentileStats {
            samples: self.total(),
            p0_1: self.percentile(0.001),
            p1: self.percentile(0.01),
            p5: self.percentile(0.05),
            p10: self.percentile(0.1),
            p50: self.percentile(0.5),
            p90: self.percentile(0.9),
            p99: self.percentile(0.99),
            p99_9: self.percentile(0.999),
        }
    }
}

impl fmt::Display for PercentileStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "samples {} p50 {} p99 {} p99.9 {}", self.samples, self.p50, self.p99, self.p99_9)
    }
}

impl AsciiChart {
    /// Nothing to show yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows `histogram` as `name` too.
    pub fn add<T>(mut self, name: impl Into<String>, histogram: Histogram<T>) -> Self {
        self.0.push((name.into(), histogram.percentile_stats()));
        self
    }
}

impl fmt::Display for AsciiChart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, stats)| writeln!(f, "{name}: {stats}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_lower_bounds_of_buckets() {
        let mut histogram = Histogram::<()>::new();
        histogram.record_n(0, 50);
        histogram.record_n(1000, 50);
        let stats = histogram.percentile_stats();
        assert_eq!((stats.samples, stats.p50, stats.p90), (100, 0, 512));
        histogram.record(u64::MAX);
        assert_eq!(histogram.percentile(1.0), 1 << 63);
    }
}
