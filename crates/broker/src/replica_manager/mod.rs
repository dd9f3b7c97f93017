//! The partitions of this broker: which there are, where they lie, and the threads that sync and maintain them.
//!
//! ```text
//!  metadata change ──▶ apply: partitions come, change role, go
//!  requests ─────────▶ Partition (append, read, find)
//!  sync threads ─────▶ FlushQueue ──▶ Partition::sync           docs/adr/0002-durability.md
//!  maintenance ──────▶ checkpoints, retention, deletions
//!  cleaners ─────────▶ compaction
//! ```

mod alter_log_dirs;
mod append;
mod apply;
mod bare;
mod cleaner;
mod cordon;
mod describe_log_dirs;
mod error;
mod failed_dirs;
mod flush_queue;
mod follow;
mod full_dirs;
mod in_sync;
mod locked;
mod log_mover;
mod maintenance;
mod opening;
mod partition;
mod read;
mod reopen;
mod strays;
mod sync;
mod sync_policy;
#[cfg(test)]
pub(crate) mod tests;
mod throttle;
mod waiters;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use ottla_env::Clock;
use ottla_metadata::MetadataImage;
use ottla_replication::LeaderLease;
use ottla_storage::{LogDir, OpenReport};
use ottla_telemetry::Timer;
use ottla_types::{BrokerEpoch, DirectoryId, NodeId, PartitionIndex, TopicId, TopicName};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use self::alter_log_dirs::Moves;
use self::flush_queue::FlushQueue;
use self::in_sync::InSync;
use self::opening::Opening;
use crate::assignments::Assignments;
use crate::metrics::TopicMetrics;
use crate::replication_quota::ReplicationQuotas;

pub(crate) use self::alter_log_dirs::AlterLogDirError;
pub(crate) use self::append::Acks;
pub(crate) use self::apply::{RoleChanged, RoleListener};
pub use self::bare::{Acknowledgement, BareFetch, BarePartition, BarePosition, BareRead, BareSync, Refused};
pub(crate) use self::cleaner::CleanerCounts;
pub(crate) use self::describe_log_dirs::{DirDescription, ReplicaDescription};
pub(crate) use self::error::{DeleteRecordsError, PartitionError};
pub(crate) use self::follow::{FollowerPosition, NextFetch};
pub(crate) use self::partition::{Partition, WaiterGuard};
pub(crate) use self::read::{Found, Isolation, OffsetSpec, PartitionRead, ReadRequest, Reader};
pub(crate) use self::sync_policy::{MARK_INTERVAL_BYTES, SyncMode, SyncPolicy};
pub(crate) use self::waiters::{AckOutcome, ParkedFetch};

/// Sync threads a log directory (docs/adr/0002-durability.md).
const SYNC_THREADS_PER_DIR: usize = 8;

/// The partitions of this broker.
pub(crate) struct ReplicaManager {
    node_id: NodeId,
    clock: Arc<dyn Clock>,
    dirs: Vec<Arc<LogDir>>,
    /// Those of `log.dirs` that did not open, and why.
    unopened: Vec<(PathBuf, String)>,
    assignments: Arc<Assignments>,
    moves: Moves,
    /// Whether no directory is left.
    all_failed: watch::Sender<bool>,
    topics: RwLock<HashMap<TopicName, HostedTopic>>,
    /// Partitions whose log does not open: they answer KAFKA_STORAGE_ERROR.
    damaged: Mutex<HashMap<(TopicName, PartitionIndex), String>>,
    opening: Opening,
    open_at_once: usize,
    /// Held while partitions come, change role or go.
    changing: Mutex<Changing>,
    role_listener: OnceLock<RoleListener>,
    topic_metrics: TopicMetrics,
    in_sync: Arc<InSync>,
    quotas: Arc<ReplicationQuotas>,
    lease: Arc<LeaderLease>,
    /// One for each of `dirs`: a disk that stands still holds up none but its own partitions.
    flush_queues: Vec<Arc<FlushQueue<Partition>>>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
    /// How many logs a stop has closed so far, once it closes them.
    closed_logs: OnceLock<AtomicU64>,
    /// Ends maintenance and cleaning.
    stop_maintenance: Arc<maintenance::Stop>,
    cleaner: cleaner::Cleaner,
    /// Indexes of directories that take no new partitions.
    cordoned: Mutex<BTreeSet<usize>>,
}

