//! AlterPartition: a leader reports that its ISR has changed, or that it recovered from an unclean election (KIP-497,
//! KIP-704). Each partition is decided by itself; the order of the checks is Kafka's
//! (`ReplicationControlManager.validateAlterPartitionData`), because it decides what the leader does next.

use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, PartitionEpoch, PartitionIndex, TopicId};

use crate::image::{LeaderRecoveryState, MetadataImage, PartitionImage, TopicImage};
use crate::plan::Decision;
use crate::plan::broker_change::{StaleBrokerEpoch, TopicRules, check_broker_epoch};
use crate::plan::partition_change::{PartitionChange, default_directory};
use crate::settings::{Settings, TopicDefaults};
use ottla_protocol::records::metadata::MetadataRecord;

/// What a leader wishes for one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterPartition {
    /// The topic.
    pub topic: TopicId,
    /// The partition.
    pub index: PartitionIndex,
    /// The leader's epoch.
    pub leader_epoch: LeaderEpoch,
    /// The partition epoch that the wish was made at.
    pub partition_epoch: PartitionEpoch,
    /// The new ISR, each member with its broker's epoch as the leader knows it; [`BrokerEpoch::NONE`] if it does not.
    pub isr: Vec<(NodeId, BrokerEpoch)>,
    /// Whether the leader has recovered.
    pub recovery: LeaderRecoveryState,
}

/// Why a partition stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlterPartitionError {
    /// There is no such topic.
    #[error("topic id {0} does not exist")]
    UnknownTopic(TopicId),
    /// There is no such partition.
    #[error("partition {0} does not exist")]
    UnknownPartition(PartitionIndex),
    /// The leader knows more than this controller: some other controller is active.
    #[error("the leader knows epoch {sent}, this controller only {known}: another controller is active")]
    NotController {
        /// The leader or partition epoch of the request.
        sent: i32,
        /// The one here.
        known: i32,
    },
    /// An older leader asks.
    #[error("the current leader epoch is {current}")]
    FencedLeaderEpoch {
        /// The epoch now.
        current: LeaderEpoch,
    },
    /// Somebody else leads.
    #[error("broker {leader} leads the partition")]
    NotLeader {
        /// Who.
        leader: NodeId,
    },
    /// The wish was made on an older state.
    #[error("the current partition epoch is {current}")]
    InvalidUpdateVersion {
        /// The epoch now.
        current: PartitionEpoch,
    },
    /// A member is no replica, is named twice, or the leader is missing.
    #[error("an ISR of distinct replicas with the leader among them is expected")]
    InvalidIsr,
    /// A leader that has not recovered has nobody in sync with it.
    #[error("the ISR has more than one member although the leader has not recovered")]
    RecoveringWithFollowers,
    /// A recovered leader stays so.
    #[error("the leader has recovered before")]
    RecoveredBefore,
    /// A member may not be in sync now.
    #[error("broker {broker} may not join the ISR: {reason}")]
    IneligibleReplica {
        /// Which.
        broker: NodeId,
        /// Why.
        reason: &'static str,
    },
    /// The change was made, and with it a reassignment ended that moved the leader.
    #[error("broker {leader} leads the partition now, because its reassignment is complete")]
    NewLeaderElected {
        /// Who.
        leader: NodeId,
    },
}

/// One partition with its outcome: the state after the change.
pub type AlterPartitionOutcome = (TopicId, PartitionIndex, Result<PartitionImage, AlterPartitionError>);

/// Decides what the leader `broker` reported about each partition.
pub fn plan_alter_partition(
    image: &MetadataImage,
    settings: &Settings,
    broker: NodeId,
    epoch: BrokerEpoch,
    wishes: &[AlterPartition],
) -> Decision<Result<Vec<AlterPartitionOutcome>, StaleBrokerEpoch>> {
    if let Err(stale) = check_broker_epoch(image, broker, epoch) {
        return Decision::unchanged(Err(stale));
    }
    let defaults = settings.topic_defaults(image);
    let mut records = Vec::new();
    let outcomes = wishes
        .iter()
        .map(|wish| (wish.topic, wish.index, alter(image, &defaults, broker, wish, &mut records)))
        .collect();
    Decision { records, answer: Ok(outcomes) }
}

