//! Reading: at the tail from what is known in memory, else by way of the indexes.

use std::io;

use ottla_records::BatchHeader;
use ottla_types::Offset;

use super::Log;
use crate::error::{ReadError, StorageError};
use crate::handles::FileKind;
use crate::read::{ReadResult, RecordsSlice};
use crate::segment::scan::{Found, Scan};
use crate::tail_cache::{Gathered, Held};

impl Log {
    /// Reads whole batches from the one that holds `from` on, up to `max_bytes` and none that reaches beyond `up_to`
    /// (the high watermark, the last stable offset or the log's end). With `min_one_batch` the first batch is returned
    /// whatever its size. Crosses no segment's end: a reader asks again from where it got to.
    pub fn read(
        &mut self,
        from: Offset,
        max_bytes: u64,
        up_to: Offset,
        min_one_batch: bool,
    ) -> Result<ReadResult, ReadError> {
        if from.0 < self.log_start || from.0 > self.end {
            return Err(ReadError::OffsetOutOfRange {
                offset: from,
                log_start: Offset(self.log_start),
                end: Offset(self.end),
            });
        }
        let bound = up_to.0.min(self.end);
        if from.0 >= bound {
            return Ok(ReadResult::default());
        }
        if let Some(result) = self.read_tail(from.0, max_bytes, bound, min_one_batch) {
            return Ok(result);
        }
        Ok(self.read_files(from.0, max_bytes, bound, min_one_batch)?)
    }

    /// The size of the batches from the one that holds `from` on that end at or below `up_to`, bytes. `None` if the place of one of
    /// the two is not known in memory.
    pub fn bytes_between(&self, from: Offset, up_to: Offset) -> Option<u64> {
        if from.0 < self.log_start || from.0 > self.end {
            return None;
        }
        if from >= up_to {
            return Some(0);
        }
        let active = self.segments.back()?;
        let place = |offset: i64| match self.tail.from(offset).next() {
            Some(batch) => (batch.segment == active.base).then_some(batch.position),
            None => (offset >= self.end).then_some(active.size),
        };
        place(up_to.0)?.checked_sub(place(from.0)?)
    }

    /// `None` if the place of the first batch is not known.
    fn read_tail(&self, from: i64, max_bytes: u64, bound: i64, min_one_batch: bool) -> Option<ReadResult> {
        let mut result = ReadResult::default();
        let mut read = Gathered::default();
        for batch in self.tail.from(from).take_while(|batch| batch.next <= bound) {
            let fits = result.bytes + batch.size as u64 <= max_bytes;
            let is_first = result.first_offset.is_none();
            let wanted = fits || (is_first && min_one_batch);
            if !wanted {
                result.too_large = is_first;
                break;
            }
            match batch.read(&mut read) {
                Held::Memory => {}
                Held::File => {
                    // Only of the active segment, whose file is open. A reader asks again from where it got to.
                    let active = self.segments.back().filter(|active| active.base == batch.segment);
                    let Some(file) = active.and_then(|active| active.reader(&self.ctx).ok()) else { break };
                    result.push_memory(read.take());
                    result.push_file(file, batch.position, batch.size as u64);
                }
                Held::Evicted => break,
            }
            result.bytes += batch.size as u64;
            result.first_offset = result.first_offset.or(Some(Offset(batch.base)));
        }
        result.push_memory(read.take());
        (result.first_offset.is_some() || result.too_large).then_some(result)
    }

    fn read_files(
        &mut self,
        from: i64,
        max_bytes: u64,
        bound: i64,
        min_one_batch: bool,
    ) -> Result<ReadResult, StorageError> {
        let Some(mut i) = self.segment_of(from) else { return Ok(ReadResult::default()) };
        while i < self.segments.len() {
            if let Some((position, header)) = self.find_in(i, from)? {
                self.check_continues(i, from, position, &header)?;
                if header.next_offset().0 > bound {
                    return Ok(ReadResult::default());
                }
                let first = (header.base_offset, header.size() as u64);
                return self.slice(i, position, first, max_bytes, bound, min_one_batch);
            }
            // Compaction may have taken a segment's last offsets away.
            i += 1;
        }
        Ok(ReadResult::default())
    }

