//! A leader's append.
//!
//! ```text
//!  check the batch ─▶ check its producer ─▶ roll if need be ─▶ one write: head (ours) + body (theirs)
//!                                                                 └ failed: cut it off again
//!  ─▶ indexes, epochs, producers, tail cache: memory only, cannot fail
//! ```

use std::io::{self, IoSlice};

use bytes::Bytes;
use ottla_env::{OpenOptions, write_all_vectored_at};
use ottla_records::{BatchHeader, BatchView, EndTxnMarker};
use ottla_types::Offset;

use super::Log;
use super::validate::{Accepted, accept};
use crate::append::{AppendInfo, AppendOrigin, LeaderAppend};
use crate::error::{AppendError, StorageError};
use crate::handles::FileKind;
use crate::producer::WrittenBatch;
use crate::segment::Segment;

impl Log {
    /// Appends one batch as the partition's leader: gives it the next offsets and the leader's epoch.
    ///
    /// The batch is in the page cache when this returns, and durable once a flush has passed it. A batch that an
    /// idempotent producer sent before is not written again; the result says where it is. On an error nothing is
    /// appended; [`StorageError::Full`] passes by itself once there is space.
    pub fn append_as_leader(
        &mut self,
        records: Bytes,
        how: &LeaderAppend,
    ) -> Result<AppendInfo, AppendError> {
        self.check_usable()?;
        if let Some(current) = self.epochs.latest().filter(|latest| how.leader_epoch < *latest) {
            return Err(AppendError::FencedLeaderEpoch { found: how.leader_epoch, current });
        }
        let batch = accept(&records, &self.config, how)?;
        drop(records);
        let view = batch.view();
        let mut marker = None;
        if view.has_producer_id() {
            if view.attributes.is_control() {
                marker = end_marker(view).map_err(|e| AppendError::invalid(e.to_string()))?;
                marker.as_ref().map_or(Ok(()), |m| self.producers.check_marker(view, m))?;
            } else {
                if how.origin == AppendOrigin::Client
                    && let Some(written) = self.producers.duplicate_of(view)
                {
                    return Ok(self.duplicate(&written, view));
                }
                self.producers.check(view, how.origin)?;
            }
        }
        let last_offset = self.end + i64::from(view.last_offset_delta);
        self.prepare(view.size() as u64, batch.max_timestamp(), last_offset, how.now_ms)?;
        self.append_accepted(&batch, how, marker)
    }

    fn append_accepted(
        &mut self,
        batch: &Accepted,
        how: &LeaderAppend,
        marker: Option<EndTxnMarker>,
    ) -> Result<AppendInfo, AppendError> {
        let stamped = batch.stamp(Offset(self.end), how.leader_epoch);
        let position = self.write(&mut [IoSlice::new(stamped.head()), IoSlice::new(&stamped.body)])?;
        let header = stamped.header;
        self.note(&header, position, marker.as_ref(), Some((stamped.head(), &stamped.body)));
        self.spill_indexes();
        self.mark_if_due();
        let stamped_by_us = header.attributes.timestamp_type() == ottla_records::TimestampType::LogAppendTime;
        Ok(AppendInfo {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            log_append_time_ms: if stamped_by_us { header.max_timestamp } else { -1 },
            max_timestamp_ms: header.max_timestamp,
            log_start_offset: Offset(self.log_start),
            bytes: header.size() as u64,
            records: u64::try_from(header.records_count).unwrap_or(0),
            duplicate: false,
        })
    }

    /// Writes at the end of the active segment and returns the position. After a failure the file is as it was.
    pub(super) fn write(&mut self, bufs: &mut [IoSlice<'_>]) -> Result<u64, StorageError> {
        let size: u64 = bufs.iter().map(|buf| buf.len() as u64).sum();
        let (preallocate, limit) = (self.config.preallocate, self.config.segment_bytes);
        let Self { ctx, segments, .. } = self;
        let Some(active) = segments.back_mut() else {
            return Err(StorageError::Poisoned { path: ctx.dir.clone() });
        };
        let position = active.size;
        let writer = active.writer();
        let path = |active: &Segment| active.path(ctx, FileKind::Log);
        let opened = writer
            .open(ctx, || path(active), OpenOptions::WRITE)
            .map_err(|e| ctx.health.write_failed("open", &path(active), &e))?;
        let file = opened.file();
        if preallocate {
            active.reserve(file, position + size, limit);
        }
        let written: io::Result<()> = write_all_vectored_at(file, bufs, position);
        if let Err(e) = written {
            let path = path(active);
            // What was written of it must not stay behind the log's end.
            if let Err(cut) = file.set_len(position) {
                tracing::error!(path = %path.display(), error = %cut, "cannot cut off a failed write");
                self.poisoned = true;
            } else {
                active.unreserve();
            }
            return Err(ctx.health.write_failed("write", &path, &e));
        }
        Ok(position)
    }

    /// Accounts for a batch that was written at `position` of the active segment.
    pub(super) fn note(
        &mut self,
        header: &BatchHeader,
        position: u64,
        marker: Option<&EndTxnMarker>,
        pieces: Option<(&[u8], &[u8])>,
    ) {
        let Some(active) = self.segments.back_mut() else { return };
        active.note_batch(position, header, self.config.index_interval_bytes);
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
        if let Some((head, body)) = pieces {
            self.tail.push(
                &self.ctx.shared.tail,
                self.config.tail_cache_bytes,
                (header.base_offset.0, self.end),
                (active.base, position),
                head,
                body,
            );
        }
    }

    /// Writes what the indexes hold in memory once it has grown. Failing is no error of the append: it stays in memory.
    pub(super) fn spill_indexes(&mut self) {
        let Self { ctx, segments, .. } = self;
        let Some(active) = segments.back_mut().filter(|s| s.offsets.wants_spill() || s.times.wants_spill())
        else {
            return;
        };
        self.names_dirty = true;
        let spilled = active.offsets.spill(ctx).and_then(|_| active.times.spill(ctx));
        if let Err(e) = spilled {
            let path = active.path(ctx, FileKind::OffsetIndex);
            ctx.health.write_failed("write", &path, &e);
        }
    }

    fn duplicate(&self, written: &WrittenBatch, header: &BatchHeader) -> AppendInfo {
        AppendInfo {
            base_offset: Offset(written.first_offset()),
            last_offset: Offset(written.last_offset),
            log_append_time_ms: match self.config.timestamp_type {
                ottla_records::TimestampType::LogAppendTime => written.timestamp,
                ottla_records::TimestampType::CreateTime => -1,
            },
            max_timestamp_ms: written.timestamp,
            log_start_offset: Offset(self.log_start),
            bytes: 0,
            records: u64::try_from(header.records_count).unwrap_or(0),
            duplicate: true,
        }
    }
}

/// The end-of-transaction marker in a control batch, if that is what it holds.
pub(crate) fn end_marker(view: &BatchView) -> Result<Option<EndTxnMarker>, ottla_records::RecordsError> {
    // Control records are a few bytes.
    const MAX_BYTES: usize = 4096;
    match view.records(MAX_BYTES)?.next() {
        None => Ok(None),
        Some(record) => EndTxnMarker::parse(&record?),
    }
}