fn alter(
    image: &MetadataImage,
    defaults: &TopicDefaults,
    broker: NodeId,
    wish: &AlterPartition,
    records: &mut Vec<MetadataRecord>,
) -> Result<PartitionImage, AlterPartitionError> {
    let topic = image.topics.by_id(wish.topic).ok_or(AlterPartitionError::UnknownTopic(wish.topic))?;
    let partition = topic.partition(wish.index).ok_or(AlterPartitionError::UnknownPartition(wish.index))?;
    check_epochs(broker, partition, wish)?;
    check_isr(image, partition, wish)?;
    let Some(record) = change(image, defaults, topic, partition, wish) else {
        return Ok((**partition).clone());
    };
    let mut after = (**partition).clone();
    // What was just decided fits what it was decided on.
    after.merge(&record).map_err(|_| AlterPartitionError::InvalidIsr)?;
    records.push(record.into());
    if after.leader != broker {
        return Err(AlterPartitionError::NewLeaderElected { leader: after.leader });
    }
    Ok(after)
}

fn check_epochs(
    broker: NodeId,
    partition: &PartitionImage,
    wish: &AlterPartition,
) -> Result<(), AlterPartitionError> {
    for (sent, known) in [
        (wish.leader_epoch.0, partition.leader_epoch.0),
        (wish.partition_epoch.0, partition.partition_epoch.0),
    ] {
        if sent > known {
            return Err(AlterPartitionError::NotController { sent, known });
        }
    }
    if wish.leader_epoch < partition.leader_epoch {
        return Err(AlterPartitionError::FencedLeaderEpoch { current: partition.leader_epoch });
    }
    if broker != partition.leader {
        return Err(AlterPartitionError::NotLeader { leader: partition.leader });
    }
    if wish.partition_epoch < partition.partition_epoch {
        return Err(AlterPartitionError::InvalidUpdateVersion { current: partition.partition_epoch });
    }
    Ok(())
}

fn check_isr(
    image: &MetadataImage,
    partition: &PartitionImage,
    wish: &AlterPartition,
) -> Result<(), AlterPartitionError> {
    let mut members: Vec<_> = wish.isr.iter().map(|(id, _)| *id).collect();
    members.sort_unstable();
    members.dedup();
    let all_replicas = members.iter().all(|&id| partition.is_replica(id));
    if members.len() != wish.isr.len() || !all_replicas || !members.contains(&partition.leader) {
        return Err(AlterPartitionError::InvalidIsr);
    }
    if wish.recovery == LeaderRecoveryState::Recovering {
        if members.len() > 1 {
            return Err(AlterPartitionError::RecoveringWithFollowers);
        }
        if partition.leader_recovery_state == LeaderRecoveryState::Recovered {
            return Err(AlterPartitionError::RecoveredBefore);
        }
    }
    for &(broker, epoch) in &wish.isr {
        if let Some(reason) = ineligible(image, broker, epoch) {
            return Err(AlterPartitionError::IneligibleReplica { broker, reason });
        }
    }
    Ok(())
}

fn ineligible(image: &MetadataImage, broker: NodeId, epoch: BrokerEpoch) -> Option<&'static str> {
    match image.brokers.get(broker) {
        None => Some("it is not registered"),
        Some(registered) if registered.in_controlled_shutdown => Some("it is shutting down"),
        Some(registered) if registered.fenced => Some("it is fenced"),
        Some(registered) if epoch.is_some() && registered.epoch != epoch => {
            Some("it has registered again with another epoch")
        }
        Some(_) => None,
    }
}

fn change(
    image: &MetadataImage,
    defaults: &TopicDefaults,
    topic: &TopicImage,
    partition: &PartitionImage,
    wish: &AlterPartition,
) -> Option<ottla_protocol::records::metadata::PartitionChangeRecord> {
    let rules = TopicRules::of(image, defaults, topic);
    let active = |id| image.brokers.is_active(id);
    let directory = |id| default_directory(image, id);
    let mut change = PartitionChange::new(image, partition, &active, &directory, rules.min_isr(partition));
    change.election = rules.election;
    change.isr = wish.isr.iter().map(|(id, _)| *id).collect();
    change.recovery = wish.recovery;
    change.build(topic.id, wish.index)
}

#[cfg(test)]
#[path = "alter_partition_test.rs"]
mod tests;
