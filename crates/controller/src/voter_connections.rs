//! Whether another voter's process may have ended: it talked until its connection broke off.
//!
//! A new active controller has not heard the brokers yet. Of those that are voters too it knows this much, and of the
//! voter that led before, which talks all the time, it knows it for sure.

use std::collections::BTreeMap;
use std::time::Duration;

use ottla_env::Monotonic;
use ottla_types::NodeId;

/// The connections over which other voters were heard last; soft state of every controller.
#[derive(Debug, Default)]
pub(crate) struct VoterConnections {
    by_voter: BTreeMap<NodeId, Heard>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    at: Monotonic,
    connection_id: u64,
    has_ended: bool,
}

impl VoterConnections {
    /// `voter` said something over the connection `connection_id`.
    pub(crate) fn heard(&mut self, voter: NodeId, connection_id: u64, now: Monotonic) {
        self.by_voter.insert(voter, Heard { at: now, connection_id, has_ended: false });
    }

    /// The connection `connection_id` has ended.
    pub(crate) fn ended(&mut self, connection_id: u64) {
        for heard in self.by_voter.values_mut().filter(|heard| heard.connection_id == connection_id) {
            heard.has_ended = true;
        }
    }

    /// Whether `voter` talked less than `lately` ago, and its connection has ended since. One that nobody used for longer
    /// was closed for that, which proves nothing.
    pub(crate) fn broke_off(&self, voter: NodeId, now: Monotonic, lately: Duration) -> bool {
        self.by_voter.get(&voter).is_some_and(|heard| heard.has_ended && now.since(heard.at) < lately)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATELY: Duration = Duration::from_secs(2);
    const VOTER: NodeId = NodeId(2);

    fn at(ms: u64) -> Monotonic {
        Monotonic(ms * 1_000_000)
    }

    #[test]
    fn a_voter_breaks_off_when_the_connection_ends_over_which_it_talked() {
        let mut connections = VoterConnections::default();
        assert!(!connections.broke_off(VOTER, at(0), LATELY), "it was never heard");
        connections.heard(VOTER, 7, at(0));
        assert!(!connections.broke_off(VOTER, at(100), LATELY), "silence proves nothing");
        connections.ended(8);
        assert!(!connections.broke_off(VOTER, at(100), LATELY), "that was another one's");
        connections.ended(7);
        assert!(connections.broke_off(VOTER, at(100), LATELY));
        assert!(!connections.broke_off(NodeId(3), at(100), LATELY));
        connections.heard(VOTER, 9, at(200));
        assert!(!connections.broke_off(VOTER, at(300), LATELY), "it came back");
    }

    #[test]
    fn a_connection_that_was_not_used_any_more_proves_nothing() {
        let mut connections = VoterConnections::default();
        connections.heard(VOTER, 7, at(0));
        connections.ended(7);
        assert!(connections.broke_off(VOTER, at(1999), LATELY));
        assert!(!connections.broke_off(VOTER, at(2000), LATELY));
    }
}
