//! The leader's side: followers' progress, the in-sync set, the high watermark, acknowledgements.

use std::collections::BTreeMap;
use std::time::Duration;

use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, Offset, PartitionEpoch};

use crate::partition_state::{Durability, PartitionState, ReplicaProgress};
use crate::read_replica::ReadableFollower;

/// What the leader knows of its partition.
#[derive(Clone, Debug)]
pub struct Leader {
    me: NodeId,
    durability: Durability,
    state: PartitionState,
    /// The log end offset when this epoch began: a follower is in sync only beyond it (KIP-966).
    epoch_start: Offset,
    local: ReplicaProgress,
    followers: BTreeMap<NodeId, Follower>,
    in_flight: Option<AlterIsr>,
    /// The controller has made the change in flight.
    is_made: bool,
    high_watermark: Offset,
}

#[derive(Clone, Copy, Debug, Default)]
struct Follower {
    progress: ReplicaProgress,
    log_start_offset: Offset,
    broker_epoch: Option<BrokerEpoch>,
    /// When it last had everything the leader had; monotonic time since the host's start.
    caught_up_at: Duration,
    /// The leader's end and the time at the previous fetch: a fetch from there on proves that the follower had
    /// caught up by then, although the leader has moved on.
    last_fetch: Option<(Duration, Offset)>,
}

/// A change of the in-sync set that the leader asks the controller for (AlterPartition, KIP-497).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterIsr {
    /// The state that the change starts from.
    pub partition_epoch: PartitionEpoch,
    /// The in-sync set wanted, with the broker epoch of each where known.
    pub isr: Vec<(NodeId, Option<BrokerEpoch>)>,
}

/// Why a fetch is not one of a follower of this leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFollower {
    /// It is not in the assignment.
    #[error("broker {id} fetches as a follower but is no replica of the partition; refresh the metadata")]
    NoReplica {
        /// Who fetches.
        id: NodeId,
    },
    /// It is not in the assignment, but names the leader epoch of this leader, so its metadata is of the same leader: it is being
    /// added by a reassignment that this leader has not heard of yet, or was removed by one that it has not.
    #[error("broker {id} is no replica of the partition as far as its leader knows; try again")]
    NoReplicaYet {
        /// Who fetches.
        id: NodeId,
    },
    /// Another process has taken its id.
    #[error("broker {id} fetches with epoch {sent}, but a process with epoch {known} has taken its id")]
    FormerProcess {
        /// Who fetches.
        id: NodeId,
        /// Its broker epoch.
        sent: BrokerEpoch,
        /// The newest that has fetched.
        known: BrokerEpoch,
    },
}

/// Whether a record that must be on all in-sync replicas is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckStatus {
    /// Committed, with enough replicas in sync.
    Committed,
    /// Committed, but fewer replicas than `min.insync.replicas` are in sync now.
    NotEnoughReplicasAfterAppend,
    /// Not yet committed.
    Waiting,
}

impl Leader {
    pub(crate) fn new(
        me: NodeId,
        durability: Durability,
        state: PartitionState,
        local: ReplicaProgress,
        high_watermark: Offset,
        now: Duration,
    ) -> Self {
        let followers = state
            .replicas
            .iter()
            .filter(|&&id| id != me)
            .map(|&id| (id, Follower { caught_up_at: now, ..Follower::default() }))
            .collect();
        let mut leader = Self {
            me,
            durability,
            epoch_start: local.log_end_offset,
            state,
            local,
            followers,
            in_flight: None,
            is_made: false,
            high_watermark,
        };
        leader.advance_high_watermark();
        leader
    }

    /// The same leader epoch with another in-sync set, replica set or minimum.
    pub(crate) fn update_state(&mut self, state: PartitionState, now: Duration) -> Option<Offset> {
        self.followers.retain(|id, _| state.replicas.contains(id));
        for &id in state.replicas.iter().filter(|&&id| id != self.me) {
            self.followers.entry(id).or_insert_with(|| Follower { caught_up_at: now, ..Follower::default() });
        }
        if state.partition_epoch != self.state.partition_epoch {
            self.in_flight = None;
        }
        self.state = state;
        self.advance_high_watermark()
    }

    /// Everything below is committed: consumers may read it, acks=all is answered.
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// The log end offset when this leader took office.
    pub fn epoch_start(&self) -> Offset {
        self.epoch_start
    }

