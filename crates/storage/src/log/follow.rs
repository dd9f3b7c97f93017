//! A follower's append: batches as the leader has them.

use std::io::IoSlice;

use bytes::Bytes;
use ottla_records::{BatchView, batches};
use ottla_types::{Offset, TimestampMs};

use super::Log;
use super::append::end_marker;
use crate::append::AppendInfo;
use crate::error::AppendError;

impl Log {
    /// Appends batches that were fetched from the leader: offsets and epochs are theirs. A batch that is cut off at the
    /// end is left out. The first batch must be at the log's end or, after compaction on the leader, beyond it.
    pub fn append_as_follower(
        &mut self,
        records: &Bytes,
        now_ms: TimestampMs,
    ) -> Result<AppendInfo, AppendError> {
        self.check_usable()?;
        let (batches, has_gap) = self.continuing(records)?;
        let mut info = AppendInfo {
            base_offset: batches.first().map_or(Offset(self.end), |b| b.base_offset),
            last_offset: batches.last().map_or(Offset(self.end - 1), |b| b.last_offset()),
            log_append_time_ms: -1,
            max_timestamp_ms: -1,
            log_start_offset: Offset(self.log_start),
            bytes: 0,
            records: 0,
            duplicate: false,
        };
        let (mut rest, mut at) = (batches.as_slice(), 0);
        while let Some(first) = rest.first() {
            self.prepare(first.size() as u64, first.max_timestamp, first.last_offset().0, now_ms)?;
            if has_gap {
                self.note_gaps()?;
            }
            let (run, after) = rest.split_at(self.run_len(rest));
            let size: usize = run.iter().map(|batch| batch.size()).sum();
            self.append_run(run, &records.slice(at..at + size), &mut info)?;
            at += size;
            rest = after;
        }
        Ok(info)
    }

    /// The whole batches of `records`, checked; and whether offsets are missing between them.
    fn continuing(&self, records: &Bytes) -> Result<(Vec<BatchView>, bool), AppendError> {
        let mut expected = Offset(self.end);
        let (mut checked, mut has_gap) = (Vec::new(), false);
        for batch in batches(records) {
            let batch = batch.map_err(AppendError::Corrupt)?;
            batch.check_crc().map_err(AppendError::Corrupt)?;
            if batch.base_offset < expected || batch.last_offset_delta < 0 {
                return Err(AppendError::OffsetsOutOfOrder { expected, found: batch.base_offset });
            }
            has_gap |= batch.base_offset > expected;
            expected = batch.next_offset();
            checked.push(batch);
        }
        Ok((checked, has_gap))
    }

    /// How many batches fit in the active segment, which takes the first.
    fn run_len(&self, batches: &[BatchView]) -> usize {
        let Some(active) = self.segments.back() else { return 1 };
        let mut size = active.size;
        let fits = batches.iter().take_while(|batch| {
            size += batch.size() as u64;
            size <= self.config.segment_bytes && active.fits(batch.last_offset().0)
        });
        fits.count().max(1)
    }

    fn append_run(
        &mut self,
        run: &[BatchView],
        bytes: &Bytes,
        info: &mut AppendInfo,
    ) -> Result<(), AppendError> {
        let mut position = self.write(&mut [IoSlice::new(bytes)])?;
        for batch in run {
            // A marker that cannot be read was accepted by the leader; its transaction stays open here.
            let marker = batch.attributes.is_control().then(|| end_marker(batch).ok().flatten()).flatten();
            self.note(batch, position, marker.as_ref(), Some((&[], batch.bytes())));
            position += batch.size() as u64;
            info.records += u64::try_from(batch.records_count).unwrap_or(0);
            info.max_timestamp_ms = info.max_timestamp_ms.max(batch.max_timestamp);
        }
        info.bytes += bytes.len() as u64;
        self.spill_indexes();
        self.mark_if_due();
        Ok(())
    }
}
