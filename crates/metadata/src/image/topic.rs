//! Topics by id and by name.

use std::hash::{BuildHasherDefault, DefaultHasher};
use std::ops::Bound;
use std::sync::Arc;

use ottla_types::{PartitionIndex, TopicId, TopicName};
use rpds::{HashTrieMapSync, RedBlackTreeMapSync};

use crate::image::partition::PartitionImage;

/// A fixed hasher: two images with the same history are the same in memory too.
type ById = HashTrieMapSync<TopicId, Arc<TopicImage>, BuildHasherDefault<DefaultHasher>>;

/// One topic and its partitions, numbered from 0 without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage {
    /// This creation of the topic.
    pub id: TopicId,
    /// Its name.
    pub name: TopicName,
    pub(crate) partitions: Vec<Arc<PartitionImage>>,
}

impl TopicImage {
    /// The partition `index`.
    pub fn partition(&self, index: PartitionIndex) -> Option<&Arc<PartitionImage>> {
        self.partitions.get(usize::try_from(index.0).ok()?)
    }

    /// All partitions, ordered by index from 0.
    pub fn partitions(&self) -> impl ExactSizeIterator<Item = (PartitionIndex, &Arc<PartitionImage>)> {
        self.partitions.iter().enumerate().map(|(index, partition)| (PartitionIndex(index as i32), partition))
    }

    /// How many partitions it has.
    pub fn partition_count(&self) -> usize {
        self.partitions.len()
    }

    /// How many replicas its first partition has; 0 without partitions.
    pub fn replication_factor(&self) -> usize {
        self.partitions.first().map_or(0, |partition| partition.replicas.len())
    }
}

/// All topics. A clone shares everything; a change copies the path to what changed.
#[derive(Clone, Debug, Default)]
pub struct Topics {
    by_id: ById,
    by_name: RedBlackTreeMapSync<TopicName, TopicId>,
    /// Names with `.` or `_`, all such characters made one: metric names do not tell them apart.
    by_metric_name: RedBlackTreeMapSync<String, TopicId>,
    partition_count: usize,
}

impl Topics {
    /// The topic with this id.
    pub fn by_id(&self, id: TopicId) -> Option<&Arc<TopicImage>> {
        self.by_id.get(&id)
    }

    /// The topic called `name`.
    pub fn by_name(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.by_id(*self.by_name.get(name)?)
    }

    /// The id of the topic called `name`.
    pub fn id_of(&self, name: &str) -> Option<TopicId> {
        self.by_name.get(name).copied()
    }

    /// A topic whose metrics a topic called `name` would share (`Topic.hasCollision`).
    pub fn colliding(&self, name: &TopicName) -> Option<&Arc<TopicImage>> {
        let topic = self.by_id(*self.by_metric_name.get(&metric_name(name)?)?)?;
        (topic.name != *name).then_some(topic)
    }

    /// One partition of the topic `id`.
    pub fn partition(&self, id: TopicId, index: PartitionIndex) -> Option<&Arc<PartitionImage>> {
        self.by_id(id)?.partition(index)
    }

    /// All topics, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<TopicImage>> {
        self.by_name.values().filter_map(|id| self.by_id.get(id))
    }

    /// The topics whose name is `name` or follows it, ordered by name: for paging.
    pub fn from_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<TopicImage>> {
        self.by_name
            .range::<str, _>((Bound::Included(name), Bound::Unbounded))
            .filter_map(|(_, id)| self.by_id.get(id))
    }

    /// How many topics there are.
    pub fn len(&self) -> usize {
        self.by_name.size()
    }

    /// Whether there is no topic.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// How many partitions all topics have together.
    pub const fn partition_count(&self) -> usize {
        self.partition_count
    }

    pub(crate) fn insert(&mut self, topic: TopicImage) {
        self.by_name.insert_mut(topic.name.clone(), topic.id);
        if let Some(name) = metric_name(&topic.name) {
            self.by_metric_name.insert_mut(name, topic.id);
        }
        self.partition_count += topic.partitions.len();
        self.by_id.insert_mut(topic.id, Arc::new(topic));
    }

    pub(crate) fn remove(&mut self, id: TopicId) -> Option<Arc<TopicImage>> {
        let topic = Arc::clone(self.by_id.get(&id)?);
        self.by_id.remove_mut(&id);
        self.by_name.remove_mut(topic.name.as_str());
        if let Some(name) = metric_name(&topic.name) {
            self.by_metric_name.remove_mut(&name);
        }
        self.partition_count -= topic.partitions.len();
        Some(topic)
    }

    /// Appends the partition after the last one of `id`; false if there is no such topic.
    pub(crate) fn push_partition(&mut self, id: TopicId, partition: PartitionImage) -> bool {
        let Some(topic) = self.by_id.get_mut(&id) else { return false };
        Arc::make_mut(topic).partitions.push(Arc::new(partition));
        self.partition_count += 1;
        true
    }

    pub(crate) fn partition_mut(
        &mut self,
        id: TopicId,
        index: PartitionIndex,
    ) -> Option<&mut PartitionImage> {
        let topic = Arc::make_mut(self.by_id.get_mut(&id)?);
        topic.partitions.get_mut(usize::try_from(index.0).ok()?).map(Arc::make_mut)
    }
}

impl PartialEq for Topics {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Topics {}

/// What metrics call the topic, if that differs from or may be shared with other names.
pub(crate) fn metric_name(name: &TopicName) -> Option<String> {
    name.as_str().contains(['.', '_']).then(|| name.as_str().replace('.', "_"))
}
