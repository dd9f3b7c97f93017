//! What lies in which log directory (KIP-113; `ReplicaManager.describeLogDirs`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_storage::{LogDir, StorageError};
use ottla_types::{TopicIdPartition, TopicPartition};

use super::ReplicaManager;

/// A replica whose log is not open has no lag that is known.
const UNKNOWN_LAG: i64 = -1;

/// One log directory.
#[derive(Debug)]
pub(crate) struct DirDescription {
    /// Absolute, as clients name it.
    pub(crate) path: PathBuf,
    /// What is in it, or why nobody can tell.
    pub(crate) content: Result<DirContent, StorageError>,
}

/// What is in a directory that serves.
#[derive(Debug)]
pub(crate) struct DirContent {
    pub(crate) total_bytes: u64,
    pub(crate) usable_bytes: u64,
    /// Whether it takes no new partitions.
    pub(crate) is_cordoned: bool,
    /// Ordered by topic and partition.
    pub(crate) replicas: Vec<ReplicaDescription>,
}

/// One replica in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReplicaDescription {
    pub(crate) at: TopicPartition,
    pub(crate) size_bytes: u64,
    /// Records that it is behind the log that takes appends; −1: not known.
    pub(crate) offset_lag: i64,
    /// It will replace the one that takes appends.
    pub(crate) is_future: bool,
}

impl ReplicaManager {
    /// Every log directory, with those of the partitions `wanted` that lie in it; all of them for `None`. Works with files: not
    /// for a runtime's thread.
    pub(crate) fn describe_log_dirs(&self, wanted: Option<&BTreeSet<TopicPartition>>) -> Vec<DirDescription> {
        let describe = |(index, dir): (usize, &Arc<LogDir>)| DirDescription {
            path: absolute(dir.path()),
            content: self.describe_content(index, dir, wanted),
        };
        let unopened = self.unopened.iter().map(|(path, reason)| DirDescription {
            path: absolute(path),
            content: Err(StorageError::Offline { dir: path.clone(), reason: reason.clone() }),
        });
        self.dirs.iter().enumerate().map(describe).chain(unopened).collect()
    }

    fn describe_content(
        &self,
        index: usize,
        dir: &LogDir,
        wanted: Option<&BTreeSet<TopicPartition>>,
    ) -> Result<DirContent, StorageError> {
        dir.check_online()?;
        let mut here = dir.partitions();
        here.retain(|id| wanted.is_none_or(|wanted| wanted.contains(&id.topic_partition)));
        let mut replicas =
            here.iter().map(|id| self.describe_replica(dir, id)).collect::<Result<Vec<_>, _>>()?;
        replicas.extend(self.describe_futures(index, wanted));
        replicas.sort_by(|a, b| a.at.cmp(&b.at));
        let (total_bytes, usable_bytes) = (dir.total_bytes()?, dir.free_bytes()?);
        Ok(DirContent { total_bytes, usable_bytes, is_cordoned: self.is_cordoned(index), replicas })
    }

    fn describe_replica(
        &self,
        dir: &LogDir,
        id: &TopicIdPartition,
    ) -> Result<ReplicaDescription, StorageError> {
        let at = &id.topic_partition;
        let open = self.partition(at.topic.as_str(), at.partition).filter(|open| open.id() == id);
        let (size_bytes, offset_lag) = match open {
            Some(partition) => {
                let offsets = partition.offsets();
                (partition.size_bytes(), (offsets.high_watermark - offsets.log_end).max(0))
            }
            None => (dir.folder_bytes(at)?, UNKNOWN_LAG),
        };
        Ok(ReplicaDescription { at: at.clone(), size_bytes, offset_lag, is_future: false })
    }

    /// The copies in directory `index`.
    fn describe_futures(
        &self,
        index: usize,
        wanted: Option<&BTreeSet<TopicPartition>>,
    ) -> Vec<ReplicaDescription> {
        let moves: Vec<_> = self.moves.under_way.lock().moves.values().map(Arc::clone).collect();
        let here = moves.iter().filter(|moving| {
            let at = &moving.id.topic_partition;
            moving.destination == index && wanted.is_none_or(|wanted| wanted.contains(at))
        });
        let describe = |moving: &Arc<super::alter_log_dirs::Move>| {
            let at = moving.id.topic_partition.clone();
            let (copied_to, size_bytes) = moving.copied()?;
            let current = self.partition(at.topic.as_str(), at.partition);
            let offset_lag = current.map_or(UNKNOWN_LAG, |current| current.offsets().log_end.0 - copied_to);
            Some(ReplicaDescription { at, size_bytes, offset_lag, is_future: true })
        };
        here.filter_map(describe).collect()
    }
}

/// As clients name a directory, and Kafka's answers do.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
