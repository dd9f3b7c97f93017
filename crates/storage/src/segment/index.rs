//! A sparse index: entries in a file, the newest ones in memory.
//!
//! ```text
//!  file: [ e0 e1 … e511 | e512 … e1023 | … ]   tail: [ … e(n−1) ]
//!          └ one page, 4–6 KB ┘                 └ not yet in the file
//! ```
//!
//! Index files carry no checksum (Kafka's layout), so entries are taken only as far as they are ordered, and whoever
//! follows one checks that it leads to what it names.

use std::io;
use std::sync::Arc;

use ottla_env::{File, OpenOptions};

use crate::context::Context;
use crate::handles::{FileKey, FileKind, Stage};

/// Entries per page that a search reads at once.
const PAGE_ENTRIES: u32 = 512;
/// Entries that are kept in memory before they are written.
const TAIL_ENTRIES: usize = 256;

/// One entry. Offsets are relative to the segment's base offset.
pub(crate) trait Entry: Copy + std::fmt::Debug {
    const KIND: FileKind;
    const SIZE: usize;
    fn read(bytes: &[u8]) -> Option<Self>;
    fn write(self, out: &mut Vec<u8>);
    /// Whether `self` may follow `before`.
    fn follows(self, before: Self) -> bool;
}

/// `%020d.index`: the batch with this last offset starts at this position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    pub(crate) relative_offset: u32,
    pub(crate) position: u32,
}

impl Entry for OffsetEntry {
    const KIND: FileKind = FileKind::OffsetIndex;
    const SIZE: usize = 8;

    fn read(bytes: &[u8]) -> Option<Self> {
        let (offset, rest) = bytes.split_first_chunk()?;
        let position = rest.first_chunk()?;
        Some(Self { relative_offset: u32::from_be_bytes(*offset), position: u32::from_be_bytes(*position) })
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend(self.relative_offset.to_be_bytes());
        out.extend(self.position.to_be_bytes());
    }

    fn follows(self, before: Self) -> bool {
        self.relative_offset > before.relative_offset && self.position > before.position
    }
}

/// `%020d.timeindex`: up to this offset no timestamp is larger than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    pub(crate) timestamp: i64,
    pub(crate) relative_offset: u32,
}

impl Entry for TimeEntry {
    const KIND: FileKind = FileKind::TimeIndex;
    const SIZE: usize = 12;

