//! What a metadata change means for the partitions of this broker.

use std::sync::Arc;

use ottla_metadata::image::ResourceKind;
use ottla_metadata::{LocalChange, MetadataDelta, MetadataImage};
use ottla_replication::{PartitionState, Replica, RoleChange};
use ottla_storage::{LogDir, StorageError};
use ottla_types::{LeaderEpoch, PartitionIndex, TopicIdPartition, TopicName, TopicPartition};

use super::partition::{Partition, durability_of};
use super::{HostedTopic, ReplicaManager};
use crate::effective_configs::PartitionConfig;

/// A partition that this broker began or ceased to lead.
#[derive(Debug)]
pub(crate) enum RoleChanged {
    Leads(Arc<Partition>, LeaderEpoch),
    Left(TopicPartition),
}

impl ReplicaManager {
    /// Brings this broker's partitions in line with the metadata. `config_of` gives what a topic's partitions obey.
    pub(crate) fn apply(
        &self,
        before: &MetadataImage,
        after: &MetadataImage,
        delta: &MetadataDelta,
        config_of: impl Fn(&str) -> PartitionConfig,
    ) -> Vec<RoleChanged> {
        let changes = delta.topics.local_changes(self.node_id, before, after);
        let mut roles = Vec::new();
        for (change, _) in &changes.removed {
            roles.push(self.remove(change));
        }
        for change in changes.leads.iter().chain(&changes.follows) {
            let config = config_of(change.topic.name.as_str());
            match self.get_or_open(change, &config) {
                Ok(partition) => roles.extend(change_role(&partition, change, &config)),
                Err(error) => self.refuse(change, &error),
            }
        }
        for resource in delta.configs.iter().filter(|resource| resource.kind == ResourceKind::Topic) {
            self.update_configs(&TopicName::from(resource.name.clone()), after, &config_of);
        }
        // A broker-wide default may concern any topic.
        if delta.configs.iter().any(|resource| resource.kind == ResourceKind::Broker) {
            let names: Vec<TopicName> = self.topics.read().keys().cloned().collect();
            for name in names {
                self.update_configs(&name, after, &config_of);
            }
        }
        roles
    }

    fn remove(&self, change: &LocalChange) -> RoleChanged {
        let id = id_of(change);
        let at = id.topic_partition.clone();
        let removed = {
            let mut topics = self.topics.write();
            match topics.get_mut(&at.topic) {
                Some(topic) if topic.id == id.topic_id => {
                    let removed = topic.partitions.remove(&at.partition);
                    if topic.partitions.is_empty() {
                        topics.remove(&at.topic);
                    }
                    removed
                }
                _ => None,
            }
        };
        self.damaged.lock().remove(&(at.topic.clone(), at.partition));
        if let Some(partition) = &removed {
            partition.retire();
        }
        for dir in &self.dirs {
            let deleted = match &removed {
                Some(partition) => partition.with_log(|log, _| dir.delete_log(&id, Some(log))),
                None => dir.delete_log(&id, None),
            };
            if let Err(error) = deleted {
                tracing::error!("cannot delete {at}: {error}");
            }
        }
        RoleChanged::Left(at)
    }

    fn get_or_open(
        &self,
        change: &LocalChange,
        config: &PartitionConfig,
    ) -> Result<Arc<Partition>, StorageError> {
        let id = id_of(change);
        let at = &id.topic_partition;
        if let Some(partition) = self.partition(at.topic.as_str(), at.partition)
            && partition.id().topic_id == id.topic_id
        {
            return Ok(partition);
        }
        let dir = self.dir_for(&id, change);
        // A folder of a former topic of this name is in the way, and nobody asks for it any more.
        if let Some(former) = dir.topic_id_of(at)
            && former != id.topic_id
        {
            dir.delete_log(&TopicIdPartition { topic_id: former, topic_partition: at.clone() }, None)?;
        }
        let log = dir.open_or_create_log(&id, config.log.clone(), self.clock.wall_ms())?;
        let replica = Replica::new(self.node_id, durability_of(&config.sync));
        let partition = Partition::new(
            id.clone(),
            log,
            replica,
            config.sync,
            Arc::clone(&self.clock),
            Arc::clone(&self.flush_queue),
            self.topic_metrics.of(&at.topic),
        );
        let mut topics = self.topics.write();
        let topic = topics
            .entry(at.topic.clone())
            .and_modify(|topic| {
                if topic.id != id.topic_id {
                    *topic = HostedTopic { id: id.topic_id, partitions: Default::default() };
                }
            })
            .or_insert_with(|| HostedTopic { id: id.topic_id, partitions: Default::default() });
        topic.partitions.insert(at.partition, Arc::clone(&partition));
        Ok(partition)
    }

    /// Where the partition lies, or the directory with the fewest partitions for a new one.
    fn dir_for(&self, id: &TopicIdPartition, change: &LocalChange) -> Arc<LogDir> {
        let holds = |dir: &&Arc<LogDir>| dir.topic_id_of(&id.topic_partition) == Some(id.topic_id);
        let assigned = change.partition.directory_of(self.node_id);
        let by_id = |dir: &&Arc<LogDir>| assigned == Some(dir.directory_id());
        let found = self.dirs.iter().find(holds).or_else(|| self.dirs.iter().find(by_id));
        let emptiest = || self.dirs.iter().min_by_key(|dir| dir.partition_count());
        // A broker has at least one log directory: the configuration says so.
        Arc::clone(found.or_else(emptiest).unwrap_or(&self.dirs[0]))
    }

    fn refuse(&self, change: &LocalChange, error: &StorageError) {
        let at = id_of(change).topic_partition;
        tracing::error!("{at} cannot be served: {error}");
        self.damaged.lock().insert((at.topic, at.partition), error.to_string());
    }

    fn update_configs(
        &self,
        name: &TopicName,
        image: &MetadataImage,
        config_of: impl Fn(&str) -> PartitionConfig,
    ) {
        let Some(topic) = image.topics.by_name(name.as_str()) else { return };
        let config = config_of(name.as_str());
        for (index, state) in topic.partitions() {
            if let Some(partition) = self.partition(name.as_str(), index) {
                partition.update_config(config.log.clone(), config.sync);
                partition.handle_partition_state(partition_state(state, &config));
            }
        }
    }
}

fn change_role(
    partition: &Arc<Partition>,
    change: &LocalChange,
    config: &PartitionConfig,
) -> Option<RoleChanged> {
    let epoch = change.partition.leader_epoch;
    match partition.handle_partition_state(partition_state(&change.partition, config)) {
        RoleChange::BecameLeader { .. } => Some(RoleChanged::Leads(Arc::clone(partition), epoch)),
        RoleChange::BecameFollower { .. } | RoleChange::WentOffline => {
            Some(RoleChanged::Left(partition.id().topic_partition.clone()))
        }
        RoleChange::None | RoleChange::LeaderUpdated => None,
    }
}

fn partition_state(
    image: &ottla_metadata::image::PartitionImage,
    config: &PartitionConfig,
) -> PartitionState {
    PartitionState {
        leader: image.leader,
        leader_epoch: image.leader_epoch,
        partition_epoch: image.partition_epoch,
        replicas: image.replicas.to_vec(),
        isr: image.isr.to_vec(),
        min_insync_replicas: config.min_insync_replicas,
    }
}

fn id_of(change: &LocalChange) -> TopicIdPartition {
    let topic_partition = TopicPartition::new(change.topic.name.clone(), PartitionIndex(change.index.0));
    TopicIdPartition { topic_id: change.topic.id, topic_partition }
}
