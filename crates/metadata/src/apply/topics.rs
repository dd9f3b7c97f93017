//! Records about topics and partitions.

use std::sync::Arc;

use ottla_protocol::records::metadata as wire;
use ottla_types::{LeaderEpoch, NodeId, PartitionEpoch, PartitionIndex};

use super::{ApplyError, detached, value_error};
use crate::delta::MetadataDelta;
use crate::image::{
    ConfigResource, LeaderRecoveryState, MIGRATING_DIRECTORY, MetadataImage, PartitionImage, TopicImage,
};

impl MetadataImage {
    pub(super) fn create_topic(
        &mut self,
        record: &wire::TopicRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ApplyError> {
        if self.topics.by_name(&record.name).is_some() || self.topics.by_id(record.topic_id).is_some() {
            return Err(ApplyError::TopicExists { name: record.name.clone(), topic: record.topic_id });
        }
        self.topics.insert(TopicImage {
            id: record.topic_id,
            name: detached(&record.name).into(),
            partitions: Vec::new(),
        });
        delta.topics.on_created(record.topic_id);
        Ok(())
    }

    pub(super) fn remove_topic(
        &mut self,
        record: &wire::RemoveTopicRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ApplyError> {
        let topic = self
            .topics
            .remove(record.topic_id)
            .ok_or(ApplyError::UnknownTopic { record: "RemoveTopicRecord", topic: record.topic_id })?;
        let resource = ConfigResource::topic(topic.name.as_str());
        if self.configs.get(&resource).is_some() {
            self.configs.remove(&resource);
            delta.configs.insert(resource);
        }
        delta.topics.on_deleted(topic);
        Ok(())
    }

    pub(super) fn set_partition(
        &mut self,
        record: &wire::PartitionRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ApplyError> {
        const RECORD: &str = "PartitionRecord";
        let (topic, index) = (record.topic_id, PartitionIndex(record.partition_id));
        let partition = partition_image(record)?;
        let count = self.topics.by_id(topic).ok_or(ApplyError::UnknownTopic { record: RECORD, topic })?;
        if usize::try_from(index.0).is_ok_and(|index| index == count.partition_count()) {
            self.topics.push_partition(topic, partition);
        } else {
            *self.topics.partition_mut(topic, index).ok_or(ApplyError::UnknownPartition {
                record: RECORD,
                topic,
                index,
            })? = partition;
        }
        delta.topics.on_changed(topic, index);
        Ok(())
    }

    pub(super) fn change_partition(
        &mut self,
        record: &wire::PartitionChangeRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ApplyError> {
        let (topic, index) = (record.topic_id, PartitionIndex(record.partition_id));
        let partition = self.topics.partition_mut(topic, index).ok_or(ApplyError::UnknownPartition {
            record: "PartitionChangeRecord",
            topic,
            index,
        })?;
        partition.merge(record)?;
        delta.topics.on_changed(topic, index);
        Ok(())
    }

    /// No name clears the ELR of all topics (KIP-966).
    pub(super) fn clear_elr(&mut self, record: &wire::ClearElrRecord, delta: &mut MetadataDelta) {
        let topics: Vec<_> = self
            .topics
            .iter()
            .filter(|topic| record.topic_name.is_empty() || topic.name.as_str() == &*record.topic_name)
            .map(Arc::clone)
            .collect();
        for topic in topics {
            for (index, partition) in topic.partitions() {
                if partition.elr.is_empty() && partition.last_known_elr.is_empty() {
                    continue;
                }
                if let Some(partition) = self.topics.partition_mut(topic.id, index) {
                    partition.elr = Box::default();
                    partition.last_known_elr = Box::default();
                    partition.partition_epoch = next_partition_epoch(partition.partition_epoch);
                    delta.topics.on_changed(topic.id, index);
                }
            }
        }
    }
}

impl PartitionImage {
    /// This partition after `record`: every change raises the partition epoch, one that names a leader the leader
    /// epoch, even if it is the same leader (`PartitionRegistration.merge`).
    pub(crate) fn merge(&mut self, record: &wire::PartitionChangeRecord) -> Result<(), ApplyError> {
        if record.leader_recovery_state != -1 {
            self.leader_recovery_state =
                recovery_state("PartitionChangeRecord", record.leader_recovery_state)?;
        }
        if let Some(replicas) = &record.replicas {
            self.replicas = nodes(replicas);
        }
        if let Some(directories) = &record.directories {
            self.directories = directories.as_slice().into();
        }
        if self.directories.len() != self.replicas.len() {
            self.directories = vec![MIGRATING_DIRECTORY; self.replicas.len()].into();
        }
        for (field, change) in [
            (&mut self.isr, &record.isr),
            (&mut self.removing_replicas, &record.removing_replicas),
            (&mut self.adding_replicas, &record.adding_replicas),
            (&mut self.elr, &record.eligible_leader_replicas),
            (&mut self.last_known_elr, &record.last_known_elr),
        ] {
            if let Some(change) = change {
                *field = nodes(change);
            }
        }
        if record.leader != NO_LEADER_CHANGE {
            self.leader = NodeId(record.leader);
            self.leader_epoch = LeaderEpoch(self.leader_epoch.0.saturating_add(1));
        }
        self.partition_epoch = next_partition_epoch(self.partition_epoch);
        Ok(())
    }
}

/// What a PartitionChangeRecord says for "the leader stays".
pub(crate) const NO_LEADER_CHANGE: i32 = -2;

fn partition_image(record: &wire::PartitionRecord) -> Result<PartitionImage, ApplyError> {
    let directories = if record.directories.len() == record.replicas.len() {
        record.directories.as_slice().into()
    } else {
        vec![MIGRATING_DIRECTORY; record.replicas.len()].into()
    };
    Ok(PartitionImage {
        replicas: nodes(&record.replicas),
        directories,
        isr: nodes(&record.isr),
        elr: nodes(record.eligible_leader_replicas.as_deref().unwrap_or_default()),
        last_known_elr: nodes(record.last_known_elr.as_deref().unwrap_or_default()),
        removing_replicas: nodes(&record.removing_replicas),
        adding_replicas: nodes(&record.adding_replicas),
        leader: NodeId(record.leader),
        leader_recovery_state: recovery_state("PartitionRecord", record.leader_recovery_state)?,
        leader_epoch: LeaderEpoch(record.leader_epoch),
        partition_epoch: PartitionEpoch(record.partition_epoch),
    })
}

fn nodes(ids: &[i32]) -> Box<[NodeId]> {
    ids.iter().copied().map(NodeId).collect()
}

const fn next_partition_epoch(epoch: PartitionEpoch) -> PartitionEpoch {
    PartitionEpoch(epoch.0.saturating_add(1))
}

fn recovery_state(record: &'static str, code: i8) -> Result<LeaderRecoveryState, ApplyError> {
    LeaderRecoveryState::from_code(code).ok_or_else(|| value_error(record, "leader recovery state", code))
}
