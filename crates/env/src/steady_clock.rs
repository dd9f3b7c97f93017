//! A clock whose wall time does not follow the system's at once when that jumps: what is deleted by age, and what ages are counted
//! from, must not hang on a wrong date (a board without battery, a wrong time server, a restored machine).
//!
//! ```text
//!  system   ──────────┐ +10 years                 ┌──────
//!                     └───────────────────────────┘           steady: goes on as if nothing had happened
//!  system   ──────────┐ +3 hours, and stays so
//!                     └─────────────────────────────────      steady: follows after 3 hours; at the latest after a day
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::{Clock, Monotonic};

/// Within this the system's clock is corrected, not wrong.
const TOLERANCE_MS: i64 = 15 * 60_000;
/// A jump that lasts so long is the truth, however far it went.
const DAY_MS: i64 = 24 * 3_600_000;
/// A node may have been off for so long without a doubt about its clock.
const OFF_MS: i64 = 30 * DAY_MS;

/// See the module.
#[derive(Debug)]
pub struct SteadyClock {
    system: Arc<dyn Clock>,
    /// Wall time less monotonic time, ms.
    offset_ms: AtomicI64,
    is_doubtful: AtomicBool,
    doubt: Mutex<Option<Doubt>>,
}

/// The system's clock has jumped.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    offset_ms: i64,
    since: Monotonic,
}

impl SteadyClock {
    /// On top of `system`. `known_ms` is the time that the process before knew at last: what is before it, or far beyond, is
    /// doubtful from the start.
    pub fn new(system: Arc<dyn Clock>, known_ms: Option<i64>) -> Self {
        let (now_ms, wall_ms) = (millis(system.now()), system.wall_ms());
        let is_credible = |known: i64| (-TOLERANCE_MS..=OFF_MS).contains(&wall_ms.saturating_sub(known));
        let start_ms = known_ms.filter(|known| !is_credible(*known)).unwrap_or(wall_ms);
        Self {
            system,
            offset_ms: AtomicI64::new(start_ms.saturating_sub(now_ms)),
            is_doubtful: AtomicBool::new(false),
            doubt: Mutex::new(None),
        }
    }

    /// What to make of a wall time that is not where it should be.
    #[cold]
    fn judge(&self, now: Monotonic, wall_ms: i64) -> i64 {
        let mut doubt = self.doubt.lock();
        let (now_ms, steady_offset) = (millis(now), self.offset_ms.load(Ordering::Relaxed));
        let offset_ms = wall_ms.saturating_sub(now_ms);
        let is_same = |doubt: &Doubt| doubt.offset_ms.abs_diff(offset_ms) <= TOLERANCE_MS.unsigned_abs();
        let since = match doubt.filter(is_same) {
            Some(doubt) => doubt.since,
            None => now,
        };
        *doubt = Some(Doubt { offset_ms, since });
        self.is_doubtful.store(true, Ordering::Relaxed);
        let jump_ms = offset_ms.saturating_sub(steady_offset).saturating_abs();
        let lasted = now.since(since);
        if lasted < Duration::from_millis(jump_ms.min(DAY_MS).unsigned_abs()) {
            return now_ms.saturating_add(steady_offset);
        }
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
        self.is_doubtful.store(false, Ordering::Relaxed);
        *doubt = None;
        wall_ms
    }

    #[cold]
    fn forget_doubt(&self) {
        *self.doubt.lock() = None;
        self.is_doubtful.store(false, Ordering::Relaxed);
    }

