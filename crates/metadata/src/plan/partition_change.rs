//! How one partition changes when its ISR, its replicas or its brokers do (`PartitionChangeBuilder`).
//!
//! ```text
//!  wished ISR, replicas ─▶ reassignment complete? ─▶ ELR ─▶ election ─▶ epochs ─▶ PartitionChangeRecord, or nothing
//! ```

use ottla_protocol::records::metadata::PartitionChangeRecord;
use ottla_types::{DirectoryId, NodeId, PartitionIndex, TopicId};

use crate::apply::NO_LEADER_CHANGE;
use crate::image::{LeaderRecoveryState, MetadataImage, PartitionImage, UNASSIGNED_DIRECTORY};
use crate::snapshot::ids;

/// Who may become leader when the present one may not stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Election {
    /// The first replica if it is valid, else as [`Election::Online`].
    Preferred,
    /// The present leader if it is valid, else the first valid replica.
    Online,
    /// As [`Election::Online`]; if nobody is valid, any active replica, which may lose records.
    Unclean,
}

/// A wished change of one partition. Fields that are not set keep what is there.
pub(crate) struct PartitionChange<'a> {
    image: &'a MetadataImage,
    before: &'a PartitionImage,
    acceptable_leader: &'a dyn Fn(NodeId) -> bool,
    default_directory: &'a dyn Fn(NodeId) -> DirectoryId,
    min_isr: usize,
    elr_enabled: bool,
    pub(crate) election: Election,
    pub(crate) isr: Vec<NodeId>,
    pub(crate) replicas: Vec<NodeId>,
    pub(crate) adding: Vec<NodeId>,
    pub(crate) removing: Vec<NodeId>,
    /// Replicas that may have lost what they acknowledged: never in the new ELR.
    pub(crate) unclean_shutdown: Option<NodeId>,
    /// A replica that is in another directory than was known.
    pub(crate) in_directory: Option<(NodeId, DirectoryId)>,
    pub(crate) recovery: LeaderRecoveryState,
    elr: Vec<NodeId>,
    last_known_elr: Vec<NodeId>,
}

impl<'a> PartitionChange<'a> {
    /// A change that keeps everything of `before`, decided on `image`. `acceptable_leader` says which brokers are
    /// there to lead, `min_isr` is the topic's effective `min.insync.replicas`.
    pub(crate) fn new(
        image: &'a MetadataImage,
        before: &'a PartitionImage,
        acceptable_leader: &'a dyn Fn(NodeId) -> bool,
        default_directory: &'a dyn Fn(NodeId) -> DirectoryId,
        min_isr: usize,
    ) -> Self {
        Self {
            image,
            before,
            acceptable_leader,
            default_directory,
            min_isr,
            elr_enabled: image.features.elr_enabled(),
            election: Election::Online,
            isr: before.isr.to_vec(),
            replicas: before.replicas.to_vec(),
            adding: before.adding_replicas.to_vec(),
            removing: before.removing_replicas.to_vec(),
            unclean_shutdown: None,
            in_directory: None,
            recovery: before.leader_recovery_state,
            elr: before.elr.to_vec(),
            last_known_elr: before.last_known_elr.to_vec(),
        }
    }

    /// The record that makes the change, or `None` if there is nothing to change.
    pub(crate) fn build(mut self, topic: TopicId, index: PartitionIndex) -> Option<PartitionChangeRecord> {
        let unchanged = PartitionChangeRecord {
            partition_id: index.0,
            topic_id: topic,
            ..PartitionChangeRecord::default()
        };
        let mut record = unchanged.clone();
        self.complete_reassignment();
        self.update_elr();
        let unclean = self.elect(&mut record);
        self.raise_epoch_if_replicas_left(&mut record);
        if unclean || !self.elr_enabled {
            self.elr.clear();
        }
        if *self.elr != *self.before.elr {
            record.eligible_leader_replicas = Some(ids(&self.elr));
        }
        // Without ELR the last member stays in the ISR, so that it can be elected when it comes back.
        if !unclean && (!self.isr.is_empty() || self.elr_enabled) && *self.isr != *self.before.isr {
            record.isr = Some(ids(&self.isr));
        }
        self.update_last_known_leader(&mut record);
        self.set_assignment(&mut record);
        // An unclean election has said so already.
        if record.leader_recovery_state == -1 && self.recovery != self.before.leader_recovery_state {
            record.leader_recovery_state = self.recovery.code();
        }
        (record != unchanged).then_some(record)
    }

    /// A reassignment ends when all replicas that stay are in sync.
    fn complete_reassignment(&mut self) {
        if self.adding.is_empty() && self.removing.is_empty() {
            return;
        }
        let stays = |id: &NodeId| !self.removing.contains(id);
        let isr: Vec<_> = self.isr.iter().copied().filter(stays).collect();
        let replicas: Vec<_> = self.replicas.iter().copied().filter(stays).collect();
        if !isr.is_empty() && !replicas.is_empty() && replicas.iter().all(|id| isr.contains(id)) {
            self.isr = isr;
            self.replicas = replicas;
            self.adding.clear();
            self.removing.clear();
        }
    }

