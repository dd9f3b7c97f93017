//! DeleteTopics, by name or by id (KIP-516).

use std::collections::BTreeMap;

use ottla_protocol::records::metadata::RemoveTopicRecord;
use ottla_types::{TopicId, TopicName};

use crate::image::MetadataImage;
use crate::plan::Decision;

/// Which topic to delete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicRef {
    /// The one called so.
    Name(TopicName),
    /// The one with this id.
    Id(TopicId),
}

/// Why a topic is not deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteTopicError {
    /// There is no topic of that name.
    #[error("This server does not host this topic-partition.")]
    UnknownName,
    /// There is no topic with that id.
    #[error("This server does not host this topic ID.")]
    UnknownId,
    /// It occurs twice in the request.
    #[error("Duplicate topic: each may be named once, by its name or by its id.")]
    Duplicate,
}

/// A topic that is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedTopic {
    /// Its id.
    pub id: TopicId,
    /// Its name.
    pub name: TopicName,
}

/// Decides about each topic by itself. One that the request names twice is not deleted: whoever wrote that was
/// mistaken about something.
pub fn plan_delete_topics(
    image: &MetadataImage,
    topics: &[TopicRef],
) -> Decision<Vec<(TopicRef, Result<DeletedTopic, DeleteTopicError>)>> {
    let found: Vec<_> = topics.iter().map(|topic| (topic, find(image, topic))).collect();
    let mut times: BTreeMap<TopicId, usize> = BTreeMap::new();
    for id in found.iter().filter_map(|(_, found)| Some(found.as_ref().ok()?.id)) {
        *times.entry(id).or_default() += 1;
    }
    let mut records = Vec::new();
    let answer = found
        .into_iter()
        .map(|(topic, found)| {
            let outcome = found.and_then(|found| {
                if times.get(&found.id).is_some_and(|&times| times > 1) {
                    return Err(DeleteTopicError::Duplicate);
                }
                let record = RemoveTopicRecord { topic_id: found.id, ..RemoveTopicRecord::default() };
                records.push(record.into());
                Ok(found)
            });
            (topic.clone(), outcome)
        })
        .collect();
    Decision { records, answer }
}

fn find(image: &MetadataImage, topic: &TopicRef) -> Result<DeletedTopic, DeleteTopicError> {
    let (found, missing) = match topic {
        TopicRef::Name(name) => (image.topics.by_name(name.as_str()), DeleteTopicError::UnknownName),
        TopicRef::Id(id) => (image.topics.by_id(*id), DeleteTopicError::UnknownId),
    };
    found.map(|topic| DeletedTopic { id: topic.id, name: topic.name.clone() }).ok_or(missing)
}
