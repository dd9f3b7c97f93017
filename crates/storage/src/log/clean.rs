//! What of a log is to be compacted, and when (`LogCleanerManager`). The work itself is [`crate::compact`].

use std::sync::Arc;

use ottla_types::{Offset, TimestampMs};

use super::Log;
use crate::compact::{Compaction, LastRecord, Plan, Source};
use crate::error::StorageError;
use crate::handles::FileKind;

/// How much of a compacted log is not cleaned yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dirtiness {
    /// Below it all is clean.
    pub first_dirty: Offset,
    /// From here on nothing may be cleaned yet.
    pub first_uncleanable: Offset,
    /// Segments with clean records, bytes.
    pub clean_bytes: u64,
    /// Segments with dirty ones that may be cleaned, bytes.
    pub cleanable_bytes: u64,
    /// For how long the oldest dirty record is over `max.compaction.lag.ms`; 0: it is not.
    pub delay_ms: i64,
    min_ratio: f64,
}

impl Dirtiness {
    /// The dirty share, 0 to 1.
    pub fn ratio(&self) -> f64 {
        match self.clean_bytes + self.cleanable_bytes {
            0 => 0.0,
            total => self.cleanable_bytes as f64 / total as f64,
        }
    }

    /// Whether it is to be cleaned now.
    pub fn is_due(&self) -> bool {
        self.cleanable_bytes > 0 && (self.delay_ms > 0 || self.ratio() > self.min_ratio)
    }
}

impl Log {
    /// How dirty the log is; `None` if it is not compacted, or has nothing. What is not flushed counts all the same: flush before
    /// [`Log::begin_compaction`].
    pub fn dirtiness(
        &mut self,
        now_ms: TimestampMs,
        high_watermark: Offset,
    ) -> Result<Option<Dirtiness>, StorageError> {
        if !self.config.cleanup_compact || self.segments.len() < 2 {
            return Ok(None);
        }
        let first_dirty = self.first_dirty();
        let bound = self.uncleanable_from(now_ms, high_watermark, first_dirty)?;
        let first_uncleanable = self.base_before(bound);
        let (mut clean_bytes, mut cleanable_bytes) = (0, 0);
        let first_cleanable = self.segment_of(first_dirty.min(first_uncleanable)).unwrap_or(0);
        for (i, segment) in self.segments.iter().enumerate() {
            if segment.base < first_dirty {
                clean_bytes += segment.size;
            }
            if i >= first_cleanable && segment.base < first_uncleanable {
                cleanable_bytes += segment.size;
            }
        }
        Ok(Some(Dirtiness {
            first_dirty: Offset(first_dirty),
            first_uncleanable: Offset(first_uncleanable),
            clean_bytes,
            cleanable_bytes,
            delay_ms: self.compaction_delay(now_ms, first_dirty)?,
            min_ratio: self.config.min_cleanable_dirty_ratio,
        }))
    }

    /// A round over what may be cleaned and is flushed; `None` if there is nothing, or another round is under way.
    pub fn begin_compaction(
        &mut self,
        now_ms: TimestampMs,
        high_watermark: Offset,
    ) -> Result<Option<Compaction>, StorageError> {
        self.check_usable()?;
        let Some(dirtiness) = self.dirtiness(now_ms, high_watermark)? else { return Ok(None) };
        let first_dirty = dirtiness.first_dirty.0;
        let upper = self.base_before(dirtiness.first_uncleanable.0.min(self.flushed));
        if self.compaction.strong_count() > 0 || upper <= first_dirty {
            return Ok(None);
        }
        // What a round has left that failed in the middle.
        self.settle_swap()?;
        self.remove_stray_swaps()?;
        let token = Arc::new(());
        self.compaction = Arc::downgrade(&token);
        let sources = (0..self.segments.len()).filter_map(|i| {
            let segment = self.segments.get(i)?;
            Some(Source { log: self.id, base: segment.base, end: self.segment_end(i), size: segment.size })
        });
        Ok(Some(Compaction::new(Plan {
            ctx: self.ctx.clone(),
            log: self.id,
            _token: token,
            truncations: self.ctx.life.lock().truncations,
            sources: sources.collect(),
            first_dirty,
            upper,
            now_ms,
            producers: self.last_records(),
            segment_bytes: self.config.segment_bytes,
            index_bytes: self.config.segment_index_bytes,
            index_interval: self.config.index_interval_bytes,
            delete_retention_ms: self.config.delete_retention_ms,
            max_decompressed_bytes: self.config.max_decompressed_bytes,
        })))
    }

