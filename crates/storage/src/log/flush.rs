//! Group commit: everything appended so far becomes durable in one job that runs outside of the log's lock.
//!
//! ```text
//!  begin_flush (lock) ─▶ FlushJob::run (no lock): sync segments ─▶ sealed indexes ─▶ names ─▶ epochs ─▶ snapshots
//!                        ─▶ note the folder ─▶ complete_flush (lock): flushed offset moves
//! ```
//!
//! A truncation during a flush lowers what it is good for; it then writes neither epochs nor snapshots, which would speak
//! of the former history.
//!
//! A snapshot at offset S is written only when all below S is durable, indexes included. So recovery needs to look only at
//! what lies after the newest snapshot.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_env::{File, OpenOptions};
use ottla_types::Offset;
use parking_lot::{Mutex, MutexGuard};

use super::{Folder, Log};
use crate::context::{Context, Life};
use crate::dir::partition_metadata;
use crate::error::StorageError;
use crate::handles::{FileKey, FileKind};
use crate::segment::Segment;
use crate::text_file;

/// What a flush has to do; holds no lock.
#[derive(Debug)]
#[must_use = "the log takes no other flush until this one is completed"]
pub struct FlushJob {
    ctx: Context,
    up_to: i64,
    /// Segments, each with its path; or why it cannot be opened.
    data: Vec<(io::Result<Arc<dyn File>>, FileKey)>,
    /// Indexes to sync.
    indexes: Vec<PathBuf>,
    sync_names: bool,
    first: bool,
    /// The first flush of a log that was found by a start.
    found: bool,
    bytes: u64,
    truncations: u64,
    epochs: Option<String>,
    snapshots: Vec<(i64, Vec<u8>)>,
}

/// What a flush did; for [`Log::complete_flush`].
#[derive(Debug)]
#[must_use = "the log takes no other flush until this one is completed"]
pub struct FlushOutcome {
    /// Of the log that it was begun for.
    life: Arc<Mutex<Life>>,
    up_to: i64,
    bytes: u64,
    names_left: bool,
    epochs_left: bool,
    found: bool,
    recorded: bool,
    snapshots: Vec<(i64, Option<Vec<u8>>)>,
    result: Result<(), StorageError>,
}

impl FlushJob {
    /// Where the flushed offset will be.
    pub fn up_to(&self) -> Offset {
        Offset(self.up_to)
    }

    /// Makes it durable. Blocks for as long as the device takes; run it outside of the log's lock.
    pub fn run(self) -> FlushOutcome {
        let mut outcome = FlushOutcome {
            life: Arc::clone(&self.ctx.life),
            up_to: self.up_to,
            bytes: self.bytes,
            names_left: self.sync_names,
            epochs_left: self.epochs.is_some(),
            found: self.found,
            recorded: false,
            snapshots: Vec::new(),
            result: Ok(()),
        };
        outcome.result = self.sync(&mut outcome);
        for (offset, bytes) in self.snapshots {
            // One that could not be written for lack of space is tried again by the next flush.
            if !outcome.snapshots.iter().any(|(done, _)| *done == offset) {
                outcome.snapshots.push((offset, Some(bytes)));
            }
        }
        outcome
    }

    fn sync(&self, outcome: &mut FlushOutcome) -> Result<(), StorageError> {
        let ctx = &self.ctx;
        ctx.health.check()?;
        if self.found {
            let settled = ctx.checkpoints.settle(&*ctx.disk);
            settled.map_err(|e| ctx.health.write_failed("write checkpoints in", &ctx.root, &e))?;
        }
        for (file, key) in &self.data {
            let failed = |e: &io::Error| ctx.health.sync_failed(&ctx.segment_path(*key), e);
            file.as_ref().map_err(failed)?.sync_data().map_err(|e| failed(&e))?;
        }
        for path in &self.indexes {
            self.sync_path(path)?;
        }
        if self.first {
            self.sync_path(&ctx.dir.join(partition_metadata::FILE_NAME))?;
        }
        if self.sync_names {
            self.sync_names()?;
            outcome.names_left = false;
        }
        if let Some(text) = &self.epochs
            && let Some(_life) = self.still_true()?
        {
            let path = ctx.epochs_path();
            let written = text_file::replace(&*ctx.disk, &path, text.as_bytes());
            written.map_err(|e| self.write_failed(&path, &e))?;
            outcome.epochs_left = false;
        }
        if self.first {
            ctx.disk.sync_dir(&ctx.root).map_err(|e| ctx.health.sync_failed(&ctx.root, &e))?;
            self.record()?;
            outcome.recorded = true;
        }
        self.write_snapshots(outcome)
    }

