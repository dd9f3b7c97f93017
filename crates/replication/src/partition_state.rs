//! What a replica knows from outside: the partition's state in the cluster metadata, and its own log.

use ottla_types::{LeaderEpoch, NodeId, Offset, PartitionEpoch};

/// The partition's committed state, from the metadata image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionState {
    /// Who leads; [`NodeId::NONE`] when nobody does.
    pub leader: NodeId,
    /// Counts leaders.
    pub leader_epoch: LeaderEpoch,
    /// Counts every change of this state.
    pub partition_epoch: PartitionEpoch,
    /// All replicas, preferred leader first.
    pub replicas: Vec<NodeId>,
    /// The in-sync replicas.
    pub isr: Vec<NodeId>,
    /// `min.insync.replicas` in force for the topic.
    pub min_insync_replicas: usize,
}

impl PartitionState {
    /// Replicas that must be in sync for records to be committed: never more than there are.
    pub fn effective_min_isr(&self) -> usize {
        self.min_insync_replicas.min(self.replicas.len()).max(1)
    }
}

/// What makes a record count as stored on a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is flushed to the device (`log.durability=fsync`).
    Flushed,
    /// It is in the log (`os`, `interval`: Kafka's rule).
    Written,
}

/// How far one replica's log reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplicaProgress {
    /// Its log end offset.
    pub log_end_offset: Offset,
    /// Everything below survives power loss there.
    pub flushed_offset: Offset,
}

impl ReplicaProgress {
    /// The offset below which records count as stored on this replica.
    pub fn stored(&self, durability: Durability) -> Offset {
        match durability {
            Durability::Flushed => self.flushed_offset.min(self.log_end_offset),
            Durability::Written => self.log_end_offset,
        }
    }
}

/// This replica's log when its role changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalLog {
    /// How far it reaches.
    pub progress: ReplicaProgress,
    /// The last known high watermark (`replication-offset-checkpoint`).
    pub high_watermark: Offset,
}