    /// The state this leader acts on.
    pub fn state(&self) -> &PartitionState {
        &self.state
    }

    /// Whether acks=all may be accepted now (`NOT_ENOUGH_REPLICAS` otherwise).
    pub fn has_enough_replicas(&self) -> bool {
        self.state.isr.len() >= self.state.effective_min_isr()
    }

    /// The local log grew or was flushed. Returns the new high watermark if it moved.
    pub fn handle_local_progress(&mut self, progress: ReplicaProgress) -> Option<Offset> {
        self.local = progress;
        self.advance_high_watermark()
    }

    /// Whether `id` is a replica other than this one.
    pub fn has_follower(&self, id: NodeId) -> bool {
        self.followers.contains_key(&id)
    }

    /// Whether `id` may fetch as a follower of this leader, where `leader_epoch` is what it named and was found to be this
    /// leader's, or none. `broker_epoch` is the one that it sent: a process that was followed by another one under its id
    /// speaks for a log that is no more (KIP-903).
    pub fn check_follower(
        &self,
        id: NodeId,
        broker_epoch: Option<BrokerEpoch>,
        leader_epoch: LeaderEpoch,
    ) -> Result<(), NotFollower> {
        let stranger = match leader_epoch.is_some() {
            true => NotFollower::NoReplicaYet { id },
            false => NotFollower::NoReplica { id },
        };
        let follower = self.followers.get(&id).ok_or(stranger)?;
        match (broker_epoch, follower.broker_epoch) {
            (Some(sent), Some(known)) if sent < known => Err(NotFollower::FormerProcess { id, sent, known }),
            _ => Ok(()),
        }
    }

    /// A follower fetched from `progress.log_end_offset` on: it has everything below, down to `log_start_offset`.
    /// Returns the new high watermark if it moved.
    pub fn handle_follower_fetch(
        &mut self,
        now: Duration,
        follower: NodeId,
        progress: ReplicaProgress,
        log_start_offset: Offset,
        broker_epoch: Option<BrokerEpoch>,
    ) -> Option<Offset> {
        let leader_end = self.local.log_end_offset;
        let state = self.followers.get_mut(&follower)?;
        if progress.log_end_offset >= leader_end {
            state.caught_up_at = now;
        } else if let Some((at, end)) = state.last_fetch
            && progress.log_end_offset >= end
        {
            state.caught_up_at = state.caught_up_at.max(at);
        }
        state.last_fetch = Some((now, leader_end));
        state.progress = progress;
        state.log_start_offset = log_start_offset;
        state.broker_epoch = broker_epoch;
        self.advance_high_watermark()
    }

    /// Where the log of `follower` began when it fetched last.
    pub fn log_start_of(&self, follower: NodeId) -> Option<Offset> {
        self.followers.get(&follower).map(|follower| follower.log_start_offset)
    }

    /// Below this no replica has records any more: the lowest log start of this one, `own`, and of the followers that are
    /// `alive` (`Partition.lowWatermarkIfLeader`).
    pub fn low_watermark(&self, own: Offset, alive: impl Fn(NodeId) -> bool) -> Offset {
        let alive = self.followers.iter().filter(|(id, _)| alive(**id));
        alive.map(|(_, follower)| follower.log_start_offset).fold(own, Offset::min)
    }