    /// By how much the system's clock is off, if that is doubtful: ms, positive if it is ahead.
    pub fn doubt_ms(&self) -> Option<i64> {
        let doubt = (*self.doubt.lock())?;
        Some(doubt.offset_ms.saturating_sub(self.offset_ms.load(Ordering::Relaxed)))
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Monotonic {
        self.system.now()
    }

    fn wall_ms(&self) -> i64 {
        let (now, wall_ms) = (self.system.now(), self.system.wall_ms());
        let offset_ms = wall_ms.saturating_sub(millis(now));
        let off = offset_ms.saturating_sub(self.offset_ms.load(Ordering::Relaxed));
        if off.saturating_abs() > TOLERANCE_MS {
            return self.judge(now, wall_ms);
        }
        if off != 0 {
            self.offset_ms.store(offset_ms, Ordering::Relaxed);
        }
        if self.is_doubtful.load(Ordering::Relaxed) {
            self.forget_doubt();
        }
        wall_ms
    }
}

fn millis(at: Monotonic) -> i64 {
    i64::try_from(at.0 / 1_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    const NOW: i64 = 1_700_000_000_000;
    const YEARS: i64 = 10 * 365 * DAY_MS;

    fn clocks(known_ms: Option<i64>) -> (Arc<ManualClock>, SteadyClock) {
        let system = Arc::new(ManualClock::at_wall_ms(NOW));
        (Arc::clone(&system), SteadyClock::new(system, known_ms))
    }

    fn ms(ms: i64) -> Duration {
        Duration::from_millis(ms.unsigned_abs())
    }

    #[test]
    fn it_follows_a_clock_that_is_corrected() {
        let (system, steady) = clocks(None);
        for step in [1, -700, 60_000, -60_000, TOLERANCE_MS, -TOLERANCE_MS] {
            system.set_wall_ms(system.wall_ms() + step);
            assert_eq!(steady.wall_ms(), system.wall_ms());
            system.advance(ms(5_000));
            assert_eq!(steady.wall_ms(), system.wall_ms());
        }
        assert_eq!(steady.doubt_ms(), None);
    }

    #[test]
    fn it_sits_out_a_wrong_date() {
        for jump in [YEARS, -YEARS] {
            let (system, steady) = clocks(None);
            system.set_wall_ms(NOW + jump);
            assert_eq!((steady.wall_ms(), steady.doubt_ms()), (NOW, Some(jump)));
            system.advance(ms(DAY_MS - 1));
            assert_eq!(steady.wall_ms(), NOW + DAY_MS - 1);
            system.set_wall_ms(NOW + DAY_MS);
            assert_eq!((steady.wall_ms(), steady.doubt_ms()), (NOW + DAY_MS, None));
        }
    }

    #[test]
    fn what_lasts_is_believed() {
        for (jump, after) in [(3 * 3_600_000, 3 * 3_600_000), (YEARS, DAY_MS), (-YEARS, DAY_MS)] {
            let (system, steady) = clocks(None);
            system.set_wall_ms(NOW + jump);
            assert_eq!(steady.wall_ms(), NOW);
            system.advance(ms(after - 1));
            assert_eq!(steady.wall_ms(), NOW + after - 1);
            system.advance(ms(1));
            assert_eq!(steady.wall_ms(), NOW + jump + after);
            assert_eq!(steady.doubt_ms(), None);
        }
    }

    #[test]
    fn another_jump_begins_another_wait() {
        let (system, steady) = clocks(None);
        for round in 1..=4 {
            system.set_wall_ms(NOW + round * YEARS);
            assert!(steady.wall_ms() < NOW + 4 * DAY_MS);
            system.advance(ms(DAY_MS - 1));
            assert!(steady.wall_ms() < NOW + 4 * DAY_MS, "in round {round}");
        }
    }

    #[test]
    fn a_node_that_was_off_is_up_to_date_unless_its_clock_says_years() {
        let (_, steady) = clocks(Some(NOW - OFF_MS));
        assert_eq!(steady.wall_ms(), NOW);
        for known in [NOW - YEARS, NOW + YEARS] {
            let (system, steady) = clocks(Some(known));
            assert_eq!(steady.wall_ms(), known);
            system.advance(ms(DAY_MS));
            assert_eq!(steady.wall_ms(), NOW + DAY_MS);
        }
    }
}
