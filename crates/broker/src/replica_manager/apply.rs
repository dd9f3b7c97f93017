//! What a metadata change means for the partitions of this broker.

use std::collections::HashMap;
use std::slice;
use std::sync::Arc;

use ottla_metadata::image::{LOST_DIRECTORY, MIGRATING_DIRECTORY, ResourceKind, UNASSIGNED_DIRECTORY};
use ottla_metadata::{LocalChange, MetadataDelta, MetadataImage};
use ottla_replication::{PartitionState, Replica, RoleChange};
use ottla_storage::{Log, LogDir, StorageError, find_home};
use ottla_types::{
    DirectoryId, LeaderEpoch, NodeId, PartitionIndex, TopicIdPartition, TopicName, TopicPartition,
};

use super::opening::Target;
use super::partition::{Host, Partition, durability_of};
use super::strays::{make_way, set_aside};
use super::{HostedTopic, ReplicaManager};
use crate::effective_configs::PartitionConfig;

/// A partition whose role on this broker changed.
#[derive(Debug)]
pub(crate) enum RoleChanged {
    /// This broker leads it, and opens it.
    WillLead(TopicPartition),
    Leads(Arc<Partition>, LeaderEpoch),
    Left(TopicPartition),
    /// It follows the broker named; told after [`RoleChanged::Left`].
    Follows(Arc<Partition>, NodeId),
}

/// Told of each [`RoleChanged`], in order, one at a time.
pub(crate) type RoleListener = Box<dyn Fn(RoleChanged) + Send + Sync>;

/// Why a partition does not serve.
#[derive(Debug)]
pub(super) struct Unopened {
    reason: String,
    /// What this broker had of it is gone or damaged: the controller has to know, so that another replica leads. What lies in a
    /// directory that is offline may come back whole.
    is_lost: bool,
}

impl Unopened {
    /// It may be whole.
    pub(super) const fn now(reason: String) -> Self {
        Self { reason, is_lost: false }
    }
}

impl ReplicaManager {
    /// Brings this broker's partitions in line with the metadata. `config_of` gives what a topic's partitions obey.
    /// Partitions that have a folder are opened in the background. Works with files: not for a runtime's thread.
    pub(crate) fn apply(
        self: &Arc<Self>,
        before: &MetadataImage,
        after: &MetadataImage,
        delta: &MetadataDelta,
        config_of: impl Fn(&str) -> PartitionConfig,
    ) {
        let mut changing = self.changing.lock();
        if changing.closed {
            return;
        }
        changing.image = after.clone();
        let changes = delta.topics.local_changes(self.node_id, before, after);
        self.remove(changes.removed.iter().map(|(change, _)| change));
        // One for all partitions of a topic.
        let mut configs: HashMap<&TopicName, Arc<PartitionConfig>> = HashMap::new();
        for change in changes.leads.iter().chain(&changes.follows) {
            let name = &change.topic.name;
            let config = configs.entry(name).or_insert_with(|| Arc::new(config_of(name.as_str())));
            self.take_on(change, config);
        }
        for resource in delta.configs.iter().filter(|resource| resource.kind == ResourceKind::Topic) {
            self.update_configs(&TopicName::from(resource.name.clone()), after, &config_of);
        }
        // A broker-wide default may concern any topic; with eligible leader replicas, or more brokers, another one counts.
        let others_count = delta.features || before.brokers.len() != after.brokers.len();
        if others_count || delta.configs.iter().any(|resource| resource.kind == ResourceKind::Broker) {
            let names: Vec<TopicName> = after.topics.iter().map(|topic| topic.name.clone()).collect();
            for name in names {
                self.update_configs(&name, after, &config_of);
            }
        }
        drop(changing);
        self.start_opening();
    }

