//! The timers of a group shard.

use ottla_types::GroupId;

use crate::member::MemberId;

/// Names a timer of a group shard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupTimer {
    /// A member was not heard of for its session timeout; or a pending member did not join.
    Session {
        /// Its group.
        group: GroupId,
        /// The member.
        member: MemberId,
    },
    /// The time for joining is up.
    Join(GroupId),
    /// The time for SyncGroup is up.
    Sync(GroupId),
    /// Offsets may have outlived their retention.
    Expiration,
    /// Offsets of deleted topics are to be removed.
    TopicsDeleted,
}