    /// The followers in sync that have what is at `from`.
    pub fn readable_followers(
        &self,
        now: Duration,
        from: Offset,
    ) -> impl Iterator<Item = ReadableFollower> + '_ {
        let has = move |follower: &Follower| {
            follower.progress.log_end_offset >= from && follower.log_start_offset <= from
        };
        self.followers.iter().filter(move |(id, follower)| self.state.isr.contains(id) && has(follower)).map(
            move |(&id, follower)| ReadableFollower {
                id,
                log_end_offset: follower.progress.log_end_offset,
                behind_for: now.saturating_sub(follower.caught_up_at),
            },
        )
    }

    /// The change that was asked for: only newer metadata or a refusal ends it.
    pub fn isr_in_flight(&self) -> Option<&AlterIsr> {
        self.in_flight.as_ref()
    }

    /// The change to ask the controller for once more: it has not answered yet.
    pub fn unanswered_isr(&self) -> Option<&AlterIsr> {
        self.in_flight.as_ref().filter(|_| !self.is_made)
    }

    /// The controller has made `change`. It counts only once the metadata says so: that also tells the `min.insync.replicas`
    /// with which the controller made it, by which those who left are eligible leaders or not (KIP-966).
    pub fn handle_alter_isr_made(&mut self, change: &AlterIsr) {
        self.is_made |= self.in_flight.as_ref() == Some(change);
    }

    /// Whether `id` is not in sync as far as the controller knows, but has caught up.
    pub fn may_join_isr(&self, id: NodeId) -> bool {
        self.in_flight.is_none() && !self.state.isr.contains(&id) && self.has_caught_up(id)
    }

    /// The in-sync set that the leader wants now, if it differs and no change is in flight
    /// (`replica.lag.time.max.ms` = `lag_max`). `eligible` tells which brokers, with the epochs that they fetched with, the
    /// controller would take: those that are neither fenced nor stopping, nor registered anew since.
    pub fn propose_isr(
        &mut self,
        now: Duration,
        lag_max: Duration,
        eligible: impl Fn(NodeId, Option<BrokerEpoch>) -> bool,
    ) -> Option<AlterIsr> {
        if self.in_flight.is_some() {
            return None;
        }
        let joins = |id| {
            let epoch = self.followers.get(&id).and_then(|follower| follower.broker_epoch);
            self.state.isr.contains(&id) || eligible(id, epoch)
        };
        let wanted: Vec<NodeId> = self
            .state
            .replicas
            .iter()
            .copied()
            .filter(|&id| self.belongs_in_isr(id, now, lag_max) && joins(id))
            .collect();
        let same =
            wanted.len() == self.state.isr.len() && wanted.iter().all(|id| self.state.isr.contains(id));
        if same {
            return None;
        }
        let change = AlterIsr {
            partition_epoch: self.state.partition_epoch,
            isr: wanted
                .into_iter()
                .map(|id| (id, self.followers.get(&id).and_then(|f| f.broker_epoch)))
                .collect(),
        };
        (self.in_flight, self.is_made) = (Some(change.clone()), false);
        Some(change)
    }

    /// The controller refused the change in flight; a new one may be proposed. Returns the new high watermark if it moved:
    /// those that were to join do not hold it any more.
    pub fn handle_alter_isr_refused(&mut self) -> Option<Offset> {
        self.in_flight = None;
        self.advance_high_watermark()
    }

    /// Whether the record before `required` (one past its offset) is acknowledged for acks=all.
    pub fn ack_status(&self, required: Offset) -> AckStatus {
        if self.high_watermark < required {
            AckStatus::Waiting
        } else if self.has_enough_replicas() {
            AckStatus::Committed
        } else {
            AckStatus::NotEnoughReplicasAfterAppend
        }
    }

    fn belongs_in_isr(&self, id: NodeId, now: Duration, lag_max: Duration) -> bool {
        if id == self.me {
            return true;
        }
        let Some(follower) = self.followers.get(&id) else { return false };
        let end = follower.progress.log_end_offset;
        if self.state.isr.contains(&id) {
            end >= self.local.log_end_offset || now.saturating_sub(follower.caught_up_at) <= lag_max
        } else {
            self.has_caught_up(id)
        }
    }

    fn has_caught_up(&self, id: NodeId) -> bool {
        self.followers.get(&id).is_some_and(|follower| {
            let end = follower.progress.log_end_offset;
            follower.last_fetch.is_some() && end >= self.high_watermark && end >= self.epoch_start
        })
    }

    /// The committed in-sync set and those being added: a shrink counts only when committed, an expansion at once.
    fn maximal_isr(&self) -> impl Iterator<Item = NodeId> + '_ {
        let added = self.in_flight.iter().flat_map(|change| change.isr.iter().map(|(id, _)| *id));
        self.state.isr.iter().copied().chain(added.filter(|id| !self.state.isr.contains(id)))
    }

    fn advance_high_watermark(&mut self) -> Option<Offset> {
        if !self.has_enough_replicas() {
            return None;
        }
        let stored = self
            .maximal_isr()
            .map(|id| {
                let progress = if id == self.me {
                    self.local
                } else {
                    self.followers.get(&id).map(|f| f.progress).unwrap_or_default()
                };
                progress.stored(self.durability)
            })
            .min()?;
        if stored <= self.high_watermark {
            return None;
        }
        self.high_watermark = stored;
        Some(stored)
    }
}
