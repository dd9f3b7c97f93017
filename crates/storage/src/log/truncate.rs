//! Cutting the log's end off, as a follower does whose leader has another history (KIP-101).
//!
//! Everything that could speak of the old history after a restart is gone durably before the log goes on:
//! recovery points beyond the cut, then snapshots, then the batches.

use std::io;

use ottla_env::OpenOptions;
use ottla_types::Offset;

use super::{Folder, Log, mark};
use crate::error::StorageError;
use crate::handles::{FileKind, Stage};
use crate::segment::scan::{Found, Scan};
use crate::segment::{Segment, parse_file_name};

impl Log {
    /// Cuts the log so that it ends at `offset`, or at the start of the batch that holds it. Nothing happens if it ends
    /// there or before, but that an epoch goes which began at the end and got no record: the leader that comes next may have
    /// records of an older one there. Blocks on syncs.
    pub fn truncate_to(&mut self, offset: Offset, now_ms: i64) -> Result<(), StorageError> {
        self.check_usable()?;
        if offset.0 >= self.end {
            self.epochs_dirty |= self.epochs.truncate_from_end(Offset(self.end));
            return Ok(());
        }
        self.settle_swap()?;
        if offset.0 < self.log_start {
            return self.truncate_fully_and_start_at(offset, now_ms);
        }
        let Some(i) = self.segment_of(offset.0) else { return Ok(()) };
        let Some((position, _)) = self.find_in(i, offset.0)? else { return Ok(()) };
        let end = self.end_before(i, position)?;
        if end < self.log_start {
            return self.truncate_fully_and_start_at(Offset(self.log_start), now_ms);
        }
        self.forget_history_from(end)?;
        let cut = self.cut_segments(i, position, end);
        if let Err(e) = cut {
            self.poisoned = true;
            return Err(self.ctx.health.write_failed("truncate", &self.ctx.dir, &e));
        }
        self.tail.clear(&self.ctx.shared.tail);
        self.pending_snapshots.retain(|(offset, _)| *offset <= end);
        self.epochs_dirty |= self.epochs.truncate_from_end(Offset(end));
        self.end = end;
        self.flushed = self.flushed.min(end);
        self.flushing = self.flushing.map(|up_to| up_to.min(end));
        self.progress.set_recovery_point(self.flushed);
        self.reload_producers()
    }

    /// Drops everything and starts anew, empty, at `offset`. Blocks on syncs.
    pub fn truncate_fully_and_start_at(&mut self, offset: Offset, now_ms: i64) -> Result<(), StorageError> {
        self.check_usable()?;
        self.settle_swap()?;
        if self.folder != Folder::None {
            let start = self.progress.log_start().unwrap_or(0).min(offset.0);
            self.progress.set_log_start(start);
            self.forget_history_from(0)?;
            let replaced = self.replace_segments(offset.0, now_ms);
            if let Err(e) = replaced {
                self.poisoned = true;
                return Err(self.ctx.health.write_failed("truncate", &self.ctx.dir, &e));
            }
        }
        self.tail.clear(&self.ctx.shared.tail);
        self.pending_snapshots.clear();
        self.epochs.clear();
        self.epochs_dirty = true;
        self.producers = crate::producer::Producers::default();
        self.since_snapshot = 0;
        (self.log_start, self.end, self.flushed) = (offset.0, offset.0, offset.0);
        self.flushing = self.flushing.map(|_| offset.0);
        if self.folder == Folder::None && offset.0 > 0 {
            // Where it starts is only known from its first segment's name.
            self.prepare(0, -1, offset.0, now_ms)?;
        }
        if self.folder == Folder::Written {
            self.sync_folder()?;
        }
        self.progress.set_recovery_point(offset.0);
        self.progress.set_log_start(offset.0);
        let ctx = &self.ctx;
        let written = ctx.checkpoints.write(&*ctx.disk);
        written.map_err(|e| ctx.health.write_failed("write checkpoints in", &ctx.root, &e))
    }

    /// The offset after the batch that ends at `position` of segment `i`: what a start would find to be the log's end. Compaction may
    /// have taken away what was between it and the next batch.
    fn end_before(&mut self, i: usize, position: u64) -> Result<i64, StorageError> {
        let Self { ctx, segments, .. } = self;
        let Some(segment) = segments.get_mut(i) else { return Ok(self.end) };
        let path = segment.path(ctx, FileKind::Log);
        let failed = |e| StorageError::io("read", &path, e);
        let entry = segment.offsets.floor(ctx, |e| u64::from(e.position) < position).map_err(failed)?;
        let file = segment.reader(ctx).map_err(failed)?;
        let mut scan = Scan::new(&*file, entry.map_or(0, |e| u64::from(e.position)), position);
        let mut end = segment.base;
        while let Found::Batch { header, .. } = scan.next().map_err(failed)? {
            end = header.next_offset().0;
        }
        Ok(end)
    }

