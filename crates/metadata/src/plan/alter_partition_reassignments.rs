//! AlterPartitionReassignments: partitions move to other brokers, or a move is given up (KIP-455;
//! `ReplicationControlManager.alterPartitionReassignments`). Each partition is decided by itself.
//!
//! ```text
//!  [1,2] ─▶ [3,2]     replicas [3,2,1]  adding [3]  removing [1]     3 copies
//!  3 is in sync       replicas [3,2]                                 `PartitionChange` ends it, with a new leader epoch
//!  cancelled          replicas [2,1]                                 without those that were being added
//! ```

use std::collections::BTreeSet;

use ottla_types::{NodeId, PartitionIndex, TopicName};

use crate::image::{MetadataImage, PartitionImage, TopicImage};
use crate::plan::Decision;
use crate::plan::assignment::{AssignmentError, check_replicas};
use crate::plan::broker_change::TopicRules;
use crate::plan::partition_change::{Election, PartitionChange, default_directory};
use crate::settings::{Settings, TopicDefaults};
use ottla_protocol::records::metadata::{MetadataRecord, PartitionChangeRecord};

/// Where one partition shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassignment {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub index: PartitionIndex,
    /// The replicas to be, the preferred leader first; `None` gives up the reassignment under way.
    pub replicas: Option<Vec<NodeId>>,
}

/// Why a partition is not reassigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReassignmentError {
    /// There is no such topic.
    #[error("Unable to find a topic named {0}.")]
    UnknownTopic(TopicName),
    /// There is no such partition.
    #[error("Unable to find partition {topic}:{index}.")]
    UnknownPartition {
        /// The topic.
        topic: TopicName,
        /// The partition.
        index: PartitionIndex,
    },
    /// The partition occurs twice in the request.
    #[error("Partition {topic}:{index} is named more than once.")]
    Repeated {
        /// The topic.
        topic: TopicName,
        /// The partition.
        index: PartitionIndex,
    },
    /// Replicas that cannot be.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// The number of replicas would change, which the request does not allow (KIP-860).
    #[error("The replication factor is changed from {current} to {wished}")]
    ReplicationFactor {
        /// How many replicas there are, or will be after the reassignment under way.
        current: usize,
        /// How many were asked for.
        wished: usize,
    },
    /// There is nothing to give up.
    #[error("No partition reassignment is in progress.")]
    NoReassignmentInProgress,
    /// Only replicas that were being added are in sync.
    #[error(
        "Unable to revert partition assignment for {topic}:{index} because it would require an unclean leader election."
    )]
    UncleanRevert {
        /// The topic.
        topic: TopicName,
        /// The partition.
        index: PartitionIndex,
    },
    /// Too many partitions at once.
    #[error("Excessively large number of partitions per request: at most {max} can be reassigned at once.")]
    TooMany {
        /// The most that one request may change.
        max: usize,
    },
}

/// One partition with its outcome.
pub type ReassignmentOutcome = (TopicName, PartitionIndex, Result<(), ReassignmentError>);

/// Decides about each of `wishes`; the answers are in their order.
pub fn plan_alter_partition_reassignments(
    image: &MetadataImage,
    settings: &Settings,
    allow_replication_factor_change: bool,
    wishes: &[Reassignment],
) -> Decision<Vec<ReassignmentOutcome>> {
    let planner =
        Planner { image, defaults: settings.topic_defaults(image), allow_replication_factor_change };
    let max = settings.max_partitions_per_request;
    let (mut seen, mut records) = (BTreeSet::new(), Vec::new());
    let answer = wishes
        .iter()
        .map(|wish| {
            let outcome = if !seen.insert((&wish.topic, wish.index)) {
                Err(ReassignmentError::Repeated { topic: wish.topic.clone(), index: wish.index })
            } else if records.len() >= max {
                Err(ReassignmentError::TooMany { max })
            } else {
                planner.alter(wish).map(|record| records.extend(record.map(MetadataRecord::from)))
            };
            (wish.topic.clone(), wish.index, outcome)
        })
        .collect();
    Decision { records, answer }
}

struct Planner<'a> {
    image: &'a MetadataImage,
    defaults: TopicDefaults,
    allow_replication_factor_change: bool,
}

