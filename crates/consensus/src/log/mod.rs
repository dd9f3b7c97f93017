//! The log of one voter: entries and votes in one ordered stream of frames, on disk before they count.
//!
//! ```text
//!  00000000000000000000.raft            00000000000000000412.raft          (name: number of the first frame)
//!  ┌───────┬───────┬──────┬─────────┐   ┌───────┬───────┬──────────┬─────
//!  │ start │ entry │ vote │ entry.. │   │ start │ purge │ truncate │ ..     start repeats vote, commit and purge
//!  └───────┴───────┴──────┴─────────┘   └───────┴───────┴──────────┴─────   points, so older files can go as a whole
//!          ╰─ one batch ────────────╯ ◀─ one write, one fdatasync, then completions in order
//! ```
//!
//! Batches are numbered and written one after the other, so a frame of batch *n + 2* proves that batch *n + 1* was
//! synced: an incomplete batch with nothing later behind it is a torn tail and is dropped, anything else is damage.
//! The one thing this cannot tell apart is rot inside the very last batch after an unclean stop.
//!
//! Knows nothing of Raft's rules, and nothing of openraft.

mod batch;
mod batch_reader;
mod frame;
mod memory;
mod recovery;
mod replay;
mod scan;
mod segment;
mod writer;

#[cfg(test)]
mod crash_test;
#[cfg(test)]
mod log_test;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use ottla_env::Disk;
use ottla_types::DirectoryId;
use parking_lot::Mutex;

use crate::error::StartError;
use crate::log::memory::Memory;
use crate::log::writer::{Close, Op, Queue, Writer};

pub(crate) use crate::log::writer::Done;

/// Where an entry is: ordered by epoch, then index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) epoch: u64,
    pub(crate) index: u64,
}

/// Whom this node votes for, and whether a majority did too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ballot {
    pub(crate) epoch: u64,
    pub(crate) node: u64,
    pub(crate) committed: bool,
}

/// What the body of an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// Empty: the first entry of an epoch.
    Blank,
    /// Of the state machine.
    Payload,
    /// The voters.
    Voters,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEntry {
    pub(crate) position: Position,
    pub(crate) kind: EntryKind,
    pub(crate) body: Bytes,
}

/// How to open a log.
#[derive(Clone, Debug)]
pub(crate) struct LogOptions {
    pub(crate) dir: PathBuf,
    pub(crate) directory_id: DirectoryId,
    pub(crate) segment_bytes: u64,
    /// A segment grows by so many zeros at a time, which are then written over. A sync of bytes that a file has already
    /// waits for the device alone; one of a file that grew, for the commit of the file system's journal, and with it for all that
    /// other files have written (ext4, `data=ordered`).
    pub(crate) room_bytes: u64,
    pub(crate) cache_bytes: usize,
}

/// What is in a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogState {
    pub(crate) ballot: Option<Ballot>,
    /// As of some moment in the past; never beyond `last`.
    pub(crate) committed: Option<Position>,
    /// The last one purged.
    pub(crate) purged: Option<Position>,
    /// The last entry; `purged` when there is none after it.
    pub(crate) last: Option<Position>,
}

/// Shared by the log, its readers and its writer thread.
#[derive(Debug)]
struct Shared {
    memory: Mutex<Memory>,
    queue: Queue,
}

/// The log: takes changes, in order.
#[derive(Debug)]
pub(crate) struct RaftLog {
    shared: Arc<Shared>,
    thread: Arc<LogThread>,
}

/// Reads the log; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct LogReader {
    shared: Arc<Shared>,
}

