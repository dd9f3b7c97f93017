//! Replicas that the user chose, and partitions made from replicas.

use ottla_types::{LeaderEpoch, NodeId, PartitionEpoch, PartitionIndex};

use crate::image::{LeaderRecoveryState, MetadataImage, PartitionImage};
use crate::plan::partition_change::default_directory;

/// Why replicas that the user chose are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// No replica.
    #[error("The manual partition assignment includes an empty replica list.")]
    Empty,
    /// A broker that is not registered.
    #[error("The manual partition assignment includes broker {0}, but no such broker is registered.")]
    UnknownBroker(NodeId),
    /// A broker twice.
    #[error("The manual partition assignment includes the broker {0} more than once.")]
    RepeatedBroker(NodeId),
    /// Partitions with different numbers of replicas.
    #[error(
        "The manual partition assignment includes a partition with {found} replica(s), but this is not consistent with previous partitions, which have {expected} replica(s)."
    )]
    Inconsistent {
        /// How many this one has.
        found: usize,
        /// How many the others have.
        expected: usize,
    },
    /// Nobody to lead.
    #[error(
        "All brokers specified in the manual partition assignment for partition {0} are fenced or in controlled shutdown."
    )]
    AllFenced(PartitionIndex),
    /// A partition twice.
    #[error("Found multiple manual partition assignments for partition {0}")]
    RepeatedPartition(PartitionIndex),
    /// Numbers with a gap.
    #[error("partitions should be a consecutive 0-based integer sequence")]
    Gap,
    /// Not as many assignments as new partitions.
    #[error(
        "Attempted to add {partitions} additional partition(s), but only {assignments} assignment(s) were specified."
    )]
    Count {
        /// How many partitions are new.
        partitions: usize,
        /// How many have replicas.
        assignments: usize,
    },
}

/// Whether `replicas` can be a partition's, which has to have `expected` of them if the others do.
pub(crate) fn check_replicas(
    image: &MetadataImage,
    replicas: &[NodeId],
    expected: Option<usize>,
) -> Result<(), AssignmentError> {
    let mut sorted = replicas.to_vec();
    sorted.sort_unstable();
    if sorted.is_empty() {
        return Err(AssignmentError::Empty);
    }
    for (at, &id) in sorted.iter().enumerate() {
        if image.brokers.get(id).is_none() {
            return Err(AssignmentError::UnknownBroker(id));
        }
        if at > 0 && sorted.get(at - 1) == Some(&id) {
            return Err(AssignmentError::RepeatedBroker(id));
        }
    }
    match expected {
        Some(expected) if expected != sorted.len() => {
            Err(AssignmentError::Inconsistent { found: sorted.len(), expected })
        }
        _ => Ok(()),
    }
}

/// A new partition on `replicas`: those that are active are in sync, the first of them leads. `None` if none is.
pub(crate) fn new_partition(image: &MetadataImage, replicas: &[NodeId]) -> Option<PartitionImage> {
    let isr: Box<[NodeId]> = replicas.iter().copied().filter(|&id| image.brokers.is_active(id)).collect();
    let leader = *isr.first()?;
    Some(PartitionImage {
        replicas: replicas.into(),
        directories: replicas.iter().map(|&id| default_directory(image, id)).collect(),
        isr,
        elr: Box::default(),
        last_known_elr: Box::default(),
        removing_replicas: Box::default(),
        adding_replicas: Box::default(),
        leader,
        leader_recovery_state: LeaderRecoveryState::Recovered,
        leader_epoch: LeaderEpoch(0),
        partition_epoch: PartitionEpoch(0),
    })
}
