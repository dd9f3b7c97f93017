//! How fast replicas that are throttled may copy (Kafka's `ReplicationQuotaManager`, KIP-73). Which replicas those are, topics
//! say; the rates are the broker's, one for what it serves and one for what it fetches.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ottla_config::ReplicationConfig;
use ottla_env::Monotonic;
use parking_lot::Mutex;

/// The two rates of a broker.
#[derive(Debug, Default)]
pub(crate) struct ReplicationQuotas {
    /// `leader.replication.throttled.rate`: what followers fetch from here.
    pub(crate) leader: ReplicationQuota,
    /// `follower.replication.throttled.rate`: what is fetched from leaders.
    pub(crate) follower: ReplicationQuota,
}

impl ReplicationQuotas {
    /// What is in force from now on.
    pub(crate) fn configure(&self, config: &ReplicationConfig) {
        let window = Duration::from_secs(u64::try_from(config.quota_window_size_seconds).unwrap_or(1));
        let windows = usize::try_from(config.quota_window_num).unwrap_or(1);
        for (quota, rate) in
            [(&self.leader, config.leader_throttled_rate), (&self.follower, config.follower_throttled_rate)]
        {
            quota.bytes_per_second.store(u64::try_from(rate).unwrap_or(0), Ordering::Relaxed);
            let mut samples = quota.samples.lock();
            (samples.window, samples.windows) = (window.max(Duration::from_secs(1)), windows.max(1));
        }
    }
}

/// A rate, and how much was copied lately. Whoever copies may go beyond it by one answer, and then waits until the average is
/// below it again.
#[derive(Debug)]
pub(crate) struct ReplicationQuota {
    bytes_per_second: AtomicU64,
    samples: Mutex<Samples>,
}

/// The newest windows: when each began, and the bytes in it.
#[derive(Debug)]
struct Samples {
    window: Duration,
    windows: usize,
    bytes: VecDeque<(Monotonic, u64)>,
}

impl Default for ReplicationQuota {
    fn default() -> Self {
        let samples = Samples { window: Duration::from_secs(1), windows: 1, bytes: VecDeque::new() };
        Self { bytes_per_second: AtomicU64::new(u64::MAX), samples: Mutex::new(samples) }
    }
}

impl ReplicationQuota {
    /// Counts bytes of a throttled replica.
    pub(crate) fn record(&self, now: Monotonic, bytes: u64) {
        let mut samples = self.samples.lock();
        samples.forget_old(now);
        let window = samples.window;
        match samples.bytes.back_mut() {
            Some((began, sum)) if now.since(*began) < window => *sum += bytes,
            _ => samples.bytes.push_back((now, bytes)),
        }
    }

    /// Whether throttled replicas have to wait.
    pub(crate) fn is_exceeded(&self, now: Monotonic) -> bool {
        let bound = self.bytes_per_second.load(Ordering::Relaxed);
        let mut samples = self.samples.lock();
        samples.forget_old(now);
        let Some((oldest, _)) = samples.bytes.front() else { return false };
        let over = now.since(*oldest).max(samples.window);
        let bytes: u128 = samples.bytes.iter().map(|(_, bytes)| u128::from(*bytes)).sum();
        bytes * 1_000_000_000 > u128::from(bound) * over.as_nanos()
    }
}

impl Samples {
    fn forget_old(&mut self, now: Monotonic) {
        let span = self.window * u32::try_from(self.windows).unwrap_or(u32::MAX);
        while self.bytes.front().is_some_and(|(began, _)| now.since(*began) >= span) {
            self.bytes.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic(ms * 1_000_000)
    }

    /// 100 bytes a second, over 11 s.
    fn quota() -> ReplicationQuotas {
        let config =
            ottla_config::Settings::load(None, [], &["leader.replication.throttled.rate=100".to_owned()]);
        let config = ottla_config::BrokerConfig::from_settings(&config.unwrap()).unwrap();
        let quotas = ReplicationQuotas::default();
        quotas.configure(&config.replication);
        quotas
    }

    #[test]
    fn what_was_copied_counts_until_its_window_is_past() {
        let quota = quota().leader;
        assert!(!quota.is_exceeded(at(0)));
        quota.record(at(0), 1000);
        assert!(quota.is_exceeded(at(0)) && quota.is_exceeded(at(9_999)));
        assert!(!quota.is_exceeded(at(10_000)), "1000 bytes in 10 s are what is allowed");
        quota.record(at(10_500), 100);
        assert!(quota.is_exceeded(at(10_600)));
        assert!(!quota.is_exceeded(at(11_600)), "the first are forgotten");
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let quotas = quota();
        quotas.follower.record(at(0), u64::MAX / 2);
        assert!(!quotas.follower.is_exceeded(at(0)));
    }
}