    /// Nothing on disk may vouch for anything at or beyond `end`, durably.
    fn forget_history_from(&mut self, end: i64) -> Result<(), StorageError> {
        let ctx = &self.ctx;
        ctx.life.lock().truncations += 1;
        if let Some(cleaned) = self.progress.cleaned() {
            self.progress.set_cleaned(cleaned.min(end));
        }
        ctx.checkpoints
            .lower(&*ctx.disk, &ctx.partition.topic_partition, end)
            .map_err(|e| ctx.health.write_failed("write checkpoints in", &ctx.root, &e))?;
        self.remove_vouchers_beyond(end)
            .map_err(|e| self.ctx.health.write_failed("remove snapshots in", &self.ctx.dir, &e))?;
        let ctx = &self.ctx;
        ctx.disk.sync_dir(&ctx.dir).map_err(|e| ctx.health.sync_failed(&ctx.dir, &e))
    }

    /// Those that wait for their deletion too, marks, and cleaned segments that are not part of the log yet.
    fn remove_vouchers_beyond(&mut self, end: i64) -> io::Result<()> {
        for entry in self.ctx.disk.list(&self.ctx.dir)? {
            let vouches = matches!(parse_file_name(&entry.name),
                Some((offset, "snapshot" | mark::SUFFIX)) if offset > end);
            if vouches || entry.name.ends_with(Stage::Swap.suffix()) {
                ignore_missing(self.ctx.disk.remove_file(&self.ctx.dir.join(&entry.name)))?;
            }
        }
        self.snapshots.split_off(&end.saturating_add(1));
        self.mark = self.mark.filter(|mark| *mark <= end);
        Ok(())
    }

    fn cut_segments(&mut self, i: usize, position: u64, end: i64) -> io::Result<()> {
        // The newest first: whatever survives power loss is without gaps.
        while self.segments.len() > i + 1 {
            self.remove_last_segment()?;
        }
        let Self { ctx, segments, .. } = self;
        let Some(active) = segments.back_mut() else { return Ok(()) };
        let base = active.base;
        active.offsets.truncate(ctx, |e| base + i64::from(e.relative_offset) < end)?;
        active.times.truncate(ctx, |e| base + i64::from(e.relative_offset) < end)?;
        let writer = active.writer();
        let opened = writer.open(ctx, || active.path(ctx, FileKind::Log), OpenOptions::WRITE)?;
        let file = opened.file();
        file.set_len(position)?;
        active.size = position;
        active.unreserve();
        file.sync_data()?;
        // The largest timestamp of what is left: the index's, or of a batch behind its last entry.
        let indexed = active.offsets.load_last(ctx)?.map_or(0, |e| u64::from(e.position));
        let last_time = active.times.load_last(ctx)?;
        active.set_max_timestamp(last_time.map(|e| (e.timestamp, base + i64::from(e.relative_offset))));
        active.since_index = position - indexed.min(position);
        let mut scan = Scan::new(file, indexed, position);
        while let Found::Batch { header, .. } = scan.next()? {
            active.note_timestamp(&header);
        }
        if position == 0 {
            active.first_timestamp = None;
        }
        self.names_dirty = true;
        Ok(())
    }

    /// At no time is there no segment: an empty folder would look like damage. What power loss leaves in between is a
    /// prefix of the old log, or the new one.
    fn replace_segments(&mut self, base: i64, now_ms: i64) -> io::Result<()> {
        ignore_missing(self.ctx.disk.remove_file(&self.ctx.epochs_path()))?;
        self.remove_vouchers_beyond(-1)?;
        while self.segments.len() > 1 {
            self.remove_last_segment()?;
        }
        let fresh = Segment::create(&self.ctx, self.id, base, now_ms)?;
        fresh.reader(&self.ctx)?.sync_data()?;
        self.ctx.disk.sync_dir(&self.ctx.dir)?;
        if self.segments.back().is_some_and(|oldest| oldest.base != base) {
            self.remove_last_segment()?;
        }
        self.segments = [fresh].into();
        Ok(())
    }

    pub(super) fn remove_last_segment(&mut self) -> io::Result<()> {
        if let Some(last) = self.segments.back() {
            remove_files(&self.ctx, last)?;
        }
        self.segments.pop_back();
        self.ctx.disk.sync_dir(&self.ctx.dir)
    }
}

pub(super) fn remove_files(ctx: &crate::context::Context, segment: &Segment) -> io::Result<()> {
    ctx.handles.forget(segment.key(FileKind::Log).log, segment.base);
    segment.paths(ctx).iter().try_for_each(|path| ignore_missing(ctx.disk.remove_file(path)))
}

pub(super) fn ignore_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
