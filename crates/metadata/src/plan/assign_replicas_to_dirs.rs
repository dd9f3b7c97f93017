//! AssignReplicasToDirs: a broker tells in which of its log directories replicas are (KIP-858;
//! `ReplicationControlManager.handleAssignReplicasToDirs`). A directory that is not online takes the replica out of the ISR.

use ottla_types::{BrokerEpoch, DirectoryId, NodeId, PartitionIndex, TopicId};

use crate::image::{BrokerImage, LOST_DIRECTORY, MetadataImage};
use crate::plan::Decision;
use crate::plan::broker_change::{StaleBrokerEpoch, TopicRules, check_broker_epoch};
use crate::plan::partition_change::{PartitionChange, default_directory};
use crate::settings::{Settings, TopicDefaults};
use ottla_protocol::records::metadata::{MetadataRecord, PartitionChangeRecord};

/// Where one replica of the broker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryAssignment {
    /// The topic.
    pub topic: TopicId,
    /// The partition.
    pub index: PartitionIndex,
    /// The directory.
    pub directory: DirectoryId,
}

/// Why a replica's directory stays as it is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignReplicaError {
    /// There is no such topic.
    #[error("topic id {0} does not exist")]
    UnknownTopic(TopicId),
    /// There is no such partition.
    #[error("partition {0} does not exist")]
    UnknownPartition(PartitionIndex),
    /// The broker holds no replica of it.
    #[error("broker {0} is no replica of the partition")]
    NotAReplica(NodeId),
}

/// Decides about each of `assignments` by itself; the answers are in their order.
pub fn plan_assign_replicas_to_dirs(
    image: &MetadataImage,
    settings: &Settings,
    broker: NodeId,
    epoch: BrokerEpoch,
    assignments: &[DirectoryAssignment],
) -> Decision<Result<Vec<Result<(), AssignReplicaError>>, StaleBrokerEpoch>> {
    let broker = match check_broker_epoch(image, broker, epoch) {
        Ok(broker) => broker,
        Err(stale) => return Decision::unchanged(Err(stale)),
    };
    let defaults = settings.topic_defaults(image);
    let mut records = Vec::new();
    let mut assign = |assignment: &DirectoryAssignment| {
        let change = change(image, &defaults, broker, assignment)?;
        records.extend(change.map(MetadataRecord::from));
        Ok(())
    };
    let answers = assignments.iter().map(&mut assign).collect();
    Decision { records, answer: Ok(answers) }
}