impl Planner<'_> {
    /// `None` if the partition is as it shall be.
    fn alter(&self, wish: &Reassignment) -> Result<Option<PartitionChangeRecord>, ReassignmentError> {
        let Reassignment { topic: name, index, replicas } = wish;
        let topic = self.image.topics.by_name(name.as_str());
        let topic = topic.ok_or_else(|| ReassignmentError::UnknownTopic(name.clone()))?;
        let partition = topic
            .partition(*index)
            .ok_or_else(|| ReassignmentError::UnknownPartition { topic: name.clone(), index: *index })?;
        match replicas {
            Some(target) => self.reassign(topic, *index, partition, target),
            None => self.cancel(topic, *index, partition),
        }
    }

    /// As in Kafka, who is in the replica set now counts as there before: a reassignment over one under way does not add those
    /// again that the former one adds.
    fn reassign(
        &self,
        topic: &TopicImage,
        index: PartitionIndex,
        partition: &PartitionImage,
        target: &[NodeId],
    ) -> Result<Option<PartitionChangeRecord>, ReassignmentError> {
        check_replicas(self.image, target, None)?;
        self.check_replication_factor(partition, target)?;
        let mut removing = missing(&partition.replicas, target);
        let mut adding = missing(target, &partition.replicas);
        removing.sort_unstable();
        adding.sort_unstable();
        self.change(topic, index, partition, |change, _| {
            change.replicas = target.iter().chain(&removing).copied().collect();
            if !removing.is_empty() {
                change.removing = removing;
            }
            if !adding.is_empty() {
                change.adding = adding;
            }
            Ok(())
        })
    }

    /// Takes out again whoever was being added (`PartitionReassignmentRevert`).
    fn cancel(
        &self,
        topic: &TopicImage,
        index: PartitionIndex,
        partition: &PartitionImage,
    ) -> Result<Option<PartitionChangeRecord>, ReassignmentError> {
        if !partition.is_reassigning() {
            return Err(ReassignmentError::NoReassignmentInProgress);
        }
        self.change(topic, index, partition, |change, rules| {
            change.replicas = missing(&partition.replicas, &partition.adding_replicas);
            change.isr = missing(&partition.isr, &partition.adding_replicas);
            change.removing.clear();
            change.adding.clear();
            change.election = rules.election;
            if change.isr.is_empty() {
                // The first replica would lead without having all that was acknowledged.
                let unclean = || ReassignmentError::UncleanRevert { topic: topic.name.clone(), index };
                let allowed = rules.election == Election::Unclean;
                let first = change.replicas.first().copied().filter(|_| allowed).ok_or_else(unclean)?;
                change.isr = vec![first];
            }
            Ok(())
        })
    }

    fn change(
        &self,
        topic: &TopicImage,
        index: PartitionIndex,
        partition: &PartitionImage,
        edit: impl FnOnce(&mut PartitionChange<'_>, &TopicRules) -> Result<(), ReassignmentError>,
    ) -> Result<Option<PartitionChangeRecord>, ReassignmentError> {
        let rules = TopicRules::of(self.image, &self.defaults, topic);
        let active = |id| self.image.brokers.is_active(id);
        let directory = |id| default_directory(self.image, id);
        let min_isr = rules.min_isr(partition);
        let mut change = PartitionChange::new(self.image, partition, &active, &directory, min_isr);
        edit(&mut change, &rules)?;
        Ok(change.build(topic.id, index))
    }

    fn check_replication_factor(
        &self,
        partition: &PartitionImage,
        target: &[NodeId],
    ) -> Result<(), ReassignmentError> {
        let current = missing(&partition.replicas, &partition.removing_replicas).len();
        if self.allow_replication_factor_change || current == target.len() {
            return Ok(());
        }
        Err(ReassignmentError::ReplicationFactor { current, wished: target.len() })
    }
}

/// Those of `all` that are not among `others`.
fn missing(all: &[NodeId], others: &[NodeId]) -> Vec<NodeId> {
    all.iter().copied().filter(|id| !others.contains(id)).collect()
}

#[cfg(test)]
#[path = "alter_partition_reassignments_test.rs"]
mod tests;
