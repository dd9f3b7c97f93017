//! How a cleaned segment takes the place of those that it was made from (`UnifiedLog.replaceSegments`).
//!
//! ```text
//!  cleaner, no lock │ .log.cleaned … ─▶ synced ─▶ .log.swap, durable      from here on a start finishes it
//!  log's lock       │ the segment is part of the log, under its .swap name
//!  cleaner, no lock │ the sources' files are removed, durably
//!  log's lock       │ .swap is renamed to the final name
//! ```
//!
//! A truncation that comes in between finishes the swap first, or undoes it while it is not part of the log.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ottla_types::Offset;
use parking_lot::Mutex;

use super::Log;
use super::truncate::ignore_missing;
use crate::compact::Cleaned;
use crate::context::Context;
use crate::error::StorageError;
use crate::handles::{FileKind, Stage};
use crate::segment::Segment;
use crate::segment::scan::{Found, Scan};

/// The files of the segments that a swap takes out; `None` once they are removed, or others see to them. Whoever removes them holds
/// it, so that nobody removes a file that has one of the names since.
pub(super) type Sources = Arc<Mutex<Option<Vec<PathBuf>>>>;

/// Files that are out of use, and wait to be removed before the swap can end.
#[derive(Debug)]
#[must_use = "the swap is not finished before Log::complete_swap"]
pub struct Swap {
    ctx: Context,
    log: u64,
    base: i64,
    sources: Sources,
}

impl Swap {
    /// Removes the files. Run it outside of the log's lock.
    pub fn run(&self) -> Result<(), StorageError> {
        let failed = |e| self.ctx.health.write_failed("remove cleaned segments in", &self.ctx.dir, &e);
        {
            let sources = self.sources.lock();
            let Some(files) = &*sources else { return Ok(()) };
            remove(&self.ctx, files).map_err(failed)?;
        }
        // The folder may be gone.
        ignore_missing(self.ctx.disk.sync_dir(&self.ctx.dir)).map_err(failed)
    }
}

impl Log {
    /// Makes a cleaned segment part of the log in place of its sources. Run the result, then give it to [`Log::complete_swap`].
    /// `None`: the log has changed, and the segment is dropped.
    pub fn swap_in(&mut self, cleaned: Cleaned) -> Option<Swap> {
        let Cleaned { mut segment, sources, truncations } = cleaned;
        let first = self.segments.iter().position(|s| s.base == segment.base);
        let found = first.map(|i| self.segments.range(i..).take(sources.len()).map(|s| s.base));
        let fits = !self.poisoned
            && segment.log() == self.id
            && truncations == self.ctx.life.lock().truncations
            && found.is_some_and(|found| found.eq(sources.iter().copied()))
            && first.is_some_and(|i| i + sources.len() < self.segments.len());
        let Some(first) = first.filter(|_| fits) else {
            segment.doom(&self.ctx);
            return None;
        };
        // Positions are others now.
        self.tail.clear(&self.ctx.shared.tail);
        let mut files = Vec::new();
        for source in self.segments.drain(first..first + sources.len()) {
            files.extend(source.paths(&self.ctx));
            self.ctx.handles.forget(self.id, source.base);
            segment.created_ms = source.created_ms;
        }
        let base = segment.base;
        self.segments.insert(first, segment);
        self.has_gaps = true;
        self.swapping = Arc::new(Mutex::new(Some(files)));
        Some(Swap { ctx: self.ctx.clone(), log: self.id, base, sources: Arc::clone(&self.swapping) })
    }

    /// Ends a swap whose sources are removed.
    pub fn complete_swap(&mut self, swap: &Swap) -> Result<(), StorageError> {
        if swap.log != self.id || !Arc::ptr_eq(&swap.sources, &self.swapping) {
            return Ok(());
        }
        self.name_swapped(swap.base).map_err(|e| self.swap_failed(&e))?;
        *swap.sources.lock() = None;
        Ok(())
    }

    /// Finishes a swap that is under way, or was given up in the middle.
    pub(super) fn settle_swap(&mut self) -> Result<(), StorageError> {
        let swapped = self.segments.iter().find(|segment| segment.stage() == Stage::Swap);
        let Some(base) = swapped.map(|segment| segment.base) else { return Ok(()) };
        let shared = Arc::clone(&self.swapping);
        let mut sources = shared.lock();
        let files = sources.as_deref().unwrap_or_default();
        let removed = remove(&self.ctx, files).and_then(|()| self.ctx.disk.sync_dir(&self.ctx.dir));
        removed.and_then(|()| self.name_swapped(base)).map_err(|e| self.swap_failed(&e))?;
        *sources = None;
        Ok(())
    }

