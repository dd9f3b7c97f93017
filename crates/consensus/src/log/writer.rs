//! The one thread that writes the log: drains the queue, one write, one sync, completions in order.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ottla_env::{Disk, OpenOptions};
use parking_lot::{Condvar, Mutex};

use crate::log::batch::Batch;
use crate::log::frame::{FORMAT, Frame, Start, frame_bytes};
use crate::log::memory::Place;
use crate::log::recovery::Tail;
use crate::log::segment::{Segment, segment_path};
use crate::log::{Ballot, LogEntry, LogOptions, LogState, Position, Shared};

/// Called once, on the writer thread, with whether the change is on disk.
pub(crate) type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

/// Payload bytes after which no further change joins a batch.
const BATCH_BYTES: usize = 1 << 20;
/// Between two attempts to write to a full disk.
const FULL_DISK_PAUSE: Duration = Duration::from_millis(100);

/// A change of the log.
#[derive(Debug)]
pub(super) enum Op {
    Append(Vec<LogEntry>),
    Ballot(Ballot),
    Truncate(Option<Position>),
    Purge(Position),
}

impl Op {
    fn bytes(&self) -> usize {
        match self {
            Self::Append(entries) => entries.iter().map(|entry| frame_bytes(entry.body.len() + 32)).sum(),
            Self::Ballot(_) | Self::Truncate(_) | Self::Purge(_) => frame_bytes(32),
        }
    }
}

/// How the thread ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// Writes the rest and a clean mark.
    Clean,
    /// Drops the rest, as if the process had been killed.
    Abandon,
}

/// Changes on their way to the writer.
#[derive(Default)]
pub(super) struct Queue {
    inner: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    ops: VecDeque<(Op, Done)>,
    close: Option<Close>,
    /// Why nothing is written any more.
    failure: Option<String>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.inner.lock();
        f.debug_struct("Queue")
            .field("ops", &waiting.ops.len())
            .field("close", &waiting.close)
            .field("failure", &waiting.failure)
            .finish()
    }
}

impl Queue {
    pub(super) fn push(&self, op: Op, done: Done) {
        let mut waiting = self.inner.lock();
        let refusal = match (&waiting.failure, waiting.close) {
            (Some(failure), _) => failed_before(failure),
            (None, Some(_)) => io::Error::other("the metadata log is closed"),
            (None, None) => {
                waiting.ops.push_back((op, done));
                self.changed.notify_one();
                return;
            }
        };
        drop(waiting);
        done(Err(refusal));
    }

    pub(super) fn close(&self, how: Close) {
        let mut waiting = self.inner.lock();
        if waiting.close != Some(Close::Abandon) {
            waiting.close = Some(how);
        }
        self.changed.notify_one();
    }

    /// The next changes to write together; `Err` when the thread should end.
    fn take(&self) -> Result<Vec<(Op, Done)>, Close> {
        let mut waiting = self.inner.lock();
        loop {
            if waiting.close == Some(Close::Abandon) {
                return Err(Close::Abandon);
            }
            if !waiting.ops.is_empty() {
                break;
            }
            if let Some(close) = waiting.close {
                return Err(close);
            }
            self.changed.wait(&mut waiting);
        }
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH_BYTES
            && let Some((op, done)) = waiting.ops.pop_front()
        {
            bytes += op.bytes();
            taken.push((op, done));
        }
        Ok(taken)
    }

    /// Refuses everything from now on; what was waiting is returned to be refused too.
    fn fail(&self, failure: String) -> VecDeque<(Op, Done)> {
        let mut waiting = self.inner.lock();
        waiting.failure = Some(failure);
        std::mem::take(&mut waiting.ops)
    }

    fn is_closing(&self) -> bool {
        self.inner.lock().close.is_some()
    }
}

fn failed_before(failure: &str) -> io::Error {
    io::Error::other(format!("the metadata log failed before: {failure}"))
}

