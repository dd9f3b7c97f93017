//! A log moves to another directory (`LogManager.replaceCurrentWithFutureLog`).
//!
//! ```text
//!                    /a                          /b
//!  copying           t-0                         t-0.<id>-future       the current one is in /a
//!  1 all synced, checkpoints, "+ t-0" noted in /b                      after a crash: the same, the copy is thrown away
//!  2 rename in /b    t-0                         t-0                   two that are equal: either will do
//!  3 rename in /a    t-0.<id>-delete             t-0                   the current one is in /b
//! ```
//!
//! The current log takes no append from before 1 until after 3, so that at no time there are records that one of two
//! folders of the partition's name lacks. [`find_home`](super::find_home) knows what a crash may leave.

use std::path::PathBuf;

use ottla_types::TopicIdPartition;

use super::{LogDir, name_away};
use crate::config::LogConfig;
use crate::context::Context;
use crate::dir::partition_metadata;
use crate::error::StorageError;
use crate::log::{FutureLog, Log};

impl LogDir {
    /// The length of the longest name that a folder of the partition's future log has: more than 255 cannot be moved.
    pub fn future_name_len(partition: &TopicIdPartition) -> usize {
        partition.topic_partition.to_string().len() + ".".len() + 32 + "-future".len()
    }

    /// A copy to be, of a partition that lies in another directory. Nothing is written before it has something.
    pub fn create_future_log(
        &self,
        partition: &TopicIdPartition,
        config: &LogConfig,
    ) -> Result<FutureLog, StorageError> {
        self.shared.health.check()?;
        let ctx = Context::future(self.shared.clone(), partition.clone(), &name_away(partition, "-future"));
        if self.partitions.lock().contains_key(&partition.topic_partition) {
            let reason = "the partition, or another topic's of its name, has a folder in this directory";
            return Err(StorageError::damaged(&self.folder(partition), reason));
        }
        Ok(FutureLog::new(ctx, config))
    }

    /// Throws a copy of this directory away. Its folder goes with [`LogDir::run_deletions`].
    pub fn remove_future_log(&self, mut future: FutureLog) -> Result<(), StorageError> {
        let shared = &self.shared;
        let (partition, folder) = (future.log.partition().clone(), future.log.path().to_owned());
        let is_there = future.log.is_materialised();
        future.log.abandon();
        if !is_there {
            return Ok(());
        }
        // Under this name the next start does not take it for a move that goes on.
        let away = shared.root.join(name_away(&partition, "-delete"));
        let renamed = shared.disk.rename(&folder, &away).and_then(|()| shared.disk.sync_dir(&shared.root));
        renamed.map_err(|e| shared.health.write_failed("rename", &folder, &e))?;
        shared.doomed.add_folder(away);
        Ok(())
    }

    /// Puts `future`, a copy in this directory that has caught up, in the place of `current`, which lies in `from`. Both
    /// have to be locked. After an error of the first kind nothing has changed but that the copy is of no use; after one of
    /// the second the partition is of no use either until the next start, which finds all of its records.
    pub fn replace_current_with_future(
        &self,
        from: &Self,
        current: &mut Log,
        mut future: FutureLog,
    ) -> Result<Log, ReplaceError> {
        let partition = current.partition().clone();
        let at = &partition.topic_partition;
        if !current.is_materialised() {
            return self
                .replace_empty(from, current)
                .map_err(|error| ReplaceError::Unchanged(Box::new(future), error));
        }
        if let Err(error) = self.prepare_replacement(current, &mut future) {
            return Err(ReplaceError::Unchanged(Box::new(future), error));
        }
        let shared = &self.shared;
        let (folder, name) = (future.log.path().to_owned(), self.folder(&partition));
        let renamed = shared.disk.rename(&folder, &name).and_then(|()| shared.disk.sync_dir(&shared.root));
        if let Err(e) = renamed {
            // Which of the two names the folder has is not known.
            current.give_up();
            future.log.give_up();
            return Err(ReplaceError::InDoubt(shared.health.write_failed("rename", &folder, &e)));
        }
        self.partitions.lock().insert(at.clone(), partition.topic_id);
        future.log.becomes_current(shared.checkpoints.progress(at));
        if let Err(error) = from.delete_log(&partition, Some(current)) {
            // That directory is offline with it. What is in it is settled by the start that finds it.
            tracing::error!(dir = %from.path().display(), "{at} has left, but its folder is still there: {error}");
        }
        Ok(future.log)
    }

    /// Step 1 of the module's picture.
    fn prepare_replacement(&self, current: &mut Log, future: &mut FutureLog) -> Result<(), StorageError> {
        current.check_usable()?;
        if future.log.log_end_offset() != current.log_end_offset() {
            return Err(StorageError::damaged(future.log.path(), "the copy has not caught up"));
        }
        current.flush_if_unrecorded()?;
        let partition = current.partition();
        let shared = &self.shared;
        future.log.take_over(current)?;
        let metadata = future.log.path().join(partition_metadata::FILE_NAME);
        let synced =
            shared.disk.open(&metadata, ottla_env::OpenOptions::WRITE).and_then(|file| file.sync_data());
        synced.map_err(|e| shared.health.sync_failed(&metadata, &e))?;
        let write = || -> std::io::Result<()> {
            let name = self.folder(partition);
            // Remains of a creation that was never acknowledged.
            if shared.disk.exists(&name)? {
                shared.disk.remove_dir_all(&name)?;
            }
            let progress = shared.checkpoints.forget(&*shared.disk, &partition.topic_partition)?;
            progress.set_recovery_point(future.log.flushed_offset().0);
            progress.set_log_start(future.log.log_start_offset().0);
            if let Some(mark) = current.checkpointed_high_watermark() {
                progress.set_high_watermark(mark.0);
            }
            if let Some(cleaned) = current.cleaned_to() {
                progress.set_cleaned(cleaned.0);
            }
            shared.checkpoints.write(&*shared.disk)?;
            shared.materialised.settle()?;
            shared.materialised.add(partition)
        };
        write().map_err(|e| shared.health.write_failed("note a moved partition in", &shared.root, &e))
    }

    /// There are no files to move.
    fn replace_empty(&self, from: &Self, current: &mut Log) -> Result<Log, StorageError> {
        let partition = current.partition().clone();
        let mut log = self.create_log(&partition, current.config().clone())?;
        log.take_over_empty(current);
        if let Err(error) = from.delete_log(&partition, Some(current)) {
            tracing::error!(dir = %from.path().display(), "a partition without files has left: {error}");
        }
        Ok(log)
    }

    /// Makes the names of folders durable.
    pub(super) fn sync_names(&self) -> Result<(), StorageError> {
        let shared = &self.shared;
        shared.disk.sync_dir(&shared.root).map_err(|e| shared.health.sync_failed(&shared.root, &e))
    }

    pub(super) fn folder(&self, partition: &TopicIdPartition) -> PathBuf {
        self.shared.root.join(partition.topic_partition.to_string())
    }
}

/// Why a copy does not take the current log's place.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// The current log goes on; the copy is to be thrown away.
    #[error("{1}")]
    Unchanged(Box<FutureLog>, #[source] StorageError),
    /// Neither is to be used before the next start.
    #[error("{0}; which of two folders is the partition's will be settled by a restart")]
    InDoubt(#[source] StorageError),
}