    fn remove<'a>(&self, changes: impl Iterator<Item = &'a LocalChange>) {
        let removed: Vec<TopicIdPartition> = changes.map(id_of).collect();
        let mut gone = Vec::new();
        for id in &removed {
            let at = &id.topic_partition;
            self.damaged.lock().remove(&(at.topic.clone(), at.partition));
            // Whoever opens it deletes it.
            if !self.opening.remove(at) {
                if let Some(partition) = self.forget(id) {
                    partition.retire();
                    partition.with_log(|log, _| log.abandon());
                }
                gone.push(id.clone());
            }
        }
        self.delete(&gone);
        removed.into_iter().for_each(|id| self.tell(RoleChanged::Left(id.topic_partition)));
    }

    /// Deletes the files of partitions whose logs were abandoned.
    fn delete(&self, gone: &[TopicIdPartition]) {
        for dir in &self.dirs {
            if let Err(error) = dir.delete_logs(gone) {
                tracing::error!("cannot delete partitions in {}: {error}", dir.path().display());
            }
        }
    }

    pub(super) fn forget(&self, id: &TopicIdPartition) -> Option<Arc<Partition>> {
        let at = &id.topic_partition;
        let mut topics = self.topics.write();
        let topic = topics.get_mut(&at.topic).filter(|topic| topic.id == id.topic_id)?;
        let removed = topic.partitions.remove(&at.partition);
        if topic.partitions.is_empty() {
            topics.remove(&at.topic);
        }
        removed
    }

    /// This broker holds the partition, in the role that the change says.
    fn take_on(&self, change: &LocalChange, config: &Arc<PartitionConfig>) {
        let id = id_of(change);
        let at = &id.topic_partition;
        let target = || Target { change: change.clone(), config: Arc::clone(config) };
        let hosted = self.partition(at.topic.as_str(), at.partition);
        if let Some(partition) = hosted.filter(|partition| partition.id().topic_id == id.topic_id) {
            self.found_again(&id, change);
            return self.change_role(&partition, change, config);
        }
        let queued = self.opening.retarget(at, target);
        if !queued && !self.dirs.iter().any(|dir| dir.topic_id_of(at).is_some()) {
            // Nothing on disk yet: nothing to wait for.
            return self.install(&target(), self.open(&target()));
        }
        if !queued {
            self.opening.add(target());
        }
        self.tell_of_opening(change);
    }

    /// The partition is not open yet.
    pub(super) fn tell_of_opening(&self, change: &LocalChange) {
        let at = id_of(change).topic_partition;
        self.tell(match change.partition.leader == self.node_id {
            true => RoleChanged::WillLead(at),
            false => RoleChanged::Left(at),
        });
    }

    /// The log of a partition, as it is on disk.
    pub(super) fn open(&self, target: &Target) -> Result<Log, Unopened> {
        let id = id_of(&target.change);
        let dir = self.dir_for(&id, &target.change)?;
        let mut opened = self.open_log(&dir, &id, target);
        if let Err(error @ StorageError::Damaged { .. }) = &opened
            && self.may_be_copied_anew(&target.change)
        {
            tracing::warn!(
                "{}: {error}. Others are in sync: it is copied from the leader",
                id.topic_partition
            );
            opened = set_aside(&dir, slice::from_ref(&id), "is damaged")
                .and_then(|()| self.open_log(&dir, &id, target));
        }
        opened.map_err(|error| Unopened {
            is_lost: matches!(error, StorageError::Damaged { .. }),
            reason: error.to_string(),
        })
    }

    fn open_log(&self, dir: &LogDir, id: &TopicIdPartition, target: &Target) -> Result<Log, StorageError> {
        make_way(dir, id)?;
        dir.open_or_create_log(id, Arc::clone(&target.config.log), self.clock.wall_ms())
    }

    /// Has a partition serve whose log was opened, in its role; or notes why it cannot.
    pub(super) fn install(&self, target: &Target, opened: Result<Log, Unopened>) {
        let Target { change, config } = target;
        let log = match opened {
            Ok(log) => log,
            Err(unopened) => return self.refuse(change, unopened),
        };
        let id = id_of(change);
        let at = id.topic_partition.clone();
        self.damaged.lock().remove(&(at.topic.clone(), at.partition));
        let replica = Replica::new(self.node_id, durability_of(&config.sync));
        let host = Host {
            clock: Arc::clone(&self.clock),
            flush_queue: Arc::clone(&self.flush_queues[self.home(&id).unwrap_or(0)]),
            counts: self.topic_metrics.of(&at.topic),
            in_sync: Arc::clone(&self.in_sync),
            quotas: Arc::clone(&self.quotas),
            lease: Arc::clone(&self.lease),
        };
        let partition = Partition::new(id.clone(), log, replica, Arc::clone(config), host);
        {
            let mut topics = self.topics.write();
            let new = || HostedTopic { id: id.topic_id, partitions: Default::default() };
            let topic = topics.entry(at.topic).or_insert_with(new);
            if topic.id != id.topic_id {
                *topic = new();
            }
            topic.partitions.insert(at.partition, Arc::clone(&partition));
        }
        if let Some(home) = self.home(&id) {
            self.assign(home, &id, change);
            self.resume_move(&id, home);
        }
        self.change_role(&partition, change, config);
    }

    /// Tells the controller where the partition lies, if it does not know.
    fn assign(&self, home: usize, id: &TopicIdPartition, change: &LocalChange) {
        let directory = self.dirs[home].directory_id();
        if change.partition.directory_of(self.node_id) != Some(directory) {
            self.assignments.assign(id.topic_id, change.index, directory);
        }
    }

    /// Takes back that the partition is lost, said before it was copied anew.
    fn found_again(&self, id: &TopicIdPartition, change: &LocalChange) {
        if change.partition.directory_of(self.node_id) == Some(LOST_DIRECTORY)
            && let Some(home) = self.home(id)
        {
            self.assign(home, id, change);
        }
    }

    /// Deletes what was opened of a partition that was removed meanwhile.
    pub(super) fn discard(&self, target: &Target, opened: Result<Log, Unopened>) {
        if let Ok(mut log) = opened {
            log.abandon();
        }
        self.delete(&[id_of(&target.change)]);
    }

    fn change_role(&self, partition: &Arc<Partition>, change: &LocalChange, config: &PartitionConfig) {
        let epoch = change.partition.leader_epoch;
        match partition.handle_partition_state(partition_state(&change.partition, config)) {
            RoleChange::BecameLeader { .. } => self.tell(RoleChanged::Leads(Arc::clone(partition), epoch)),
            RoleChange::BecameFollower { leader } => {
                self.tell(RoleChanged::Left(partition.id().topic_partition.clone()));
                self.tell(RoleChanged::Follows(Arc::clone(partition), leader));
            }
            RoleChange::WentOffline => {
                self.tell(RoleChanged::Left(partition.id().topic_partition.clone()));
            }
            RoleChange::None | RoleChange::LeaderUpdated => {}
        }
    }

    pub(super) fn tell(&self, change: RoleChanged) {
        if let Some(listener) = self.role_listener.get() {
            listener(change);
        }
    }

    /// Which of the directories the partition lies in, or must lie in.
    pub(super) fn home(&self, id: &TopicIdPartition) -> Option<usize> {
        self.dirs.iter().position(|dir| dir.holds(id))
    }

    /// Where the partition lies. A new one begins where the metadata says, else in the directory with the fewest. An error if it
    /// may lie where nobody can look: it must not begin empty elsewhere.
    fn dir_for(&self, id: &TopicIdPartition, change: &LocalChange) -> Result<Arc<LogDir>, Unopened> {
        let not_chosen = [UNASSIGNED_DIRECTORY, LOST_DIRECTORY, MIGRATING_DIRECTORY];
        let recorded = change.partition.directory_of(self.node_id);
        let assigned = recorded.filter(|dir| !not_chosen.contains(dir));
        let named = self.dirs.iter().find(|dir| Some(dir.directory_id()) == assigned);
        if let Some(home) =
            find_home(&self.dirs, id, assigned).map_err(|error| Unopened::now(error.to_string()))?
        {
            // It may have moved to a directory that did not open, and what is here be what a crash left behind.
            if assigned.is_none() || named.is_some() || self.unopened.is_empty() {
                return Ok(Arc::clone(&self.dirs[home]));
            }
        }
        if let Some(named) = named {
            return Ok(Arc::clone(named));
        }
        if assigned.is_some() || recorded == Some(LOST_DIRECTORY) {
            if !self.may_be_copied_anew(change) {
                return Err(self.directory_is_gone(assigned));
            }
            tracing::warn!("{}: its log directory is gone, it is copied from the leader", id.topic_partition);
        }
        // Nothing happened to it since its creation, so no former process had it; or nobody counts on what is here yet.
        let being_added = change.partition.adding_replicas.contains(&self.node_id)
            && !change.partition.isr.contains(&self.node_id);
        let is_new = change.partition.partition_epoch.0 == 0 || being_added;
        if self.is_any_offline() && !is_new {
            let offline = self.offline_directories().join("; ");
            return Err(Unopened::now(format!("it may lie in a directory that does not serve: {offline}")));
        }
        // A replica that is here anyway, though all are cordoned, has to lie somewhere.
        let online = self.dirs.iter().enumerate().filter(|(_, dir)| dir.failure().is_none());
        let emptiest = online.min_by_key(|(index, dir)| (self.is_cordoned(*index), dir.partition_count()));
        let emptiest = emptiest.map(|(_, dir)| dir);
        let chosen = self.take_preferred_dir(&id.topic_partition).or(emptiest);
        chosen.map(Arc::clone).ok_or_else(|| {
            Unopened::now("every log directory failed; check the devices, then restart the broker".to_owned())
        })
    }

    /// Whether nobody counts on what this broker had, and no directory is merely away: then an empty log is one that lags. Kafka's
    /// `Partition.createLogInAssignedDirectoryId` looks at the directories only.
    fn may_be_copied_anew(&self, change: &LocalChange) -> bool {
        let partition = &change.partition;
        let counts = partition.leader == self.node_id
            || partition.isr.contains(&self.node_id)
            || partition.elr.contains(&self.node_id);
        !counts && partition.has_leader() && self.unopened.is_empty() && !self.is_any_offline()
    }

    fn directory_is_gone(&self, assigned: Option<DirectoryId>) -> Unopened {
        let which = assigned.map_or_else(String::new, |dir| format!(" {dir}"));
        Unopened {
            reason: format!(
                "it lay in a log directory{which} that is none of log.dirs: mount it or add it; if it is lost, others have to be in sync \
                 without this broker before it is copied from them; if there are none, delete the topic"
            ),
            is_lost: !self.is_any_offline(),
        }
    }

    pub(super) fn refuse(&self, change: &LocalChange, Unopened { reason, is_lost }: Unopened) {
        let id = id_of(change);
        let at = id.topic_partition;
        tracing::error!("{at} cannot be served: {reason}");
        if is_lost && change.partition.directory_of(self.node_id) != Some(LOST_DIRECTORY) {
            self.assignments.assign(id.topic_id, change.index, LOST_DIRECTORY);
        }
        self.damaged.lock().insert((at.topic.clone(), at.partition), reason);
        self.tell(RoleChanged::Left(at));
    }

    fn update_configs(
        &self,
        name: &TopicName,
        image: &MetadataImage,
        config_of: impl Fn(&str) -> PartitionConfig,
    ) {
        let Some(topic) = image.topics.by_name(name.as_str()) else { return };
        let config = Arc::new(config_of(name.as_str()));
        for (index, state) in topic.partitions() {
            if let Some(partition) = self.partition(name.as_str(), index) {
                partition.update_config(Arc::clone(&config));
                partition.handle_partition_state(partition_state(state, &config));
            } else {
                self.opening.update_config(&TopicPartition::new(name.clone(), index), &config);
            }
        }
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

pub(super) fn id_of(change: &LocalChange) -> TopicIdPartition {
    let topic_partition = TopicPartition::new(change.topic.name.clone(), PartitionIndex(change.index.0));
    TopicIdPartition { topic_id: change.topic.id, topic_partition }
}
