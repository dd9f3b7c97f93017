//! One segment: a file of batches and its two indexes.
//!
//! ```text
//!  00000000000000000042.log        batches, offsets 42 …
//!  00000000000000000042.index      last offset of a batch → its position, one each index.interval.bytes
//!  00000000000000000042.timeindex  largest timestamp so far → offset
//!  00000000000000000042.txnindex   transactions that were aborted; written by compaction only, so far
//!  00000000000000000042.snapshot   producers as of offset 42
//! ```

pub(crate) mod index;
pub(crate) mod scan;

use std::io;
use std::sync::Arc;

use ottla_env::{File, OpenOptions};
use ottla_records::BatchHeader;

use crate::context::Context;
use crate::handles::{FileKey, FileKind, Stage};
use crate::writers::Writer;
use index::{Index, OffsetEntry, TimeEntry};
use scan::{Found, Scan};

/// A timestamp and the offset that it is found at.
pub(crate) type TimestampAt = (i64, i64);

/// How far [`Segment::resume_indexes`] got.
#[derive(Debug)]
pub(crate) struct Resumed {
    /// Where the walk goes on.
    pub(crate) position: u64,
    /// The offset after the last batch before it, if there is one.
    pub(crate) end_offset: Option<i64>,
    /// Why it did not get further.
    pub(crate) bad: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Segment {
    log: u64,
    stage: Stage,
    pub(crate) base: i64,
    /// Bytes of whole batches; the file may have more until recovery cuts it.
    pub(crate) size: u64,
    pub(crate) offsets: Index<OffsetEntry>,
    pub(crate) times: Index<TimeEntry>,
    /// The largest timestamp, and the last offset of its batch.
    max_timestamp: Option<TimestampAt>,
    /// Bytes since the last index entry.
    pub(crate) since_index: u64,
    /// The largest timestamp of the first batch; what `segment.ms` counts from.
    pub(crate) first_timestamp: Option<i64>,
    pub(crate) created_ms: i64,
    /// What `segment.jitter.ms` takes off this segment's time.
    pub(crate) jitter_ms: i64,
    /// On the active segment, and until it is synced.
    writer: Option<Arc<Writer>>,
    /// Blocks are reserved up to here.
    reserved: u64,
}

impl Segment {
    /// A new, empty file.
    pub(crate) fn create(ctx: &Context, log: u64, base: i64, now_ms: i64) -> io::Result<Self> {
        let mut segment = Self::create_at(ctx, log, base, Stage::Final)?;
        segment.created_ms = now_ms;
        Ok(segment)
    }

    /// Likewise, of another stage.
    pub(crate) fn create_at(ctx: &Context, log: u64, base: i64, stage: Stage) -> io::Result<Self> {
        let mut segment = Self::sealed(log, base, 0);
        segment.offsets = Index::new(log, base);
        segment.times = Index::new(log, base);
        segment.set_stage(stage);
        segment.paths(ctx).iter().for_each(|path| ctx.doomed.spare(path));
        ctx.handles.forget(log, base);
        drop(segment.writer().open(ctx, || segment.path(ctx, FileKind::Log), OpenOptions::CREATE_EMPTY)?);
        Ok(segment)
    }

    /// A segment that is there already.
    pub(crate) fn sealed(log: u64, base: i64, size: u64) -> Self {
        Self {
            log,
            stage: Stage::Final,
            base,
            size,
            offsets: Index::sealed(log, base),
            times: Index::sealed(log, base),
            max_timestamp: None,
            since_index: 0,
            first_timestamp: None,
            created_ms: 0,
            jitter_ms: 0,
            writer: None,
            reserved: size,
        }
    }

    pub(crate) fn key(&self, kind: FileKind) -> FileKey {
        FileKey { log: self.log, base: self.base, kind, stage: self.stage }
    }