#[derive(Debug)]
struct Changing {
    closed: bool,
    /// What the partitions are in line with.
    image: MetadataImage,
}

#[derive(Debug)]
struct HostedTopic {
    id: TopicId,
    partitions: HashMap<PartitionIndex, Arc<Partition>>,
}

impl std::fmt::Debug for ReplicaManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplicaManager").field("node_id", &self.node_id).finish_non_exhaustive()
    }
}

impl ReplicaManager {
    /// Takes over opened log directories, and notes which others there should be, and why they are not. The partitions found in them come to life when the metadata names them,
    /// `recovery_threads` of each directory at a time.
    pub(crate) fn new(
        node_id: NodeId,
        clock: Arc<dyn Clock>,
        dirs: Vec<(LogDir, OpenReport)>,
        unopened: Vec<(PathBuf, String)>,
        recovery_threads: usize,
    ) -> Result<Arc<Self>, std::io::Error> {
        let mut damaged = HashMap::new();
        for (_, report) in &dirs {
            for found in &report.partitions {
                if let Some(reason) = &found.damaged {
                    let at = found.partition.topic_partition.clone();
                    damaged.insert((at.topic, at.partition), reason.clone());
                }
            }
        }
        let futures = dirs
            .iter()
            .enumerate()
            .flat_map(|(i, (_, report))| report.futures.iter().map(move |id| (id.clone(), i)));
        let unfinished: Vec<_> = futures.collect();
        let flush_queues = dirs.iter().map(|_| Arc::default()).collect();
        let manager = Arc::new(Self {
            node_id,
            clock,
            opening: Opening::default(),
            open_at_once: recovery_threads.max(1) * dirs.len().max(1),
            changing: Mutex::new(Changing { closed: false, image: MetadataImage::empty() }),
            role_listener: OnceLock::new(),
            dirs: dirs.into_iter().map(|(dir, _)| Arc::new(dir)).collect(),
            unopened,
            assignments: Arc::default(),
            moves: Moves::default(),
            all_failed: watch::Sender::new(false),
            topics: RwLock::default(),
            damaged: Mutex::new(damaged),
            topic_metrics: TopicMetrics::default(),
            in_sync: Arc::default(),
            quotas: Arc::default(),
            lease: Arc::default(),
            flush_queues,
            threads: Mutex::default(),
            closed_logs: OnceLock::new(),
            stop_maintenance: Arc::default(),
            cleaner: cleaner::Cleaner::default(),
            cordoned: Mutex::default(),
        });
        unfinished.into_iter().for_each(|(id, dir)| manager.note_unfinished_move(id, dir));
        manager.start_sync_threads()?;
        Ok(manager)
    }

    /// The partition `index` of `topic`, if this broker holds it.
    pub(crate) fn partition(&self, topic: &str, index: PartitionIndex) -> Option<Arc<Partition>> {
        self.topics.read().get(topic)?.partitions.get(&index).map(Arc::clone)
    }

    /// Why a partition that should be here cannot be served.
    pub(crate) fn damage(&self, topic: &TopicName, index: PartitionIndex) -> Option<String> {
        self.damaged.lock().get(&(topic.clone(), index)).cloned()
    }

    /// All partitions, for metrics and maintenance.
    pub(crate) fn partitions(&self) -> Vec<Arc<Partition>> {
        let topics = self.topics.read();
        topics.values().flat_map(|topic| topic.partitions.values().map(Arc::clone)).collect()
    }

    /// Who is told when this broker begins or ceases to lead a partition. Once, before the first change.
    pub(crate) fn on_role_change(&self, listener: RoleListener) {
        if self.role_listener.set(listener).is_err() {
            tracing::error!("a second listener for changes of roles is ignored");
        }
    }

    /// Counts by topic.
    pub(crate) fn topic_metrics(&self) -> &TopicMetrics {
        &self.topic_metrics
    }

    /// The partitions that are not open yet.
    pub(crate) fn opening(&self) -> &Opening {
        &self.opening
    }

    /// How long syncs take, of each directory, with its path.
    pub(crate) fn flush_times(&self) -> impl Iterator<Item = (&Path, &Timer)> {
        self.dirs.iter().zip(&self.flush_queues).map(|(dir, queue)| (dir.path(), &queue.times))
    }