    /// The round went through: the next one begins where it ended.
    pub fn complete_compaction(&mut self, round: Compaction) {
        let truncations = self.ctx.life.lock().truncations;
        if round.is_of(self.id, truncations) {
            self.progress.set_cleaned(round.end().0.min(self.end));
        }
    }

    /// Where the last round ended, if there was one.
    pub(crate) fn cleaned_to(&self) -> Option<Offset> {
        self.progress.cleaned().map(Offset)
    }

    /// What was cleaned last time ends here.
    fn first_dirty(&self) -> i64 {
        match self.progress.cleaned() {
            // Not what belongs to another history.
            Some(cleaned) if cleaned <= self.end => cleaned.max(self.log_start),
            _ => self.log_start,
        }
    }

    /// The active segment, transactions that are open, what is not committed and what is too young.
    fn uncleanable_from(
        &mut self,
        now_ms: TimestampMs,
        high_watermark: Offset,
        first_dirty: i64,
    ) -> Result<i64, StorageError> {
        let mut bound = self.last_stable_offset(high_watermark.min(Offset(self.end))).0;
        let active = self.segments.len().saturating_sub(1);
        bound = bound.min(self.base_of(active));
        let lag = self.config.min_compaction_lag_ms;
        if lag > 0 {
            for i in self.segment_of(first_dirty).unwrap_or(0)..active {
                let newest = self.max_timestamp_of(i)?.map_or(-1, |(timestamp, _)| timestamp);
                if newest > now_ms.saturating_sub(lag) {
                    bound = bound.min(self.base_of(i));
                    break;
                }
            }
        }
        Ok(bound.max(first_dirty))
    }

    fn compaction_delay(&mut self, now_ms: TimestampMs, first_dirty: i64) -> Result<i64, StorageError> {
        let lag = self.config.max_compaction_lag_ms;
        if lag == i64::MAX {
            return Ok(0);
        }
        let active = self.segments.len().saturating_sub(1);
        let mut oldest = i64::MAX;
        for i in self.segment_of(first_dirty).unwrap_or(0)..active {
            let Self { ctx, segments, .. } = self;
            let Some(segment) = segments.get_mut(i) else { break };
            let first = segment.first_timestamp(ctx);
            let first = first.map_err(|e| StorageError::io("read", &segment.path(ctx, FileKind::Log), e))?;
            oldest = first.filter(|t| *t > 0).map_or(oldest, |t| oldest.min(t));
        }
        Ok(now_ms.saturating_sub(lag.max(0)).saturating_sub(oldest).max(0))
    }

    fn last_records(&self) -> std::collections::HashMap<ottla_types::ProducerId, LastRecord> {
        let last = self.producers.iter().map(|(id, producer)| {
            let data = producer.last_batch().map(|batch| batch.last_offset);
            (id, LastRecord { data, epoch: producer.epoch })
        });
        last.collect()
    }

    /// Where the segment begins that holds `offset`.
    fn base_before(&self, offset: i64) -> i64 {
        self.segment_of(offset).map_or(offset, |i| self.base_of(i))
    }

    fn base_of(&self, i: usize) -> i64 {
        self.segments.get(i).map_or(self.end, |segment| segment.base)
    }
}
