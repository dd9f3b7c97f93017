//! One round of compaction of one log, outside of its lock.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use ottla_env::{File, OpenOptions};
use ottla_records::{BatchHeader, BatchView};
use ottla_types::{Offset, ProducerId, TimestampMs};

use super::group::{Bounds, IndexSizes, group_len};
use super::offset_map::OffsetMap;
use super::output::Output;
use super::retain::{Kept, LastRecord, Rules};
use super::survey::find_aborted;
use super::transactions::{AbortedTxn, Transactions};
use crate::context::Context;
use crate::error::StorageError;
use crate::handles::{FileKey, FileKind, Stage};
use crate::segment::Segment;
use crate::segment::index::{Index, OffsetEntry};
use crate::segment::scan::{Found, Scan};

/// Holds the work back to what the host allows.
pub trait Pace {
    /// Called with the bytes that were read or written since the last call; may sleep. False ends the round.
    fn spend(&mut self, bytes: u64) -> bool;
}

impl<F: FnMut(u64) -> bool> Pace for F {
    fn spend(&mut self, bytes: u64) -> bool {
        self(bytes)
    }
}

/// Why a round ended early. What was swapped in before stays.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CompactError {
    /// The host said so, or the log was truncated or given up meanwhile.
    #[error("the compaction was stopped")]
    Stopped,
    /// The disk failed, or what is on it is damaged.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A segment as it was when the round began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Source {
    pub(crate) log: u64,
    pub(crate) base: i64,
    /// The offset after it.
    pub(crate) end: i64,
    pub(crate) size: u64,
}

impl Source {
    pub(super) fn open(&self, ctx: &Context) -> Result<Arc<dyn File>, CompactError> {
        let key = self.key(FileKind::Log);
        ctx.handles
            .get(key, || ctx.disk.open(&ctx.segment_path(key), OpenOptions::READ))
            .map_err(|e| self.failed(ctx, e))
    }

    pub(super) fn failed(&self, ctx: &Context, error: io::Error) -> CompactError {
        if error.kind() == io::ErrorKind::NotFound {
            // Retention or a truncation was there first.
            return CompactError::Stopped;
        }
        StorageError::io("read", &ctx.segment_path(self.key(FileKind::Log)), error).into()
    }

    /// The next batch, and where it is; `None` at the segment's end.
    pub(super) fn next_batch(
        &self,
        ctx: &Context,
        scan: &mut Scan<'_>,
    ) -> Result<Option<(u64, BatchHeader)>, CompactError> {
        match scan.next().map_err(|e| self.failed(ctx, e))? {
            Found::Batch { position, header } => Ok(Some((position, header))),
            Found::End => Ok(None),
            Found::Bad { position, reason } => Err(self.damaged(ctx, position, &reason)),
        }
    }

    /// The batch as it was checksummed: what was damaged since must not be written anew, as if it were good.
    pub(super) fn load(
        &self,
        ctx: &Context,
        scan: &mut Scan<'_>,
        (position, header): (u64, &BatchHeader),
    ) -> Result<BatchView, CompactError> {
        let batch = scan.batch(position, header).map_err(|e| self.failed(ctx, e))?;
        batch.check_crc().map_err(|e| self.damaged(ctx, position, &e.to_string()))?;
        Ok(batch)
    }

    pub(super) fn damaged(&self, ctx: &Context, position: u64, reason: &str) -> CompactError {
        let path = ctx.segment_path(self.key(FileKind::Log));
        StorageError::damaged(&path, format!("at position {position}: {reason}")).into()
    }

    fn key(&self, kind: FileKind) -> FileKey {
        FileKey { log: self.log, base: self.base, kind, stage: Stage::Final }
    }

    fn index_sizes(&self, ctx: &Context) -> IndexSizes {
        let len = |kind| {
            let file = ctx.disk.open(&ctx.segment_path(self.key(kind)), OpenOptions::READ);
            file.and_then(|file| file.len()).unwrap_or(0)
        };
        (len(FileKind::OffsetIndex), len(FileKind::TimeIndex))
    }
}

