//! The follower's side: what it takes over from its leader's answers.

use ottla_types::{LeaderEpoch, NodeId, Offset};

use crate::partition_state::ReplicaProgress;
use crate::replica::{NotLeading, Replica, Role};

/// Where a follower cuts its log whose leader says that its history is another one (KIP-101, KIP-279, KIP-595).
///
/// ```text
///  leader    epoch 1 ├──────┤ epoch 3 ├────▶     answers for epoch 2: (1, where 1 ends there)
///  follower  epoch 1 ├────┤ epoch 2 ├───┤        knows where 1 ends here
///                         ▲ the smaller of the two ends: all before it is common
/// ```
///
/// `leaders` is the leader's largest epoch up to the follower's last, and its end there; `ours` the follower's own largest epoch
/// up to that one, and its end. If the follower's is smaller, what is left may still differ: the next fetch tells, with a smaller epoch.
pub fn truncation_point(
    leaders: (LeaderEpoch, Offset),
    ours: Option<(LeaderEpoch, Offset)>,
    log_end: Offset,
) -> Offset {
    let (epoch, end) = leaders;
    match ours {
        Some((known, our_end)) if known == epoch => end.min(our_end),
        // The leader's end is of an epoch that is not here: all of what came after our smaller one goes.
        Some((_, our_end)) => our_end,
        None => end,
    }
    .min(log_end)
}

impl Replica {
    /// Whom this replica follows in `epoch`, if it still does.
    pub fn check_follows(&self, epoch: LeaderEpoch) -> Result<NodeId, NotLeading> {
        match self.role() {
            Role::Follower { leader, .. } if self.leader_epoch() == epoch => Ok(*leader),
            _ => Err(NotLeading { epoch, current: self.leader_epoch() }),
        }
    }

    /// The leader told its high watermark; `log_end` is where this replica's log ends. Returns the new one if it moved.
    pub fn handle_leader_high_watermark(&mut self, told: Offset, log_end: Offset) -> Option<Offset> {
        let Role::Follower { high_watermark, .. } = self.role_mut() else { return None };
        let reached = told.min(log_end);
        // A new leader may not know yet how much is committed.
        if reached <= *high_watermark {
            return None;
        }
        *high_watermark = reached;
        Some(reached)
    }

    /// The log was cut off at `log_end`, or begins there.
    pub fn handle_truncation(&mut self, log_end: Offset) {
        if let Role::Follower { high_watermark, .. } = self.role_mut() {
            *high_watermark = (*high_watermark).min(log_end);
        }
    }

    /// Whether the leader may be told that this replica has all of its log.
    pub fn has_stored(&self, progress: ReplicaProgress) -> bool {
        progress.stored(self.durability()) >= progress.log_end_offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(leaders: (i32, i64), ours: Option<(i32, i64)>, log_end: i64) -> i64 {
        let at = |(epoch, offset)| (LeaderEpoch(epoch), Offset(offset));
        truncation_point(at(leaders), ours.map(at), Offset(log_end)).0
    }

    #[test]
    fn what_both_have_of_an_epoch_stays() {
        assert_eq!(point((1, 10), Some((1, 8)), 12), 8);
        assert_eq!(point((1, 8), Some((1, 10)), 12), 8);
    }

    #[test]
    fn an_epoch_that_is_not_here_cuts_down_to_the_smaller_one() {
        assert_eq!(point((2, 10), Some((1, 6)), 12), 6);
    }

    #[test]
    fn without_any_epoch_the_leaders_end_counts_but_never_more_than_there_is() {
        assert_eq!(point((2, 10), None, 12), 10);
        assert_eq!(point((2, 10), None, 7), 7);
    }
}
