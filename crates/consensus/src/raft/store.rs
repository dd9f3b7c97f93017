//! Our log as openraft's log storage.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};

use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use tokio::sync::oneshot;

use crate::log::{LogReader, RaftLog};
use crate::raft::codec::{from_log, to_log};
use crate::raft::types::{Entry, LogId, TypeConfig, Vote, ballot, log_id, position, vote};

/// Payload bytes of one append to a peer.
const REPLICATE_BYTES: usize = 1 << 20;

/// The writing side.
#[derive(Debug)]
pub(crate) struct Store {
    log: RaftLog,
}

/// The reading side.
#[derive(Clone, Debug)]
pub(crate) struct StoreReader {
    log: LogReader,
}

impl Store {
    pub(crate) const fn new(log: RaftLog) -> Self {
        Self { log }
    }

    /// Runs a change and waits until it is on disk.
    async fn durably(&self, change: impl FnOnce(&RaftLog, crate::log::Done)) -> io::Result<()> {
        let (tx, rx) = oneshot::channel();
        // A receiver that is gone does not want to know any more.
        change(&self.log, Box::new(move |result| drop(tx.send(result))));
        rx.await.unwrap_or_else(|_| Err(io::Error::other("the metadata log is closed")))
    }
}

impl RaftLogStorage<TypeConfig> for Store {
    type LogReader = StoreReader;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let state = self.log.state();
        Ok(LogState { last_purged_log_id: state.purged.map(log_id), last_log_id: state.last.map(log_id) })
    }

    async fn get_log_reader(&mut self) -> StoreReader {
        StoreReader { log: self.log.reader() }
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.durably(|log, done| log.save_ballot(ballot(vote), done)).await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        self.log.save_committed(committed.map(position));
        Ok(())
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        Ok(self.log.state().committed.map(log_id))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let entries = entries.into_iter().map(|entry| to_log(&entry)).collect();
        self.log.append(entries, Box::new(|result| callback.io_completed(result)));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        self.durably(|log, done| log.truncate_after(last.map(position), done)).await
    }

    async fn purge(&mut self, upto: LogId) -> io::Result<()> {
        self.durably(|log, done| log.purge(position(upto), done)).await
    }
}

impl RaftLogReader<TypeConfig> for StoreReader {
    async fn try_get_log_entries<R>(&mut self, range: R) -> io::Result<Vec<Entry>>
    where
        R: RangeBounds<u64> + Clone + Debug + Send,
    {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&start) => start.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&end) => end.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => u64::MAX,
        };
        self.read(start, end, usize::MAX)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.read(start, end, REPLICATE_BYTES)
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        Ok(self.log.state().ballot.map(vote))
    }
}

impl StoreReader {
    fn read(&self, start: u64, end: u64, max_bytes: usize) -> io::Result<Vec<Entry>> {
        let entries = self.log.read(start, end, max_bytes)?;
        let decode = |entry| from_log(entry).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e));
        entries.into_iter().map(decode).collect()
    }
}
