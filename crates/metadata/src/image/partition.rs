//! One partition: who replicates it, who leads it, and the epochs that fence older views of it.

use ottla_types::{DirectoryId, LeaderEpoch, NodeId, PartitionEpoch};

/// Whether a leader that was elected from outside the ISR has said that it recovered (KIP-704).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeaderRecoveryState {
    /// Elected from the ISR, or recovered since.
    #[default]
    Recovered,
    /// Elected uncleanly and not yet recovered.
    Recovering,
}

impl LeaderRecoveryState {
    /// Kafka's number.
    pub const fn code(self) -> i8 {
        match self {
            Self::Recovered => 0,
            Self::Recovering => 1,
        }
    }

    /// The state with Kafka's number `code`.
    pub const fn from_code(code: i8) -> Option<Self> {
        match code {
            0 => Some(Self::Recovered),
            1 => Some(Self::Recovering),
            _ => None,
        }
    }
}

/// One partition.
///
/// ```text
///  replicas   [1, 2, 3]   preferred order; the first is the preferred leader
///  isr        [1, 3]      in sync: may become leader
///  elr        [2]         left the ISR below min.insync.replicas, still has all that was acknowledged (KIP-966)
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionImage {
    /// The brokers that hold it, the preferred leader first.
    pub replicas: Box<[NodeId]>,
    /// Each replica's log directory, in the order of `replicas`.
    pub directories: Box<[DirectoryId]>,
    /// The replicas that are in sync.
    pub isr: Box<[NodeId]>,
    /// The eligible leader replicas.
    pub elr: Box<[NodeId]>,
    /// Who led last, when both ISR and ELR are empty.
    pub last_known_elr: Box<[NodeId]>,
    /// Replicas that a reassignment removes.
    pub removing_replicas: Box<[NodeId]>,
    /// Replicas that a reassignment adds.
    pub adding_replicas: Box<[NodeId]>,
    /// Who leads; [`NodeId::NONE`] if nobody does.
    pub leader: NodeId,
    /// Whether that leader was elected uncleanly and has not recovered.
    pub leader_recovery_state: LeaderRecoveryState,
    /// Counts the leaders.
    pub leader_epoch: LeaderEpoch,
    /// Counts every change.
    pub partition_epoch: PartitionEpoch,
}

impl PartitionImage {
    /// Whether somebody leads it.
    pub fn has_leader(&self) -> bool {
        self.leader.is_some()
    }

    /// Its preferred leader; [`NodeId::NONE`] if it has no replicas.
    pub fn preferred_leader(&self) -> NodeId {
        self.replicas.first().copied().unwrap_or(NodeId::NONE)
    }

    /// Whether `broker` holds a replica.
    pub fn is_replica(&self, broker: NodeId) -> bool {
        self.replicas.contains(&broker)
    }

    /// Whether a reassignment is under way.
    pub fn is_reassigning(&self) -> bool {
        !self.adding_replicas.is_empty() || !self.removing_replicas.is_empty()
    }

    /// How many replicas there are, those that a reassignment still adds left out.
    pub fn replication_factor(&self) -> usize {
        self.replicas.len().saturating_sub(self.adding_replicas.len())
    }

    /// Whether fewer replicas are in sync than there are, not counting those that a reassignment still adds.
    pub fn is_under_replicated(&self) -> bool {
        self.isr.len() < self.replication_factor()
    }

    /// The directory in which `broker` holds its replica.
    pub fn directory_of(&self, broker: NodeId) -> Option<DirectoryId> {
        let at = self.replicas.iter().position(|&replica| replica == broker)?;
        self.directories.get(at).copied()
    }
}