/// The state of the thread.
pub(super) struct Writer {
    shared: Arc<Shared>,
    disk: Arc<dyn Disk>,
    options: LogOptions,
    tail: Tail,
    /// As of the last batch, for the next start frame.
    ballot: Option<Ballot>,
    committed: Option<Position>,
    purged: Option<Position>,
    last: Option<Position>,
    /// Kept between batches.
    buffer: Vec<u8>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, disk: Arc<dyn Disk>, options: LogOptions, tail: Tail) -> Self {
        let state = shared.memory.lock().state();
        let LogState { ballot, committed, purged, last } = state;
        Self { shared, disk, options, tail, ballot, committed, purged, last, buffer: Vec::new() }
    }

    /// Waits for changes, writes them and tells; `false` when there will be no more.
    pub(super) fn step(&mut self) -> bool {
        match self.shared.queue.take() {
            Ok(taken) => {
                let (ops, dones): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
                if let Err(error) = self.write(&ops, None) {
                    self.fail(&error, dones);
                    return false;
                }
                for done in dones {
                    done(Ok(()));
                }
                self.drop_purged_segments();
                true
            }
            Err(Close::Clean) => {
                if !self.tail.segments.is_empty()
                    && let Err(error) = self.write(&[], Some(&Frame::Clean))
                {
                    tracing::warn!(%error, "the metadata log could not be marked as closed");
                }
                false
            }
            Err(Close::Abandon) => false,
        }
    }

    /// Tells everybody who waits or will ask.
    fn fail(&self, error: &io::Error, dones: Vec<Done>) {
        tracing::error!(dir = %self.options.dir.display(), %error, "the metadata log cannot be written: this node stops");
        let waiting = self.shared.queue.fail(error.to_string());
        for done in dones {
            done(Err(io::Error::new(error.kind(), error.to_string())));
        }
        for (_, done) in waiting {
            done(Err(failed_before(&error.to_string())));
        }
    }

    /// Writes and syncs one batch.
    fn write(&mut self, ops: &[Op], last: Option<&Frame>) -> io::Result<()> {
        let size = ops.iter().map(Op::bytes).sum::<usize>() as u64;
        let start = if self.needs_new_segment(size) { Some(self.open_segment()?) } else { None };
        let is_new = start.is_some();

        let mut batch =
            Batch::new(std::mem::take(&mut self.buffer), self.tail.next_number, self.tail.batch + 1);
        if let Some(start) = start {
            batch.push(&Frame::Start(start));
        }
        let mut entries = Vec::new();
        for op in ops {
            self.encode(op, &mut batch, &mut entries);
        }
        let committed = self.shared.memory.lock().committed;
        if committed != self.committed {
            self.committed = committed;
            batch.push(&Frame::Committed(committed));
        }
        if let Some(last) = last {
            batch.push(last);
        }
        let (bytes, next_number) = batch.finish();
        if bytes.is_empty() {
            // Nothing to write is no batch: the numbering must not skip one.
            self.buffer = bytes;
            return Ok(());
        }
        self.write_and_sync(&bytes, is_new)?;

        self.publish(&entries);
        self.tail.next_number = next_number;
        self.tail.batch += 1;
        self.tail.position += bytes.len() as u64;
        self.buffer = bytes;
        self.buffer.shrink_to(BATCH_BYTES);
        Ok(())
    }

    fn encode(&mut self, op: &Op, batch: &mut Batch, entries: &mut Vec<(Position, usize, usize)>) {
        match op {
            Op::Append(appended) => {
                for entry in appended {
                    let (offset, body_len) = batch.push_entry(entry);
                    entries.push((entry.position, offset, body_len));
                    self.last = Some(entry.position);
                }
            }
            Op::Ballot(ballot) => {
                self.ballot = Some(*ballot);
                batch.push(&Frame::Ballot(*ballot));
            }
            Op::Truncate(last) => {
                self.last = (*last).max(self.purged);
                batch.push(&Frame::Truncate(*last));
            }
            Op::Purge(upto) => {
                self.purged = Some(*upto);
                self.last = self.last.max(Some(*upto));
                batch.push(&Frame::Purge(*upto));
            }
        }
    }

    /// Tells readers where the entries of a batch are.
    fn publish(&mut self, entries: &[(Position, usize, usize)]) {
        let Some(segment) = self.tail.segments.last_mut() else { return };
        let mut memory = self.shared.memory.lock();
        for &(position, offset, body_len) in entries {
            segment.note_entry(position.index);
            let at = self.tail.position + offset as u64;
            memory.written(position, Place { file: Arc::clone(&segment.file), position: at, body_len });
        }
    }

    fn needs_new_segment(&self, size: u64) -> bool {
        self.tail.segments.is_empty() || self.tail.position + size > self.options.segment_bytes
    }

    /// Creates the next segment; it is on disk when the batch is that starts it.
    fn open_segment(&mut self) -> io::Result<Start> {
        let base = self.tail.next_number;
        let path = segment_path(&self.options.dir, base);
        let file = self.until_space(|| self.disk.open(&path, OpenOptions::CREATE_EMPTY))?;
        // An optimisation, and not every file system has it: blocks in one piece, and room for what comes.
        if let Err(error) = file.preallocate(0, self.options.segment_bytes) {
            tracing::debug!(%error, "no space reserved for the metadata log");
        }
        self.tail.segments.push(Segment { base, file, max_index: None });
        (self.tail.position, self.tail.room) = (0, 0);
        Ok(Start {
            format: FORMAT,
            directory_id: self.options.directory_id,
            ballot: self.ballot,
            committed: self.committed,
            purged: self.purged,
            last: self.last,
        })
    }

    fn write_and_sync(&mut self, bytes: &[u8], is_new: bool) -> io::Result<()> {
        let end = self.tail.position + bytes.len() as u64;
        if end > self.tail.room {
            self.tail.room = self.make_room(end);
        }
        let segment = self.tail.segments.last().ok_or(io::ErrorKind::NotFound)?;
        self.until_space(|| segment.file.write_all_at(bytes, self.tail.position))?;
        // A failed sync is never repeated: the kernel may have dropped the pages and would report success.
        segment.file.sync_data()?;
        if is_new { self.disk.sync_dir(&self.options.dir) } else { Ok(()) }
    }

    /// Writes zeros from `end` on; returns up to where. Without them the next write makes the file grow by itself.
    fn make_room(&self, end: u64) -> u64 {
        let room = usize::try_from(self.options.room_bytes).unwrap_or(0);
        let zeros = vec![0; room];
        match self.tail.segments.last().map(|segment| segment.file.write_all_at(&zeros, end)) {
            Some(Ok(())) => end + room as u64,
            _ => end,
        }
    }

    /// A full disk is the one failure that passes: nothing was promised yet, so the same write is tried again.
    fn until_space<T>(&self, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let mut told = false;
        loop {
            match attempt() {
                Err(error)
                    if error.kind() == io::ErrorKind::StorageFull && !self.shared.queue.is_closing() =>
                {
                    if !told {
                        tracing::error!(dir = %self.options.dir.display(), "disk full: the metadata log waits for space");
                        told = true;
                    }
                    std::thread::sleep(FULL_DISK_PAUSE);
                }
                result => return result,
            }
        }
    }

    /// Removes the oldest segments whose entries are all purged. If the removal is lost, recovery repeats it.
    fn drop_purged_segments(&mut self) {
        let Some(purged) = self.purged else { return };
        while self.tail.segments.len() > 1
            && let Some(oldest) = self.tail.segments.first()
            && oldest.max_index.is_none_or(|index| index <= purged.index)
        {
            let path = segment_path(&self.options.dir, oldest.base);
            if let Err(error) = self.disk.remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "a purged segment of the metadata log cannot be removed");
                return;
            }
            self.tail.segments.remove(0);
        }
    }
}
