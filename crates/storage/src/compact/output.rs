//! The segment that compaction writes: `%020d.log.cleaned` and its indexes.

use std::io;

use ottla_env::OpenOptions;
use ottla_records::BatchHeader;

use super::transactions::AbortedTxn;
use crate::context::Context;
use crate::handles::{FileKind, Stage};
use crate::segment::Segment;

/// What is written at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// Takes batches; nothing of it counts before [`Output::commit`].
#[derive(Debug)]
pub(super) struct Output {
    segment: Segment,
    buffer: Vec<u8>,
    /// How much of the file is written.
    written: u64,
    aborted: Vec<u8>,
    interval: u64,
}

impl Output {
    pub(super) fn create(ctx: &Context, log: u64, base: i64, interval: u64) -> io::Result<Self> {
        let segment = Segment::create_at(ctx, log, base, Stage::Cleaned)?;
        Ok(Self { segment, buffer: Vec::new(), written: 0, aborted: Vec::new(), interval })
    }

    pub(super) fn append(&mut self, ctx: &Context, header: &BatchHeader, bytes: &[u8]) -> io::Result<()> {
        self.segment.note_batch(self.segment.size, header, self.interval);
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES { self.write_out(ctx) } else { Ok(()) }
    }

    pub(super) fn append_aborted(&mut self, txn: &AbortedTxn) {
        txn.write(&mut self.aborted);
    }

    /// Names the segment, which was synced, `.swap`: from then on a start puts it in place of its sources. The caller syncs the
    /// folder.
    ///
    /// ```text
    ///  sync .cleaned files ─▶ sync the folder ─▶ rename indexes, then the log ─▶ sync the folder
    /// ```
    pub(super) fn commit(mut self, ctx: &Context) -> io::Result<Segment> {
        crate::log::gaps::note(ctx)?;
        for kind in [FileKind::OffsetIndex, FileKind::TimeIndex, FileKind::TxnIndex, FileKind::Log] {
            if kind != FileKind::TxnIndex || !self.aborted.is_empty() {
                let from = self.segment.path(ctx, kind);
                let to = ctx.segment_path(self.segment.key(kind).at(Stage::Swap));
                ctx.doomed.spare(&to);
                ctx.disk.rename(&from, &to)?;
            }
        }
        self.segment.release_writer();
        self.segment.set_stage(Stage::Swap);
        Ok(self.segment)
    }

    /// Makes it durable.
    pub(super) fn sync(&mut self, ctx: &Context) -> io::Result<()> {
        self.write_out(ctx)?;
        self.segment.index_time();
        self.segment.offsets.spill(ctx)?;
        self.segment.times.spill(ctx)?;
        self.segment.reader(ctx)?.sync_data()?;
        self.segment.sync_indexes(ctx)?;
        if !self.aborted.is_empty() {
            let path = self.segment.path(ctx, FileKind::TxnIndex);
            ctx.doomed.spare(&path);
            let file = ctx.disk.open(&path, OpenOptions::CREATE_EMPTY)?;
            file.write_all_at(&self.aborted, 0)?;
            file.sync_data()?;
        }
        ctx.disk.sync_dir(&ctx.dir)
    }

    /// Removes what was written.
    pub(super) fn discard(mut self, ctx: &Context) {
        self.segment.release_writer();
        self.segment.doom(ctx);
    }

    fn write_out(&mut self, ctx: &Context) -> io::Result<()> {
        if !self.buffer.is_empty() {
            let writer = self.segment.writer();
            let path = || self.segment.path(ctx, FileKind::Log);
            let opened = writer.open(ctx, path, OpenOptions::WRITE)?;
            let file = opened.file();
            file.write_all_at(&self.buffer, self.written)?;
            file.start_writeback(self.written, self.buffer.len() as u64)?;
            self.written += self.buffer.len() as u64;
            self.buffer.clear();
        }
        if self.segment.offsets.wants_spill() || self.segment.times.wants_spill() {
            self.segment.offsets.spill(ctx)?;
            self.segment.times.spill(ctx)?;
        }
        Ok(())
    }
}