    /// Removes cleaned segments that never became part of the log: a start would put them in the place of what this round makes
    /// of the same segments.
    pub(super) fn remove_stray_swaps(&self) -> Result<(), StorageError> {
        let remove = || -> io::Result<()> {
            let mut found = false;
            for entry in self.ctx.disk.list(&self.ctx.dir)? {
                if entry.name.ends_with(Stage::Swap.suffix()) {
                    ignore_missing(self.ctx.disk.remove_file(&self.ctx.dir.join(&entry.name)))?;
                    found = true;
                }
            }
            if found { self.ctx.disk.sync_dir(&self.ctx.dir) } else { Ok(()) }
        };
        remove().map_err(|e| self.swap_failed(&e))
    }

    /// The folder is another's from now on.
    pub(super) fn abandon_swap(&self) {
        *self.swapping.lock() = None;
    }

    fn name_swapped(&mut self, base: i64) -> io::Result<()> {
        let Self { ctx, segments, .. } = self;
        // Retention may have taken it.
        let Some(segment) = segments.iter_mut().find(|s| s.base == base && s.stage() == Stage::Swap) else {
            return Ok(());
        };
        rename_to_final(ctx, segment)?;
        segment.set_stage(Stage::Final);
        ctx.handles.forget(self.id, base);
        self.names_dirty = true;
        Ok(())
    }

    fn swap_failed(&self, error: &io::Error) -> StorageError {
        self.ctx.health.write_failed("put a cleaned segment in place in", &self.ctx.dir, error)
    }

    /// At a start: finishes the swap to the segment at `base`. `bases` are the segments that there are.
    pub(super) fn recover_swap(&mut self, base: i64, bases: &mut Vec<i64>) -> Result<(), StorageError> {
        let mut swapped = Segment::sealed(self.id, base, 0);
        swapped.set_stage(Stage::Swap);
        let path = swapped.path(&self.ctx, FileKind::Log);
        let failed = |e| StorageError::io("read", &path, e);
        let file = swapped.reader(&self.ctx).map_err(failed)?;
        let size = file.len().map_err(failed)?;
        let (mut scan, mut end) = (Scan::new(&*file, 0, size), base);
        loop {
            match scan.next().map_err(failed)? {
                Found::Batch { header, .. } => end = header.next_offset().0,
                Found::End => break,
                Found::Bad { position, reason } => {
                    return Err(StorageError::damaged(&path, format!("at position {position}: {reason}")));
                }
            }
        }
        drop(scan);
        tracing::info!(path = %path.display(), end = %Offset(end), "a compaction is finished that was interrupted");
        let replaced = |source: &i64| (base..end.max(base + 1)).contains(source);
        let sources: Vec<PathBuf> = bases
            .iter()
            .filter(|source| replaced(source))
            .flat_map(|source| Segment::sealed(self.id, *source, 0).paths(&self.ctx))
            .collect();
        let sync = || self.ctx.disk.sync_dir(&self.ctx.dir);
        let noted = super::gaps::note(&self.ctx);
        let removed = noted.and_then(|()| remove(&self.ctx, &sources)).and_then(|()| sync());
        let done = removed.and_then(|()| rename_to_final(&self.ctx, &swapped)).and_then(|()| sync());
        done.map_err(|e| self.swap_failed(&e))?;
        self.ctx.handles.forget(self.id, base);
        self.has_gaps = true;
        bases.retain(|source| !replaced(source));
        bases.push(base);
        bases.sort_unstable();
        Ok(())
    }
}

/// The log file last: as long as it has its former name, a start finishes the rest.
fn rename_to_final(ctx: &Context, segment: &Segment) -> io::Result<()> {
    for kind in [FileKind::OffsetIndex, FileKind::TimeIndex, FileKind::TxnIndex, FileKind::Log] {
        let from = segment.path(ctx, kind);
        let to = ctx.segment_path(segment.key(kind).at(Stage::Final));
        ctx.doomed.spare(&to);
        let renamed = ctx.disk.rename(&from, &to);
        if kind == FileKind::Log { renamed? } else { ignore_missing(renamed)? }
    }
    Ok(())
}

fn remove(ctx: &Context, files: &[PathBuf]) -> io::Result<()> {
    files.iter().try_for_each(|path| ignore_missing(ctx.disk.remove_file(path)))
}
