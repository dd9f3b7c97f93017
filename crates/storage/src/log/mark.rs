//! `%020d.written`: what is below this offset has reached the page cache. It spares a start that follows the death of the
//! process alone from checking what was left to the operating system; nothing of it is synced, and after a restart of the
//! machine it counts for nothing.
//!
//! ```text
//!  format u8 │ which life of the page cache, 16 bytes │ length of the epochs u32 │ leader epochs │ producer snapshot
//!
//!  append … append ─▶ index entries ─▶ mark ─▶ the mark before is removed
//! ```

use std::io;

use ottla_env::OpenOptions;

use super::Log;
use super::truncate::ignore_missing;
use crate::epoch_cache::EpochCache;
use crate::error::StorageError;
use crate::producer::Producers;
use crate::text_file;

/// The suffix of a mark's name; Apache Kafka ignores it.
pub(super) const SUFFIX: &str = "written";
/// A mark of another format spares nothing, like none.
const FORMAT: u8 = 1;
/// Far above what any mark has.
const MAX_BYTES: usize = 1 << 30;

/// What a mark tells of the log below its offset.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) offset: i64,
    pub(super) epochs: EpochCache,
    pub(super) producers: Producers,
}

impl Log {
    /// Writes a mark once enough was appended since the last. Failing is no error: a start checks more.
    pub(super) fn mark_if_due(&mut self) {
        let Some(interval) = self.config.mark_interval_bytes.filter(|interval| self.since_mark >= *interval)
        else {
            return;
        };
        // After a failure not at each append.
        self.since_mark = 0;
        if let Err(e) = self.write_mark() {
            tracing::debug!(dir = %self.ctx.dir.display(), interval, "cannot write a mark: {e}");
        }
    }

    fn write_mark(&mut self) -> io::Result<()> {
        let Some(life) = self.ctx.disk.cache_life() else { return Ok(()) };
        let ctx = &self.ctx;
        if let Some(active) = self.segments.back_mut() {
            active.index_time();
        }
        // Of sealed ones too, where a full disk kept them from being written.
        for segment in self.segments.iter_mut().filter(|segment| segment.has_leftovers()) {
            segment.spill_leftovers(ctx)?;
        }
        self.names_dirty = true;
        let epochs = self.epochs.to_text();
        let mut bytes = vec![FORMAT];
        bytes.extend(life);
        bytes.extend(u32::try_from(epochs.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(epochs.as_bytes());
        bytes.extend(self.producers.to_snapshot());
        let file = ctx.disk.open(&ctx.mark_path(self.end), OpenOptions::CREATE_EMPTY)?;
        file.write_all_at(&bytes, 0)?;
        match self.mark.replace(self.end) {
            Some(former) if former != self.end => ctx.disk.remove_file(&ctx.mark_path(former)),
            _ => Ok(()),
        }
    }

    /// Of a log that is closed in order the mark is of no use any more, and after a failed sync it may be wrong.
    pub(super) fn remove_mark(&mut self) -> io::Result<()> {
        let Some(mark) = self.mark.take() else { return Ok(()) };
        ignore_missing(self.ctx.disk.remove_file(&self.ctx.mark_path(mark)))
    }

    /// The newest of `marks` that is beyond `known` and of this life of the page cache. The others are removed.
    pub(super) fn load_mark(&mut self, marks: &[i64], known: i64) -> Result<Option<Mark>, StorageError> {
        let ctx = &self.ctx;
        let life = ctx.disk.cache_life();
        let mut newest = None;
        for offset in marks.iter().rev().copied() {
            let path = ctx.mark_path(offset);
            if newest.is_none() && offset > known {
                // One that cannot be read spares nothing.
                let bytes = text_file::read(&*ctx.disk, &path, MAX_BYTES).unwrap_or_default();
                newest = bytes.and_then(|bytes| Mark::parse(offset, &bytes, life?));
            }
            if newest.as_ref().is_none_or(|newest| newest.offset != offset) {
                let removed = ctx.disk.remove_file(&path);
                removed.map_err(|e| ctx.health.write_failed("remove", &path, &e))?;
            }
        }
        self.mark = newest.as_ref().map(|mark| mark.offset);
        Ok(newest)
    }

    /// What a mark vouches for has to be synced all the same: the indexes beyond the newest snapshot, at `from`, though the
    /// batches may be.
    pub(super) fn owe_sync_from(&mut self, from: i64) {
        let first = self.segment_of(from).unwrap_or(0);
        for segment in self.segments.range_mut(first..) {
            segment.offsets.found_unsynced();
            segment.times.found_unsynced();
        }
        self.epochs_dirty = true;
    }
}

impl Mark {
    /// `None` if the page cache that it speaks of is gone, if writing it was not finished, or if another build wrote it in
    /// another format.
    fn parse(offset: i64, bytes: &[u8], life: [u8; 16]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[FORMAT])?;
        let rest = rest.strip_prefix(&life)?;
        let (len, rest) = rest.split_first_chunk()?;
        let (epochs, snapshot) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
        let epochs = EpochCache::parse(std::str::from_utf8(epochs).ok()?)?;
        Some(Self { offset, epochs, producers: Producers::from_snapshot(snapshot)? })
    }
}
