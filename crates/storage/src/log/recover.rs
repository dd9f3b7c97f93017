//! What a start makes of a folder.
//!
//! ```text
//!  log start       newest snapshot S     recovery point R          file ends
//!     │                  │                     │                      │
//!  ───┼──────────────────┼─────────────────────┼──────────────┬───────┼
//!     │ not looked at    │ headers only:       │ every batch  │ bad   │
//!     │                  │ indexes, producers  │ checksummed  │ cut   │
//!     └──────────────────┴─────────────────────┴──────────────┴───────┘
//!        a bad batch or an end below max(S, R): damaged, nothing is cut
//! ```
//!
//! A snapshot is written only once everything below it is durable, so its offset proves as much as the recovery point.
//! A [mark](super::mark) beyond them spares reading what the page cache still has; if the log is not as it says, it counts for
//! nothing.
//!
//! What is found may be in the page cache only, where a process died on a machine that goes on: the first flush makes all of it
//! durable, with the names of files, where they end, and what the checkpoints said.

use std::io;

use ottla_env::OpenOptions;
use ottla_records::BatchHeader;
use ottla_types::Offset;

use super::append::end_marker;
use super::{Log, gaps, mark};
use crate::dir::checkpoints::OffsetCheckpoint;
use crate::epoch_cache::EpochCache;
use crate::error::StorageError;
use crate::handles::FileKind;
use crate::producer::Producers;
use crate::segment::scan::{Found, Scan};
use crate::segment::{Segment, follows, parse_file_name};
use crate::text_file;

/// Far above what any snapshot or epoch file has.
const MAX_BYTES: usize = 1 << 30;

impl Log {
    /// Reads the folder. See the module.
    pub(super) fn recover(&mut self, now_ms: i64) -> Result<(), StorageError> {
        let (bases, marks) = self.list_folder()?;
        let recovery_point = self.progress.recovery_point().unwrap_or(0);
        let first = bases.first().copied().unwrap_or(0);
        let start = self.progress.log_start().unwrap_or(0);
        self.log_start = start.max(first);
        self.end = first;
        if bases.is_empty() {
            return self.recover_empty(recovery_point);
        }
        if self.folder == super::Folder::Written && first > self.progress.log_start().unwrap_or(0) {
            // The first segment was lost before anything was flushed: later ones are of no use without it. (What
            // retention removes has its new log start written before.)
            return self.discard_unflushed(&bases, &marks);
        }
        if start < first {
            // No damage: retention on a full disk does that, and Kafka leaves a start out that the names tell.
            let path = Segment::sealed(self.id, first, 0).path(&self.ctx, FileKind::Log);
            let reason = format!("the oldest segment is of offset {first}; files before it may be missing");
            self.note_loss(&path, start, reason);
            self.progress.set_log_start(first);
        }
        let snapshot = self.load_producers()?;
        let synced = snapshot.unwrap_or(0).max(recovery_point);
        let from = snapshot.unwrap_or(first).max(first);
        if !self.resume_at_mark(&bases, &marks, (from, synced))? {
            let known = self.read_epochs()?;
            self.walk_all(&bases, known, from, synced)?;
        }
        self.flushed = synced.min(self.end);
        self.epochs_dirty |= self.epochs.truncate_from_end(Offset(self.end));
        self.epochs_dirty |= self.epochs.truncate_from_start(Offset(self.log_start));
        self.finish(now_ms)?;
        if self.end < self.log_start {
            let path = self.ctx.root.join(OffsetCheckpoint::LogStart.file_name());
            // The log's start was moved beyond what was synced, then the unsynced part was lost.
            let reason = format!(
                "it says that the log begins at {}, beyond all that is left of it: the rest is deleted",
                self.log_start
            );
            self.note_loss(&path, self.end, reason);
            self.truncate_fully_and_start_at(Offset(self.log_start), now_ms)?;
        }
        Ok(())
    }

