//! Which replicas shall be in which log directory (KIP-113; `ReplicaManager.alterReplicaLogDirs`). What is asked for here,
//! `log_mover.rs` does.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread::JoinHandle;

use ottla_storage::{FutureLog, LogDir};
use ottla_types::{TopicIdPartition, TopicPartition};
use parking_lot::Mutex;

use super::ReplicaManager;
use super::describe_log_dirs::absolute;

/// The longest name of a folder.
const MAX_NAME: usize = 255;

/// Partitions that are not here yet whose directory is remembered.
const MAX_PREFERRED: usize = 100_000;

/// Replicas on their way to another directory.
#[derive(Debug, Default)]
pub(super) struct Moves {
    pub(super) under_way: Mutex<UnderWay>,
    /// Where partitions shall be that are not here yet.
    preferred: Mutex<HashMap<TopicPartition, usize>>,
    /// Moves to begin once the partition is open.
    waiting: Mutex<HashMap<TopicIdPartition, usize>>,
    /// `replica.alter.log.dirs.io.max.bytes.per.second`; 0: not set yet.
    pub(super) bytes_per_second: AtomicU64,
    pub(super) stopped: AtomicBool,
}

#[derive(Debug, Default)]
pub(super) struct UnderWay {
    pub(super) moves: BTreeMap<TopicIdPartition, Arc<Move>>,
    /// The thread that does them, while there are any.
    pub(super) thread: Option<JoinHandle<()>>,
    pub(super) is_running: bool,
}

/// One replica on its way.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) id: TopicIdPartition,
    /// Index of the directory.
    pub(super) destination: usize,
    pub(super) cancelled: AtomicBool,
    /// The end of the copy; −1: there is none yet.
    copied_to: AtomicI64,
    copied_bytes: AtomicU64,
}

/// Why a replica is not moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AlterLogDirError {
    #[error("the topic's name is too long for the folder of a copy; it stays where it is")]
    TopicNameTooLong,
    #[error("{path} is none of log.dirs; name one of them by its absolute path")]
    LogDirNotFound { path: String },
    #[error("Log directory {path} is cordoned")]
    LogDirCordoned { path: String },
    #[error("a log directory does not serve: {reason}; no replica is moved meanwhile")]
    LogDirOffline { reason: String },
    #[error("the partition cannot be served: {reason}")]
    PartitionOffline { reason: String },
    #[error("there is no such topic or partition; should it come to this broker, it is placed there")]
    UnknownTopicOrPartition,
    #[error("the partition is not on this broker; should it come, it is placed there")]
    ReplicaNotAvailable,
    #[error("cannot start a thread: {0}; raise the process limit (ulimit -u)")]
    Thread(std::io::Error),
}

impl Move {
    pub(super) fn note(&self, copy: &FutureLog) {
        self.copied_bytes.store(copy.size(), Ordering::Relaxed);
        self.copied_to.store(copy.log_end_offset().0, Ordering::Relaxed);
    }

    /// The end of the copy and its size, if there is one.
    pub(super) fn copied(&self) -> Option<(i64, u64)> {
        let to = self.copied_to.load(Ordering::Relaxed);
        (to >= 0).then(|| (to, self.copied_bytes.load(Ordering::Relaxed)))
    }
}

