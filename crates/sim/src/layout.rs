//! How partitions are called: by one number in a run, by topic and index in the metadata.

use std::sync::Arc;

use ottla_metadata::MetadataImage;
use ottla_metadata::image::{PartitionImage, TopicImage};
use ottla_types::{PartitionIndex, TopicName};

/// So many partitions are of one topic.
const PER_TOPIC: i32 = 3;

/// The topic of the partition, and which one of it.
pub(crate) fn named(partition: i32) -> (TopicName, PartitionIndex) {
    let name = format!("t{}", partition / PER_TOPIC);
    (TopicName::from(name.as_str()), PartitionIndex(partition % PER_TOPIC))
}

/// The number of a partition.
pub(crate) fn number(topic: &TopicImage, index: PartitionIndex) -> i32 {
    let topic = topic.name.as_str().strip_prefix('t').and_then(|number| number.parse::<i32>().ok());
    topic.unwrap_or(0) * PER_TOPIC + index.0
}

/// All partitions with their numbers.
pub(crate) fn partitions(image: &MetadataImage) -> impl Iterator<Item = (i32, &Arc<PartitionImage>)> {
    image
        .topics
        .iter()
        .flat_map(|topic| topic.partitions().map(move |(index, partition)| (number(topic, index), partition)))
}

/// The partition of this number.
pub(crate) fn partition(image: &MetadataImage, number: i32) -> Option<&Arc<PartitionImage>> {
    let (topic, index) = named(number);
    image.topics.by_name(topic.as_str())?.partition(index)
}
