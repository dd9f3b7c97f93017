//! A shard's timers.

use std::collections::{BTreeMap, BTreeSet};

use ottla_env::Monotonic;

/// Named deadlines; setting one again replaces it. Both operations are O(log n).
#[derive(Clone, Debug)]
pub struct TimerQueue<K> {
    by_deadline: BTreeSet<(Monotonic, K)>,
    deadlines: BTreeMap<K, Monotonic>,
}

impl<K: Clone + Ord> Default for TimerQueue<K> {
    fn default() -> Self {
        Self { by_deadline: BTreeSet::new(), deadlines: BTreeMap::new() }
    }
}

impl<K: Clone + Ord> TimerQueue<K> {
    /// Sets `key` to `deadline`, or cancels it.
    pub fn set(&mut self, key: K, deadline: Option<Monotonic>) {
        let (key, former) = match deadline {
            Some(deadline) => {
                let former = self.deadlines.insert(key.clone(), deadline);
                self.by_deadline.insert((deadline, key.clone()));
                (key, former.filter(|&former| former != deadline))
            }
            None => {
                let former = self.deadlines.remove(&key);
                (key, former)
            }
        };
        if let Some(former) = former {
            self.by_deadline.remove(&(former, key));
        }
    }

    /// The next deadline, for the host's wake-up.
    pub fn next_deadline(&self) -> Option<Monotonic> {
        self.by_deadline.first().map(|&(deadline, _)| deadline)
    }

    /// Takes out the earliest timer whose deadline is not after `now`.
    pub fn pop_due(&mut self, now: Monotonic) -> Option<K> {
        if self.next_deadline()? > now {
            return None;
        }
        let (_, key) = self.by_deadline.pop_first()?;
        self.deadlines.remove(&key);
        Some(key)
    }

    /// How many deadlines are not after `now`.
    pub fn due(&self, now: Monotonic) -> usize {
        self.by_deadline.iter().take_while(|&&(deadline, _)| deadline <= now).count()
    }

    /// When `key` fires.
    pub fn deadline(&self, key: &K) -> Option<Monotonic> {
        self.deadlines.get(key).copied()
    }

    /// How many timers are set.
    pub fn len(&self) -> usize {
        self.deadlines.len()
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.deadlines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64) -> Monotonic {
        Monotonic(ns)
    }

    #[test]
    fn fires_in_order_of_deadlines_and_only_when_due() {
        let mut timers = TimerQueue::default();
        timers.set("late", Some(at(30)));
        timers.set("early", Some(at(10)));
        timers.set("middle", Some(at(20)));
        assert_eq!(timers.next_deadline(), Some(at(10)));
        assert_eq!(timers.due(at(20)), 2);
        assert_eq!(timers.pop_due(at(9)), None);
        assert_eq!(timers.pop_due(at(20)), Some("early"));
        assert_eq!(timers.pop_due(at(20)), Some("middle"));
        assert_eq!(timers.pop_due(at(20)), None);
        assert_eq!(timers.len(), 1);
    }

    #[test]
    fn a_timer_set_again_fires_once_at_its_last_deadline() {
        let mut timers = TimerQueue::default();
        timers.set("session", Some(at(10)));
        timers.set("session", Some(at(40)));
        timers.set("session", Some(at(40)));
        assert_eq!(timers.deadline(&"session"), Some(at(40)));
        assert_eq!(timers.pop_due(at(39)), None);
        assert_eq!(timers.pop_due(at(40)), Some("session"));
        assert_eq!(timers.pop_due(at(99)), None);
        assert!(timers.is_empty());
    }

    #[test]
    fn a_cancelled_timer_does_not_fire() {
        let mut timers = TimerQueue::default();
        timers.set("join", Some(at(10)));
        timers.set("join", None);
        timers.set("never set", None);
        assert_eq!(timers.pop_due(at(99)), None);
        assert_eq!(timers.next_deadline(), None);
    }
}