impl ReplicaManager {
    /// The replica of `at` shall be in the directory at `path`: has it moved there, or placed there once it comes. A move to
    /// another directory ends. Works with files: not for a runtime's thread.
    pub(crate) fn alter_replica_log_dir(
        self: &Arc<Self>,
        at: &TopicPartition,
        path: &str,
    ) -> Result<(), AlterLogDirError> {
        let destination = self.directory_at(path)?;
        if self.is_cordoned(destination) {
            return Err(AlterLogDirError::LogDirCordoned { path: path.to_owned() });
        }
        // Nothing comes, goes or ends its move meanwhile.
        let changing = self.changing.lock();
        if let Some(reason) = self.damage(&at.topic, at.partition) {
            return Err(AlterLogDirError::PartitionOffline { reason });
        }
        let topic = changing.image.topics.by_name(at.topic.as_str());
        let known = topic.and_then(|topic| Some((topic.id, topic.partition(at.partition)?)));
        let is_mine = known.is_some_and(|(_, partition)| partition.is_replica(self.node_id));
        let Some((topic_id, _)) = known.filter(|_| is_mine) else {
            self.prefer_dir(at, destination);
            return Err(match known {
                None => AlterLogDirError::UnknownTopicOrPartition,
                Some(_) => AlterLogDirError::ReplicaNotAvailable,
            });
        };
        let id = TopicIdPartition { topic_id, topic_partition: at.clone() };
        if LogDir::future_name_len(&id) > MAX_NAME {
            return Err(AlterLogDirError::TopicNameTooLong);
        }
        self.cancel_move_elsewhere(&id, destination);
        if self.home(&id) == Some(destination) {
            return Ok(());
        }
        if self.is_any_offline() {
            return Err(AlterLogDirError::LogDirOffline { reason: self.offline_directories().join("; ") });
        }
        if self.opening.contains(at) {
            self.moves.waiting.lock().insert(id, destination);
            return Ok(());
        }
        self.begin_move(id, destination);
        self.start_mover().map_err(AlterLogDirError::Thread)
    }

    fn directory_at(&self, path: &str) -> Result<usize, AlterLogDirError> {
        let is_named = |dir: &Path| absolute(dir) == Path::new(path);
        let offline = |reason: &str| AlterLogDirError::LogDirOffline { reason: reason.to_owned() };
        if let Some((_, reason)) = self.unopened.iter().find(|(dir, _)| is_named(dir)) {
            return Err(offline(reason));
        }
        let found = self.dirs.iter().position(|dir| is_named(dir.path()));
        let index = found.ok_or_else(|| AlterLogDirError::LogDirNotFound { path: path.to_owned() })?;
        self.dirs[index].failure().map_or(Ok(index), |reason| Err(offline(reason)))
    }

    fn cancel_move_elsewhere(&self, id: &TopicIdPartition, destination: usize) {
        self.moves.waiting.lock().remove(id);
        let mut under_way = self.moves.under_way.lock();
        if under_way.moves.get(id).is_some_and(|other| other.destination != destination)
            && let Some(other) = under_way.moves.remove(id)
        {
            // Whoever copies throws the copy away.
            other.cancelled.store(true, Ordering::Release);
        }
    }

    fn begin_move(&self, id: TopicIdPartition, destination: usize) {
        let begin = || {
            tracing::info!("{} moves to {}", id.topic_partition, self.dirs[destination].path().display());
            let (id, cancelled) = (id.clone(), AtomicBool::new(false));
            let (copied_to, copied_bytes) = (AtomicI64::new(-1), AtomicU64::new(0));
            Arc::new(Move { id, destination, cancelled, copied_to, copied_bytes })
        };
        self.moves.under_way.lock().moves.entry(id.clone()).or_insert_with(begin);
    }

    /// The move of a partition whose former process did not live to end it.
    pub(super) fn note_unfinished_move(&self, id: TopicIdPartition, destination: usize) {
        self.moves.waiting.lock().insert(id, destination);
    }

    /// The partition is open: a move that waited for that begins, soon.
    pub(super) fn resume_move(&self, id: &TopicIdPartition, home: usize) {
        let destination = self.moves.waiting.lock().remove(id);
        if let Some(destination) = destination.filter(|destination| *destination != home) {
            self.begin_move(id.clone(), destination);
        }
    }

    fn prefer_dir(&self, at: &TopicPartition, destination: usize) {
        let mut preferred = self.moves.preferred.lock();
        // A wish too many is forgotten: nobody can have all memory filled with names.
        if preferred.len() < MAX_PREFERRED {
            preferred.insert(at.clone(), destination);
        }
    }

    /// Where a partition that comes shall be, if somebody has said so and the directory serves.
    pub(super) fn take_preferred_dir(&self, at: &TopicPartition) -> Option<&Arc<LogDir>> {
        let preferred = self.moves.preferred.lock().remove(at)?;
        Some(&self.dirs[preferred]).filter(|dir| dir.failure().is_none())
    }

    /// `replica.alter.log.dirs.io.max.bytes.per.second`.
    pub(crate) fn limit_moves(&self, bytes_per_second: i64) {
        self.moves.bytes_per_second.store(u64::try_from(bytes_per_second).unwrap_or(0), Ordering::Relaxed);
    }
}
