//! What happens to partitions when a broker goes away, comes back or loses its disk's promise
//! (`ReplicationControlManager.generateLeaderAndIsrUpdates`).

use ottla_protocol::records::metadata::BrokerRegistrationChangeRecord;
use ottla_types::{BrokerEpoch, DirectoryId, NodeId};

use crate::image::{
    BrokerImage, LOST_DIRECTORY, MIGRATING_DIRECTORY, MetadataImage, PartitionImage, TopicImage,
    UNASSIGNED_DIRECTORY,
};
use crate::plan::partition_change::{Election, PartitionChange, default_directory};
use crate::settings::{Settings, TopicDefaults};
use ottla_protocol::records::metadata::MetadataRecord;

/// The broker that a request speaks for is not the one that is registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("broker {broker} sent epoch {sent}, but {}: it has to register again", registered_text(*.registered))]
pub struct StaleBrokerEpoch {
    /// Who asks.
    pub broker: NodeId,
    /// The epoch that it sent.
    pub sent: BrokerEpoch,
    /// The registered one; [`BrokerEpoch::NONE`] if it is not registered.
    pub registered: BrokerEpoch,
}

/// The registration of `broker`, if it is of this epoch.
pub(crate) fn check_broker_epoch(
    image: &MetadataImage,
    broker: NodeId,
    sent: BrokerEpoch,
) -> Result<&BrokerImage, StaleBrokerEpoch> {
    match image.brokers.get(broker) {
        Some(registered) if registered.epoch == sent => Ok(registered),
        other => Err(StaleBrokerEpoch {
            broker,
            sent,
            registered: other.map_or(BrokerEpoch::NONE, |registered| registered.epoch),
        }),
    }
}

/// What happens to a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BrokerChange<'a> {
    /// It may not lead or be in sync any more.
    Leaves(NodeId),
    /// It may lead again.
    Returns(NodeId),
    /// Its process is gone, another one has come; that may have lost what the former acknowledged (KIP-966).
    Restarts(NodeId, Kept<'a>),
    /// It is taken out of the cluster, ELR included.
    Unregisters(NodeId),
    /// Only its replicas in these directories may not lead or be in sync any more.
    LosesDirectories(NodeId, &'a [DirectoryId]),
}

/// What a restarted broker has of what its former process acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept<'a> {
    /// All of it, in the directories that it has brought.
    pub(crate) all_in_its_directories: bool,
    /// Those that the former process had.
    pub(crate) former: &'a [DirectoryId],
    /// Those that it has brought.
    pub(crate) directories: &'a [DirectoryId],
}

impl Kept<'_> {
    /// Whether `broker`'s replica of the partition is what it was.
    fn has(self, broker: NodeId, partition: &PartitionImage) -> bool {
        let its_directory = match partition.directory_of(broker) {
            Some(LOST_DIRECTORY) => false,
            // Any of them.
            None | Some(UNASSIGNED_DIRECTORY | MIGRATING_DIRECTORY) => {
                self.former.iter().all(|dir| self.directories.contains(dir))
            }
            Some(named) => self.directories.contains(&named),
        };
        self.all_in_its_directories && its_directory
    }
}

impl BrokerChange<'_> {
    /// Whether the partition has to be looked at.
    fn concerns(self, partition: &PartitionImage) -> bool {
        match self {
            Self::Leaves(id) => partition.isr.contains(&id) || partition.leader == id,
            Self::Returns(id) => !partition.has_leader() && partition.is_replica(id),
            Self::Restarts(id, _) | Self::Unregisters(id) => {
                partition.isr.contains(&id) || partition.elr.contains(&id) || partition.leader == id
            }
            Self::LosesDirectories(id, lost) => {
                partition.isr.contains(&id)
                    && partition.directory_of(id).is_some_and(|dir| lost.contains(&dir))
            }
        }
    }

    fn may_lead(self, image: &MetadataImage, id: NodeId) -> bool {
        match self {
            Self::Returns(returns) if returns == id => true,
            Self::Leaves(gone)
            | Self::Restarts(gone, _)
            | Self::Unregisters(gone)
            | Self::LosesDirectories(gone, _)
                if gone == id =>
            {
                false
            }
            _ => image.brokers.is_active(id),
        }
    }

    /// Who is not in sync any more.
    const fn removed(self) -> Option<NodeId> {
        match self {
            Self::Returns(_) => None,
            Self::Leaves(id)
            | Self::Restarts(id, _)
            | Self::Unregisters(id)
            | Self::LosesDirectories(id, _) => Some(id),
        }
    }

    /// Who is not eligible any more either.
    fn loses(self, partition: &PartitionImage) -> Option<NodeId> {
        match self {
            Self::Restarts(id, kept) if !kept.has(id, partition) => Some(id),
            Self::Unregisters(id) => Some(id),
            _ => None,
        }
    }
}

/// The changes of all partitions that `change` concerns.
pub(crate) fn partition_changes(
    image: &MetadataImage,
    settings: &Settings,
    change: BrokerChange<'_>,
) -> Vec<MetadataRecord> {
    let may_lead = |id| change.may_lead(image, id);
    let directory = |id| default_directory(image, id);
    let defaults = settings.topic_defaults(image);
    let mut records = Vec::new();
    for topic in image.topics.iter() {
        let mut of_topic = None;
        for (index, partition) in topic.partitions().filter(|(_, partition)| change.concerns(partition)) {
            let rules = of_topic.get_or_insert_with(|| TopicRules::of(image, &defaults, topic));
            let mut next =
                PartitionChange::new(image, partition, &may_lead, &directory, rules.min_isr(partition));
            next.election = rules.election;
            if let Some(removed) = change.removed() {
                next.isr.retain(|&id| id != removed);
            }
            next.unclean_shutdown = change.loses(partition);
            records.extend(next.build(topic.id, index).map(MetadataRecord::from));
        }
    }
    records
}

/// What a topic's configs say about its partitions' leaders.
pub(crate) struct TopicRules {
    pub(crate) election: Election,
    min_isr: usize,
}

impl TopicRules {
    pub(crate) fn of(image: &MetadataImage, defaults: &TopicDefaults, topic: &TopicImage) -> Self {
        let name = topic.name.as_str();
        let unclean = defaults.unclean_leader_election(image, name);
        Self {
            election: if unclean { Election::Unclean } else { Election::Online },
            min_isr: defaults.min_insync_replicas(image, name, usize::MAX),
        }
    }

    pub(crate) fn min_isr(&self, partition: &PartitionImage) -> usize {
        self.min_isr.min(partition.replicas.len())
    }
}

/// Whether `broker` leads any partition.
pub(crate) fn leads_any(image: &MetadataImage, broker: NodeId) -> bool {
    image.topics.iter().any(|topic| topic.partitions().any(|(_, partition)| partition.leader == broker))
}

/// The record that changes the fencing of a broker.
pub(crate) fn fencing_record(broker: &BrokerImage, fenced: bool) -> MetadataRecord {
    BrokerRegistrationChangeRecord { fenced: if fenced { 1 } else { -1 }, ..registration_change(broker) }
        .into()
}

/// A record about `broker` that changes nothing yet.
pub(crate) fn registration_change(broker: &BrokerImage) -> BrokerRegistrationChangeRecord {
    BrokerRegistrationChangeRecord {
        broker_id: broker.id.0,
        broker_epoch: broker.epoch.0,
        ..BrokerRegistrationChangeRecord::default()
    }
}

fn registered_text(registered: BrokerEpoch) -> String {
    if registered.is_some() {
        format!("epoch {registered} is registered")
    } else {
        "it is not registered".to_owned()
    }
}
