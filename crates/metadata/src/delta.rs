//! What changed between two images, so that whoever follows the metadata need not compare them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ottla_types::{NodeId, PartitionIndex, TopicId};

use crate::image::{ConfigResource, MetadataImage, PartitionImage, TopicImage};

/// What changed from one image to a later one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataDelta {
    /// Topics and partitions.
    pub topics: TopicsDelta,
    /// Brokers that registered, changed or were unregistered.
    pub brokers: BTreeSet<NodeId>,
    /// Resources with a changed config. A config that was set again to its old value is here too: that is how a
    /// broker is told to reload files which a value names (KAFKA-14136).
    pub configs: BTreeSet<ConfigResource>,
    /// Whether a finalized feature changed.
    pub features: bool,
    /// Whether a block of producer ids was handed out.
    pub producer_ids: bool,
    /// Whether quotas, credentials, ACLs, tokens or controllers changed.
    pub opaque: bool,
}

/// Topics and partitions that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicsDelta {
    /// Topics of the new image with a new or changed partition, and which ones.
    pub changed: BTreeMap<TopicId, BTreeSet<PartitionIndex>>,
    /// Topics of the new image that the old one lacks.
    pub created: BTreeSet<TopicId>,
    /// Topics of the old image that the new one lacks, as they were last.
    pub deleted: BTreeMap<TopicId, Arc<TopicImage>>,
}

/// One partition that changed for a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalChange {
    /// Its topic in the image where the change shows.
    pub topic: Arc<TopicImage>,
    /// Which partition of it.
    pub index: PartitionIndex,
    /// Its state there.
    pub partition: Arc<PartitionImage>,
}

/// What a broker has to do with its own replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalChanges {
    /// Replicas that it no longer holds: the topic is gone (then `true`) or was moved away (`false`).
    pub removed: Vec<(LocalChange, bool)>,
    /// Partitions that it now leads, or still leads with a changed state.
    pub leads: Vec<LocalChange>,
    /// Partitions that it follows, or whose leader is gone.
    pub follows: Vec<LocalChange>,
}

impl MetadataDelta {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Compares two images whose history between is not known, as after a snapshot. Costs a look at all topics.
    pub fn between(old: &MetadataImage, new: &MetadataImage) -> Self {
        Self {
            topics: TopicsDelta::between(old, new),
            brokers: changed_keys(
                old.brokers.iter().map(|broker| (broker.id, broker)),
                new.brokers.iter().map(|broker| (broker.id, broker)),
            ),
            configs: changed_keys(
                old.configs.iter().map(|(resource, values)| (resource.clone(), values)),
                new.configs.iter().map(|(resource, values)| (resource.clone(), values)),
            ),
            features: old.features != new.features,
            producer_ids: old.producer_ids != new.producer_ids,
            opaque: old.opaque != new.opaque,
        }
    }

    /// Adds what changed from the image that this delta ends at to a later one.
    pub fn merge(&mut self, later: Self) {
        self.topics.merge(later.topics);
        self.brokers.extend(later.brokers);
        self.configs.extend(later.configs);
        self.features |= later.features;
        self.producer_ids |= later.producer_ids;
        self.opaque |= later.opaque;
    }
}

impl TopicsDelta {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.created.is_empty() && self.deleted.is_empty()
    }

    /// What these changes mean for the replicas of `broker`. `old` and `new` are the images that the delta spans.
    pub fn local_changes(&self, broker: NodeId, old: &MetadataImage, new: &MetadataImage) -> LocalChanges {
        let mut changes = LocalChanges::default();
        for (id, topic) in &self.deleted {
            let topic = old.topics.by_id(*id).unwrap_or(topic);
            for (index, partition) in topic.partitions().filter(|(_, p)| p.is_replica(broker)) {
                changes.removed.push((local(topic, index, partition), true));
            }
        }
        for (id, indexes) in &self.changed {
            let Some(topic) = new.topics.by_id(*id) else { continue };
            for &index in indexes {
                let Some(partition) = topic.partition(index) else { continue };
                if partition.leader == broker {
                    changes.leads.push(local(topic, index, partition));
                } else if partition.is_replica(broker) {
                    changes.follows.push(local(topic, index, partition));
                } else if old.topics.partition(*id, index).is_some_and(|before| before.is_replica(broker)) {
                    changes.removed.push((local(topic, index, partition), false));
                }
            }
        }
        changes
    }

    fn between(old: &MetadataImage, new: &MetadataImage) -> Self {
        let mut delta = Self::default();
        for topic in old.topics.iter() {
            if new.topics.by_id(topic.id).is_none() {
                delta.deleted.insert(topic.id, Arc::clone(topic));
            }
        }
        for topic in new.topics.iter() {
            let before = old.topics.by_id(topic.id);
            if before.is_none() {
                delta.created.insert(topic.id);
            }
            if before.is_some_and(|before| Arc::ptr_eq(before, topic)) {
                continue;
            }
            let changed: BTreeSet<_> = topic
                .partitions()
                .filter(|(index, partition)| {
                    before.and_then(|before| before.partition(*index)) != Some(*partition)
                })
                .map(|(index, _)| index)
                .collect();
            if !changed.is_empty() {
                delta.changed.insert(topic.id, changed);
            }
        }
        delta
    }

    fn merge(&mut self, later: Self) {
        for (id, topic) in later.deleted {
            self.changed.remove(&id);
            // A topic that came and went in between was in neither image.
            if !self.created.remove(&id) {
                self.deleted.insert(id, topic);
            }
        }
        self.created.extend(later.created);
        for (id, indexes) in later.changed {
            self.changed.entry(id).or_default().extend(indexes);
        }
    }

    pub(crate) fn on_created(&mut self, topic: TopicId) {
        self.created.insert(topic);
    }

    pub(crate) fn on_changed(&mut self, topic: TopicId, index: PartitionIndex) {
        self.changed.entry(topic).or_default().insert(index);
    }

    pub(crate) fn on_deleted(&mut self, topic: Arc<TopicImage>) {
        self.merge(Self { deleted: BTreeMap::from([(topic.id, topic)]), ..Self::default() });
    }
}

fn local(topic: &Arc<TopicImage>, index: PartitionIndex, partition: &Arc<PartitionImage>) -> LocalChange {
    LocalChange { topic: Arc::clone(topic), index, partition: Arc::clone(partition) }
}

fn changed_keys<'a, K: Ord + Clone, V: PartialEq + 'a>(
    old: impl Iterator<Item = (K, &'a V)>,
    new: impl Iterator<Item = (K, &'a V)>,
) -> BTreeSet<K> {
    let mut before: BTreeMap<K, &V> = old.collect();
    let mut changed = BTreeSet::new();
    for (key, value) in new {
        if before.remove(&key) != Some(value) {
            changed.insert(key);
        }
    }
    changed.extend(before.into_keys());
    changed
}
