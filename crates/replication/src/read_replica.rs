//! Which replica a consumer is told to read from (KIP-392; Kafka's `RackAwareReplicaSelector`).

use std::cmp::Reverse;
use std::time::Duration;

use ottla_types::{NodeId, Offset};

/// A follower that has what a consumer asks for. One that is not in sync is none: it may never come closer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadableFollower {
    /// Whose replica it is.
    pub id: NodeId,
    /// The end of its log, as it last told.
    pub log_end_offset: Offset,
    /// How long ago it had all that its leader had.
    pub behind_for: Duration,
}

/// The follower to read from, given who is in the consumer's rack: the one that is most caught up. None if the leader is as
/// near, or nobody is.
pub fn select_rack_aware(
    leader: NodeId,
    followers: impl Iterator<Item = ReadableFollower>,
    is_near: impl Fn(NodeId) -> bool,
) -> Option<NodeId> {
    if is_near(leader) {
        return None;
    }
    let near = followers.filter(|follower| is_near(follower.id));
    near.max_by_key(|follower| (follower.log_end_offset, Reverse(follower.behind_for), follower.id))
        .map(|follower| follower.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(near: &[i32]) -> Option<i32> {
        let follower = |id, end, behind| ReadableFollower {
            id: NodeId(id),
            log_end_offset: Offset(end),
            behind_for: Duration::from_millis(behind),
        };
        let followers = [follower(2, 10, 5), follower(3, 12, 9), follower(4, 12, 7), follower(5, 12, 7)];
        select_rack_aware(NodeId(1), followers.into_iter(), |id| near.contains(&id.0)).map(|id| id.0)
    }

    #[test]
    fn the_nearest_that_is_most_caught_up_is_read_from() {
        assert_eq!(select(&[2]), Some(2));
        assert_eq!(select(&[2, 3]), Some(3), "has more");
        assert_eq!(select(&[2, 3, 4]), Some(4), "had all more lately");
        assert_eq!(select(&[4, 5]), Some(5), "for no other reason than to choose one");
    }

    #[test]
    fn the_leader_is_read_from_where_it_is_near_or_nobody_is() {
        assert_eq!(select(&[1, 2, 3]), None);
        assert_eq!(select(&[]), None);
    }
}
