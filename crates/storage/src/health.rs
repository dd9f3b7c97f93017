//! Whether a log directory can be trusted with writes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{StorageError, is_full, is_out_of_files};

/// Turns offline at the first failed sync or write and stays so: after a failed sync nobody knows what is on the device,
/// and asking again proves nothing (PostgreSQL wiki, "Fsync Errors").
#[derive(Debug)]
pub(crate) struct Health {
    dir: PathBuf,
    failure: OnceLock<String>,
    /// Writes that found no room.
    refused: AtomicU64,
}

impl Health {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), failure: OnceLock::new(), refused: AtomicU64::new(0) }
    }

    pub(crate) fn check(&self) -> Result<(), StorageError> {
        match self.failure.get() {
            None => Ok(()),
            Some(reason) => Err(StorageError::Offline { dir: self.dir.clone(), reason: reason.clone() }),
        }
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// How many writes have found no room so far.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// A sync failed: offline, whatever the reason.
    pub(crate) fn sync_failed(&self, path: &Path, error: &io::Error) -> StorageError {
        // Syncing itself never lacks descriptors: the file could not even be opened.
        if is_out_of_files(error) {
            return StorageError::TooManyOpenFiles { path: path.to_owned() };
        }
        self.fail(format!("cannot sync {}: {error}", path.display()))
    }

    /// A write, creation or rename failed: offline, unless there is merely no space or no descriptor.
    pub(crate) fn write_failed(&self, op: &'static str, path: &Path, error: &io::Error) -> StorageError {
        if is_full(error) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return StorageError::Full { path: path.to_owned() };
        }
        if is_out_of_files(error) {
            return StorageError::TooManyOpenFiles { path: path.to_owned() };
        }
        self.fail(format!("cannot {op} {}: {error}", path.display()))
    }

    fn fail(&self, reason: String) -> StorageError {
        let first = self.failure.get_or_init(|| {
            tracing::error!(dir = %self.dir.display(), %reason, "log directory goes offline");
            reason
        });
        StorageError::Offline { dir: self.dir.clone(), reason: first.clone() }
    }
}
