//! What may be deleted (`UnifiedLog.deleteOldSegments`).

use ottla_types::{Offset, TimestampMs};

use super::Log;
use crate::error::StorageError;

/// What retention took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Segments.
    pub segments: u64,
    /// Bytes of batches.
    pub bytes: u64,
}

/// Why a segment may go.
#[derive(Clone, Copy, Debug)]
enum Reason {
    LogStart,
    Size,
    Time,
}

impl Log {
    /// Moves the log's start to `offset` (DeleteRecords, or a leader's log start): records before it can no longer be
    /// read. Whole segments before it go with the next retention run. Returns the log's start.
    pub fn delete_records_before(&mut self, offset: Offset) -> Result<Offset, StorageError> {
        self.check_usable()?;
        let to = offset.0.min(self.end);
        if to > self.log_start {
            self.log_start = to;
            self.epochs_dirty |= self.epochs.truncate_from_start(Offset(to));
            self.progress.set_log_start(to);
        }
        Ok(Offset(self.log_start))
    }

    /// Whether [`Log::apply_retention`] has something to delete. Flush before it does: what is durable already it need not
    /// sync itself, with the host's lock held.
    pub fn has_expired(&mut self, now_ms: TimestampMs, high_watermark: Offset) -> Result<bool, StorageError> {
        let end = self.segment_end(0);
        if self.segments.front().is_none_or(|oldest| oldest.size == 0) || high_watermark.0 < end {
            return Ok(false);
        }
        let by_policy = self.config.cleanup_delete;
        Ok(self.is_due(Reason::LogStart, now_ms, end)?
            || by_policy && self.is_due(Reason::Size, now_ms, end)?
            || by_policy && self.is_due(Reason::Time, now_ms, end)?)
    }

    /// Deletes whole segments that are before the log's start or, with `cleanup.policy` delete, over `retention.bytes`
    /// or `retention.ms`; never beyond the high watermark. Files go when the host runs the directory's deletions.
    pub fn apply_retention(
        &mut self,
        now_ms: TimestampMs,
        high_watermark: Offset,
    ) -> Result<Deleted, StorageError> {
        self.check_usable()?;
        let mut deleted = Deleted::default();
        self.delete_while(Reason::LogStart, now_ms, high_watermark.0, &mut deleted)?;
        if self.config.cleanup_delete {
            self.delete_while(Reason::Size, now_ms, high_watermark.0, &mut deleted)?;
            self.delete_while(Reason::Time, now_ms, high_watermark.0, &mut deleted)?;
        }
        Ok(deleted)
    }

    fn delete_while(
        &mut self,
        reason: Reason,
        now_ms: TimestampMs,
        high_watermark: i64,
        deleted: &mut Deleted,
    ) -> Result<(), StorageError> {
        while let Some(oldest) = self.segments.front() {
            let is_empty = oldest.size == 0;
            let end = self.segment_end(0);
            if is_empty || high_watermark < end || !self.is_due(reason, now_ms, end)? {
                return Ok(());
            }
            if self.segments.len() == 1 {
                // There is always an active segment.
                self.roll(now_ms)?;
            }
            if std::mem::take(&mut self.names_dirty) {
                // The later segments must be there for sure before the first goes.
                let synced = self.ctx.disk.sync_dir(&self.ctx.dir);
                synced.map_err(|e| self.ctx.health.sync_failed(&self.ctx.dir, &e))?;
            }
            self.delete_oldest(deleted)?;
        }
        Ok(())
    }

    fn is_due(&mut self, reason: Reason, now_ms: TimestampMs, end: i64) -> Result<bool, StorageError> {
        match reason {
            Reason::LogStart => Ok(self.segments.len() > 1 && end <= self.log_start),
            Reason::Size => {
                let Ok(keep) = u64::try_from(self.config.retention_bytes) else { return Ok(false) };
                let oldest = self.segments.front().map_or(0, |s| s.size);
                Ok(self.size().checked_sub(oldest).is_some_and(|left| left >= keep))
            }
            Reason::Time => {
                if self.config.retention_ms < 0 {
                    return Ok(false);
                }
                let newest = self.max_timestamp_of(0)?.map(|(timestamp, _)| timestamp).filter(|t| *t >= 0);
                // Without timestamps a sealed segment is as old as the next one, at least since this start.
                let sealed = self.segments.get(1).map(|next| next.created_ms);
                Ok(newest.or(sealed).is_some_and(|t| now_ms.saturating_sub(t) > self.config.retention_ms))
            }
        }
    }

    fn delete_oldest(&mut self, deleted: &mut Deleted) -> Result<(), StorageError> {
        let end = self.segment_end(0);
        let new_start = end.max(self.log_start);
        let Some(oldest) = self.segments.front() else { return Ok(()) };
        let is_synced = end <= self.flushed
            && self.flushing.is_none()
            && !oldest.offsets.is_unsynced()
            && !oldest.times.is_unsynced();
        if !is_synced {
            // No later flush will cover it: it must not come back with a log start that power loss took back.
            self.checkpoint_log_start(new_start)?;
        }
        let Some(segment) = self.segments.pop_front() else { return Ok(()) };
        deleted.segments += 1;
        deleted.bytes += segment.size;
        if new_start > self.log_start {
            self.log_start = new_start;
            self.epochs_dirty |= self.epochs.truncate_from_start(Offset(new_start));
        }
        // Their deletion waits until this is durable.
        self.progress.set_log_start(self.log_start);
        self.ctx.handles.forget(self.id, segment.base);
        segment.doom(&self.ctx);
        let old: Vec<i64> = self.snapshots.range(..end).copied().collect();
        for offset in old {
            self.snapshots.remove(&offset);
            self.ctx.doomed.add_file(self.ctx.snapshot_path(offset));
        }
        self.pending_snapshots.retain(|(offset, _)| *offset >= end);
        Ok(())
    }

    fn checkpoint_log_start(&self, offset: i64) -> Result<(), StorageError> {
        let ctx = &self.ctx;
        self.progress.set_log_start(offset);
        ctx.checkpoints.write(&*ctx.disk).map_err(|e| {
            self.progress.set_log_start(self.log_start);
            ctx.health.write_failed("write checkpoints in", &ctx.root, &e)
        })
    }
}
