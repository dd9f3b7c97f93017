//! One log directory.

mod broker_epoch;
pub(crate) mod checkpoints;
pub(crate) mod clean_shutdown;
pub(crate) mod doomed;
mod future;
mod home;
pub(crate) mod materialised;
pub(crate) mod meta_properties;
mod noted_time;
pub(crate) mod open;
pub(crate) mod partition_metadata;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_env::{Disk, File, OpenOptions};
use ottla_types::{BrokerEpoch, DirectoryId, TimestampMs, TopicId, TopicIdPartition, TopicPartition};
use parking_lot::Mutex;

pub use future::ReplaceError;
pub use home::find_home;
pub use meta_properties::MetaProperties;
pub use open::{FoundPartition, OpenReport, holds_partitions};

use crate::config::{LogConfig, LogDirOptions};
use crate::context::{Context, Shared};
use crate::dir::doomed::{LogStarts, Removed};
use crate::error::{OpenError, StorageError};
use crate::log::Log;
use crate::text_file;

/// One log directory: the partitions in it, and the files that they share. Cheap calls from any thread; the logs
/// themselves are the host's, each behind its own lock.
#[derive(Debug)]
pub struct LogDir {
    shared: Arc<Shared>,
    directory_id: DirectoryId,
    /// Partitions with a folder, or with a log that may get one.
    partitions: Mutex<BTreeMap<TopicPartition, TopicId>>,
    /// Keeps other processes off.
    _lock: Arc<dyn File>,
}

impl LogDir {
    /// Opens the directory at `path`, formats it if it is empty, and tells which partitions it has. Looks into no log:
    /// the time it takes depends on how many partitions there are, not on how much data.
    pub fn open(
        disk: Arc<dyn Disk>,
        path: &Path,
        options: &LogDirOptions,
    ) -> Result<(Self, OpenReport), OpenError> {
        open::open(disk, path, options)
    }

    /// The directory's own id.
    pub fn directory_id(&self) -> DirectoryId {
        self.directory_id
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.shared.root
    }

    /// Why it is offline, if it is.
    pub fn failure(&self) -> Option<&str> {
        self.shared.health.failure()
    }

    /// How many writes have found no room since the start.
    pub fn refused_writes(&self) -> u64 {
        self.shared.health.refused()
    }

    /// An error if the directory is offline.
    pub fn check_online(&self) -> Result<(), StorageError> {
        self.shared.health.check()
    }

    /// The topic whose partition has the folder of this name, if there is one.
    pub fn topic_id_of(&self, partition: &TopicPartition) -> Option<TopicId> {
        self.partitions.lock().get(partition).copied()
    }

    /// Whether the partition has a folder here, may get one, or must have one.
    pub fn holds(&self, partition: &TopicIdPartition) -> bool {
        self.topic_id_of(&partition.topic_partition) == Some(partition.topic_id)
            || self.shared.materialised.contains(partition)
    }

    /// Every partition that has a folder here, may get one, or must have one.
    pub fn partitions(&self) -> Vec<TopicIdPartition> {
        let here = self.partitions.lock().clone();
        let ids =
            |(at, id): (TopicPartition, TopicId)| TopicIdPartition { topic_id: id, topic_partition: at };
        let mut all: BTreeSet<TopicIdPartition> = here.into_iter().map(ids).collect();
        all.extend(self.shared.materialised.all());
        all.into_iter().collect()
    }

    /// How many partitions are here.
    pub fn partition_count(&self) -> usize {
        self.partitions.lock().len()
    }

    /// Bytes that can still be written.
    pub fn free_bytes(&self) -> Result<u64, StorageError> {
        let shared = &self.shared;
        shared
            .disk
            .free_bytes(&shared.root)
            .map_err(|e| StorageError::io("ask the free space of", &shared.root, e))
    }

