//! CreatePartitions: topics grow, each by itself; they never shrink.

use std::collections::BTreeSet;

use ottla_types::{NodeId, PartitionIndex, TopicName};

use crate::image::{MetadataImage, PartitionImage, TopicImage};
use crate::plan::assignment::{AssignmentError, check_replicas, new_partition};
use crate::plan::placement::{PlacementError, place};
use crate::plan::{Decision, Draw};
use crate::settings::Settings;
use crate::snapshot::partition_record;
use ottla_protocol::records::metadata::MetadataRecord;

/// How far a topic is to grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MorePartitions {
    /// The topic.
    pub name: TopicName,
    /// How many partitions it is to have then.
    pub count: i32,
    /// The replicas of each new partition, if the user chooses them.
    pub assignments: Option<Vec<Vec<NodeId>>>,
}

/// Why a topic does not grow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreatePartitionsError {
    /// The topic occurs twice in the request.
    #[error("Duplicate topic name.")]
    Duplicate,
    /// There is no such topic.
    #[error("This server does not host this topic-partition.")]
    UnknownTopic,
    /// It has as many already.
    #[error("Topic already has {0} partition(s).")]
    Same(usize),
    /// It has more already.
    #[error("The topic {name} currently has {current} partition(s); {wished} would not be an increase.")]
    Fewer {
        /// The topic.
        name: TopicName,
        /// How many it has.
        current: usize,
        /// How many were asked for.
        wished: i32,
    },
    /// Too many partitions at once.
    #[error("Excessively large number of partitions per request.")]
    TooMany,
    /// Replicas that cannot be.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// Not enough brokers.
    #[error(transparent)]
    Placement(#[from] PlacementError),
}

/// Decides about each topic by itself. With `validate_only` the answer is the same, and nothing changes.
pub fn plan_create_partitions(
    image: &MetadataImage,
    settings: &Settings,
    topics: &[MorePartitions],
    validate_only: bool,
    draw: Draw<'_>,
) -> Decision<Vec<(TopicName, Result<(), CreatePartitionsError>)>> {
    let mut seen = BTreeSet::new();
    let repeated: BTreeSet<_> =
        topics.iter().map(|topic| &topic.name).filter(|name| !seen.insert(*name)).collect();
    let mut records = Vec::new();
    let mut room = settings.max_partitions_per_request;
    let answer = topics
        .iter()
        .map(|topic| {
            let outcome = if repeated.contains(&topic.name) {
                Err(CreatePartitionsError::Duplicate)
            } else {
                grow(image, settings, topic, &mut room, draw)
            };
            (topic.name.clone(), outcome.map(|mut more| records.append(&mut more)))
        })
        .collect();
    if validate_only {
        records.clear();
    }
    Decision { records, answer }
}

fn grow(
    image: &MetadataImage,
    settings: &Settings,
    wish: &MorePartitions,
    room: &mut usize,
    draw: Draw<'_>,
) -> Result<Vec<MetadataRecord>, CreatePartitionsError> {
    let topic = image.topics.by_name(wish.name.as_str()).ok_or(CreatePartitionsError::UnknownTopic)?;
    let current = topic.partition_count();
    let wished = usize::try_from(wish.count).unwrap_or(0);
    if wished == current {
        return Err(CreatePartitionsError::Same(current));
    }
    let Some(additional) = wished.checked_sub(current) else {
        return Err(CreatePartitionsError::Fewer { name: topic.name.clone(), current, wished: wish.count });
    };
    if let Some(assignments) = &wish.assignments
        && assignments.len() != additional
    {
        let assignments = assignments.len();
        return Err(AssignmentError::Count { partitions: additional, assignments }.into());
    }
    if additional > *room {
        return Err(CreatePartitionsError::TooMany);
    }
    *room -= additional;
    let partitions = match &wish.assignments {
        Some(assignments) => assigned(image, topic, assignments)?,
        None => placed(image, settings, topic, additional, draw)?,
    };
    Ok((current..)
        .zip(&partitions)
        .map(|(index, partition)| partition_record(topic.id, PartitionIndex(index as i32), partition).into())
        .collect())
}

fn assigned(
    image: &MetadataImage,
    topic: &TopicImage,
    assignments: &[Vec<NodeId>],
) -> Result<Vec<PartitionImage>, CreatePartitionsError> {
    (topic.partition_count()..)
        .zip(assignments)
        .map(|(index, replicas)| {
            check_replicas(image, replicas, Some(topic.replication_factor()))?;
            let index = PartitionIndex(index as i32);
            new_partition(image, replicas).ok_or_else(|| AssignmentError::AllFenced(index).into())
        })
        .collect()
}

fn placed(
    image: &MetadataImage,
    settings: &Settings,
    topic: &TopicImage,
    additional: usize,
    draw: Draw<'_>,
) -> Result<Vec<PartitionImage>, CreatePartitionsError> {
    let replication_factor = i16::try_from(topic.replication_factor()).unwrap_or(i16::MAX);
    place(&image.brokers, &settings.balancer(image).drained, additional, replication_factor, draw)?
        .iter()
        .map(|replicas| {
            new_partition(image, replicas)
                .ok_or_else(|| PlacementError::AllFenced { replication_factor }.into())
        })
        .collect()
}
