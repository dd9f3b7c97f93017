//! Folders of partitions that the metadata does not give to this broker, as after a topic was deleted or a replica moved
//! while it was down. They are renamed, as Kafka does, and kept: whoever restored an older metadata log, or named the
//! wrong cluster, still has the records.

use ottla_metadata::MetadataImage;
use ottla_storage::{LogDir, StorageError};
use ottla_types::TopicIdPartition;

use super::ReplicaManager;

impl ReplicaManager {
    /// Renames what is on disk and not in the metadata. Call it once the metadata is complete, as it is when the
    /// controller has unfenced this broker. Works with files: not for a runtime's thread.
    pub(crate) fn set_strays_aside(&self) {
        let changing = self.changing.lock();
        if changing.closed {
            return;
        }
        let image = &changing.image;
        for dir in &self.dirs {
            let strays: Vec<_> =
                dir.partitions().into_iter().filter(|id| !self.is_wanted(image, id)).collect();
            for id in &strays {
                let at = &id.topic_partition;
                let named =
                    image.topics.by_name(at.topic.as_str()).and_then(|topic| topic.partition(at.partition));
                if named.is_none_or(|partition| !partition.is_replica(self.node_id)) {
                    self.damaged.lock().remove(&(at.topic.clone(), at.partition));
                }
            }
            if let Err(error) = set_aside(dir, &strays, NOT_OURS) {
                tracing::error!("cannot rename stray partitions in {}: {error}", dir.path().display());
            }
        }
    }

    /// Whether it is this broker's, or whoever opens it right now will delete it.
    fn is_wanted(&self, image: &MetadataImage, id: &TopicIdPartition) -> bool {
        let at = &id.topic_partition;
        let given = image.topics.partition(id.topic_id, at.partition);
        given.is_some_and(|partition| partition.is_replica(self.node_id)) || self.opening.contains(at)
    }
}

/// Why a folder is set aside, after the partition's name.
const NOT_OURS: &str = "is no longer this broker's";

/// Sets aside the folder of another topic of this name, which is in the partition's way. Nobody has said that it may be deleted.
pub(super) fn make_way(dir: &LogDir, id: &TopicIdPartition) -> Result<(), StorageError> {
    let at = &id.topic_partition;
    match dir.topic_id_of(at).filter(|other| *other != id.topic_id) {
        Some(topic_id) => {
            set_aside(dir, &[TopicIdPartition { topic_id, topic_partition: at.clone() }], NOT_OURS)
        }
        None => Ok(()),
    }
}

/// Renames the folders of partitions that are of no use here, and says where they are, and `why`.
pub(super) fn set_aside(dir: &LogDir, strays: &[TopicIdPartition], why: &str) -> Result<(), StorageError> {
    let mut renamed = Vec::new();
    let done = dir.set_aside(strays, &mut renamed);
    for (id, folder) in renamed {
        tracing::warn!(
            "{} of topic id {} {why}; its folder is kept as {}: delete it if nothing in it is missed",
            id.topic_partition,
            id.topic_id,
            folder.display()
        );
    }
    done
}
