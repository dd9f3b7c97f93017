//! Until when a leader may answer clients without having heard that it is none any more.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The default of `broker.session.timeout.ms`: what a controller that has not told is taken to wait.
const DEFAULT_SESSION: Duration = Duration::from_secs(2);

/// A broker's lease on everything that it leads. Times are monotonic, since the host's start.
///
/// ```text
///  broker      sends heartbeat                              lease ends
///              ├───────────────── length ───────────────────┤
///  controller     hears it, answers                                session ends: others lead
///                 ├──────────────────── session ────────────────────┤
/// ```
/// The lease counts from before the controller could hear the heartbeat, and is shorter than the session that the controller counts from
/// then on: when another broker is made leader, no lease lasts. Read without a lock; one thread extends it.
#[derive(Debug, Default)]
pub struct LeaderLease {
    /// Nanoseconds; zero before the first, the largest number for one that does not end.
    ends: AtomicU64,
    is_over: AtomicBool,
}

impl LeaderLease {
    /// The session that a lease may count on: the controller's, which is what it has `told`, and not what this broker is
    /// configured for, its `own`; but no longer than that.
    pub fn session(own: Duration, told: Option<Duration>) -> Duration {
        own.min(told.unwrap_or(DEFAULT_SESSION))
    }

    /// How long a lease lasts where the controller waits for `session`. The tenth between is for clocks that go at different
    /// speeds.
    pub fn length(session: Duration) -> Duration {
        session / 10 * 9
    }

    /// The controller answered a heartbeat that was sent at `sent`, and did not fence.
    pub fn extend(&self, sent: Duration, session: Duration) {
        self.ends.store(nanos(sent + Self::length(session)), Ordering::Release);
    }

    /// The controller answered a heartbeat that was sent at `sent`: others lead in place of this broker, and it has not read who. The lease
    /// goes on, and one without an end gets one.
    pub fn bound(&self, sent: Duration, session: Duration) {
        self.ends.fetch_min(nanos(sent + Self::length(session)), Ordering::AcqRel);
    }

    /// Nobody else could be made leader: there is no other broker, or the only controller lives and dies with this one.
    pub fn hold(&self) {
        self.ends.store(u64::MAX, Ordering::Release);
    }

    /// The controller has fenced this broker.
    pub fn revoke(&self) {
        self.ends.store(0, Ordering::Release);
    }

    /// This broker does not follow the metadata any more: no answer of a controller gives it a lease again.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Whether this broker may answer clients at `now`.
    pub fn is_valid(&self, now: Duration) -> bool {
        !self.left(now).is_zero()
    }

    /// How long it still lasts; zero if it has run out.
    pub fn left(&self, now: Duration) -> Duration {
        if self.is_over.load(Ordering::Acquire) {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.ends.load(Ordering::Acquire).saturating_sub(nanos(now)))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Duration = Duration::from_millis(2000);

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn there_is_none_before_the_first_answer() {
        let lease = LeaderLease::default();
        assert!(!lease.is_valid(at(0)) && !lease.is_valid(at(1000)));
    }

    #[test]
    fn the_controllers_session_counts_and_not_a_longer_one_of_the_broker() {
        let told = |own, told: Option<u64>| LeaderLease::session(at(own), told.map(at));
        assert_eq!(told(18_000, Some(2000)), at(2000));
        assert_eq!(told(18_000, Some(9000)), at(9000));
        assert_eq!(told(1500, Some(2000)), at(1500), "it may be more careful");
        assert_eq!((told(18_000, None), told(1500, None)), (at(2000), at(1500)), "before it is told");
    }

    #[test]
    fn it_counts_from_the_sending_and_ends_before_the_session() {
        let lease = LeaderLease::default();
        let (sent, heard) = (at(1000), at(1300));
        lease.extend(sent, SESSION);
        assert!(lease.is_valid(at(2799)) && !lease.is_valid(at(2800)));
        assert_eq!((lease.left(at(2500)), lease.left(at(9000))), (at(300), at(0)));
        assert!(sent + LeaderLease::length(SESSION) < heard + SESSION);
    }

    #[test]
    fn each_answered_heartbeat_extends_it_and_silence_does_not() {
        let lease = LeaderLease::default();
        for sent in (0..10_000).step_by(250) {
            lease.extend(at(sent), SESSION);
            assert!(lease.is_valid(at(sent + 250)));
        }
        // The last was sent at 9750.
        assert!(lease.is_valid(at(11_549)) && !lease.is_valid(at(11_550)));
    }

    #[test]
    fn a_pause_that_outlasts_it_is_noticed_at_the_first_look() {
        let lease = LeaderLease::default();
        lease.extend(at(100), SESSION);
        assert!(lease.is_valid(at(200)));
        assert!(!lease.is_valid(at(5200)), "nobody had to wake up in between");
    }

    #[test]
    fn fencing_ends_it_and_the_next_answer_begins_another() {
        let lease = LeaderLease::default();
        lease.extend(at(0), SESSION);
        lease.revoke();
        assert!(!lease.is_valid(at(1)));
        lease.extend(at(10), SESSION);
        assert!(lease.is_valid(at(11)));
    }

    #[test]
    fn once_it_is_over_no_answer_that_was_under_way_brings_it_back() {
        let lease = LeaderLease::default();
        lease.extend(at(0), SESSION);
        lease.end();
        lease.extend(at(10), SESSION);
        lease.hold();
        assert!(!lease.is_valid(at(11)) && lease.left(at(11)).is_zero());
    }

    #[test]
    fn who_does_not_know_its_successor_keeps_what_is_left_of_it() {
        let lease = LeaderLease::default();
        lease.bound(at(0), SESSION);
        assert!(!lease.is_valid(at(1)), "none comes into being");
        lease.extend(at(100), SESSION);
        for sent in (350..5000).step_by(250) {
            lease.bound(at(sent), SESSION);
        }
        assert!(lease.is_valid(at(1899)) && !lease.is_valid(at(1900)));
        lease.hold();
        lease.bound(at(5000), SESSION);
        assert!(lease.is_valid(at(6799)) && !lease.is_valid(at(6800)));
    }

    #[test]
    fn where_nobody_else_could_lead_it_does_not_end_until_somebody_can() {
        let lease = LeaderLease::default();
        lease.hold();
        assert!(lease.is_valid(Duration::from_secs(1 << 31)));
        lease.extend(at(0), SESSION);
        assert!(!lease.is_valid(at(2000)));
    }
}
