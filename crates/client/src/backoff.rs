//! Pauses between retries.

use std::time::Duration;

/// Doubles from a first pause to a longest one, each shortened by up to a fifth so that many clients do
/// not come back at once.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    next: Duration,
    max: Duration,
}

impl Backoff {
    pub(crate) const fn new(first: Duration, max: Duration) -> Self {
        Self { next: first, max }
    }

    /// The pause to make now.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = self.next.saturating_mul(2).min(self.max);
        pause.mul_f64(1.0 - 0.2 * crate::random::unit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(1000));
        for expected in [100, 200, 400, 800, 1000, 1000] {
            let pause = backoff.pause();
            assert!(pause <= ms(expected) && pause >= ms(expected * 4 / 5), "{pause:?}");
        }
    }
}
