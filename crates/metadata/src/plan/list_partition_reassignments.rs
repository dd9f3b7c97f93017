//! ListPartitionReassignments: which partitions are on the move (KIP-455;
//! `ReplicationControlManager.listPartitionReassignments`).

use std::sync::Arc;

use ottla_types::{PartitionIndex, TopicName};

use crate::image::{MetadataImage, PartitionImage, TopicImage};

/// A topic with those of its partitions that are being reassigned.
pub type OngoingReassignments = (TopicName, Vec<(PartitionIndex, Arc<PartitionImage>)>);

/// Those of `asked` that are being reassigned, of all partitions if `None`. What does not exist is not being reassigned.
pub fn list_partition_reassignments(
    image: &MetadataImage,
    asked: Option<&[(TopicName, Vec<PartitionIndex>)]>,
) -> Vec<OngoingReassignments> {
    let of_topic = |topic: &TopicImage, ongoing: Vec<_>| match ongoing.is_empty() {
        true => None,
        false => Some((topic.name.clone(), ongoing)),
    };
    let Some(asked) = asked else {
        let all = |topic: &Arc<TopicImage>| {
            let moving = topic.partitions().filter(|(_, partition)| partition.is_reassigning());
            of_topic(topic, moving.map(|(index, partition)| (index, Arc::clone(partition))).collect())
        };
        return image.topics.iter().filter_map(all).collect();
    };
    let named = |(name, indexes): &(TopicName, Vec<PartitionIndex>)| {
        let topic = image.topics.by_name(name.as_str())?;
        let moving = indexes.iter().filter_map(|&index| {
            let partition = topic.partition(index).filter(|partition| partition.is_reassigning())?;
            Some((index, Arc::clone(partition)))
        });
        of_topic(topic, moving.collect())
    };
    asked.iter().filter_map(named).collect()
}