/// What the log says of a round when it begins.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) ctx: Context,
    pub(crate) log: u64,
    /// Held as long as the round lasts: there is one at a time.
    pub(crate) _token: Arc<()>,
    pub(crate) truncations: u64,
    /// All segments.
    pub(crate) sources: Vec<Source>,
    pub(crate) first_dirty: i64,
    /// The first offset that is left alone; a segment's.
    pub(crate) upper: i64,
    pub(crate) now_ms: TimestampMs,
    pub(crate) producers: HashMap<ProducerId, LastRecord>,
    pub(crate) segment_bytes: u64,
    pub(crate) index_bytes: u64,
    pub(crate) index_interval: u64,
    pub(crate) delete_retention_ms: i64,
    pub(crate) max_decompressed_bytes: usize,
}

/// One round: [`Compaction::read_keys`], then [`Compaction::clean_next`] until there is nothing left.
#[derive(Debug)]
#[must_use = "the log takes no other compaction until this one is dropped"]
pub struct Compaction {
    plan: Plan,
    aborted: Option<Vec<AbortedTxn>>,
    /// Known from the first batch of a transaction on.
    transactions: Option<Transactions>,
    /// The next source to clean.
    next: usize,
    /// The keys are known up to here.
    end: i64,
    bytes_read: u64,
    bytes_written: u64,
}

/// A segment that is to take the place of others.
#[derive(Debug)]
#[must_use = "it is not part of the log before it is swapped in"]
pub struct Cleaned {
    pub(crate) segment: Segment,
    /// The first offsets of those that it replaces.
    pub(crate) sources: Vec<i64>,
    pub(crate) truncations: u64,
}

impl Compaction {
    pub(crate) fn new(plan: Plan) -> Self {
        let end = plan.first_dirty;
        Self { plan, aborted: None, transactions: None, next: 0, end, bytes_read: 0, bytes_written: 0 }
    }

    /// Where the dirty part began.
    pub fn first_dirty(&self) -> Offset {
        Offset(self.plan.first_dirty)
    }

    /// Where the next round begins, once this one has ended.
    pub fn end(&self) -> Offset {
        Offset(self.end)
    }

    /// Bytes read while cleaning so far, and of them written again.
    pub fn bytes(&self) -> (u64, u64) {
        (self.bytes_read, self.bytes_written)
    }

    /// Whether the round is one of this log, with the history that it has now.
    pub(crate) fn is_of(&self, log: u64, truncations: u64) -> bool {
        self.plan.log == log && self.plan.truncations == truncations
    }

    /// Fills `map` with the keys of the dirty part, or of as much of it as it holds.
    pub fn read_keys(&mut self, map: &mut OffsetMap, pace: &mut dyn Pace) -> Result<(), CompactError> {
        map.clear();
        let (first_dirty, upper) = (self.plan.first_dirty, self.plan.upper);
        let dirty: Vec<Source> =
            self.plan.sources.iter().filter(|s| s.base < upper && s.end > first_dirty).copied().collect();
        let mut transactions = None;
        for source in dirty {
            if !self.read_keys_of(&source, map, &mut transactions, pace)? {
                break;
            }
            map.set_latest(source.end - 1);
        }
        self.end = self.end.max(map.latest() + 1);
        Ok(())
    }

    /// False once the map is full.
    fn read_keys_of(
        &mut self,
        source: &Source,
        map: &mut OffsetMap,
        transactions: &mut Option<Transactions>,
        pace: &mut dyn Pace,
    ) -> Result<bool, CompactError> {
        let first_dirty = self.plan.first_dirty;
        let file = source.open(&self.plan.ctx)?;
        let start = self.position_before(source, first_dirty);
        let mut scan = Scan::new(&*file, start, source.size);
        while let Some((position, header)) = source.next_batch(&self.plan.ctx, &mut scan)? {
            spend(pace, header.size() as u64)?;
            if header.attributes.is_transactional() && transactions.is_none() {
                *transactions = Some(self.transactions_from(0, header.base_offset.0, pace)?);
            }
            let batch = source.load(&self.plan.ctx, &mut scan, (position, &header))?;
            if let Some(transactions) = transactions
                && self.is_of_no_interest(source, position, &batch, transactions)?
            {
                map.set_latest(header.last_offset().0);
                continue;
            }
            let damaged =
                |e: ottla_records::RecordsError| source.damaged(&self.plan.ctx, position, &e.to_string());
            // However many keys the first batch has: else there would be no progress.
            let is_first = map.latest() < first_dirty;
            let records = batch.records(self.plan.max_decompressed_bytes).map_err(damaged)?;
            for record in records.views() {
                let record = record.map_err(damaged)?;
                if let Some(key) = record.key.filter(|_| record.offset.0 >= first_dirty)
                    && !map.put(key, record.offset.0, is_first)
                {
                    return Ok(false);
                }
            }
            if header.last_offset().0 >= first_dirty {
                map.set_latest(header.last_offset().0);
            }
        }
        Ok(true)
    }