    /// What the cleaner threads do.
    pub(crate) fn cleaner_counts(&self) -> CleanerCounts {
        self.cleaner.counts(self.clock.now())
    }

    /// The directories' ids, for the registration.
    pub(crate) fn directory_ids(&self) -> Vec<DirectoryId> {
        self.dirs.iter().map(|dir| dir.directory_id()).collect()
    }

    /// This broker has registered. If all that it acknowledges is synced (`syncs_first`), its directories are to say so should it die:
    /// its replicas then keep their place among those that may lead (docs/adr/0005-unclean-restart.md). Blocks on syncs.
    pub(crate) fn note_broker_epoch(&self, epoch: BrokerEpoch, syncs_first: bool) {
        let noted = if syncs_first { epoch } else { BrokerEpoch::NONE };
        for dir in &self.dirs {
            if let Err(error) = dir.note_broker_epoch(noted) {
                tracing::warn!("cannot note the broker epoch in {}: {error}", dir.path().display());
            }
        }
    }

    /// What the controller is told about the directories of replicas.
    pub(crate) fn assignments(&self) -> &Arc<Assignments> {
        &self.assignments
    }

    /// The partitions whose in-sync replicas this broker decides about.
    pub(crate) fn in_sync(&self) -> &Arc<InSync> {
        &self.in_sync
    }

    /// How fast throttled replicas may copy.
    pub(crate) fn quotas(&self) -> &ReplicationQuotas {
        &self.quotas
    }

    /// Whether this broker may answer clients for what it leads.
    pub(crate) fn lease(&self) -> &Arc<LeaderLease> {
        &self.lease
    }

    /// The lease has run out: answers whoever waits for a partition that this broker leads.
    pub(crate) fn lease_ran_out(&self) {
        self.partitions().iter().for_each(|partition| partition.lease_ran_out());
    }

    /// Syncs everything, closes the logs and marks the directories as cleanly shut down.
    pub(crate) fn close(&self, epoch: BrokerEpoch) {
        self.changing.lock().closed = true;
        // What was not opened may have to be recovered yet.
        let mut clean = self.opening.close();
        self.stop_maintenance.stop();
        self.stop_mover();
        self.flush_queues.iter().for_each(|queue| queue.close());
        for thread in self.threads.lock().drain(..) {
            if thread.join().is_err() {
                tracing::error!("a sync or maintenance thread had panicked");
            }
        }
        let topics = std::mem::take(&mut *self.topics.write());
        clean &= self.close_all(topics.into_values().flat_map(|topic| topic.partitions.into_values()));
        self.note_time();
        for dir in &self.dirs {
            if !clean {
                continue;
            }
            if let Err(error) = dir.close(epoch) {
                tracing::error!("cannot mark {} as cleanly shut down: {error}", dir.path().display());
            }
        }
    }

    /// Closes partitions, several at a time: the device makes one commit of syncs that come together. Whether all could be.
    fn close_all(&self, partitions: impl Iterator<Item = Arc<Partition>> + Send) -> bool {
        let closed = self.closed_logs.get_or_init(AtomicU64::default);
        let (left, clean) = (Mutex::new(partitions), AtomicBool::new(true));
        let next = || left.lock().next();
        thread::scope(|scope| {
            for _ in 0..SYNC_THREADS_PER_DIR {
                scope.spawn(|| {
                    while let Some(partition) = next() {
                        partition.retire();
                        if let Err(error) = partition.close() {
                            tracing::error!("cannot close {}: {error}", partition.id().topic_partition);
                            clean.store(false, Ordering::Relaxed);
                        }
                        closed.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        clean.into_inner()
    }

    /// How many logs a stop has closed so far; `None` before it closes any.
    pub(crate) fn closed_logs(&self) -> Option<u64> {
        self.closed_logs.get().map(|closed| closed.load(Ordering::Relaxed))
    }

    fn start_sync_threads(self: &Arc<Self>) -> Result<(), std::io::Error> {
        let mut threads = self.threads.lock();
        for (dir, queue) in self.flush_queues.iter().enumerate() {
            for number in 0..SYNC_THREADS_PER_DIR {
                let queue = Arc::clone(queue);
                let name = format!("sync-{dir}-{number}");
                threads.push(thread::Builder::new().name(name).spawn(move || {
                    while let Some(partition) = queue.take() {
                        partition.sync();
                    }
                })?);
            }
        }
        Ok(())
    }
}