    /// The log that it belongs to.
    pub(crate) fn log(&self) -> u64 {
        self.log
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// The files were renamed.
    pub(crate) fn set_stage(&mut self, stage: Stage) {
        self.stage = stage;
        self.offsets.set_stage(stage);
        self.times.set_stage(stage);
    }

    /// Syncs the indexes' files.
    pub(crate) fn sync_indexes(&mut self, ctx: &Context) -> io::Result<()> {
        for path in self.index_paths(ctx) {
            ctx.disk.open(&path, OpenOptions::WRITE)?.sync_data()?;
        }
        self.offsets.take_unsynced();
        self.times.take_unsynced();
        Ok(())
    }

    pub(crate) fn path(&self, ctx: &Context, kind: FileKind) -> std::path::PathBuf {
        ctx.segment_path(self.key(kind))
    }

    /// Its indexes' files.
    pub(crate) fn index_paths(&self, ctx: &Context) -> [std::path::PathBuf; 2] {
        [FileKind::OffsetIndex, FileKind::TimeIndex].map(|kind| self.path(ctx, kind))
    }

    /// All files that it may have.
    pub(crate) fn paths(&self, ctx: &Context) -> [std::path::PathBuf; 4] {
        FileKind::ALL.map(|kind| self.path(ctx, kind))
    }

    /// Its files are of no use any more.
    pub(crate) fn doom(&self, ctx: &Context) {
        self.paths(ctx).into_iter().for_each(|path| ctx.doomed.add_file(path));
    }

    /// A handle to read batches with.
    pub(crate) fn reader(&self, ctx: &Context) -> io::Result<Arc<dyn File>> {
        match self.writer.as_ref().and_then(|writer| writer.file()) {
            Some(file) => Ok(file),
            None => ctx.handles.get(self.key(FileKind::Log), || {
                ctx.disk.open(&self.path(ctx, FileKind::Log), OpenOptions::READ)
            }),
        }
    }

    /// What appends.
    pub(crate) fn writer(&mut self) -> Arc<Writer> {
        Arc::clone(self.writer.get_or_insert_default())
    }

    /// Gives up what appends, and tells whether there was anything; it is there again when needed.
    pub(crate) fn release_writer(&mut self) -> bool {
        self.writer.take().is_some()
    }

    /// All that was appended is durable.
    pub(crate) fn note_synced(&self) {
        self.writer.iter().for_each(|writer| writer.note_synced());
    }

    /// Reserves blocks ahead of `end`: as much as there is already, within bounds. Failing is no error.
    pub(crate) fn reserve(&mut self, file: &dyn File, end: u64, limit: u64) {
        const MIN: u64 = 16 << 10;
        const MAX: u64 = 16 << 20;
        if end <= self.reserved || end >= limit {
            return;
        }
        let ahead =
            self.size.clamp(MIN, MAX).max(end - self.reserved).min(limit.saturating_sub(self.reserved));
        // Without this reservation the write itself allocates; a full disk shows there.
        let _ = file.preallocate(self.reserved, ahead);
        self.reserved += ahead;
    }

    /// The file was cut to its size: reserved blocks are gone.
    pub(crate) fn unreserve(&mut self) {
        self.reserved = self.size;
    }

    /// Gives reserved blocks back, when nothing more will be appended.
    pub(crate) fn trim(&mut self, ctx: &Context) -> io::Result<()> {
        if self.reserved > self.size {
            let writer = self.writer();
            let opened = writer.open(ctx, || self.path(ctx, FileKind::Log), OpenOptions::WRITE)?;
            opened.file().set_len(self.size)?;
            self.reserved = self.size;
        }
        Ok(())
    }

    /// Accounts for a batch that was written at `position`; indexes it when one is due.
    pub(crate) fn note_batch(&mut self, position: u64, header: &BatchHeader, interval: u64) {
        let last_offset = header.last_offset().0;
        if position == 0 {
            self.first_timestamp = Some(header.max_timestamp);
        }
        if self.max_timestamp.is_none_or(|(max, _)| header.max_timestamp > max) {
            self.max_timestamp = Some((header.max_timestamp, last_offset));
        }
        if self.since_index > interval {
            if let (Some(relative_offset), Ok(position)) =
                (self.relative(last_offset), u32::try_from(position))
            {
                self.offsets.push(OffsetEntry { relative_offset, position });
            }
            self.index_time();
            self.since_index = 0;
        }
        self.since_index += header.size() as u64;
        self.size = position + header.size() as u64;
    }

    /// Adds the largest timestamp so far to the time index.
    pub(crate) fn index_time(&mut self) {
        if let Some((timestamp, offset)) = self.max_timestamp
            && timestamp >= 0
            && let Some(relative_offset) = self.relative(offset)
        {
            self.times.push(TimeEntry { timestamp, relative_offset });
        }
    }

    /// Whether `offset` fits in an index entry.
    pub(crate) fn fits(&self, offset: i64) -> bool {
        self.relative(offset).is_some()
    }

    fn relative(&self, offset: i64) -> Option<u32> {
        offset.checked_sub(self.base).and_then(|n| i32::try_from(n).ok()).and_then(|n| u32::try_from(n).ok())
    }

    /// The largest timestamp and its offset, from the time index if it is not known; `None` if there is none.
    pub(crate) fn max_timestamp(&mut self, ctx: &Context) -> io::Result<Option<TimestampAt>> {
        if self.max_timestamp.is_none() {
            self.max_timestamp = self
                .times
                .load_last(ctx)?
                .map(|entry| (entry.timestamp, self.base + i64::from(entry.relative_offset)));
        }
        Ok(self.max_timestamp)
    }

    pub(crate) fn set_max_timestamp(&mut self, max: Option<TimestampAt>) {
        self.max_timestamp = max;
    }

    /// The first batch whose last offset is at or after `offset`; `None` at the end. Starts at the index entry before,
    /// whose word is checked: an index that lies is an `InvalidData` error. So is that batches do not follow each other, without
    /// a gap if the log is `gapless`: no checksum covers their offsets.
    pub(crate) fn find(
        &mut self,
        ctx: &Context,
        offset: i64,
        gapless: bool,
    ) -> io::Result<Option<(u64, BatchHeader)>> {
        let base = self.base;
        let entry = self.offsets.floor(ctx, |e| base + i64::from(e.relative_offset) <= offset)?;
        let start = entry.map_or(0, |e| u64::from(e.position));
        let file = self.reader(ctx)?;
        let mut scan = Scan::new(&*file, start, self.size);
        let mut expected = entry.map(|e| base + i64::from(e.relative_offset));
        let mut end = if entry.is_none() { Some(base) } else { None };
        loop {
            match scan.next()? {
                Found::Batch { position, header } => {
                    if expected.take().is_some_and(|last| last != header.last_offset().0) {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "the index leads astray"));
                    }
                    if let Some(end) = end.filter(|end| !follows(&header, *end, gapless)) {
                        let found = header.base_offset;
                        let reason = format!("at position {position} there is offset {found} after {end}");
                        return Err(io::Error::other(reason));
                    }
                    end = Some(header.next_offset().0);
                    if header.last_offset().0 >= offset {
                        return Ok(Some((position, header)));
                    }
                }
                Found::End if expected.is_none() => return Ok(None),
                Found::End => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "the index leads beyond the end"));
                }
                Found::Bad { position, reason } => {
                    let kind =
                        if expected.is_some() { io::ErrorKind::InvalidData } else { io::ErrorKind::Other };
                    return Err(io::Error::new(kind, format!("no batch at position {position}: {reason}")));
                }
            }
        }
    }

    /// Accounts for the timestamp of a batch that is indexed already.
    pub(crate) fn note_timestamp(&mut self, header: &BatchHeader) {
        if self.max_timestamp.is_none_or(|(max, _)| header.max_timestamp > max) {
            self.max_timestamp = Some((header.max_timestamp, header.last_offset().0));
        }
    }

    /// Prepares for a walk from offset `from` on: keeps the index entries before it if they can be trusted, else builds
    /// them, one each `spacing.0` bytes; `spacing.1`: batches follow each other without a gap.
    pub(crate) fn resume_indexes(
        &mut self,
        ctx: &Context,
        file: &dyn File,
        from: i64,
        spacing: (u64, bool),
    ) -> io::Result<Resumed> {
        let (base, file_size) = (self.base, self.size);
        let before = |relative: u32| base + i64::from(relative) < from;
        let kept = from > base
            && self.offsets.recover(ctx, |e| before(e.relative_offset))?
            && self.times.recover(ctx, |e| before(e.relative_offset))?;
        (self.max_timestamp, self.since_index, self.size) = (None, 0, 0);
        if !kept {
            return self.index_anew(file, file_size, from, spacing);
        }
        self.max_timestamp = self.times.last().map(|e| (e.timestamp, base + i64::from(e.relative_offset)));
        let Some(entry) = self.offsets.last() else {
            return self.catch_up(file, file_size, from, None, spacing);
        };
        let position = u64::from(entry.position);
        match Scan::new(file, position, file_size).next()? {
            Found::Batch { header, .. }
                if header.last_offset().0 == base + i64::from(entry.relative_offset) =>
            {
                self.note_timestamp(&header);
                self.since_index = header.size() as u64;
                self.size = position + header.size() as u64;
                self.catch_up(file, file_size, from, Some(header.next_offset().0), spacing)
            }
            _ => self.index_anew(file, file_size, from, spacing),
        }
    }

    fn index_anew(
        &mut self,
        file: &dyn File,
        file_size: u64,
        from: i64,
        spacing: (u64, bool),
    ) -> io::Result<Resumed> {
        self.offsets = Index::anew(self.log, self.base);
        self.times = Index::anew(self.log, self.base);
        self.max_timestamp = None;
        self.catch_up(file, file_size, from, None, spacing)
    }

    fn catch_up(
        &mut self,
        file: &dyn File,
        file_size: u64,
        from: i64,
        mut end_offset: Option<i64>,
        (interval, gapless): (u64, bool),
    ) -> io::Result<Resumed> {
        let mut scan = Scan::new(file, self.size, file_size);
        let mut bad = None;
        while from > self.base && end_offset.is_none_or(|end| end < from) {
            match scan.next()? {
                Found::Batch { position, header } if header.base_offset.0 < from => {
                    let end = end_offset.unwrap_or(self.base);
                    if !follows(&header, end, gapless) {
                        let found = header.base_offset;
                        bad = Some(format!("at position {position} there is offset {found} after {end}"));
                        break;
                    }
                    self.note_batch(position, &header, interval);
                    end_offset = Some(header.next_offset().0);
                }
                Found::Batch { .. } | Found::End => break,
                Found::Bad { position, reason } => {
                    bad = Some(format!("no batch at position {position}: {reason}"));
                    break;
                }
            }
        }
        Ok(Resumed { position: self.size, end_offset, bad })
    }

    /// The walk is over and this is the segment to append to.
    pub(crate) fn activate(&mut self, ctx: &Context) -> io::Result<()> {
        self.offsets.load_last(ctx)?;
        self.times.load_last(ctx)?;
        self.first_timestamp(ctx)?;
        Ok(())
    }

    /// The largest timestamp of the first batch, read if it is not known; `None` if there is none.
    pub(crate) fn first_timestamp(&mut self, ctx: &Context) -> io::Result<Option<i64>> {
        if self.first_timestamp.is_none() {
            let file = self.reader(ctx)?;
            if let Found::Batch { header, .. } = Scan::new(&*file, 0, self.size).next()? {
                self.first_timestamp = Some(header.max_timestamp);
            }
        }
        Ok(self.first_timestamp)
    }

    /// The walk is over: if it came through here, the indexes are written.
    pub(crate) fn spill_if_walked(&mut self, ctx: &Context) -> io::Result<()> {
        if self.offsets.is_fresh() || self.times.is_fresh() {
            self.index_time();
            self.offsets.spill(ctx)?;
            self.times.spill(ctx)?;
        }
        Ok(())
    }

    /// Whether index entries are in memory only.
    pub(crate) fn has_leftovers(&self) -> bool {
        self.offsets.has_tail() || self.times.has_tail()
    }

    /// Writes what a full disk kept from being written before.
    pub(crate) fn spill_leftovers(&mut self, ctx: &Context) -> io::Result<()> {
        if self.has_leftovers() {
            self.offsets.spill(ctx)?;
            self.times.spill(ctx)?;
        }
        Ok(())
    }

    /// Builds both indexes from the batches, as far as they follow each other: an entry of one that does not would vouch for
    /// it.
    pub(crate) fn rebuild_indexes(&mut self, ctx: &Context, interval: u64, gapless: bool) -> io::Result<()> {
        self.offsets = Index::anew(self.log, self.base);
        self.times = Index::anew(self.log, self.base);
        self.max_timestamp = None;
        self.since_index = 0;
        let size = self.size;
        let file = self.reader(ctx)?;
        let mut scan = Scan::new(&*file, 0, size);
        let mut end = self.base;
        while let Found::Batch { position, header } = scan.next()? {
            if !follows(&header, end, gapless) {
                break;
            }
            self.note_batch(position, &header, interval);
            end = header.next_offset().0;
        }
        self.size = size;
        self.index_time();
        self.offsets.spill(ctx)?;
        self.times.spill(ctx)?;
        Ok(())
    }
}

/// Whether a batch may come behind offset `end`.
pub(crate) fn follows(header: &BatchHeader, end: i64, gapless: bool) -> bool {
    let found = header.base_offset.0;
    found == end || found > end && !gapless
}

/// `%020d`: how Kafka names the files of a segment.
pub(crate) fn file_name(offset: i64, suffix: &str) -> String {
    format!("{offset:020}.{suffix}")
}

/// The offset in a file's name, and its suffix.
pub(crate) fn parse_file_name(name: &str) -> Option<(i64, &str)> {
    let (digits, suffix) = name.split_once('.')?;
    if digits.len() != 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, suffix))
}
