//! Open files of sealed segments and indexes: few of many are open at a time.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use ottla_env::File;
use parking_lot::Mutex;

/// Which file of which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileKey {
    pub(crate) log: u64,
    pub(crate) base: i64,
    pub(crate) kind: FileKind,
    pub(crate) stage: Stage,
}

impl FileKey {
    /// The same file at another stage.
    pub(crate) const fn at(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }
}

/// How far a file has come that compaction wrote (`UnifiedLog.replaceSegments`); all others are final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// Being written; of no meaning to a start.
    Cleaned,
    /// Complete and durable: takes the place of those that it was made from.
    Swap,
    #[default]
    Final,
}

impl Stage {
    /// What follows the name.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Cleaned => ".cleaned",
            Self::Swap => ".swap",
            Self::Final => "",
        }
    }
}

/// What a segment consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FileKind {
    Log,
    OffsetIndex,
    TimeIndex,
    /// Which transactions were aborted.
    TxnIndex,
}

impl FileKind {
    pub(crate) const ALL: [Self; 4] = [Self::Log, Self::OffsetIndex, Self::TimeIndex, Self::TxnIndex];

    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::OffsetIndex => "index",
            Self::TimeIndex => "timeindex",
            Self::TxnIndex => "txnindex",
        }
    }
}

/// The most recently used handles; a reader that still holds an evicted one keeps it open.
#[derive(Debug)]
pub(crate) struct Handles {
    capacity: usize,
    open: Mutex<Lru>,
}

#[derive(Debug, Default)]
struct Lru {
    files: HashMap<FileKey, (Arc<dyn File>, u64)>,
    clock: u64,
}

impl Handles {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), open: Mutex::default() }
    }

    pub(crate) fn get(
        &self,
        key: FileKey,
        open: impl FnOnce() -> io::Result<Arc<dyn File>>,
    ) -> io::Result<Arc<dyn File>> {
        {
            let mut lru = self.open.lock();
            lru.clock += 1;
            let now = lru.clock;
            if let Some((file, used)) = lru.files.get_mut(&key) {
                *used = now;
                return Ok(Arc::clone(file));
            }
        }
        let file = open()?;
        let evicted = {
            let mut lru = self.open.lock();
            let now = lru.clock;
            lru.files.insert(key, (Arc::clone(&file), now));
            if lru.files.len() > self.capacity { lru.evict_oldest() } else { None }
        };
        // Closing is a system call: not under the lock.
        drop(evicted);
        Ok(file)
    }

    pub(crate) fn forget(&self, log: u64, base: i64) {
        let mut lru = self.open.lock();
        lru.files.retain(|key, _| key.log != log || key.base != base);
    }

    pub(crate) fn forget_log(&self, log: u64) {
        self.open.lock().files.retain(|key, _| key.log != log);
    }

    pub(crate) fn len(&self) -> usize {
        self.open.lock().files.len()
    }
}

impl Lru {
    fn evict_oldest(&mut self) -> Option<Arc<dyn File>> {
        let oldest = self.files.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key)?;
        self.files.remove(&oldest).map(|(file, _)| file)
    }
}