    fn record(&self) -> Result<(), StorageError> {
        let ctx = &self.ctx;
        let failed = |e| ctx.health.write_failed("record a partition in", &ctx.root, &e);
        ctx.materialised.add(&ctx.partition).map_err(failed)?;
        // Deleted meanwhile: the deletion may have come before this.
        if ctx.life.lock().deleted {
            ctx.materialised.remove(std::slice::from_ref(&ctx.partition)).map_err(failed)?;
        }
        Ok(())
    }

    fn write_snapshots(&self, outcome: &mut FlushOutcome) -> Result<(), StorageError> {
        let ctx = &self.ctx;
        for (offset, bytes) in &self.snapshots {
            let path = ctx.snapshot_path(*offset);
            let Some(_life) = self.still_true()? else { break };
            let write = || -> io::Result<()> {
                let file = ctx.disk.open(&path, OpenOptions::CREATE_EMPTY)?;
                file.write_all_at(bytes, 0)?;
                file.sync_data()
            };
            match write().map_err(|e| self.write_failed(&path, &e)) {
                Ok(()) => outcome.snapshots.push((*offset, None)),
                // A snapshot only shortens recovery; the records are durable without it.
                Err(StorageError::Full { .. }) => break,
                Err(e) => return Err(e),
            }
        }
        if !outcome.snapshots.is_empty() {
            self.sync_names()?;
        }
        Ok(())
    }

    /// Files are written by path: while this is held the partition is not deleted, so that a folder of the same name is
    /// not another topic's, and not truncated. `None` if it was truncated: what this flush knows of its history is past.
    fn still_true(&self) -> Result<Option<MutexGuard<'_, Life>>, StorageError> {
        let life = self.ctx.life.lock();
        if life.gone {
            return Err(self.is_gone());
        }
        Ok((life.truncations == self.truncations).then_some(life))
    }

    /// A file that a truncation or retention has removed meanwhile needs no sync.
    fn sync_path(&self, path: &Path) -> Result<(), StorageError> {
        let ctx = &self.ctx;
        match ctx.disk.open(path, OpenOptions::WRITE).and_then(|file| file.sync_data()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(ctx.health.sync_failed(path, &e)),
            _ => Ok(()),
        }
    }

    fn sync_names(&self) -> Result<(), StorageError> {
        let ctx = &self.ctx;
        ctx.disk.sync_dir(&ctx.dir).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => self.is_gone(),
            _ => ctx.health.sync_failed(&ctx.dir, &e),
        })
    }

    fn write_failed(&self, path: &Path, error: &io::Error) -> StorageError {
        match error.kind() {
            io::ErrorKind::NotFound => self.is_gone(),
            _ => self.ctx.health.write_failed("write", path, error),
        }
    }

    /// The folder was deleted during the flush: no failure of the device.
    fn is_gone(&self) -> StorageError {
        StorageError::Poisoned { path: self.ctx.dir.clone() }
    }
}

impl Log {
    /// What has to be done to make everything appended so far durable; `None` if it is, if a flush is under way, or if the
    /// partition was given up: a file of its name may be another's by now, or none.
    /// Run the job outside of the log's lock, then give its outcome to [`Log::complete_flush`].
    pub fn begin_flush(&mut self) -> Option<FlushJob> {
        let idle = self.flushed >= self.end && self.pending_snapshots.is_empty() && !self.seals_dirty;
        if idle || self.flushing.is_some() || self.folder == Folder::None || self.ctx.life.lock().gone {
            return None;
        }
        let snapshot_due = self.since_snapshot >= self.config.snapshot_interval_bytes;
        if snapshot_due {
            self.take_snapshot();
        }
        let mut indexes = self.vouched_indexes();
        let found = std::mem::take(&mut self.found);
        let data = self.dirty_segments(found, &mut indexes);
        // No snapshot may vouch for an index that is not in its file.
        let snapshots =
            if self.seals_dirty { Vec::new() } else { std::mem::take(&mut self.pending_snapshots) };
        self.flushing = Some(self.end);
        let truncations = self.ctx.life.lock().truncations;
        Some(FlushJob {
            ctx: self.ctx.clone(),
            up_to: self.end,
            data,
            indexes,
            sync_names: std::mem::take(&mut self.names_dirty),
            first: self.folder == Folder::Written && !self.ctx.is_future,
            found,
            bytes: self.unflushed,
            truncations,
            epochs: std::mem::take(&mut self.epochs_dirty).then(|| self.epochs.to_text()),
            snapshots,
        })
    }