    /// Whether a batch has no keys that count: it is control, or was aborted.
    fn is_of_no_interest(
        &self,
        source: &Source,
        position: u64,
        batch: &BatchView,
        transactions: &mut Transactions,
    ) -> Result<bool, CompactError> {
        if !batch.attributes.is_control() {
            return Ok(transactions.on_data(batch));
        }
        let marker = crate::log::end_marker(batch)
            .map_err(|e| source.damaged(&self.plan.ctx, position, &e.to_string()))?;
        transactions.on_marker(batch, marker.as_ref());
        Ok(true)
    }

    /// Writes what is to take the place of the next segments; `None` when the round is through. Leaves out those that would not
    /// change.
    pub fn clean_next(
        &mut self,
        map: &OffsetMap,
        pace: &mut dyn Pace,
    ) -> Result<Option<Cleaned>, CompactError> {
        loop {
            let left = self.plan.sources.get(self.next..).unwrap_or_default();
            // No checksum covers a batch's base offset: the round's end holds whatever one says.
            let end = self.end.min(self.plan.upper);
            let in_round = left.partition_point(|source| source.base < end);
            let ctx = &self.plan.ctx;
            let bounds =
                Bounds { segment_bytes: self.plan.segment_bytes, index_bytes: self.plan.index_bytes };
            let left = left.get(..in_round).unwrap_or_default();
            let count = group_len(left, bounds, |source| source.index_sizes(ctx));
            let group: Vec<Source> = left.iter().take(count).copied().collect();
            let Some(first) = group.first() else { return Ok(None) };
            self.next += count;
            let base = first.base;
            let mut output = self.create_output(base)?;
            let changed = match self.clean(&group, map, &mut output, pace) {
                Ok(changed) => changed || count > 1,
                Err(e) => {
                    output.discard(&self.plan.ctx);
                    return Err(e);
                }
            };
            if !changed {
                output.discard(&self.plan.ctx);
                continue;
            }
            let segment = self.commit(output, base)?;
            return Ok(Some(Cleaned {
                segment,
                sources: group.iter().map(|source| source.base).collect(),
                truncations: self.plan.truncations,
            }));
        }
    }

    /// Whether anything went.
    fn clean(
        &mut self,
        group: &[Source],
        map: &OffsetMap,
        output: &mut Output,
        pace: &mut dyn Pace,
    ) -> Result<bool, CompactError> {
        let (mut transactions, mut outside) = (self.transactions.take(), Transactions::default());
        let mut changed = false;
        for (i, source) in group.iter().enumerate() {
            let file = source.open(&self.plan.ctx)?;
            let mut scan = Scan::new(&*file, 0, source.size);
            while let Some((position, header)) = source.next_batch(&self.plan.ctx, &mut scan)? {
                let end = position + header.size() as u64;
                spend(pace, header.size() as u64)?;
                self.bytes_read += header.size() as u64;
                if header.attributes.is_transactional() && transactions.is_none() {
                    transactions = Some(self.transactions_from(source.base, header.base_offset.0, pace)?);
                }
                let batch = source.load(&self.plan.ctx, &mut scan, (position, &header))?;
                let known = transactions.as_mut().unwrap_or(&mut outside);
                let is_last = i + 1 == group.len() && end == source.size;
                let (kept, aborts) = self
                    .rules(map)
                    .retain(&batch, known, is_last)
                    .map_err(|e| source.damaged(&self.plan.ctx, position, &e.to_string()))?;
                aborts.iter().for_each(|txn| output.append_aborted(txn));
                let bytes = match kept {
                    Kept::All => batch.bytes().clone(),
                    Kept::Nothing => Bytes::new(),
                    Kept::Some(bytes) => bytes,
                };
                changed |= bytes.len() != header.size() || bytes != *batch.bytes();
                if !bytes.is_empty() {
                    self.write(source, output, &bytes)?;
                    spend(pace, bytes.len() as u64)?;
                }
            }
        }
        self.transactions = transactions;
        Ok(changed)
    }