    /// Recovers from the newest mark on, if there is one beyond what is known anyway. False if there is none, or if the log is
    /// not as the mark says, so that it counts for nothing.
    fn resume_at_mark(
        &mut self,
        bases: &[i64],
        marks: &[i64],
        (from, synced): (i64, i64),
    ) -> Result<bool, StorageError> {
        let Some(mark) = self.load_mark(marks, from)? else { return Ok(false) };
        let producers = std::mem::replace(&mut self.producers, mark.producers);
        match self.walk_all(bases, mark.epochs, mark.offset, mark.offset.max(synced)) {
            Ok(()) => {
                self.owe_sync_from(from);
                Ok(true)
            }
            Err(StorageError::Damaged { reason, .. }) => {
                tracing::warn!(dir = %self.ctx.dir.display(), offset = mark.offset, %reason,
                    "what was written is not all there, although the machine has not restarted; all of it is checked");
                self.producers = producers;
                // Nothing would remove it later, when it may seem to fit what is appended instead.
                let removed = self.remove_mark();
                removed.map_err(|e| self.ctx.health.write_failed("remove the mark in", &self.ctx.dir, &e))?;
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }

    /// Builds what is known of the segments: from `from` on by reading, with `epochs` known before; see [`Log::walk`].
    fn walk_all(
        &mut self,
        bases: &[i64],
        epochs: EpochCache,
        from: i64,
        trusted: i64,
    ) -> Result<(), StorageError> {
        self.segments.clear();
        (self.unflushed, self.since_snapshot, self.since_mark) = (0, 0, 0);
        for base in bases {
            let segment = Segment::sealed(self.id, *base, 0);
            let path = segment.path(&self.ctx, FileKind::Log);
            let len = segment.reader(&self.ctx).and_then(|file| file.len());
            let size = len.map_err(|e| StorageError::io("open", &path, e))?;
            self.segments.push_back(Segment::sealed(self.id, *base, size));
        }
        self.take_epochs(epochs, from)?;
        self.walk(from, trusted)?;
        if self.end < trusted {
            return Err(StorageError::damaged(
                &self.ctx.dir,
                format!("the log ends at offset {}, but was synced up to {trusted}", self.end),
            ));
        }
        Ok(())
    }

    /// A folder without segments: what a crash during the first append leaves, or damage.
    fn recover_empty(&mut self, recovery_point: i64) -> Result<(), StorageError> {
        if recovery_point > 0 || self.folder == super::Folder::Recorded {
            return Err(StorageError::damaged(&self.ctx.dir, "its segments are gone"));
        }
        self.end = self.log_start;
        self.flushed = self.log_start;
        Ok(())
    }

    fn discard_unflushed(&mut self, bases: &[i64], marks: &[i64]) -> Result<(), StorageError> {
        let remove = || -> io::Result<()> {
            for offset in marks {
                self.ctx.disk.remove_file(&self.ctx.mark_path(*offset))?;
            }
            for base in bases {
                super::truncate::remove_files(&self.ctx, &Segment::sealed(self.id, *base, 0))?;
            }
            self.ctx.disk.sync_dir(&self.ctx.dir)
        };
        remove().map_err(|e| self.ctx.health.write_failed("cut", &self.ctx.dir, &e))?;
        self.snapshots.clear();
        (self.log_start, self.end, self.flushed) = (0, 0, 0);
        Ok(())
    }

    /// The first offsets of the segments, and the offsets of marks, ascending. Leftovers are removed.
    fn list_folder(&mut self) -> Result<(Vec<i64>, Vec<i64>), StorageError> {
        let failed = |e| StorageError::io("list", &self.ctx.dir, e);
        let entries = self.ctx.disk.list(&self.ctx.dir).map_err(failed)?;
        let (mut bases, mut marks) = (Vec::new(), Vec::new());
        let (mut indexes, mut swapped, mut swapped_indexes) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries.into_iter().filter(|e| !e.is_dir) {
            let path = self.ctx.dir.join(&entry.name);
            match parse_file_name(&entry.name) {
                Some((base, "log")) => bases.push(base),
                Some((offset, mark::SUFFIX)) => marks.push(offset),
                Some((base, "index" | "timeindex" | "txnindex")) => indexes.push((base, path)),
                _ if entry.name == gaps::FILE_NAME => self.has_gaps = true,
                Some((base, "log.swap")) => swapped.push(base),
                Some((base, suffix)) if suffix.ends_with(".swap") => swapped_indexes.push((base, path)),
                Some((offset, "snapshot")) => {
                    self.snapshots.insert(offset);
                }
                _ if [".deleted", ".cleaned", ".tmp"].iter().any(|s| entry.name.ends_with(s)) => {
                    self.ctx.doomed.add_file(path);
                }
                _ => {}
            }
        }
        swapped.iter().try_for_each(|base| self.recover_swap(*base, &mut bases))?;
        // Those of the others were renamed with them.
        for (_, path) in swapped_indexes.into_iter().filter(|(base, _)| !swapped.contains(base)) {
            self.ctx.doomed.add_file(path);
        }
        for (base, path) in indexes {
            if bases.binary_search(&base).is_err() {
                self.ctx.doomed.add_file(path);
            }
        }
        let first = bases.first().copied().unwrap_or(0);
        for stale in std::mem::take(&mut self.snapshots) {
            if stale < first {
                self.ctx.doomed.add_file(self.ctx.snapshot_path(stale));
            } else {
                self.snapshots.insert(stale);
            }
        }
        // What lies before the log's start was to be deleted.
        let start = self.believed_start();
        let keep_from = bases.partition_point(|base| *base <= start).saturating_sub(1);
        for base in bases.drain(..keep_from) {
            Segment::sealed(self.id, base, 0).doom(&self.ctx);
        }
        Ok((bases, marks))
    }

    /// Where the checkpoint says that the log begins. After a stop in order, when the newest snapshot tells where the log
    /// ends, a start beyond that is a checkpoint that was damaged: it counts for nothing.
    fn believed_start(&mut self) -> i64 {
        let start = self.progress.log_start().unwrap_or(0);
        let Some(end) = self.snapshots.last().copied().filter(|end| self.ctx.was_closed && start > *end)
        else {
            return start;
        };
        let path = self.ctx.root.join(OffsetCheckpoint::LogStart.file_name());
        let dir = self.ctx.dir.display();
        self.note_loss(
            &path,
            end,
            format!("{dir} ends there, and cannot begin at {start}; it begins as its files do"),
        );
        self.progress.set_log_start(-1);
        0
    }

    /// Takes the newest snapshot that is whole; returns its offset.
    fn load_producers(&mut self) -> Result<Option<i64>, StorageError> {
        self.producers = Producers::default();
        while let Some(offset) = self.snapshots.last().copied() {
            let path = self.ctx.snapshot_path(offset);
            let bytes = text_file::read(&*self.ctx.disk, &path, MAX_BYTES)
                .map_err(|e| StorageError::io("read", &path, e))?
                .unwrap_or_default();
            if let Some(producers) = Producers::from_snapshot(&bytes) {
                self.producers = producers;
                return Ok(Some(offset));
            }
            // A write that power loss tore.
            tracing::info!(path = %path.display(), "producer snapshot is not whole; an older one is used");
            let removed = self.ctx.disk.remove_file(&path);
            removed.map_err(|e| self.ctx.health.write_failed("remove", &path, &e))?;
            self.snapshots.remove(&offset);
        }
        Ok(None)
    }

    /// The epochs that the file tells.
    fn read_epochs(&self) -> Result<EpochCache, StorageError> {
        let path = self.ctx.epochs_path();
        let known = match text_file::read(&*self.ctx.disk, &path, MAX_BYTES) {
            Ok(None) => Some(EpochCache::default()),
            Ok(Some(bytes)) => std::str::from_utf8(&bytes).ok().and_then(EpochCache::parse),
            Err(e) => return Err(StorageError::io("read", &path, e)),
        };
        Ok(known.unwrap_or_else(|| {
            tracing::warn!(path = %path.display(), "leader epochs are damaged; they are taken from the batches");
            EpochCache::default()
        }))
    }

    /// Takes over the epochs that are known. What they do not tell of the log before `from` is found in the batches: all of it
    /// if the file was damaged or missing, its beginning if records came back whose deletion was not yet durable.
    fn take_epochs(&mut self, mut known: EpochCache, from: i64) -> Result<(), StorageError> {
        (self.epochs, self.epochs_dirty) = (EpochCache::default(), false);
        // From there on the batches tell, and what was cut off since may not.
        known.truncate_from_end(Offset(from));
        let unknown_to = match known.known_from() {
            Some(start) if start.0 <= self.log_start => 0,
            Some(start) => start.0,
            // The walk finds the rest.
            None => from,
        };
        for segment in self.segments.iter().filter(|s| s.base < unknown_to) {
            let path = segment.path(&self.ctx, FileKind::Log);
            let failed = |e| StorageError::io("read", &path, e);
            let file = segment.reader(&self.ctx).map_err(failed)?;
            let mut scan = Scan::new(&*file, 0, segment.size);
            while let Found::Batch { header, .. } = scan.next().map_err(failed)? {
                if header.base_offset.0 >= unknown_to {
                    break;
                }
                self.epochs_dirty |= self.epochs.assign(header.partition_leader_epoch, header.base_offset);
            }
        }
        self.epochs.extend(&known);
        Ok(())
    }

    /// Reads the batches from offset `from` on; the log's end is behind the last good one. A bad one at or beyond
    /// `trusted` is cut off with all that follows.
    fn walk(&mut self, from: i64, trusted: i64) -> Result<(), StorageError> {
        let start = self.segment_of(from).unwrap_or(0);
        self.end = from;
        for i in start..self.segments.len() {
            let Some(segment) = self.segments.get(i) else { break };
            let (base, path) = (segment.base, segment.path(&self.ctx, FileKind::Log));
            let gap = if i > start && base != self.end { Some(base) } else { None };
            if let Some(base) = gap {
                let compacted = self.has_gaps && base > self.end && base <= trusted;
                if !compacted {
                    if self.end < trusted {
                        let reason =
                            format!("it follows offset {}; batches that were synced are missing", self.end);
                        return Err(StorageError::damaged(&path, reason));
                    }
                    let reason =
                        format!("offset {} was to follow; it is cut off with all behind it", self.end);
                    self.note_loss(&path, self.end, reason);
                    return self.cut(i, None);
                }
                self.end = base;
            }
            let bad = self.walk_segment(i, from, trusted)?;
            if let Some((position, reason)) = bad {
                if self.end < trusted {
                    let reason = format!(
                        "at position {position}, offset {}, below {trusted} where it was synced: {reason}",
                        self.end
                    );
                    return Err(StorageError::damaged(&path, reason));
                }
                let reason = format!("at position {position}: {reason}; the unsynced end is cut off");
                self.note_loss(&path, self.end, reason);
                return self.cut(i + 1, Some(position));
            }
        }
        Ok(())
    }

    /// Reads segment `i` from offset `from` on; returns where it stops being good.
    fn walk_segment(
        &mut self,
        i: usize,
        from: i64,
        trusted: i64,
    ) -> Result<Option<(u64, String)>, StorageError> {
        let interval = self.config.index_interval_bytes;
        let compacted = self.has_gaps;
        let Self { ctx, segments, .. } = self;
        let Some(segment) = segments.get_mut(i) else { return Ok(None) };
        let path = segment.path(ctx, FileKind::Log);
        let failed = |e| StorageError::io("read", &path, e);
        let file_size = segment.size;
        let file = segment.reader(ctx).map_err(failed)?;
        let resumed = segment.resume_indexes(ctx, &*file, from, (interval, !compacted)).map_err(failed)?;
        if let Some(reason) = resumed.bad {
            return Err(StorageError::damaged(
                &path,
                format!("below offset {from}, where it was synced: {reason}"),
            ));
        }
        if from > segment.base && resumed.end_offset != Some(from) && !compacted {
            let end = resumed.end_offset.unwrap_or(segment.base);
            let reason = format!("batches from offset {end} to {from} are missing; they were synced");
            return Err(StorageError::damaged(&path, reason));
        }
        let mut scan = Scan::new(&*file, resumed.position, file_size);
        loop {
            let (position, header) = match scan.next().map_err(failed)? {
                Found::Batch { position, header } => (position, header),
                Found::End => return Ok(None),
                Found::Bad { position, reason } => return Ok(Some((position, reason))),
            };
            if !follows(&header, self.end, !compacted) || !self.fits_in(i, &header) {
                return Ok(Some((position, format!("offset {} after {}", header.base_offset, self.end))));
            }
            let mut marker = None;
            if header.next_offset().0 > trusted || header.attributes.is_control() {
                let batch = scan.batch(position, &header).map_err(failed)?;
                if let Err(e) = batch.check_crc() {
                    return Ok(Some((position, e.to_string())));
                }
                if header.attributes.is_control() {
                    marker = end_marker(&batch).ok().flatten();
                }
            }
            self.recovered(i, position, &header, marker.as_ref(), interval);
        }
    }

    fn fits_in(&self, i: usize, header: &BatchHeader) -> bool {
        self.segments.get(i).is_some_and(|segment| segment.fits(header.last_offset().0))
    }

    fn recovered(
        &mut self,
        i: usize,
        position: u64,
        header: &BatchHeader,
        marker: Option<&ottla_records::EndTxnMarker>,
        interval: u64,
    ) {
        if let Some(segment) = self.segments.get_mut(i) {
            segment.note_batch(position, header, interval);
        }
        self.epochs_dirty |= self.epochs.assign(header.partition_leader_epoch, header.base_offset);
        if header.has_producer_id() {
            match marker {
                Some(marker) => {
                    self.producers.wrote_marker(header, marker);
                }
                None if !header.attributes.is_control() => self.producers.wrote(header),
                None => {}
            }
        }
        self.end = header.next_offset().0;
        self.since_snapshot += header.size() as u64;
        self.since_mark += header.size() as u64;
        self.unflushed += header.size() as u64;
    }

    /// Cuts what was never synced: the last kept segment at `position`, and all from `keep` on. Durable on return, so
    /// that it cannot come back behind what is appended next.
    fn cut(&mut self, keep: usize, position: Option<u64>) -> Result<(), StorageError> {
        self.cut_files(keep, position).map_err(|e| self.ctx.health.write_failed("cut", &self.ctx.dir, &e))
    }

    fn cut_files(&mut self, keep: usize, position: Option<u64>) -> io::Result<()> {
        while self.segments.len() > keep {
            self.remove_last_segment()?;
        }
        let Self { ctx, segments, .. } = self;
        if let (Some(position), Some(last)) = (position, segments.back_mut()) {
            let file = ctx.disk.open(&last.path(ctx, FileKind::Log), OpenOptions::WRITE)?;
            file.set_len(position)?;
            file.sync_data()?;
            last.size = position;
            last.unreserve();
        }
        Ok(())
    }

    /// Sealed segments get their indexes on disk, the last one becomes active.
    fn finish(&mut self, now_ms: i64) -> Result<(), StorageError> {
        let last = self.segments.len().saturating_sub(1);
        let Self { ctx, segments, .. } = self;
        for (i, segment) in segments.iter_mut().enumerate() {
            let path = segment.path(ctx, FileKind::OffsetIndex);
            segment.created_ms = now_ms;
            let done = if i == last { segment.activate(ctx) } else { segment.spill_if_walked(ctx) };
            match done.map_err(|e| ctx.health.write_failed("write", &path, &e)) {
                // Memory serves until a flush finds space.
                Ok(()) | Err(StorageError::Full { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        self.seals_dirty = true;
        Ok(())
    }

    /// Builds the producers anew for the log's present end, after a truncation.
    pub(super) fn reload_producers(&mut self) -> Result<(), StorageError> {
        let first = self.segments.front().map_or(self.end, |s| s.base);
        let from = self.load_producers()?.unwrap_or(first).max(first);
        self.since_snapshot = 0;
        for i in self.segment_of(from).unwrap_or(0)..self.segments.len() {
            let Some((position, _)) = self.find_in(i, from)? else { continue };
            let Some(segment) = self.segments.get(i) else { break };
            let path = segment.path(&self.ctx, FileKind::Log);
            let failed = |e| StorageError::io("read", &path, e);
            let file = segment.reader(&self.ctx).map_err(failed)?;
            let mut scan = Scan::new(&*file, position, segment.size);
            while let Found::Batch { position, header } = scan.next().map_err(failed)? {
                self.since_snapshot += header.size() as u64;
                if !header.has_producer_id() {
                    continue;
                }
                if !header.attributes.is_control() {
                    self.producers.wrote(&header);
                } else if let Ok(Some(marker)) = end_marker(&scan.batch(position, &header).map_err(failed)?) {
                    self.producers.wrote_marker(&header, &marker);
                }
            }
        }
        Ok(())
    }
}
