//! CreateTopics: names, replicas and configs are checked per topic; each topic is created or refused by itself.
//!
//! Order of the checks as in `ReplicationControlManager.createTopics`: name, collision, existence, configs, then the
//! assignment or the counts.

use std::collections::{BTreeMap, BTreeSet};

use ottla_protocol::records::metadata::TopicRecord;
use ottla_types::{ByteString, NodeId, PartitionIndex, TopicId, TopicName, TopicNameError, Uuid};

use crate::image::{ConfigMap, ConfigResource, MetadataImage, PartitionImage};
use crate::plan::assignment::{AssignmentError, check_replicas, new_partition};
use crate::plan::config_change::{AlterConfigError, check_configs, config_record};
use crate::plan::placement::{PlacementError, place};
use crate::plan::{Decision, Draw};
use crate::settings::Settings;
use crate::snapshot::partition_record;
use ottla_protocol::records::metadata::MetadataRecord;

/// The topic that Kafka keeps its metadata in; it has no topic here, and nobody may make one.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// One topic to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: TopicName,
    /// How many partitions; −1 for the default, or with `assignments`.
    pub partitions: i32,
    /// How many replicas each; −1 for the default, or with `assignments`.
    pub replication_factor: i16,
    /// The replicas of each partition, if the user chooses them.
    pub assignments: Vec<(PartitionIndex, Vec<NodeId>)>,
    /// Its configs.
    pub configs: Vec<(ByteString, Option<ByteString>)>,
}

/// A topic that was created, or could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its id.
    pub id: TopicId,
    /// How many partitions it has.
    pub partitions: usize,
    /// How many replicas each has.
    pub replication_factor: usize,
    /// The configs that were given.
    pub configs: ConfigMap,
}

