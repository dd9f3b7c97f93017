//! Log directories that failed: the others go on (`ReplicaManager.handleLogDirFailure`, KIP-858).
//!
//! ```text
//!  failed write or sync ─▶ directory offline ─▶ heartbeat names it ─▶ controller: others lead, or nobody
//!                                    └─▶ its partitions answer KAFKA_STORAGE_ERROR
//!  no directory left ─▶ the node stops
//! ```

use ottla_storage::LogDir;
use ottla_types::{DirectoryId, TopicIdPartition};

use super::{ReplicaManager, RoleChanged};

impl ReplicaManager {
    /// The ids of directories that failed since the start, for the heartbeats.
    pub(crate) fn failed_directory_ids(&self) -> Vec<DirectoryId> {
        self.dirs.iter().filter(|dir| dir.failure().is_some()).map(|dir| dir.directory_id()).collect()
    }

    /// Each of `log.dirs` that does not serve, and why.
    pub(crate) fn offline_directories(&self) -> Vec<String> {
        let failed = self.dirs.iter().filter_map(|dir| {
            dir.failure().map(|reason| format!("{} is offline: {reason}", dir.path().display()))
        });
        let unopened =
            self.unopened.iter().map(|(path, reason)| format!("{} is offline: {reason}", path.display()));
        failed.chain(unopened).collect()
    }

    /// Whether some directory does not serve: a partition that is nowhere may be in it.
    pub(super) fn is_any_offline(&self) -> bool {
        !self.unopened.is_empty() || self.dirs.iter().any(|dir| dir.failure().is_some())
    }

    /// Waits until no directory is left.
    pub(crate) async fn all_directories_failed(&self) {
        // The sender lives in `self`.
        let _ = self.all_failed.subscribe().wait_for(|all| *all).await;
    }

    /// Takes the partitions of failed directories out of service. Nothing is done for the last directory: the node stops.
    pub(super) fn leave_failed_directories(&self) {
        let (failed, left): (Vec<_>, Vec<_>) = self.dirs.iter().partition(|dir| dir.failure().is_some());
        if failed.is_empty() {
            return;
        }
        if left.is_empty() {
            self.all_failed.send_if_modified(|all| !std::mem::replace(all, true));
            return;
        }
        let changing = self.changing.lock();
        if !changing.closed {
            failed.into_iter().for_each(|dir| self.leave(dir));
        }
    }

    fn leave(&self, dir: &LogDir) {
        let reason = dir.failure().unwrap_or_default();
        // Mostly none: they left when it failed.
        let here: Vec<TopicIdPartition> = {
            let topics = self.topics.read();
            let is_hosted = |id: &TopicIdPartition| {
                let topic = topics.get(&id.topic_partition.topic).filter(|topic| topic.id == id.topic_id);
                topic.is_some_and(|topic| topic.partitions.contains_key(&id.topic_partition.partition))
            };
            dir.partitions().into_iter().filter(is_hosted).collect()
        };
        let mut count = 0;
        for id in here {
            count += usize::from(self.take_out_of_service(id, format!("its log directory failed: {reason}")));
        }
        if count > 0 {
            tracing::error!("{count} partitions in {} are offline with it: {reason}", dir.path().display());
        }
    }

    /// The partition answers KAFKA_STORAGE_ERROR from now on. False if it is not here. Hold `changing` for it.
    pub(super) fn take_out_of_service(&self, id: TopicIdPartition, reason: String) -> bool {
        let Some(partition) = self.forget(&id) else { return false };
        partition.retire();
        partition.with_log(|log, _| log.give_up());
        let at = id.topic_partition;
        self.damaged.lock().insert((at.topic.clone(), at.partition), reason);
        self.tell(RoleChanged::Left(at));
        true
    }
}
