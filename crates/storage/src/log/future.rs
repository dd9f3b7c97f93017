//! A copy of a log that is being made in another directory of the same broker (KIP-113; `ReplicaAlterLogDirsThread`).
//!
//! ```text
//!  current  /a/t-0              start ├────────────────────────────┤ end, which moves on
//!                                                    next ▲
//!  future   /b/t-0.<id>-future  start ├───────────────┤ end
//! ```
//!
//! It is made of batches by offset, as a follower's log is: so retention and compaction of the current log do not matter
//! meanwhile. What the batches do not tell, producers and epochs without records, is taken over when it becomes current
//! (`LogDir::replace_current_with_future`).

use std::sync::Arc;

use ottla_types::Offset;
use parking_lot::Mutex;

use super::{Folder, Log};
use crate::config::LogConfig;
use crate::context::{Context, Life};
use crate::dir::checkpoints::Progress;
use crate::error::{AppendError, ReadError, StorageError};
use crate::read::ReadResult;

/// A copy that is being made. See the module.
#[derive(Debug)]
pub struct FutureLog {
    pub(crate) log: Log,
    /// Of what it is a copy, and how often that had been cut when the copy began; `None`: it has not begun.
    began_at: Option<(Arc<Mutex<Life>>, u64)>,
}

/// What is to be copied next.
#[derive(Debug)]
pub enum NextCopy {
    /// Nothing: it has all that the current log has.
    CaughtUp,
    /// These batches.
    Batches(ReadResult),
}

/// Why a copy does not go on.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The current log is no continuation of the copy any more: it was cut, or its beginning was deleted. Make another copy.
    #[error("the log changed under its copy; the copy begins anew")]
    Outdated,
    /// The current log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The copy cannot be written.
    #[error(transparent)]
    Write(#[from] StorageError),
    /// The batches that were read are not what was once appended.
    #[error("what was read cannot be appended: {0}")]
    Append(AppendError),
}

impl FutureLog {
    pub(crate) fn new(ctx: Context, config: &LogConfig) -> Self {
        // Nobody reads from it.
        let config = LogConfig { tail_cache_bytes: 0, mark_interval_bytes: None, ..config.clone() };
        Self { log: Log::empty(ctx, config.into()), began_at: None }
    }

    /// The offset that is to be copied next.
    pub fn log_end_offset(&self) -> Offset {
        self.log.log_end_offset()
    }

    /// Bytes copied.
    pub fn size(&self) -> u64 {
        self.log.size()
    }

    /// Finds what comes next, about `max_bytes` of it. `current` is to be locked for this, and not for what follows.
    pub fn next(&mut self, current: &mut Log, max_bytes: u64, now_ms: i64) -> Result<NextCopy, CopyError> {
        current.check_usable()?;
        let life = &current.ctx.life;
        let truncations = life.lock().truncations;
        match &self.began_at {
            None => {
                let began_at = (Arc::clone(life), truncations);
                self.begin(current, now_ms)?;
                self.began_at = Some(began_at);
            }
            Some((of, at)) if Arc::ptr_eq(of, life) && *at == truncations => {}
            // It was cut, or opened anew from its files.
            Some(_) => return Err(CopyError::Outdated),
        }
        let from = self.log.end;
        if from < current.log_start && self.log.size() > 0 || from > current.end {
            return Err(CopyError::Outdated);
        }
        if from == current.end {
            return Ok(NextCopy::CaughtUp);
        }
        let read = current.read(Offset(from.max(current.log_start)), max_bytes, Offset(current.end), true)?;
        if read.is_empty() {
            // Compaction left nothing of the last offsets.
            self.log.skip_to(current.end, now_ms)?;
            return Ok(NextCopy::CaughtUp);
        }
        Ok(NextCopy::Batches(read))
    }

    /// Appends what [`FutureLog::next`] has found. Returns how many bytes. Reads and writes files.
    pub fn append(&mut self, read: &ReadResult, now_ms: i64) -> Result<u64, CopyError> {
        let failed = |e| StorageError::io("read a log for", &self.log.ctx.dir, e);
        let bytes = read.load().map_err(failed)?;
        match self.log.append_as_follower(&bytes, now_ms) {
            Ok(info) => Ok(info.bytes),
            Err(AppendError::Storage(error)) => Err(error.into()),
            Err(AppendError::OffsetsOutOfOrder { .. }) => Err(CopyError::Outdated),
            Err(error) => Err(CopyError::Append(error)),
        }
    }

    /// Makes durable what was copied.
    pub fn flush(&mut self) -> Result<(), StorageError> {
        self.log.flush().map(|_| ())
    }

    /// At the batch that holds the current log's start, which may lie within it (DeleteRecords).
    fn begin(&mut self, current: &mut Log, now_ms: i64) -> Result<(), CopyError> {
        let first = current.read(Offset(current.log_start), 1, Offset(current.end), true)?.first_offset;
        let start = first.map_or(current.end, |first| first.0);
        let log = &mut self.log;
        (log.log_start, log.end, log.flushed) = (start, start, start);
        if start > 0 || current.is_materialised() {
            // Where it starts is only known from its first segment's name.
            log.prepare(0, -1, start, now_ms)?;
        }
        Ok(())
    }
}

impl Log {
    fn skip_to(&mut self, offset: i64, now_ms: i64) -> Result<(), StorageError> {
        self.prepare(0, -1, offset, now_ms)?;
        self.end = offset;
        self.roll(now_ms)
    }

    /// A future log that has caught up becomes `current` in all that its batches do not tell, durably: a start that
    /// finds it needs nothing else.
    pub(crate) fn take_over(&mut self, current: &Self) -> Result<(), StorageError> {
        self.config = Arc::clone(&current.config);
        self.log_start = current.log_start;
        self.epochs = current.epochs.clone();
        self.epochs_dirty = true;
        self.producers = current.producers.clone();
        // A snapshot at the end tells them to the next start.
        self.pending_snapshots.clear();
        (self.since_snapshot, self.seals_dirty, self.names_dirty) = (u64::MAX, true, true);
        self.flush()?;
        // What a flush puts off for want of space would come too late.
        if !self.snapshots.contains(&self.end) || self.flushed < self.end {
            return Err(StorageError::Full { path: self.ctx.dir.clone() });
        }
        Ok(())
    }

    /// Makes sure that the record of partitions has it: where another directory's is about to say so too, a folder that power
    /// loss takes away, as nothing in it was ever synced, would look like damage there.
    pub(crate) fn flush_if_unrecorded(&mut self) -> Result<(), StorageError> {
        if self.folder == Folder::Written {
            if self.segments.is_empty() {
                // A recorded folder without a segment would be damage.
                self.roll(0)?;
            }
            self.flush()?;
        }
        // One without records has nothing to flush.
        if self.folder == Folder::Written { self.sync_folder() } else { Ok(()) }
    }

    /// The folder has the partition's own name now.
    pub(crate) fn becomes_current(&mut self, progress: Arc<Progress>) {
        self.ctx = self.ctx.as_current();
        self.progress = progress;
        self.folder = Folder::Recorded;
        self.names_dirty = true;
    }

    /// An empty log that has nothing on disk goes on as `self` in another directory.
    pub(crate) fn take_over_empty(&mut self, current: &Self) {
        self.epochs = current.epochs.clone();
        self.epochs_dirty = current.epochs_dirty;
        if let Some(mark) = current.progress.high_watermark() {
            self.progress.set_high_watermark(mark.0);
        }
    }
}
