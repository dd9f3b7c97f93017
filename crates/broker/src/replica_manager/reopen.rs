//! Partitions that a panic left half-changed are opened anew: their files have all that was appended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ottla_metadata::LocalChange;

use super::opening::Target;
use super::partition::Partition;
use super::{ReplicaManager, RoleChanged};

impl ReplicaManager {
    /// Takes failed partitions out of service and queues them to be opened. Call it on the runtime, or on a thread that
    /// has entered it.
    pub(super) fn reopen_failed(self: &Arc<Self>) {
        let failed = self.failed_partitions();
        if failed.is_empty() {
            return;
        }
        let changing = self.changing.lock();
        if changing.closed {
            return;
        }
        for partition in failed {
            let (id, at) = (partition.id(), &partition.id().topic_partition);
            let topic = changing.image.topics.by_id(id.topic_id);
            let state = topic.and_then(|topic| topic.partition(at.partition));
            // Otherwise it is gone meanwhile.
            if let (Some(topic), Some(state)) = (topic, state)
                && self.forget(id).is_some()
            {
                tracing::error!("a fault of the broker left {at} half-changed; it is opened anew: report it");
                // It may be of no use even for this, and goes all the same.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    partition.retire();
                    partition.with_log(|log, _| log.give_up());
                }));
                let change = LocalChange {
                    topic: Arc::clone(topic),
                    index: at.partition,
                    partition: Arc::clone(state),
                };
                // Whoever works with the former one lets it go.
                self.tell(RoleChanged::Left(at.clone()));
                self.tell_of_opening(&change);
                self.opening.add(Target { change, config: partition.config() });
            }
        }
        drop(changing);
        self.start_opening();
    }

    pub(super) fn failed_partitions(&self) -> Vec<Arc<Partition>> {
        let topics = self.topics.read();
        let all = topics.values().flat_map(|topic| topic.partitions.values());
        all.filter(|partition| partition.has_failed()).map(Arc::clone).collect()
    }
}