    fn read(bytes: &[u8]) -> Option<Self> {
        let (timestamp, rest) = bytes.split_first_chunk()?;
        let offset = rest.first_chunk()?;
        Some(Self { timestamp: i64::from_be_bytes(*timestamp), relative_offset: u32::from_be_bytes(*offset) })
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.relative_offset.to_be_bytes());
    }

    fn follows(self, before: Self) -> bool {
        self.timestamp > before.timestamp && self.relative_offset >= before.relative_offset
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Index<E> {
    key: FileKey,
    /// Entries in the file; `None`: not looked yet.
    in_file: Option<u32>,
    tail: Vec<E>,
    last: Option<E>,
    /// The file was written since it was last given out for syncing.
    unsynced: bool,
    /// The next write replaces the file.
    replaces: bool,
    /// The page that was read last.
    page: Option<(u32, Arc<[u8]>)>,
}

impl<E: Entry> Index<E> {
    /// The index of a new segment: no entries, no file yet.
    pub(crate) fn new(log: u64, base: i64) -> Self {
        Self { in_file: Some(0), ..Self::sealed(log, base) }
    }

    /// An index that takes the place of one that cannot be used. The old file stays until the new one is complete: it is
    /// never replaced in place, because others may rely on what is durable in it.
    pub(crate) fn anew(log: u64, base: i64) -> Self {
        Self { replaces: true, ..Self::new(log, base) }
    }

    /// The index of a segment that was sealed before: its file is looked at on first use.
    pub(crate) fn sealed(log: u64, base: i64) -> Self {
        let key = FileKey { log, base, kind: E::KIND, stage: Stage::Final };
        Self {
            key,
            in_file: None,
            tail: Vec::new(),
            last: None,
            unsynced: false,
            replaces: false,
            page: None,
        }
    }

    /// The file goes by the name of another stage.
    pub(crate) fn set_stage(&mut self, stage: Stage) {
        self.key = self.key.at(stage);
    }

    /// Whether it was built or read in this process, not merely found.
    pub(crate) fn is_fresh(&self) -> bool {
        self.in_file.is_some()
    }

    pub(crate) fn last(&self) -> Option<E> {
        self.last
    }

    /// Bytes, once written.
    pub(crate) fn size_bytes(&self) -> u64 {
        (u64::from(self.in_file.unwrap_or(0)) + self.tail.len() as u64) * E::SIZE as u64
    }

    /// Adds an entry; one that does not follow the last is left out.
    pub(crate) fn push(&mut self, entry: E) {
        if self.last.is_none_or(|last| entry.follows(last)) {
            self.tail.push(entry);
            self.last = Some(entry);
        }
    }

    /// Frees the page that was read last.
    pub(crate) fn drop_page(&mut self) {
        self.page = None;
    }

    /// Whether the tail is worth writing.
    pub(crate) fn wants_spill(&self) -> bool {
        self.tail.len() >= TAIL_ENTRIES
    }

    /// Writes the tail to the file, which is created if need be. On an error nothing is lost.
    pub(crate) fn spill(&mut self, ctx: &Context) -> io::Result<()> {
        let in_file = self.load(ctx)?;
        let mut bytes = Vec::with_capacity(self.tail.len() * E::SIZE);
        self.tail.iter().for_each(|entry| entry.write(&mut bytes));
        if self.replaces {
            ctx.handles.forget(self.key.log, self.key.base);
            crate::text_file::replace(&*ctx.disk, &ctx.segment_path(self.key), &bytes)?;
        } else if in_file == 0 {
            // What a file holds that is not known of is a leftover.
            self.open(ctx, OpenOptions::CREATE_EMPTY)?.write_all_at(&bytes, 0)?;
        } else if !bytes.is_empty() {
            let end = u64::from(in_file) * E::SIZE as u64;
            self.open(ctx, OpenOptions::WRITE)?.write_all_at(&bytes, end)?;
        }
        self.in_file = Some(in_file.saturating_add(u32::try_from(self.tail.len()).unwrap_or(u32::MAX)));
        (self.tail, self.page) = (Vec::new(), None);
        (self.unsynced, self.replaces) = (true, false);
        Ok(())
    }

    /// Whether entries are in memory only.
    pub(crate) fn has_tail(&self) -> bool {
        !self.tail.is_empty() || self.replaces
    }

    /// The file has to be synced once more.
    pub(crate) fn resync(&mut self) {
        self.unsynced |= self.in_file.is_some();
    }

    /// The file, if there is one, was found after its writer died: it may not be synced.
    pub(crate) fn found_unsynced(&mut self) {
        self.unsynced = true;
    }

    /// Whether the file was written and not given out for syncing since.
    pub(crate) fn is_unsynced(&self) -> bool {
        self.unsynced || self.has_tail()
    }

    /// Whether the file has to be synced; the caller does it.
    pub(crate) fn take_unsynced(&mut self) -> bool {
        std::mem::take(&mut self.unsynced)
    }

    /// Reads the file and keeps its entries as far as they are ordered and `keep` holds; the file is cut there.
    /// False if the file is missing or has entries out of order: then it is of no use.
    pub(crate) fn recover(&mut self, ctx: &Context, keep: impl Fn(&E) -> bool) -> io::Result<bool> {
        *self = Self::new(self.key.log, self.key.base);
        let path = ctx.segment_path(self.key);
        let Some(bytes) = crate::text_file::read(&*ctx.disk, &path, 1 << 30)? else { return Ok(false) };
        let mut kept = 0_u32;
        for chunk in bytes.chunks(E::SIZE) {
            let Some(entry) = E::read(chunk).filter(|_| chunk.len() == E::SIZE) else { break };
            if !keep(&entry) {
                break;
            }
            if !self.last.is_none_or(|last| entry.follows(last)) {
                return Ok(false);
            }
            self.last = Some(entry);
            kept += 1;
        }
        self.in_file = Some(kept);
        if u64::from(kept) * E::SIZE as u64 != bytes.len() as u64 {
            // Without a sync, which at a start may have to wait for all that the system has not written yet: the next
            // snapshot's syncs this file first.
            self.cut_file(ctx, kept)?;
            self.unsynced = true;
        }
        Ok(true)
    }

    /// Cuts after the last entry that `keep` holds for; `keep` must hold for a prefix.
    pub(crate) fn truncate(&mut self, ctx: &Context, keep: impl Fn(&E) -> bool) -> io::Result<()> {
        self.tail.retain(|entry| keep(entry));
        let in_file = self.load(ctx)?;
        if self.tail.is_empty() && in_file > 0 {
            let kept = self.partition_point_in_file(ctx, &keep)?;
            if kept < in_file {
                // Durably: a snapshot may vouch already for what is kept, and so for the file's end.
                self.cut_file(ctx, kept)?.sync_data()?;
                self.in_file = Some(kept);
                self.page = None;
            }
        }
        self.last = match (self.tail.last(), self.in_file) {
            (Some(last), _) => Some(*last),
            (None, Some(n)) if n > 0 => Some(self.entry(ctx, n - 1)?),
            _ => None,
        };
        Ok(())
    }

    /// Without a sync; gives the file.
    fn cut_file(&self, ctx: &Context, kept: u32) -> io::Result<Arc<dyn File>> {
        let file = self.open(ctx, OpenOptions::WRITE)?;
        file.set_len(u64::from(kept) * E::SIZE as u64)?;
        Ok(file)
    }

    /// The last entry that `before` holds for; `before` must hold for a prefix.
    pub(crate) fn floor(&mut self, ctx: &Context, before: impl Fn(&E) -> bool) -> io::Result<Option<E>> {
        let in_tail = self.tail.partition_point(&before);
        if let Some(entry) = in_tail.checked_sub(1).and_then(|i| self.tail.get(i)) {
            return Ok(Some(*entry));
        }
        self.load(ctx)?;
        match self.partition_point_in_file(ctx, &before)? {
            0 => Ok(None),
            n => Ok(Some(self.entry(ctx, n - 1)?)),
        }
    }

    /// The last entry, looking into the file if need be.
    pub(crate) fn load_last(&mut self, ctx: &Context) -> io::Result<Option<E>> {
        self.load(ctx)?;
        Ok(self.last)
    }

    /// How many entries are in the file; finds out on first use.
    fn load(&mut self, ctx: &Context) -> io::Result<u32> {
        if let Some(in_file) = self.in_file {
            return Ok(in_file);
        }
        let in_file = match self.read_handle(ctx) {
            Ok(file) => u32::try_from(file.len()? / E::SIZE as u64).unwrap_or(u32::MAX),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(missing()),
            Err(e) => return Err(e),
        };
        self.in_file = Some(in_file);
        self.last = match in_file {
            0 => None,
            n => Some(self.entry(ctx, n - 1)?),
        };
        Ok(in_file)
    }

    fn partition_point_in_file(&mut self, ctx: &Context, before: &impl Fn(&E) -> bool) -> io::Result<u32> {
        let count = self.in_file.unwrap_or(0);
        if let Some(point) = self.partition_point_in_page(before) {
            return Ok(point);
        }
        // Which page: the last whose first entry is before.
        let (mut low, mut high) = (0, count.div_ceil(PAGE_ENTRIES));
        while low < high {
            let middle = low + (high - low) / 2;
            if before(&self.entry(ctx, middle * PAGE_ENTRIES)?) { low = middle + 1 } else { high = middle }
        }
        let Some(page) = low.checked_sub(1) else { return Ok(0) };
        self.read_page(ctx, page)?;
        let end = ((page + 1) * PAGE_ENTRIES).min(count);
        Ok(self.partition_point_in_page(before).unwrap_or(end))
    }

    /// The partition point, if it lies inside the page that was read last, as it does for a consumer that goes on, or before it
    /// where that is the first.
    fn partition_point_in_page(&self, before: &impl Fn(&E) -> bool) -> Option<u32> {
        let (page, bytes) = self.page.as_ref()?;
        let at = |i: usize| bytes.get(i * E::SIZE..).and_then(E::read);
        let (mut low, mut high) = (0, (bytes.len() / E::SIZE).checked_sub(1)?);
        if !before(&at(low)?) {
            return (*page == 0).then_some(0);
        }
        if before(&at(high)?) {
            return None;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if before(&at(middle)?) { low = middle + 1 } else { high = middle }
        }
        Some(page * PAGE_ENTRIES + u32::try_from(low).ok()?)
    }

    fn entry(&self, ctx: &Context, i: u32) -> io::Result<E> {
        let offset_in_page = (i % PAGE_ENTRIES) as usize * E::SIZE;
        if let Some((page, bytes)) = &self.page
            && *page == i / PAGE_ENTRIES
            && let Some(entry) = bytes.get(offset_in_page..).and_then(E::read)
        {
            return Ok(entry);
        }
        let mut bytes = [0; 16];
        let bytes = bytes.get_mut(..E::SIZE).unwrap_or_default();
        self.read_handle(ctx)?.read_exact_at(bytes, u64::from(i) * E::SIZE as u64)?;
        E::read(bytes).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn read_page(&mut self, ctx: &Context, page: u32) -> io::Result<()> {
        if self.page.as_ref().is_some_and(|(at, _)| *at == page) {
            return Ok(());
        }
        let first = page * PAGE_ENTRIES;
        let entries = self.in_file.unwrap_or(0).saturating_sub(first).min(PAGE_ENTRIES);
        let mut bytes = vec![0; entries as usize * E::SIZE];
        self.read_handle(ctx)?.read_exact_at(&mut bytes, u64::from(first) * E::SIZE as u64)?;
        self.page = Some((page, bytes.into()));
        Ok(())
    }

    fn read_handle(&self, ctx: &Context) -> io::Result<Arc<dyn File>> {
        ctx.handles.get(self.key, || self.open(ctx, OpenOptions::READ))
    }

    fn open(&self, ctx: &Context, options: OpenOptions) -> io::Result<Arc<dyn File>> {
        ctx.disk.open(&ctx.segment_path(self.key), options)
    }
}

fn missing() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the index file is missing")
}