    /// The segments that have something to sync, and the indexes that were written at a roll or by recovery.
    fn dirty_segments(
        &mut self,
        found: bool,
        indexes: &mut Vec<PathBuf>,
    ) -> Vec<(io::Result<Arc<dyn File>>, FileKey)> {
        let mut data = Vec::new();
        self.seals_dirty = false;
        for i in (0..self.segments.len()).rev() {
            // Of a found segment that ends where the synced part does, the batches are synced but perhaps not its length: who cut
            // it may have died before the sync, and another have rolled since.
            let end = self.segment_end(i);
            let is_flushed = end < self.flushed || end == self.flushed && !found;
            let is_active = i + 1 == self.segments.len();
            let Self { ctx, segments, .. } = self;
            let Some(segment) = segments.get_mut(i) else { break };
            if !is_active {
                if let Err(e) = segment.spill_leftovers(ctx) {
                    let path = segment.path(ctx, FileKind::Log);
                    ctx.health.write_failed("write the index of", &path, &e);
                    self.seals_dirty = true;
                } else if segment.offsets.take_unsynced() | segment.times.take_unsynced() {
                    indexes.extend(segment.index_paths(ctx));
                } else if is_flushed {
                    break;
                }
            }
            // One that was sealed since the last flush too: what a failed write left may have been cut off it.
            if !is_flushed || found || !is_active {
                data.push((segment.reader(ctx), segment.key(FileKind::Log)));
            }
        }
        data
    }

    /// Takes note of what a flush did: moves the flushed offset, and returns it. An error means that nothing is known to
    /// have become durable: after one that [passes](StorageError::passes) flush again later, after any other the directory
    /// is offline or the partition gone. Nothing comes of the outcome of a log that this one has replaced.
    pub fn complete_flush(&mut self, outcome: FlushOutcome) -> Result<Offset, StorageError> {
        if !Arc::ptr_eq(&outcome.life, &self.ctx.life) {
            return Ok(Offset(self.flushed));
        }
        // A truncation during the flush has lowered what it is good for.
        let up_to = self.flushing.take().unwrap_or(0).min(outcome.up_to);
        self.names_dirty |= outcome.names_left;
        self.epochs_dirty |= outcome.epochs_left;
        if outcome.recorded {
            self.folder = Folder::Recorded;
        }
        for (offset, unwritten) in outcome.snapshots {
            match unwritten {
                None => {
                    self.snapshots.insert(offset);
                }
                Some(bytes) if offset <= up_to => self.pending_snapshots.push((offset, bytes)),
                Some(_) => {}
            }
        }
        if let Err(error) = outcome.result {
            self.mark_all_dirty();
            self.found |= outcome.found;
            if !error.passes() {
                // The directory is offline: nothing can be done if this fails too.
                let _ = self.remove_mark();
            }
            return Err(error);
        }
        self.unflushed = self.unflushed.saturating_sub(outcome.bytes);
        self.drop_old_snapshots();
        if up_to > self.flushed {
            self.flushed = up_to;
            self.progress.set_recovery_point(up_to);
            self.release_sealed();
        }
        if self.flushed >= self.end {
            self.segments.back().into_iter().for_each(Segment::note_synced);
        }
        Ok(Offset(self.flushed))
    }

    /// Closes the files that took appends once, are sealed and synced. Not before: a file that is opened anew might not tell of a
    /// write that failed.
    pub(super) fn release_sealed(&mut self) {
        for i in (0..self.segments.len().saturating_sub(1)).rev() {
            if self.segment_end(i) <= self.flushed
                && !self.segments.get_mut(i).is_some_and(Segment::release_writer)
            {
                // Those before were released before.
                return;
            }
        }
    }

    /// Flushes in one go, blocking; for closing and for hosts without threads.
    pub fn flush(&mut self) -> Result<Offset, StorageError> {
        self.check_usable()?;
        self.forget_running_flush();
        match self.begin_flush() {
            None => {
                self.check_usable()?;
                Ok(Offset(self.flushed))
            }
            Some(job) => self.complete_flush(job.run()),
        }
    }