    /// The size of the file system that it is on, bytes.
    pub fn total_bytes(&self) -> Result<u64, StorageError> {
        let shared = &self.shared;
        shared
            .disk
            .total_bytes(&shared.root)
            .map_err(|e| StorageError::io("ask the size of", &shared.root, e))
    }

    /// Bytes of the segments of a partition whose log is not open; 0 if it has no folder.
    pub fn folder_bytes(&self, partition: &TopicPartition) -> Result<u64, StorageError> {
        let (disk, folder) = (&self.shared.disk, self.shared.root.join(partition.to_string()));
        let sum = || -> io::Result<u64> {
            let mut bytes = 0;
            for entry in disk.list(&folder)?.iter().filter(|entry| entry.name.ends_with(".log")) {
                bytes += disk.open(&folder.join(&entry.name), OpenOptions::READ)?.len()?;
            }
            Ok(bytes)
        };
        match sum() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
            sum => sum.map_err(|e| StorageError::io("measure", &folder, e)),
        }
    }

    /// Files of segments and indexes that are held open.
    pub fn open_files(&self) -> usize {
        self.shared.handles.len() + self.shared.writers.len()
    }

    /// Bytes in the tail caches of all logs.
    pub fn tail_cache_bytes(&self) -> usize {
        self.shared.tail.used()
    }

    /// The log of a partition that has no folder. Nothing is written before its first append.
    ///
    /// A partition that was materialised and has no folder is damaged, not empty: that is an error, as is a folder of
    /// another topic under this name; delete that first.
    pub fn create_log(
        &self,
        partition: &TopicIdPartition,
        config: impl Into<Arc<LogConfig>>,
    ) -> Result<Log, StorageError> {
        self.shared.health.check()?;
        let ctx = Context::new(Arc::clone(&self.shared), partition.clone());
        if self.shared.materialised.contains(partition) {
            return Err(StorageError::damaged(&ctx.dir, "the partition had records, but its folder is gone"));
        }
        if self.shared.materialised.owes(partition) {
            // It was deleted and comes back: the record must not take the one for the other.
            self.shared.materialised.settle().map_err(|e| self.record_failed(&e))?;
        }
        let mut partitions = self.partitions.lock();
        if let Some(other) = partitions.get(&partition.topic_partition) {
            let reason = if *other == partition.topic_id {
                "the partition has a folder already; open it".to_owned()
            } else {
                format!("the folder belongs to topic {other}, not to {}; delete it first", partition.topic_id)
            };
            return Err(StorageError::damaged(&ctx.dir, reason));
        }
        partitions.insert(partition.topic_partition.clone(), partition.topic_id);
        Ok(Log::empty(ctx, config.into()))
    }

    /// The log of a partition that has a folder. Recovers it: looks only at what was appended after its newest producer
    /// snapshot, and checksums only what was not synced.
    pub fn open_log(
        &self,
        partition: &TopicIdPartition,
        config: impl Into<Arc<LogConfig>>,
        now_ms: TimestampMs,
    ) -> Result<Log, StorageError> {
        let ctx = Context::new(Arc::clone(&self.shared), partition.clone());
        match self.partitions.lock().get(&partition.topic_partition) {
            Some(id) if *id == partition.topic_id => {}
            Some(other) => {
                let reason = format!("the folder belongs to topic {other}, not to {}", partition.topic_id);
                return Err(StorageError::damaged(&ctx.dir, reason));
            }
            None if self.shared.materialised.contains(partition) => {
                let reason = "the partition had records, but its folder is gone";
                return Err(StorageError::damaged(&ctx.dir, reason));
            }
            None => return Err(StorageError::damaged(&ctx.dir, "there is no such folder; create the log")),
        }
        Log::existing(ctx, config.into(), now_ms)
    }

    /// [`LogDir::open_log`] if there is a folder, [`LogDir::create_log`] if there never was one.
    pub fn open_or_create_log(
        &self,
        partition: &TopicIdPartition,
        config: impl Into<Arc<LogConfig>>,
        now_ms: TimestampMs,
    ) -> Result<Log, StorageError> {
        if self.partitions.lock().contains_key(&partition.topic_partition) {
            return self.open_log(partition, config, now_ms);
        }
        self.create_log(partition, config)
    }

    /// Deletes a partition: its name is free once this returns, its folder goes with [`LogDir::run_deletions`].
    /// The log, if there is one, takes no more appends; readers may finish with the files that they have.
    pub fn delete_log(
        &self,
        partition: &TopicIdPartition,
        log: Option<&mut Log>,
    ) -> Result<(), StorageError> {
        if let Some(log) = log {
            log.abandon();
        }
        self.delete_logs(std::slice::from_ref(partition))
    }

    /// Like [`LogDir::delete_log`] for many partitions, whose logs were abandoned: costs two syncs, not two for each.
    /// Those that are not here are passed over.
    pub fn delete_logs(&self, partitions: &[TopicIdPartition]) -> Result<(), StorageError> {
        let mut renamed = Vec::new();
        let done = self.take_away(partitions, "-delete", &mut renamed);
        renamed.into_iter().for_each(|(_, folder)| self.shared.doomed.add_folder(folder));
        done
    }

    /// Renames the folders of partitions that nobody asks for, and keeps them for somebody to look at: Kafka's strays.
    /// Those renamed are added to `renamed` with their new path.
    pub fn set_aside(
        &self,
        partitions: &[TopicIdPartition],
        renamed: &mut Vec<(TopicIdPartition, PathBuf)>,
    ) -> Result<(), StorageError> {
        // The record first: a folder that it does not know is set aside again at the next start, one that it misses is damage, should
        // the partition be given back.
        match self.shared.materialised.remove(partitions).map_err(|e| self.record_failed(&e)) {
            // It follows when there is space.
            Ok(()) | Err(StorageError::Full { .. }) => self.take_away(partitions, "-stray", renamed),
            Err(e) => Err(e),
        }
    }

    /// Renames the folders of partitions, durably; what is known of them here is forgotten.
    fn take_away(
        &self,
        partitions: &[TopicIdPartition],
        suffix: &str,
        renamed: &mut Vec<(TopicIdPartition, PathBuf)>,
    ) -> Result<(), StorageError> {
        let shared = &self.shared;
        let mut here = self.partitions.lock();
        let mut gone = Vec::new();
        let mut result = Ok(());
        for partition in partitions {
            let at = &partition.topic_partition;
            // The folder of this name may be another topic's.
            if here.get(at).is_none_or(|id| *id == partition.topic_id) {
                match self.rename_away(partition, suffix) {
                    Ok(away) => renamed.extend(away.map(|away| (partition.clone(), away))),
                    Err(e) => {
                        result = Err(e);
                        break;
                    }
                }
                shared.checkpoints.abandon(at);
                here.remove(at);
            }
            gone.push(partition.clone());
        }
        // The names first: if the power goes before the record follows, the next start finishes it.
        if !renamed.is_empty() {
            shared.disk.sync_dir(&shared.root).map_err(|e| shared.health.sync_failed(&shared.root, &e))?;
        }
        match shared.materialised.remove(&gone).map_err(|e| self.record_failed(&e)) {
            // The record follows when there is space, which may be only once these folders are removed.
            Ok(()) | Err(StorageError::Full { .. }) => result,
            Err(e) => Err(e),
        }
    }

    /// The folder's new path; `None` if there is no folder.
    fn rename_away(
        &self,
        partition: &TopicIdPartition,
        suffix: &str,
    ) -> Result<Option<PathBuf>, StorageError> {
        let shared = &self.shared;
        let folder = shared.root.join(partition.topic_partition.to_string());
        let away = shared.root.join(name_away(partition, suffix));
        match shared.disk.rename(&folder, &away) {
            Ok(()) => Ok(Some(away)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(shared.health.write_failed("rename", &folder, &e)),
        }
    }

    fn record_failed(&self, error: &io::Error) -> StorageError {
        self.shared.health.write_failed("record partitions in", &self.shared.root, error)
    }

    /// Writes recovery points, log starts and high watermarks, where they changed; the latter without a sync. Bounds what
    /// the next start reads; call it about every second. Blocks on syncs.
    pub fn write_checkpoints(&self) -> Result<(), StorageError> {
        let shared = &self.shared;
        shared.health.check()?;
        let written = shared.checkpoints.write_regularly(&*shared.disk);
        written.map_err(|e| shared.health.write_failed("write checkpoints in", &shared.root, &e))
    }

    /// Whether [`LogDir::run_deletions`] has something to do.
    pub fn has_deletions(&self) -> bool {
        self.shared.doomed.len() > 0 || self.shared.materialised.is_owing()
    }

    /// Removes what retention and deletion took out of use, one file or folder after the other, at most `max`. Returns
    /// how many. Goes on where the disk is full, as nothing else frees it. Blocks; run it in the background.
    pub fn run_deletions(&self, max: usize) -> Result<usize, StorageError> {
        let shared = &self.shared;
        if !self.has_deletions() {
            return Ok(0);
        }
        // What is put out of use from here on is not covered by what is written next.
        let max = max.min(shared.doomed.len());
        // A segment may go only after the log's new start is durable: or a crash could leave holes.
        let starts = match self.write_checkpoints() {
            Ok(()) => LogStarts::Durable,
            Err(StorageError::Full { .. }) => LogStarts::ByNames,
            Err(e) => return Err(e),
        };
        let failed = |e| shared.health.write_failed("remove a file in", &shared.root, &e);
        let mut done = 0;
        for _ in 0..max {
            match shared.doomed.remove_next(&*shared.disk, starts).map_err(failed)? {
                Removed::Nothing => break,
                Removed::File => done += 1,
                Removed::Contents(folder) => match self.settle()? {
                    true => {
                        doomed::remove_husk(&*shared.disk, &folder).map_err(failed)?;
                        done += 1;
                    }
                    false => shared.doomed.add_folder(folder),
                },
            }
        }
        self.settle()?;
        Ok(done)
    }

    /// Writes what the record owes; false if there is no space for it.
    fn settle(&self) -> Result<bool, StorageError> {
        match self.shared.materialised.settle().map_err(|e| self.record_failed(&e)) {
            Ok(()) => Ok(true),
            Err(StorageError::Full { .. }) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Ends in order: after all logs were closed. The next start then knows that nothing is missing, and which broker
    /// epoch had the directory.
    pub fn close(&self, epoch: BrokerEpoch) -> Result<(), StorageError> {
        let shared = &self.shared;
        shared.health.check()?;
        let written = shared.checkpoints.write(&*shared.disk);
        written.map_err(|e| shared.health.write_failed("write checkpoints in", &shared.root, &e))?;
        let path = shared.root.join(clean_shutdown::FILE_NAME);
        let text = clean_shutdown::to_text(epoch);
        text_file::replace(&*shared.disk, &path, text.as_bytes())
            .map_err(|e| shared.health.write_failed("write", &path, &e))
    }
}

/// Kafka's name of a folder that is on its way out or in: `topic-partition.32hex-delete`, of at most 255 bytes.
fn name_away(partition: &TopicIdPartition, suffix: &str) -> PathBuf {
    let id: String = ottla_types::Uuid::random().0.iter().map(|b| format!("{b:02x}")).collect();
    let suffix = format!("-{}.{id}{suffix}", partition.topic_partition.partition);
    let topic = partition.topic_partition.topic.as_str();
    let kept = topic.get(..topic.len().min(255_usize.saturating_sub(suffix.len()))).unwrap_or_default();
    PathBuf::from(format!("{kept}{suffix}"))
}