/// The writer thread; ends without a clean mark when dropped, like a killed process.
#[derive(Debug)]
pub(crate) struct LogThread {
    shared: Arc<Shared>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl RaftLog {
    /// Opens the log in a directory, recovering what is there, and starts its writer thread. Blocks on the disk.
    pub(crate) fn open(disk: Arc<dyn Disk>, options: LogOptions) -> Result<Self, StartError> {
        let dir = options.dir.clone();
        let (log, mut writer) = Self::open_without_thread(disk, options)?;
        let handle = std::thread::Builder::new()
            .name("ottla-raft-log".to_owned())
            .spawn(move || while writer.step() {})
            .map_err(|source| StartError::Io { path: dir, source })?;
        *log.thread.handle.lock() = Some(handle);
        Ok(log)
    }

    /// The log, and what its thread would do.
    fn open_without_thread(disk: Arc<dyn Disk>, options: LogOptions) -> Result<(Self, Writer), StartError> {
        let recovered = recovery::recover(disk.as_ref(), &options)?;
        let memory = Mutex::new(recovered.memory);
        let shared = Arc::new(Shared { memory, queue: Queue::default() });
        let writer = Writer::new(Arc::clone(&shared), disk, options, recovered.tail);
        let thread = Arc::new(LogThread { shared: Arc::clone(&shared), handle: Mutex::new(None) });
        Ok((Self { shared, thread }, writer))
    }

    /// What is in the log, including what is not on disk yet.
    pub(crate) fn state(&self) -> LogState {
        self.shared.memory.lock().state()
    }

    /// For reading entries.
    pub(crate) fn reader(&self) -> LogReader {
        LogReader { shared: Arc::clone(&self.shared) }
    }

    /// For ending the writer thread.
    pub(crate) fn thread(&self) -> Arc<LogThread> {
        Arc::clone(&self.thread)
    }

    /// Appends entries that follow the last one. They can be read at once; `done` is called when they are on disk.
    pub(crate) fn append(&self, entries: Vec<LogEntry>, done: Done) {
        self.shared.memory.lock().append(&entries);
        self.shared.queue.push(Op::Append(entries), done);
    }

    /// Records a vote; `done` is called when it is on disk.
    pub(crate) fn save_ballot(&self, ballot: Ballot, done: Done) {
        self.shared.memory.lock().ballot = Some(ballot);
        self.shared.queue.push(Op::Ballot(ballot), done);
    }

    /// Notes how far is committed; goes to disk with the next change.
    pub(crate) fn save_committed(&self, committed: Option<Position>) {
        self.shared.memory.lock().committed = committed;
    }

    /// Removes the entries after `last`, all if `None`; `done` is called when that is on disk.
    pub(crate) fn truncate_after(&self, last: Option<Position>, done: Done) {
        self.shared.memory.lock().truncate_after(last);
        self.shared.queue.push(Op::Truncate(last), done);
    }

    /// Removes the entries up to and including `upto`; `done` is called when that is on disk. Files go when all in
    /// them is purged.
    pub(crate) fn purge(&self, upto: Position, done: Done) {
        self.shared.memory.lock().purge(upto);
        self.shared.queue.push(Op::Purge(upto), done);
    }
}

impl LogReader {
    /// Entries `start..end`, as many as there are, but no more than fit `max_bytes` (at least one).
    pub(crate) fn read(&self, start: u64, end: u64, max_bytes: usize) -> io::Result<Vec<LogEntry>> {
        let found = self.shared.memory.lock().find(start, end, max_bytes);
        found.into_iter().map(memory::Found::load).collect()
    }

    /// The entries of a kind, few as they are to be.
    pub(crate) fn of_kind(&self, kind: EntryKind) -> io::Result<Vec<LogEntry>> {
        let found = self.shared.memory.lock().of_kind(kind);
        found.into_iter().map(memory::Found::load).collect()
    }

    /// What is in the log.
    pub(crate) fn state(&self) -> LogState {
        self.shared.memory.lock().state()
    }
}

impl LogThread {
    /// Writes what is queued and a mark that all of it is there, and ends the thread. Blocks on the disk.
    pub(crate) fn close(&self) {
        self.end(Close::Clean);
    }

    /// Drops what is queued and ends the thread, like a killed process. Waits for the write that is under way.
    pub(crate) fn abandon(&self) {
        self.end(Close::Abandon);
    }

    fn end(&self, how: Close) {
        self.shared.queue.close(how);
        if let Some(handle) = self.handle.lock().take()
            && handle.join().is_err()
        {
            tracing::error!("the thread that writes the metadata log panicked");
        }
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        self.abandon();
    }
}