    /// Flushes everything and saves what a start would otherwise have to find out by reading: producers, indexes. Then
    /// the log is dropped.
    pub fn close(&mut self) -> Result<(), StorageError> {
        if self.folder == Folder::None {
            return Ok(());
        }
        self.settle_swap()?;
        self.flush()?;
        let wanted = !self.snapshots.contains(&self.end) && !self.seals_dirty;
        if wanted && self.take_snapshot() {
            let job = self.job_without_data();
            self.complete_flush(job.run())?;
        }
        let Self { ctx, segments, .. } = self;
        if let Some(active) = segments.back_mut() {
            let path = active.path(ctx, FileKind::Log);
            active.trim(ctx).map_err(|e| ctx.health.write_failed("trim", &path, &e))?;
        }
        // Left behind, it is passed over: what was closed has a snapshot beyond it.
        let _ = self.remove_mark();
        self.tail.clear(&self.ctx.shared.tail);
        self.ctx.handles.forget_log(self.id);
        Ok(())
    }

    /// A flush that is under way may not have done any of its parts yet: all of them are left to do.
    fn forget_running_flush(&mut self) {
        if self.flushing.take().is_some() {
            self.mark_all_dirty();
            self.found = true;
        }
    }

    fn mark_all_dirty(&mut self) {
        (self.names_dirty, self.epochs_dirty, self.seals_dirty) = (true, true, true);
        for segment in &mut self.segments {
            segment.offsets.resync();
            segment.times.resync();
        }
        let first = self.segments.front().map_or(0, |segment| segment.base);
        self.owe_sync_from(self.snapshots.last().copied().unwrap_or(first));
    }

    /// Makes an empty log's folder durable.
    pub(super) fn sync_folder(&mut self) -> Result<(), StorageError> {
        let job = self.job_without_data();
        self.complete_flush(job.run()).map(|_| ())
    }

    fn job_without_data(&mut self) -> FlushJob {
        self.flushing = Some(self.flushed);
        let truncations = self.ctx.life.lock().truncations;
        FlushJob {
            truncations,
            ctx: self.ctx.clone(),
            up_to: self.flushed,
            data: Vec::new(),
            indexes: self.vouched_indexes(),
            sync_names: true,
            first: self.folder == Folder::Written && !self.ctx.is_future,
            found: false,
            bytes: 0,
            epochs: None,
            snapshots: std::mem::take(&mut self.pending_snapshots),
        }
    }

    /// Has the next flush write a snapshot of the producers as they are now, which vouches for all of the active segment's indexes:
    /// they are written here. False, and there will be none, if that failed.
    fn take_snapshot(&mut self) -> bool {
        let Self { ctx, segments, .. } = self;
        let Some(active) = segments.back_mut() else { return false };
        active.index_time();
        if let Err(e) = active.offsets.spill(ctx).and_then(|()| active.times.spill(ctx)) {
            ctx.health.write_failed("write", &active.path(ctx, FileKind::OffsetIndex), &e);
            return false;
        }
        self.names_dirty = true;
        self.pending_snapshots.push((self.end, self.producers.to_snapshot()));
        self.since_snapshot = 0;
        true
    }

    /// What has to be synced of the active segment's indexes before the snapshots that are to be written, this flush's or one that a
    /// failed flush left.
    fn vouched_indexes(&self) -> Vec<PathBuf> {
        let Some(active) = self.segments.back() else { return Vec::new() };
        let is_vouched_for = self.pending_snapshots.iter().any(|(offset, _)| *offset > active.base);
        if is_vouched_for && (active.offsets.is_unsynced() || active.times.is_unsynced()) {
            active.index_paths(&self.ctx).into()
        } else {
            Vec::new()
        }
    }

    /// Of the snapshots that are not at a segment's start, only the newest is of use.
    fn drop_old_snapshots(&mut self) {
        let Some(newest) = self.snapshots.last().copied() else { return };
        let bases: std::collections::BTreeSet<i64> = self.segments.iter().map(|s| s.base).collect();
        let old: Vec<i64> =
            self.snapshots.iter().copied().filter(|s| *s != newest && !bases.contains(s)).collect();
        for offset in old {
            self.snapshots.remove(&offset);
            self.ctx.doomed.add_file(self.ctx.snapshot_path(offset));
        }
    }
}