/// Why a topic is not created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateTopicError {
    /// The name occurs twice in the request.
    #[error("Duplicate topic name.")]
    Duplicate,
    /// The name is the metadata's own.
    #[error("Creation of internal topic {METADATA_TOPIC} is prohibited.")]
    Prohibited,
    /// The name is not allowed.
    #[error(transparent)]
    Name(#[from] TopicNameError),
    /// The metrics of two topics would share a name.
    #[error("Topic '{name}' collides with existing topic: {existing}")]
    Collision {
        /// The new name.
        name: TopicName,
        /// The other topic's.
        existing: TopicName,
    },
    /// It exists.
    #[error("Topic '{name}' already exists.")]
    Exists {
        /// Its name.
        name: TopicName,
    },
    /// Configs without values.
    #[error("Null value not supported for topic configs: {keys}")]
    NullConfigs {
        /// Their keys, separated by commas.
        keys: String,
    },
    /// A config is not allowed.
    #[error(transparent)]
    Config(#[from] AlterConfigError),
    /// Replicas and their number both.
    #[error("A manual partition assignment was specified, but replication factor was not set to -1.")]
    FactorWithAssignment,
    /// Replicas and the number of partitions both.
    #[error("A manual partition assignment was specified, but numPartitions was not set to -1.")]
    PartitionsWithAssignment,
    /// Replicas that cannot be.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// Zero or a negative number of replicas.
    #[error("Replication factor must be larger than 0, or -1 to use the default value.")]
    ReplicationFactor,
    /// Zero or a negative number of partitions.
    #[error("Number of partitions was set to an invalid non-positive value.")]
    Partitions,
    /// Too many partitions at once.
    #[error("Excessively large number of partitions per request.")]
    TooMany,
    /// Not enough brokers.
    #[error(transparent)]
    Placement(#[from] PlacementError),
}

/// What was decided about each topic, in the order of the request.
pub type CreateTopicsAnswer = Vec<(TopicName, Result<CreatedTopic, CreateTopicError>)>;

/// Decides about each topic by itself. With `validate_only` the answer is the same, and nothing changes.
pub fn plan_create_topics(
    image: &MetadataImage,
    settings: &Settings,
    topics: &[NewTopic],
    validate_only: bool,
    draw: Draw<'_>,
) -> Decision<CreateTopicsAnswer> {
    let mut seen = BTreeSet::new();
    let repeated: BTreeSet<_> =
        topics.iter().map(|topic| &topic.name).filter(|name| !seen.insert(*name)).collect();
    let mut records = Vec::new();
    let mut room = settings.max_partitions_per_request;
    let answer = topics
        .iter()
        .map(|topic| {
            let outcome = if repeated.contains(&topic.name) {
                Err(CreateTopicError::Duplicate)
            } else {
                create(image, settings, topic, &mut room, draw)
            };
            let outcome = outcome.map(|(created, mut more)| {
                records.append(&mut more);
                created
            });
            (topic.name.clone(), outcome)
        })
        .collect();
    if validate_only {
        records.clear();
    }
    Decision { records, answer }
}

fn create(
    image: &MetadataImage,
    settings: &Settings,
    topic: &NewTopic,
    room: &mut usize,
    draw: Draw<'_>,
) -> Result<(CreatedTopic, Vec<MetadataRecord>), CreateTopicError> {
    check_name(image, &topic.name)?;
    let configs = check_topic_configs(image, settings, topic)?;
    let partitions = match topic.assignments.as_slice() {
        [] => placed(image, settings, topic, *room, draw)?,
        assignments => assigned(image, topic, assignments)?,
    };
    if partitions.len() > *room {
        return Err(CreateTopicError::TooMany);
    }
    *room -= partitions.len();
    let id = Uuid::from_random_bits(|| bits(draw));
    let record = TopicRecord { name: topic.name.clone().into(), topic_id: id, ..TopicRecord::default() };
    let resource = ConfigResource::topic(topic.name.as_str());
    // Configs stand between the topic and its partitions: a broker creates the logs knowing them.
    let records = std::iter::once(record.into())
        .chain(configs.iter().map(|(key, value)| config_record(&resource, key, Some(value.clone()))))
        .chain(
            (0..)
                .zip(&partitions)
                .map(|(index, partition)| partition_record(id, PartitionIndex(index), partition).into()),
        )
        .collect();
    let replication_factor = partitions.first().map_or(0, |partition| partition.replicas.len());
    Ok((CreatedTopic { id, partitions: partitions.len(), replication_factor, configs }, records))
}

fn check_name(image: &MetadataImage, name: &TopicName) -> Result<(), CreateTopicError> {
    if name.as_str() == METADATA_TOPIC {
        return Err(CreateTopicError::Prohibited);
    }
    name.validate()?;
    if image.topics.id_of(name.as_str()).is_some() {
        return Err(CreateTopicError::Exists { name: name.clone() });
    }
    match image.topics.colliding(name) {
        Some(topic) => Err(CreateTopicError::Collision { name: name.clone(), existing: topic.name.clone() }),
        None => Ok(()),
    }
}

fn check_topic_configs(
    image: &MetadataImage,
    settings: &Settings,
    topic: &NewTopic,
) -> Result<ConfigMap, CreateTopicError> {
    let nulls: Vec<&str> =
        topic.configs.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| &**key).collect();
    if !nulls.is_empty() {
        return Err(CreateTopicError::NullConfigs { keys: nulls.join(",") });
    }
    let configs: ConfigMap =
        topic.configs.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect();
    check_configs(image, settings, &ConfigResource::topic(topic.name.as_str()), &configs)?;
    Ok(configs)
}

fn placed(
    image: &MetadataImage,
    settings: &Settings,
    topic: &NewTopic,
    room: usize,
    draw: Draw<'_>,
) -> Result<Vec<PartitionImage>, CreateTopicError> {
    let defaults = settings.topic_defaults(image);
    let replication_factor = match topic.replication_factor {
        -1 => defaults.replication_factor,
        factor if factor <= 0 => return Err(CreateTopicError::ReplicationFactor),
        factor => factor,
    };
    let partitions = match topic.partitions {
        -1 => defaults.partitions,
        partitions => partitions,
    };
    let partitions =
        usize::try_from(partitions).ok().filter(|&count| count > 0).ok_or(CreateTopicError::Partitions)?;
    if partitions > room {
        return Err(CreateTopicError::TooMany);
    }
    place(&image.brokers, &settings.balancer(image).drained, partitions, replication_factor, draw)?
        .iter()
        .map(|replicas| {
            new_partition(image, replicas)
                .ok_or_else(|| PlacementError::AllFenced { replication_factor }.into())
        })
        .collect()
}

fn assigned(
    image: &MetadataImage,
    topic: &NewTopic,
    assignments: &[(PartitionIndex, Vec<NodeId>)],
) -> Result<Vec<PartitionImage>, CreateTopicError> {
    if topic.replication_factor != -1 {
        return Err(CreateTopicError::FactorWithAssignment);
    }
    if topic.partitions != -1 {
        return Err(CreateTopicError::PartitionsWithAssignment);
    }
    let mut partitions = BTreeMap::new();
    let mut expected = None;
    for (index, replicas) in assignments {
        check_replicas(image, replicas, expected)?;
        expected = Some(replicas.len());
        let partition = new_partition(image, replicas).ok_or(AssignmentError::AllFenced(*index))?;
        if partitions.insert(*index, partition).is_some() {
            return Err(AssignmentError::RepeatedPartition(*index).into());
        }
    }
    if (0..).zip(partitions.keys()).any(|(expected, index)| index.0 != expected) {
        return Err(AssignmentError::Gap.into());
    }
    Ok(partitions.into_values().collect())
}

fn bits(draw: Draw<'_>) -> [u8; 16] {
    ((u128::from(draw()) << 64) | u128::from(draw())).to_be_bytes()
}
