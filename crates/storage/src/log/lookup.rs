//! Offsets by time (ListOffsets).

use std::io;

use ottla_types::{LeaderEpoch, Offset, TimestampMs};

use super::Log;
use crate::error::StorageError;
use crate::handles::FileKind;
use crate::segment::scan::{Found, Scan};

/// A record found by its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampOffset {
    /// Its timestamp, ms.
    pub timestamp_ms: TimestampMs,
    /// Its offset.
    pub offset: Offset,
    /// The epoch that it was appended in.
    pub leader_epoch: LeaderEpoch,
}

impl Log {
    /// The first record whose timestamp is `timestamp_ms` or later. `None`: there is none.
    pub fn offset_for_timestamp(
        &mut self,
        timestamp_ms: TimestampMs,
    ) -> Result<Option<TimestampOffset>, StorageError> {
        let first = self.segment_of(self.log_start).unwrap_or(0);
        for i in first..self.segments.len() {
            if self.max_timestamp_of(i)?.is_some_and(|(max, _)| max >= timestamp_ms)
                && let Some(found) = self.search(i, timestamp_ms)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first record with the largest timestamp (KIP-734). `None`: the log is empty.
    pub fn max_timestamp_offset(&mut self) -> Result<Option<TimestampOffset>, StorageError> {
        let mut best: Option<(usize, TimestampMs)> = None;
        for i in self.segment_of(self.log_start).unwrap_or(0)..self.segments.len() {
            if let Some((max, _)) = self.max_timestamp_of(i)?
                && best.is_none_or(|(_, so_far)| max > so_far)
            {
                best = Some((i, max));
            }
        }
        match best {
            Some((i, max)) => self.search(i, max),
            None => Ok(None),
        }
    }

    pub(super) fn max_timestamp_of(&mut self, i: usize) -> Result<Option<(i64, i64)>, StorageError> {
        let (interval, gapless) = (self.config.index_interval_bytes, !self.has_gaps);
        let Self { ctx, segments, .. } = self;
        let Some(segment) = segments.get_mut(i) else { return Ok(None) };
        let path = segment.path(ctx, FileKind::TimeIndex);
        match segment.max_timestamp(ctx) {
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                segment
                    .rebuild_indexes(ctx, interval, gapless)
                    .map_err(|e| ctx.health.write_failed("rebuild", &path, &e))?;
                segment.max_timestamp(ctx)
            }
            found => found,
        }
        .map_err(|e| StorageError::io("read", &path, e))
    }

    /// In segment `i`: from the last index entry with a smaller timestamp on, batch by batch, then record by record.
    fn search(
        &mut self,
        i: usize,
        timestamp_ms: TimestampMs,
    ) -> Result<Option<TimestampOffset>, StorageError> {
        let log_start = self.log_start;
        let limit = self.config.max_decompressed_bytes;
        let start = {
            let Self { ctx, segments, .. } = self;
            let Some(segment) = segments.get_mut(i) else { return Ok(None) };
            let path = segment.path(ctx, FileKind::TimeIndex);
            let entry = segment
                .times
                .floor(ctx, |e| e.timestamp < timestamp_ms)
                .map_err(|e| StorageError::io("read", &path, e))?;
            entry.map_or(segment.base, |e| segment.base + i64::from(e.relative_offset)).max(log_start)
        };
        let Some((position, _)) = self.find_in(i, start)? else { return Ok(None) };
        let Some(segment) = self.segments.get(i) else { return Ok(None) };
        let path = segment.path(&self.ctx, FileKind::Log);
        let failed = |e| StorageError::io("read", &path, e);
        let file = segment.reader(&self.ctx).map_err(failed)?;
        let mut scan = Scan::new(&*file, position, segment.size);
        loop {
            let (position, header) = match scan.next().map_err(failed)? {
                Found::Batch { position, header } => (position, header),
                Found::End => return Ok(None),
                Found::Bad { position, reason } => {
                    return Err(StorageError::damaged(
                        &path,
                        format!("no batch at position {position}: {reason}"),
                    ));
                }
            };
            if header.max_timestamp < timestamp_ms {
                continue;
            }
            let batch = scan.batch(position, &header).map_err(failed)?;
            let Ok(records) = batch.records(limit) else {
                // Too large to look into: the batch's first record stands for it.
                return Ok(Some(TimestampOffset {
                    timestamp_ms: header.max_timestamp,
                    offset: Offset(header.base_offset.0.max(log_start)),
                    leader_epoch: header.partition_leader_epoch,
                }));
            };
            let hit = records
                .views()
                .filter_map(Result::ok)
                .find(|record| record.timestamp >= timestamp_ms && record.offset.0 >= log_start);
            if let Some(record) = hit {
                return Ok(Some(TimestampOffset {
                    timestamp_ms: record.timestamp,
                    offset: record.offset,
                    leader_epoch: header.partition_leader_epoch,
                }));
            }
        }
    }
}
