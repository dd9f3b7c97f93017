//! Durations in buckets that grow by a ninth or less, recorded with three atomic additions and no lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Buckets per power of two: a value is known to within 12.5 %.
const SUB: u64 = 8;
const SUB_BITS: u32 = 3;
/// The highest power of two told apart: 2³⁰ µs are 18 minutes.
const MAX_POWER: u32 = 30;
const BUCKETS: usize = (MAX_POWER as usize - 1) * SUB as usize;

/// A distribution of durations since start, microseconds.
#[derive(Debug)]
pub struct Histogram {
    buckets: Box<[AtomicU64; BUCKETS]>,
    count: AtomicU64,
    sum_us: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: Box::new([const { AtomicU64::new(0) }; BUCKETS]),
            count: AtomicU64::new(0),
            sum_us: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket_of(us)].fetch_add(1, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// The distribution until now.
    pub fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            buckets: self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect(),
            count: self.count.load(Ordering::Relaxed),
            sum_us: self.sum_us.load(Ordering::Relaxed),
        }
    }
}

/// A distribution at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistogramSnapshot {
    buckets: Vec<u64>,
    count: u64,
    sum_us: u64,
}

impl HistogramSnapshot {
    /// How many durations.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum, seconds.
    pub fn sum_seconds(&self) -> f64 {
        self.sum_us as f64 / 1e6
    }

    /// How many took at most `bound`, to within the width of a bucket.
    pub fn at_most(&self, bound: Duration) -> u64 {
        let last = bucket_of(u64::try_from(bound.as_micros()).unwrap_or(u64::MAX));
        self.buckets.iter().take(last + 1).sum()
    }

    /// The duration that `quantile` (0–1) of them do not exceed; none if there are none.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let total: u64 = self.buckets.iter().sum();
        if total == 0 {
            return None;
        }
        let rank = ((total as f64 * quantile).ceil() as u64).clamp(1, total);
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_micros(upper_bound_us(bucket)))
    }

    /// What came after `earlier`.
    fn since(&self, earlier: &Self) -> Self {
        let before = earlier.buckets.iter().chain(std::iter::repeat(&0));
        Self {
            buckets: self.buckets.iter().zip(before).map(|(now, then)| now.saturating_sub(*then)).collect(),
            count: self.count.saturating_sub(earlier.count),
            sum_us: self.sum_us.saturating_sub(earlier.sum_us),
        }
    }
}

/// Quantiles over the recent past, as Kafka's decaying reservoirs show them, at the cost of a few snapshots that
/// are taken when somebody scrapes.
#[derive(Debug)]
pub struct QuantileWindow {
    span: Duration,
    snapshots: VecDeque<(Instant, HistogramSnapshot)>,
}

/// Snapshots kept per window.
const KEPT: u32 = 4;

impl QuantileWindow {
    /// A window of about `span`: it reaches back at least so far once it has been scraped for as long.
    pub fn new(span: Duration) -> Self {
        Self { span, snapshots: VecDeque::new() }
    }

    /// The distribution of the recent past.
    pub fn observe(&mut self, now: Instant, histogram: &Histogram) -> HistogramSnapshot {
        let current = histogram.snapshot();
        // The oldest one kept is the newest one that is old enough.
        while self.snapshots.get(1).is_some_and(|(taken, _)| now.duration_since(*taken) >= self.span) {
            self.snapshots.pop_front();
        }
        let recent = match self.snapshots.front() {
            Some((_, earlier)) => current.since(earlier),
            None => current.clone(),
        };
        let step = self.span / KEPT;
        if self.snapshots.back().is_none_or(|(taken, _)| now.duration_since(*taken) >= step) {
            self.snapshots.push_back((now, current));
        }
        recent
    }
}

/// ```text
///  us:      0 1 2 … 7 │ 8 9 … 15 │ 16 18 … 30 │ 32 36 … 60 │ …
///  bucket:  0 1 2 … 7 │ 8 9 … 15 │ 16 17 … 23 │ 24 25 … 31 │ …
/// ```
fn bucket_of(us: u64) -> usize {
    if us < SUB {
        return us as usize;
    }
    let power = us.ilog2();
    let offset = (us >> (power - SUB_BITS)) - SUB;
    let bucket = u64::from(power - SUB_BITS + 1) * SUB + offset;
    (bucket as usize).min(BUCKETS - 1)
}

/// The largest value that falls into `bucket`.
fn upper_bound_us(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < SUB {
        return bucket;
    }
    let shift = bucket / SUB - 1;
    let first = (SUB + bucket % SUB) << shift;
    first + (1 << shift) - 1
}

#[cfg(test)]
#[path = "histogram_test.rs"]
mod tests;
