//! One replica of one partition on this broker: its role, and what is allowed in it.

use std::time::Duration;

use ottla_types::{LeaderEpoch, NodeId, Offset, PartitionEpoch};

use crate::leader::Leader;
use crate::partition_state::{Durability, LocalLog, PartitionState};

/// What this broker is for a partition.
#[derive(Clone, Debug)]
pub enum Role {
    /// No metadata has named this replica yet, or the partition has no leader.
    Offline,
    /// It takes writes and decides what is committed.
    Leader(Leader),
    /// It copies the leader's log.
    Follower {
        /// Whom it copies.
        leader: NodeId,
        /// The last high watermark the leader told it.
        high_watermark: Offset,
    },
}

/// One replica of one partition on this broker.
#[derive(Clone, Debug)]
pub struct Replica {
    me: NodeId,
    durability: Durability,
    leader_epoch: LeaderEpoch,
    partition_epoch: PartitionEpoch,
    role: Role,
}

/// What the host must do after a metadata change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    /// Older than what is known, or no change of role.
    None,
    /// Stamp new batches with the epoch, which starts at `epoch_start`; serve reads and writes. A leader may stay one in a new
    /// epoch, as when a reassignment ends: what it has appended stays in its log.
    BecameLeader {
        /// The log end offset at the change.
        epoch_start: Offset,
    },
    /// Stop serving writes, answer parked requests with `NOT_LEADER_OR_FOLLOWER`, fetch from `leader`.
    BecameFollower {
        /// Whom to copy.
        leader: NodeId,
    },
    /// Nobody leads: stop serving.
    WentOffline,
    /// Still the leader of the same epoch; the in-sync set or minimum changed.
    LeaderUpdated,
}

/// This broker does not lead the partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this broker does not lead the partition (leader epoch {leader_epoch}); refresh the metadata")]
pub struct NotLeader {
    /// The newest epoch known here.
    pub leader_epoch: LeaderEpoch,
}

/// What was fetched is of another leader than the one that is followed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody is followed in leader epoch {epoch} any more, the newest is {current}")]
pub struct NotLeading {
    /// The epoch that was fetched in.
    pub epoch: LeaderEpoch,
    /// The newest epoch known here.
    pub current: LeaderEpoch,
}

/// A request named another leader epoch (KIP-320).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EpochError {
    /// The request is from before the current leader.
    #[error("leader epoch {requested} is older than {current}; refresh the metadata")]
    Fenced {
        /// What the request named.
        requested: LeaderEpoch,
        /// What is known here.
        current: LeaderEpoch,
    },
    /// The request knows a leader that this broker has not heard of yet.
    #[error("leader epoch {requested} is newer than {current}; try again")]
    Unknown {
        /// What the request named.
        requested: LeaderEpoch,
        /// What is known here.
        current: LeaderEpoch,
    },
}

/// Why a write that must reach all in-sync replicas is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// Another broker leads.
    #[error(transparent)]
    NotLeader(#[from] NotLeader),
    /// Too few replicas are in sync.
    #[error(
        "{in_sync} replicas are in sync, min.insync.replicas asks for {required}; bring brokers back or lower it"
    )]
    NotEnoughReplicas {
        /// How many are.
        in_sync: usize,
        /// How many must be.
        required: usize,
    },
}

impl Replica {
    /// A replica that no metadata has named yet.
    pub fn new(me: NodeId, durability: Durability) -> Self {
        Self {
            me,
            durability,
            leader_epoch: LeaderEpoch::NONE,
            partition_epoch: PartitionEpoch::NONE,
            role: Role::Offline,
        }
    }

    /// The partition's committed state changed. `now` is monotonic time since the host's start.
    pub fn handle_partition_state(
        &mut self,
        now: Duration,
        state: PartitionState,
        log: LocalLog,
    ) -> RoleChange {
        if state.partition_epoch < self.partition_epoch || state.leader_epoch < self.leader_epoch {
            return RoleChange::None;
        }
        let same_leader = state.leader_epoch == self.leader_epoch;
        self.leader_epoch = state.leader_epoch;
        self.partition_epoch = state.partition_epoch;
        let leader_id = state.leader;
        if leader_id == self.me {
            return self.lead(now, same_leader, state, log);
        }
        let high_watermark = self.high_watermark().max(log.high_watermark);
        match (&mut self.role, leader_id.is_some()) {
            (Role::Follower { leader, .. }, true) if same_leader && *leader == leader_id => RoleChange::None,
            (_, true) => {
                self.role = Role::Follower { leader: leader_id, high_watermark };
                RoleChange::BecameFollower { leader: leader_id }
            }
            (Role::Offline, false) => RoleChange::None,
            (_, false) => {
                self.role = Role::Offline;
                RoleChange::WentOffline
            }
        }
    }

    fn lead(&mut self, now: Duration, same_leader: bool, state: PartitionState, log: LocalLog) -> RoleChange {
        if let Role::Leader(leader) = &mut self.role
            && same_leader
        {
            leader.update_state(state, now);
            return RoleChange::LeaderUpdated;
        }
        let high_watermark = self.high_watermark().max(log.high_watermark).min(log.progress.log_end_offset);
        let leader = Leader::new(self.me, self.durability, state, log.progress, high_watermark, now);
        let epoch_start = leader.epoch_start();
        self.role = Role::Leader(leader);
        RoleChange::BecameLeader { epoch_start }
    }

    /// The broker that holds it.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// The newest leader epoch known here.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    /// What this broker is for the partition.
    pub fn role(&self) -> &Role {
        &self.role
    }

    pub(crate) fn role_mut(&mut self) -> &mut Role {
        &mut self.role
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    /// Everything below is committed as far as this replica knows.
    pub fn high_watermark(&self) -> Offset {
        match &self.role {
            Role::Leader(leader) => leader.high_watermark(),
            Role::Follower { high_watermark, .. } => *high_watermark,
            Role::Offline => Offset::ZERO,
        }
    }

    /// The leader's state, or that this broker is not it.
    pub fn leader(&self) -> Result<&Leader, NotLeader> {
        match &self.role {
            Role::Leader(leader) => Ok(leader),
            _ => Err(NotLeader { leader_epoch: self.leader_epoch }),
        }
    }

    /// Like [`Replica::leader`], to tell it of progress.
    pub fn leader_mut(&mut self) -> Result<&mut Leader, NotLeader> {
        match &mut self.role {
            Role::Leader(leader) => Ok(leader),
            _ => Err(NotLeader { leader_epoch: self.leader_epoch }),
        }
    }

    /// Whether a write with acks=all (`all`) or less may be appended now.
    pub fn check_append(&self, all: bool) -> Result<(), NotReady> {
        let leader = self.leader()?;
        if all && !leader.has_enough_replicas() {
            return Err(NotReady::NotEnoughReplicas {
                in_sync: leader.state().isr.len(),
                required: leader.state().effective_min_isr(),
            });
        }
        Ok(())
    }

    /// Fences a request by the leader epoch that it names; [`LeaderEpoch::NONE`] names none.
    pub fn check_leader_epoch(&self, requested: LeaderEpoch) -> Result<(), EpochError> {
        let current = self.leader_epoch;
        if !requested.is_some() || requested == current {
            Ok(())
        } else if requested < current {
            Err(EpochError::Fenced { requested, current })
        } else {
            Err(EpochError::Unknown { requested, current })
        }
    }
}

#[cfg(test)]
#[path = "replica_test.rs"]
mod tests;
