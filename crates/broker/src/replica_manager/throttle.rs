//! Which replicas wait because they have copied too fast (KIP-73). Those in sync never do: acknowledgements wait for them.

use ottla_types::NodeId;

use super::partition::{Partition, State};

impl Partition {
    /// Whether `follower` may not be sent records now.
    pub(super) fn must_wait(&self, state: &State, follower: NodeId) -> bool {
        let in_sync = state.replica.leader().is_ok_and(|leader| leader.state().isr.contains(&follower));
        !in_sync && self.is_leader_throttled(state) && self.quotas.leader.is_exceeded(self.clock.now())
    }

    /// Records were sent to a follower.
    pub(crate) fn count_sent(&self, bytes: usize) {
        if bytes > 0 && self.is_leader_throttled(&self.look()) {
            self.quotas.leader.record(self.clock.now(), bytes as u64);
        }
    }

    /// Whether nothing may be fetched for this replica now.
    pub(super) fn must_not_fetch(&self, state: &State) -> bool {
        !state.is_caught_up
            && self.is_follower_throttled(state)
            && self.quotas.follower.is_exceeded(self.clock.now())
    }

    /// Records were fetched for this replica.
    pub(super) fn count_fetched(&self, state: &State, bytes: usize) {
        if bytes > 0 && self.is_follower_throttled(state) {
            self.quotas.follower.record(self.clock.now(), bytes as u64);
        }
    }

    fn is_leader_throttled(&self, state: &State) -> bool {
        let partition = self.id().topic_partition.partition.0;
        state.config.leader_throttled.contains(partition, state.replica.me().0)
    }

    fn is_follower_throttled(&self, state: &State) -> bool {
        let partition = self.id().topic_partition.partition.0;
        state.config.follower_throttled.contains(partition, state.replica.me().0)
    }
}