    /// What is read has to be what comes next: a batch further on, or of another segment, means that one is missing or its
    /// header is not what was written, which no checksum covers.
    fn check_continues(
        &self,
        i: usize,
        from: i64,
        position: u64,
        header: &BatchHeader,
    ) -> Result<(), StorageError> {
        let Some(segment) = self.segments.get(i) else { return Ok(()) };
        let is_inside = header.base_offset.0 >= segment.base && header.next_offset().0 <= self.segment_end(i);
        let has_gap = header.base_offset.0 > from && !self.has_gaps;
        if is_inside && !has_gap {
            return Ok(());
        }
        let reason = format!(
            "at position {position} there is offset {}, where offset {from} was to be found",
            header.base_offset
        );
        Err(StorageError::damaged(&segment.path(&self.ctx, FileKind::Log), reason))
    }

    fn slice(
        &mut self,
        i: usize,
        position: u64,
        (first_offset, first_size): (Offset, u64),
        max_bytes: u64,
        bound: i64,
        min_one_batch: bool,
    ) -> Result<ReadResult, StorageError> {
        if first_size > max_bytes && !min_one_batch {
            return Ok(ReadResult { too_large: true, ..ReadResult::default() });
        }
        let limit = self.position_of_bound(i, bound)?;
        let whole = limit.saturating_sub(position);
        let Self { ctx, segments, .. } = self;
        let Some(segment) = segments.get_mut(i) else { return Ok(ReadResult::default()) };
        let key = segment.key(FileKind::Log);
        let failed = |e| StorageError::io("read", &ctx.segment_path(key), e);
        let file = segment.reader(ctx).map_err(failed)?;
        let len = if whole <= max_bytes {
            whole
        } else if first_size >= max_bytes {
            first_size
        } else {
            // End with a whole batch: the last that the index knows to start within, or one by one.
            let reach = position + max_bytes;
            let entry = segment.offsets.floor(ctx, |e| u64::from(e.position) <= reach).map_err(failed)?;
            match entry.map(|e| u64::from(e.position)).filter(|end| *end >= position + first_size) {
                Some(end) => end - position,
                None => {
                    batches_within(&mut Scan::new(&*file, position, limit), reach).map_err(failed)? - position
                }
            }
        };
        Ok(ReadResult {
            slices: vec![RecordsSlice::File { file, position, len }],
            bytes: len,
            first_offset: Some(first_offset),
            too_large: false,
        })
    }

    /// Where in segment `i` the batches end that lie below `bound` entirely.
    fn position_of_bound(&mut self, i: usize, bound: i64) -> Result<u64, StorageError> {
        let size = self.segments.get(i).map_or(0, |s| s.size);
        if bound >= self.segment_end(i) {
            return Ok(size);
        }
        let base = self.segments.get(i).map_or(0, |s| s.base);
        if let Some(batch) = self.tail.from(bound).next().filter(|batch| batch.segment == base) {
            return Ok(batch.position);
        }
        Ok(self.find_in(i, bound)?.map_or(size, |(position, _)| position))
    }

    /// [`crate::segment::Segment::find`], with a second try after the indexes were built anew.
    pub(super) fn find_in(
        &mut self,
        i: usize,
        offset: i64,
    ) -> Result<Option<(u64, ottla_records::BatchHeader)>, StorageError> {
        let (interval, gapless) = (self.config.index_interval_bytes, !self.has_gaps);
        let Self { ctx, segments, .. } = self;
        let Some(segment) = segments.get_mut(i) else { return Ok(None) };
        let key = segment.key(FileKind::Log);
        let path = || ctx.segment_path(key);
        let found = match segment.find(ctx, offset, gapless) {
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                let path = path();
                tracing::warn!(path = %path.display(), reason = %e, "index is rebuilt");
                segment
                    .rebuild_indexes(ctx, interval, gapless)
                    .map_err(|e| ctx.health.write_failed("rebuild the index of", &path, &e))?;
                segment.find(ctx, offset, gapless)
            }
            found => found,
        };
        found.map_err(|e| match e.kind() {
            io::ErrorKind::InvalidData => StorageError::damaged(&path(), e.to_string()),
            _ => StorageError::io("read", &path(), e),
        })
    }
}

/// Where the last batch ends that ends at or before `reach`.
fn batches_within(scan: &mut Scan<'_>, reach: u64) -> io::Result<u64> {
    let mut end = 0;
    while let Found::Batch { position, header } = scan.next()? {
        if position + header.size() as u64 > reach {
            return Ok(end.max(position));
        }
        end = position + header.size() as u64;
    }
    Ok(end)
}
