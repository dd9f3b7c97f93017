//! ElectLeaders: preferred replicas take over, or on request a replica that is out of sync does (KIP-460).

use ottla_types::{PartitionIndex, TopicName};

use crate::image::{MetadataImage, PartitionImage, TopicImage};
use crate::plan::Decision;
use crate::plan::broker_change::TopicRules;
use crate::plan::partition_change::{Election, PartitionChange, default_directory};
use crate::settings::{Settings, TopicDefaults};
use ottla_protocol::records::metadata::MetadataRecord;

/// Which kind of election is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionType {
    /// The first replica shall lead, if it is in sync.
    Preferred,
    /// Any replica shall lead where none does: may lose records.
    Unclean,
}

/// Why nobody is elected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElectLeaderError {
    /// There is no such topic.
    #[error("No such topic as {0}")]
    UnknownTopic(TopicName),
    /// The topic has no such partition.
    #[error("No such partition as {topic}-{index}")]
    UnknownPartition {
        /// The topic.
        topic: TopicName,
        /// The partition.
        index: PartitionIndex,
    },
    /// The leader is the wished one already.
    #[error("Leader election not needed for topic partition.")]
    NotNeeded,
    /// The first replica is not in sync or not there.
    #[error("The preferred leader was not available.")]
    PreferredNotAvailable,
    /// No replica is there.
    #[error("Eligible topic partition leaders are not available.")]
    NoEligible,
}

/// One partition with its outcome.
pub type ElectionOutcome = (TopicName, PartitionIndex, Result<(), ElectLeaderError>);

/// Elects leaders of `partitions`; of all that need it if `None`.
pub fn plan_elect_leaders(
    image: &MetadataImage,
    settings: &Settings,
    kind: ElectionType,
    partitions: Option<&[(TopicName, PartitionIndex)]>,
) -> Decision<Vec<ElectionOutcome>> {
    let defaults = &settings.topic_defaults(image);
    let mut records = Vec::new();
    let Some(partitions) = partitions else {
        return Decision { answer: elect_all(image, defaults, kind, &mut records), records };
    };
    let answer = partitions
        .iter()
        .map(|(name, index)| {
            let outcome = find(image, name, *index).and_then(|(topic, partition)| {
                elect(image, defaults, kind, topic, *index, partition).map(|record| records.push(record))
            });
            (name.clone(), *index, outcome)
        })
        .collect();
    Decision { records, answer }
}

fn find<'a>(
    image: &'a MetadataImage,
    name: &TopicName,
    index: PartitionIndex,
) -> Result<(&'a TopicImage, &'a PartitionImage), ElectLeaderError> {
    let topic =
        image.topics.by_name(name.as_str()).ok_or_else(|| ElectLeaderError::UnknownTopic(name.clone()))?;
    let unknown = || ElectLeaderError::UnknownPartition { topic: name.clone(), index };
    Ok((topic, topic.partition(index).ok_or_else(unknown)?))
}

/// Those that need no election are not in the answer.
fn elect_all(
    image: &MetadataImage,
    defaults: &TopicDefaults,
    kind: ElectionType,
    records: &mut Vec<MetadataRecord>,
) -> Vec<ElectionOutcome> {
    let mut outcomes = Vec::new();
    for topic in image.topics.iter() {
        for (index, partition) in topic.partitions() {
            match elect(image, defaults, kind, topic, index, partition) {
                Err(ElectLeaderError::NotNeeded) => {}
                outcome => {
                    outcomes.push((topic.name.clone(), index, outcome.map(|record| records.push(record))));
                }
            }
        }
    }
    outcomes
}

fn elect(
    image: &MetadataImage,
    defaults: &TopicDefaults,
    kind: ElectionType,
    topic: &TopicImage,
    index: PartitionIndex,
    partition: &PartitionImage,
) -> Result<MetadataRecord, ElectLeaderError> {
    let (needed, election, unavailable) = match kind {
        ElectionType::Preferred => (
            partition.leader != partition.preferred_leader(),
            Election::Preferred,
            ElectLeaderError::PreferredNotAvailable,
        ),
        ElectionType::Unclean => (!partition.has_leader(), Election::Unclean, ElectLeaderError::NoEligible),
    };
    if !needed {
        return Err(ElectLeaderError::NotNeeded);
    }
    let rules = TopicRules::of(image, defaults, topic);
    let active = |id| image.brokers.is_active(id);
    let directory = |id| default_directory(image, id);
    let mut change = PartitionChange::new(image, partition, &active, &directory, rules.min_isr(partition));
    change.election = election;
    change.build(topic.id, index).map(MetadataRecord::from).ok_or(unavailable)
}