fn change(
    image: &MetadataImage,
    defaults: &TopicDefaults,
    broker: &BrokerImage,
    assignment: &DirectoryAssignment,
) -> Result<Option<PartitionChangeRecord>, AssignReplicaError> {
    let &DirectoryAssignment { topic, index, directory } = assignment;
    let topic = image.topics.by_id(topic).ok_or(AssignReplicaError::UnknownTopic(topic))?;
    let partition = topic.partition(index).ok_or(AssignReplicaError::UnknownPartition(index))?;
    if !partition.is_replica(broker.id) {
        return Err(AssignReplicaError::NotAReplica(broker.id));
    }
    let rules = TopicRules::of(image, defaults, topic);
    let active = |id| image.brokers.is_active(id);
    let default = |id| default_directory(image, id);
    let mut change = PartitionChange::new(image, partition, &active, &default, rules.min_isr(partition));
    change.election = rules.election;
    change.in_directory = Some((broker.id, directory));
    if !broker.serves_from(directory) {
        change.isr.retain(|&id| id != broker.id);
        // What is lost makes nobody eligible: who is in sync has all that is committed.
        if directory == LOST_DIRECTORY && !change.isr.is_empty() {
            change.unclean_shutdown = Some(broker.id);
        }
    }
    Ok(change.build(topic.id, index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CLUSTER, Cluster, heartbeat, registration, uuid};
    use crate::{plan::*, testing};

    /// Broker 2 with the directories 8 and 9, and a topic that it leads.
    fn cluster() -> (Cluster, BrokerEpoch, TopicId) {
        let mut cluster = Cluster::new(1);
        let wish = Registration { directories: vec![uuid(8), uuid(9)], ..registration(2, 1) };
        let decided = plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &wish, false);
        let epoch = cluster.take(decided).unwrap();
        cluster.beat(heartbeat(2, epoch));
        let topic = cluster.topic("t", &[2, 1]);
        (cluster, epoch, topic)
    }

    fn assign(
        cluster: &mut Cluster,
        epoch: BrokerEpoch,
        assignment: DirectoryAssignment,
    ) -> Result<Vec<Result<(), AssignReplicaError>>, StaleBrokerEpoch> {
        let (image, settings) = (&cluster.image, &cluster.settings);
        cluster.take(plan_assign_replicas_to_dirs(image, settings, NodeId(2), epoch, &[assignment]))
    }

    #[test]
    fn a_replica_in_a_directory_that_fails_later_leaves_with_it() {
        let (mut cluster, epoch, topic) = cluster();
        let there = DirectoryAssignment { topic, index: 0.into(), directory: uuid(8) };
        assert_eq!(assign(&mut cluster, epoch, there), Ok(vec![Ok(())]));
        let partition = cluster.partition(topic);
        assert_eq!(*partition.directories, [uuid(8), testing::uuid(77_001)]);
        let before = partition.partition_epoch;
        assert_eq!(assign(&mut cluster, epoch, there), Ok(vec![Ok(())]));
        assert_eq!(cluster.partition(topic).partition_epoch, before, "said again, it changes nothing");
        cluster.beat(Heartbeat { offline_directories: vec![uuid(9)], ..heartbeat(2, epoch) });
        assert_eq!(cluster.state(topic).0, 2, "the other directory");
    }

    #[test]
    fn the_only_replica_in_a_failed_directory_leaves_nobody_to_lead_until_it_is_back() {
        let (mut cluster, epoch, _) = cluster();
        let topic = cluster.topic("u", &[2]);
        let there = DirectoryAssignment { topic, index: 0.into(), directory: uuid(8) };
        assert_eq!(assign(&mut cluster, epoch, there), Ok(vec![Ok(())]));
        cluster.beat(Heartbeat { offline_directories: vec![uuid(8)], ..heartbeat(2, epoch) });
        assert_eq!(cluster.state(topic).0, -1);
        let mut restart = |directories: Vec<DirectoryId>, incarnation| {
            let wish = Registration { directories, ..registration(2, incarnation) };
            let decided = plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &wish, false);
            let epoch = cluster.take(decided).unwrap();
            cluster.beat(heartbeat(2, epoch));
            cluster.state(topic).0
        };
        assert_eq!(restart(vec![uuid(9)], 2), -1, "its directory is still missing");
        assert_eq!(restart(vec![uuid(8), uuid(9)], 3), 2);
    }

    #[test]
    fn a_replica_in_a_directory_that_is_not_online_is_not_in_sync() {
        let (mut cluster, epoch, topic) = cluster();
        let lost = DirectoryAssignment { topic, index: 0.into(), directory: uuid(7) };
        assert_eq!(assign(&mut cluster, epoch, lost), Ok(vec![Ok(())]));
        assert_eq!(cluster.state(topic).0, 1);
        assert_eq!(cluster.state(topic).1, [1]);
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let (mut cluster, epoch, topic) = cluster();
        let other = cluster.topic("other", &[1]);
        let at = |topic, index: i32| DirectoryAssignment { topic, index: index.into(), directory: uuid(8) };
        for (assignment, error) in [
            (at(uuid(1), 0), AssignReplicaError::UnknownTopic(uuid(1))),
            (at(topic, 1), AssignReplicaError::UnknownPartition(1.into())),
            (at(other, 0), AssignReplicaError::NotAReplica(NodeId(2))),
        ] {
            assert_eq!(assign(&mut cluster, epoch, assignment), Ok(vec![Err(error)]));
        }
        assert!(assign(&mut cluster, BrokerEpoch(epoch.0 - 1), at(topic, 0)).is_err());
    }
}
