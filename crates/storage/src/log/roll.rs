//! The active segment: when it begins, and when it ends (`LogSegment.shouldRoll`).

use std::io;
use std::sync::Arc;

use ottla_env::{OpenOptions, Rng, SeededRng};
use ottla_types::TimestampMs;

use super::{Folder, Log};
use crate::dir::partition_metadata;
use crate::error::StorageError;
use crate::handles::FileKind;
use crate::segment::Segment;
use crate::segment::index::{Entry, OffsetEntry, TimeEntry};

impl Log {
    /// Makes sure that there is an active segment which takes `size` bytes up to `last_offset`.
    pub(super) fn prepare(
        &mut self,
        size: u64,
        max_timestamp: TimestampMs,
        last_offset: i64,
        now_ms: TimestampMs,
    ) -> Result<(), StorageError> {
        if self.folder == Folder::None {
            self.materialise()?;
        }
        if self
            .segments
            .back()
            .is_none_or(|active| self.is_full(active, size, max_timestamp, last_offset, now_ms))
        {
            self.roll(now_ms)?;
        }
        Ok(())
    }

    /// Ends the active segment, unless it is empty, and begins another.
    pub(crate) fn roll(&mut self, now_ms: TimestampMs) -> Result<(), StorageError> {
        let end = self.end;
        if let Some(active) = self.segments.back()
            && active.base == end
        {
            return Ok(());
        }
        let Self { ctx, segments, .. } = self;
        let failed = |what, path: &std::path::Path, e: io::Error| ctx.health.write_failed(what, path, &e);
        let seals = segments.back_mut();
        let rolls = seals.is_some();
        if let Some(active) = seals {
            active.index_time();
            let path = active.path(ctx, FileKind::OffsetIndex);
            // Trimmed first: on a full disk the indexes find room in what was reserved.
            active
                .trim(ctx)
                .and_then(|()| active.offsets.spill(ctx))
                .and_then(|()| active.times.spill(ctx))
                .map_err(|e| failed("write", &path, e))?;
        }
        let path = Segment::sealed(self.id, end, 0).path(ctx, FileKind::Log);
        let mut segment =
            Segment::create(ctx, self.id, end, now_ms).map_err(|e| failed("create", &path, e))?;
        if rolls {
            // A roll that failed for lack of space is tried again by every append.
            if self.pending_snapshots.last().is_none_or(|(offset, _)| *offset != end) {
                self.pending_snapshots.push((end, self.producers.to_snapshot()));
            }
            self.since_snapshot = 0;
        }
        if self.config.segment_jitter_ms > 0 {
            self.rolls += 1;
            let bound = self.config.segment_jitter_ms.min(self.config.max_segment_ms());
            let bound = u64::try_from(bound).unwrap_or(0);
            let drawn = SeededRng::new(self.id.rotate_left(32) ^ self.rolls).below(bound);
            segment.jitter_ms = i64::try_from(drawn).unwrap_or(0);
        }
        segments.push_back(segment);
        self.release_sealed();
        (self.names_dirty, self.seals_dirty) = (true, true);
        Ok(())
    }

    fn is_full(
        &self,
        active: &Segment,
        size: u64,
        max_timestamp: TimestampMs,
        last_offset: i64,
        now_ms: TimestampMs,
    ) -> bool {
        let config = &self.config;
        let waited = match active.first_timestamp {
            Some(first) if first >= 0 => max_timestamp.saturating_sub(first),
            _ => now_ms.saturating_sub(active.created_ms),
        };
        let max_index = config.segment_index_bytes;
        let is_large = active.size.saturating_add(size) > config.segment_bytes;
        let is_old = waited > config.max_segment_ms() - active.jitter_ms;
        active.size > 0 && (is_large || is_old)
            || active.offsets.size_bytes() + OffsetEntry::SIZE as u64 > max_index
            || active.times.size_bytes() + TimeEntry::SIZE as u64 > max_index
            || !active.fits(last_offset)
    }

    /// Gives the partition a folder. Nothing is synced yet: nothing has been promised.
    fn materialise(&mut self) -> Result<(), StorageError> {
        let Self { ctx, .. } = self;
        let path = ctx.dir.join(partition_metadata::FILE_NAME);
        let create = || -> io::Result<_> {
            let progress = match ctx.is_future {
                true => Arc::default(),
                false => ctx.checkpoints.forget(&*ctx.disk, &ctx.partition.topic_partition)?,
            };
            // Remains of a creation that was never flushed would come back as segments of this one.
            if ctx.disk.exists(&ctx.dir)? {
                ctx.disk.remove_dir_all(&ctx.dir)?;
            }
            ctx.disk.create_dir_all(&ctx.dir)?;
            let file = ctx.disk.open(&path, OpenOptions::CREATE_EMPTY)?;
            file.write_all_at(partition_metadata::to_text(ctx.partition.topic_id).as_bytes(), 0)?;
            Ok(progress)
        };
        let progress = create().map_err(|e| ctx.health.write_failed("create", &path, &e))?;
        progress.set_log_start(self.log_start);
        if let Some(mark) = self.progress.high_watermark() {
            progress.set_high_watermark(mark.0);
        }
        self.progress = progress;
        self.folder = Folder::Written;
        (self.names_dirty, self.has_gaps) = (true, false);
        Ok(())
    }
}
