//! Tells the controller in which log directory each replica of this broker is, where it does not know (KIP-858;
//! `AssignmentsManager`). Until it does, the failure of a directory does not move the leadership of what lies in it.

use std::collections::BTreeMap;
use std::time::Duration;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::assign_replicas_to_dirs::{
    AssignReplicasToDirsRequest, AssignReplicasToDirsResponse, DirectoryData, PartitionData, TopicData,
};
use ottla_types::{DirectoryId, NodeId, PartitionIndex, TopicId};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::controller_channel::ControllerChannel;
use crate::lifecycle::Registration;

/// Replicas of one request (`AssignmentsManager.MAX_ASSIGNMENTS_PER_REQUEST` is 2250).
const AT_ONCE: usize = 2000;
const RETRY: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(10);

type Replica = (TopicId, PartitionIndex);

/// What the controller is still to be told.
#[derive(Debug, Default)]
pub(crate) struct Assignments {
    untold: Mutex<BTreeMap<Replica, DirectoryId>>,
    wake: Notify,
}

impl Assignments {
    /// The replica is in `directory`, whatever was said of it before.
    pub(crate) fn assign(&self, topic: TopicId, index: PartitionIndex, directory: DirectoryId) {
        self.untold.lock().insert((topic, index), directory);
        self.wake.notify_one();
    }

    /// Tells the controller, again and again until it has taken note, for as long as the broker runs.
    pub(crate) async fn run(
        &self,
        node_id: NodeId,
        channel: &ControllerChannel,
        registration: &Registration,
    ) {
        loop {
            let batch = self.next();
            if batch.is_empty() {
                self.wake.notified().await;
                continue;
            }
            let request = AssignReplicasToDirsRequest {
                broker_id: node_id.0,
                broker_epoch: registration.broker_epoch().0,
                directories: by_directory(&batch),
                ..Default::default()
            };
            match channel.send_once(&request, TIMEOUT).await {
                Ok(response) if response.error_code == ErrorCode::NONE => self.told(&batch, &response),
                Ok(response) => {
                    tracing::debug!("assignment of directories: {:?}", response.error_code);
                    if response.error_code == ErrorCode::NOT_CONTROLLER {
                        channel.not_controller();
                    }
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => {
                    tracing::debug!("assignment of directories: {error}");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// What the next request tells.
    pub(crate) fn next(&self) -> BTreeMap<Replica, DirectoryId> {
        self.untold.lock().iter().take(AT_ONCE).map(|(replica, dir)| (*replica, *dir)).collect()
    }

    /// The controller has decided about `batch`. What it refused is of a topic that is gone; what changed meanwhile is still to
    /// be told.
    fn told(&self, batch: &BTreeMap<Replica, DirectoryId>, response: &AssignReplicasToDirsResponse) {
        for directory in &response.directories {
            for topic in &directory.topics {
                for refused in topic.partitions.iter().filter(|p| p.error_code != ErrorCode::NONE) {
                    tracing::info!(
                        "the controller does not place {}-{} in directory {}: {:?}",
                        topic.topic_id,
                        refused.partition_index,
                        directory.id,
                        refused.error_code
                    );
                }
            }
        }
        self.untold.lock().retain(|replica, dir| batch.get(replica) != Some(dir));
    }
}

fn by_directory(batch: &BTreeMap<Replica, DirectoryId>) -> Vec<DirectoryData> {
    let mut directories: BTreeMap<DirectoryId, BTreeMap<TopicId, Vec<PartitionData>>> = BTreeMap::new();
    for (&(topic, index), &directory) in batch {
        let partition = PartitionData { partition_index: index.0, ..Default::default() };
        directories.entry(directory).or_default().entry(topic).or_default().push(partition);
    }
    let topic = |(topic_id, partitions)| TopicData { topic_id, partitions, ..Default::default() };
    let directory = |(id, topics): (DirectoryId, BTreeMap<TopicId, Vec<PartitionData>>)| DirectoryData {
        id,
        topics: topics.into_iter().map(topic).collect(),
        ..Default::default()
    };
    directories.into_iter().map(directory).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_types::Uuid;

    #[test]
    fn replicas_are_told_by_directory_and_what_changed_meanwhile_again() {
        let (topic, index) = (Uuid([1; 16]), PartitionIndex);
        let assignments = Assignments::default();
        assignments.assign(topic, index(0), Uuid([8; 16]));
        assignments.assign(topic, index(1), Uuid([9; 16]));
        assignments.assign(topic, index(2), Uuid([8; 16]));
        let batch = assignments.next();
        let told = by_directory(&batch);
        let shape: Vec<_> = told.iter().map(|dir| (dir.id, dir.topics[0].partitions.len())).collect();
        assert_eq!(shape, [(Uuid([8; 16]), 2), (Uuid([9; 16]), 1)]);
        assignments.assign(topic, index(1), Uuid([8; 16]));
        assignments.told(&batch, &AssignReplicasToDirsResponse::default());
        assert_eq!(assignments.next(), BTreeMap::from([((topic, index(1)), Uuid([8; 16]))]));
    }
}