    fn write(&mut self, source: &Source, output: &mut Output, bytes: &[u8]) -> Result<(), CompactError> {
        let ctx = &self.plan.ctx;
        let header = BatchHeader::parse(bytes).map_err(io::Error::other);
        let written = header.and_then(|header| output.append(ctx, &header, bytes));
        written.map_err(|e| write_failed(ctx, source.base, &e))?;
        self.bytes_written += bytes.len() as u64;
        Ok(())
    }

    /// Names the output so that a start swaps it in, unless the log was given up or truncated meanwhile.
    fn commit(&self, mut output: Output, base: i64) -> Result<Segment, CompactError> {
        let ctx = &self.plan.ctx;
        if let Err(e) = output.sync(ctx) {
            output.discard(ctx);
            return Err(write_failed(ctx, base, &e));
        }
        // Held for the renames alone: appends wait for it.
        let life = ctx.life.lock();
        if life.gone || life.truncations != self.plan.truncations {
            output.discard(ctx);
            return Err(CompactError::Stopped);
        }
        let segment = output.commit(ctx).map_err(|e| write_failed(ctx, base, &e))?;
        drop(life);
        ctx.disk.sync_dir(&ctx.dir).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => CompactError::Stopped,
            _ => ctx.health.sync_failed(&ctx.dir, &e).into(),
        })?;
        Ok(segment)
    }

    /// Not in the folder of another topic that has the name now.
    fn create_output(&self, base: i64) -> Result<Output, CompactError> {
        let ctx = &self.plan.ctx;
        let life = ctx.life.lock();
        if life.gone {
            return Err(CompactError::Stopped);
        }
        let created = Output::create(ctx, self.plan.log, base, self.plan.index_interval);
        created.map_err(|e| write_failed(ctx, base, &e))
    }

    fn rules<'a>(&'a self, map: &'a OffsetMap) -> Rules<'a> {
        Rules {
            map,
            producers: &self.plan.producers,
            upper: self.plan.upper,
            now_ms: self.plan.now_ms,
            delete_retention_ms: self.plan.delete_retention_ms,
            limit: self.plan.max_decompressed_bytes,
        }
    }

    /// What is known of transactions before a batch at `offset`, the first of any that was seen. There is none in segments before
    /// `base`, whose files may have been replaced.
    fn transactions_from(
        &mut self,
        base: i64,
        offset: i64,
        pace: &mut dyn Pace,
    ) -> Result<Transactions, CompactError> {
        let aborted = match self.aborted.take() {
            Some(aborted) => aborted,
            None => {
                let from = self.plan.sources.partition_point(|source| source.base < base);
                let sources = self.plan.sources.get(from..).unwrap_or_default();
                find_aborted(&self.plan.ctx, sources, self.plan.upper, pace)?
            }
        };
        let known = Transactions::new(aborted.iter().filter(|txn| txn.last_offset >= offset).copied());
        self.aborted = Some(aborted);
        Ok(known)
    }

    /// The position of the index entry before `offset`; the segment's start if the index does not tell.
    fn position_before(&self, source: &Source, offset: i64) -> u64 {
        let mut index = Index::<OffsetEntry>::sealed(source.log, source.base);
        let floor = index.floor(&self.plan.ctx, |e| source.base + i64::from(e.relative_offset) < offset);
        floor.ok().flatten().map_or(0, |entry| u64::from(entry.position))
    }
}

pub(super) fn spend(pace: &mut dyn Pace, bytes: u64) -> Result<(), CompactError> {
    if pace.spend(bytes) { Ok(()) } else { Err(CompactError::Stopped) }
}

fn write_failed(ctx: &Context, base: i64, error: &io::Error) -> CompactError {
    if error.kind() == io::ErrorKind::NotFound {
        // The folder was deleted.
        return CompactError::Stopped;
    }
    let path = ctx.dir.join(crate::segment::file_name(base, "log.cleaned"));
    ctx.health.write_failed("write", &path, error).into()
}
