//! The network between hosts: messages are late, overtake each other, come twice or never.
//!
//! Rougher than TCP, under which messages of one connection neither overtake each other nor come twice: whatever holds here
//! holds there.

use std::collections::BTreeSet;
use std::time::Duration;

use ottla_env::{Rng, SeededRng};

/// What the network does to messages now.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// From the first to the second nothing comes through.
    blocked: BTreeSet<(i32, i32)>,
    /// Of a thousand messages so many are lost.
    pub(crate) loss: u64,
    /// Of a thousand messages so many come twice.
    pub(crate) duplicates: u64,
    /// Some messages take up to so much longer.
    pub(crate) slow: Duration,
}

impl Network {
    /// After how long a message arrives, for each time that it does.
    pub(crate) fn deliveries(
        &self,
        rng: &mut SeededRng,
        (from, to): (i32, i32),
        may_come_twice: bool,
    ) -> Vec<Duration> {
        if from == to {
            return vec![Duration::from_micros(20)];
        }
        if !self.is_open(from, to) || rng.below(1000) < self.loss {
            return Vec::new();
        }
        let mut delays = vec![self.delay(rng)];
        if may_come_twice && rng.below(1000) < self.duplicates {
            delays.push(self.delay(rng));
        }
        delays
    }

    fn delay(&self, rng: &mut SeededRng) -> Duration {
        let usual = Duration::from_micros(200 + rng.below(800));
        if !self.slow.is_zero() && rng.below(4) == 0 {
            return usual + Duration::from_micros(rng.below(self.slow.as_micros() as u64));
        }
        usual
    }

    /// Whether messages come through.
    pub(crate) fn is_open(&self, from: i32, to: i32) -> bool {
        from == to || !self.blocked.contains(&(from, to))
    }

    /// Nothing comes through in this direction.
    pub(crate) fn block(&mut self, from: i32, to: i32) {
        self.blocked.insert((from, to));
    }

    /// It does again.
    pub(crate) fn unblock(&mut self, from: i32, to: i32) {
        self.blocked.remove(&(from, to));
    }

    /// All is well.
    pub(crate) fn heal(&mut self) {
        *self = Self::default();
    }
}