    /// Below min ISR, who leaves the ISR is still eligible: nothing was acknowledged without it since (KIP-966).
    fn update_elr(&mut self) {
        if !self.elr_enabled {
            return;
        }
        if self.isr.len() >= self.min_isr {
            self.elr.clear();
            self.last_known_elr.clear();
            return;
        }
        for &id in &*self.before.isr {
            if !self.elr.contains(&id) {
                self.elr.push(id);
            }
        }
        let eligible = |id: &NodeId| self.replicas.contains(id) && !self.isr.contains(id);
        self.elr.retain(|id| eligible(id) && self.unclean_shutdown != Some(*id));
    }

    /// Elects; returns whether uncleanly.
    fn elect(&mut self, record: &mut PartitionChangeRecord) -> bool {
        let (leader, unclean) = self.choose_leader();
        if leader == self.before.leader {
            return false;
        }
        record.leader = leader.0;
        if unclean {
            // Only the new leader's log counts from now on: this may lose records.
            record.isr = Some(vec![leader.0]);
            if self.before.leader_recovery_state != LeaderRecoveryState::Recovering {
                record.leader_recovery_state = LeaderRecoveryState::Recovering.code();
            }
            self.isr = vec![leader];
        } else if self.elr.contains(&leader) {
            self.isr = vec![leader];
            self.elr.retain(|&id| id != leader);
        }
        unclean
    }

    fn choose_leader(&self) -> (NodeId, bool) {
        let preferred = self.replicas.first().copied().filter(|_| self.election == Election::Preferred);
        let clean = preferred
            .into_iter()
            .chain([self.before.leader])
            .chain(self.replicas.iter().copied())
            .find(|&id| self.is_valid_leader(id));
        if let Some(leader) = clean {
            return (leader, false);
        }
        if let Some(leader) = self.last_known_leader() {
            return (leader, true);
        }
        if self.election == Election::Unclean
            && let Some(leader) = self.replicas.iter().copied().find(|&id| self.is_acceptable(id))
        {
            return (leader, true);
        }
        (NodeId::NONE, false)
    }

    fn is_valid_leader(&self, id: NodeId) -> bool {
        // Without eligible leader replicas a leader goes on alone: who was eligible before is so only if nobody led since.
        let counts = self.elr_enabled || self.before.isr.is_empty();
        let is_eligible = self.isr.is_empty() && counts && self.elr.contains(&id);
        (self.isr.contains(&id) || is_eligible) && self.is_acceptable(id)
    }

    /// Whether it is there to lead, and its log with it (`LeaderAcceptor`, KIP-858).
    fn is_acceptable(&self, id: NodeId) -> bool {
        let broker = self.image.brokers.get(id);
        let serves =
            broker.is_none_or(|broker| self.directory_of(id).is_none_or(|dir| broker.serves_from(dir)));
        serves && (self.acceptable_leader)(id)
    }

    fn directory_of(&self, id: NodeId) -> Option<DirectoryId> {
        let told = self.in_directory.filter(|(replica, _)| *replica == id);
        told.map(|(_, directory)| directory).or_else(|| self.before.directory_of(id))
    }

    /// When ISR and ELR are both empty, whoever led last has the most.
    fn last_known_leader(&self) -> Option<NodeId> {
        let nobody_else = self.elr_enabled && self.elr.is_empty() && self.isr.is_empty();
        match *self.before.last_known_elr {
            [last] if nobody_else && self.is_acceptable(last) => Some(last),
            _ => None,
        }
    }

    /// A replica that left must not take the old leader epoch for still valid.
    fn raise_epoch_if_replicas_left(&self, record: &mut PartitionChangeRecord) {
        let left = self.before.replicas.iter().any(|id| !self.replicas.contains(id));
        if record.leader == NO_LEADER_CHANGE && left {
            record.leader = self.before.leader.0;
        }
    }

    fn update_last_known_leader(&self, record: &mut PartitionChangeRecord) {
        if !self.elr_enabled {
            if !self.before.last_known_elr.is_empty() {
                record.last_known_elr = Some(Vec::new());
            }
            return;
        }
        let before = &*self.before.last_known_elr;
        let keeps_leader = record.leader == NO_LEADER_CHANGE && self.before.has_leader();
        if record.isr.as_ref().is_some_and(Vec::is_empty) {
            if self.before.has_leader() && before != [self.before.leader] {
                record.last_known_elr = Some(vec![self.before.leader.0]);
            }
        } else if (record.leader >= 0 || keeps_leader) && !before.is_empty() {
            record.last_known_elr = Some(Vec::new());
        }
    }

    fn set_assignment(&self, record: &mut PartitionChangeRecord) {
        let directories: Vec<_> = self
            .replicas
            .iter()
            .map(|&id| self.directory_of(id).unwrap_or_else(|| (self.default_directory)(id)))
            .collect();
        if *directories != *self.before.directories {
            record.directories = Some(directories);
        }
        if *self.replicas != *self.before.replicas {
            record.replicas = Some(ids(&self.replicas));
        }
        if *self.removing != *self.before.removing_replicas {
            record.removing_replicas = Some(ids(&self.removing));
        }
        if *self.adding != *self.before.adding_replicas {
            record.adding_replicas = Some(ids(&self.adding));
        }
    }
}

/// The directory that a new replica on `broker` is recorded to be in.
pub(crate) fn default_directory(image: &MetadataImage, broker: NodeId) -> DirectoryId {
    image.brokers.get(broker).map_or(UNASSIGNED_DIRECTORY, |broker| broker.default_directory())
}
