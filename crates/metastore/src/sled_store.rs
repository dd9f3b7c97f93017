//! The store on sled 0.34.7. What this adapter adds (why: system calls traced and power loss imitated on it, 2026-11;
//! its cost: `examples/footprint.rs`, 1 MiB resident and 10 to 20 ms to open when idle):
//!
//! - `Db::flush` is `sync_file_range` on Linux, which promises nothing after power loss: [`SledMetaStore::sync`] is that
//!   flush, then `fdatasync` on the `db` file through a descriptor of our own.
//! - Items over a quarter of the segment size go to files that sled never syncs, tree nodes included: values are
//!   limited to 4 KiB, and the segments are large enough for a node full of them.
//! - Opening a damaged folder may return an error or panic: either way it is moved aside and an empty one opened.
//! - sled's own background flusher is off: the host decides when to sync.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::store::{KeyRange, MetaBatch, MetaIter, MetaOp, MetaStore, MetaStoreError, Tree};

/// Pages kept in memory, bytes; the host keeps what it needs often itself.
const CACHE_BYTES: u64 = 1 << 20;
/// A quarter of it is the largest tree node that stays out of the unsynced files.
const SEGMENT_BYTES: usize = 512 << 10;

/// An ordered store in a folder of its own.
pub struct SledMetaStore {
    db: sled::Db,
    /// The folder; also where `db_file` is.
    path: PathBuf,
    db_file: File,
    failed: AtomicBool,
    /// One writer at a time: sled batches are atomic, but two at once may each hold pages that the other waits for.
    writing: Mutex<()>,
}

/// An opened store, and whether its content was lost.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: SledMetaStore,
    /// Where the folder was moved that could not be opened; the store is then empty and must be rebuilt.
    pub moved_aside: Option<PathBuf>,
}

impl SledMetaStore {
    /// Opens the store in the folder `path`, creating it if it is not there. A folder that sled cannot open is moved
    /// aside (replacing an older one) and reported.
    pub fn open(path: impl AsRef<Path>) -> Result<Opened, MetaStoreError> {
        let path = path.as_ref();
        match try_open(path) {
            Ok(store) => Ok(Opened { store, moved_aside: None }),
            Err(reason) => {
                let aside = move_aside(path).map_err(|e| MetaStoreError::Open {
                    path: path.to_owned(),
                    reason: format!("{reason}; {e}"),
                })?;
                tracing::warn!(path = %path.display(), moved_to = %aside.display(), reason,
                    "the metadata store could not be opened and is rebuilt");
                let store = try_open(path)
                    .map_err(|reason| MetaStoreError::Open { path: path.to_owned(), reason })?;
                Ok(Opened { store, moved_aside: Some(aside) })
            }
        }
    }

    fn tree(&self, tree: Tree) -> Result<sled::Tree, MetaStoreError> {
        if self.failed.load(Ordering::Acquire) {
            return Err(MetaStoreError::Failed);
        }
        self.db.open_tree(tree.0).map_err(|e| self.fail(&e))
    }

    fn fail(&self, error: &dyn std::fmt::Display) -> MetaStoreError {
        self.failed.store(true, Ordering::Release);
        tracing::error!(path = %self.path.display(), %error, "the metadata store failed");
        MetaStoreError::Store(error.to_string())
    }
}

impl std::fmt::Debug for SledMetaStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledMetaStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl MetaStore for SledMetaStore {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Bytes>, MetaStoreError> {
        let found = self.tree(tree)?.get(key).map_err(|e| self.fail(&e))?;
        Ok(found.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn scan(&self, tree: Tree, range: KeyRange) -> Result<MetaIter<'_>, MetaStoreError> {
        let tree = self.tree(tree)?;
        if range.is_empty() {
            return Ok(Box::new(std::iter::empty()));
        }
        let items = tree.range::<Vec<u8>, _>((range.start, range.end));
        Ok(Box::new(items.map(|item| {
            let (key, value) = item.map_err(|e| self.fail(&e))?;
            Ok((Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&value)))
        })))
    }

    fn apply(&self, batch: MetaBatch) -> Result<(), MetaStoreError> {
        let tree = self.tree(batch.tree())?;
        let mut changes = sled::Batch::default();
        for op in batch.into_checked_ops()? {
            match op {
                MetaOp::Put(key, value) => changes.insert(key.as_ref(), value.as_ref()),
                MetaOp::Delete(key) => changes.remove(key.as_ref()),
            }
        }
        let _one = self.writing.lock();
        tree.apply_batch(changes).map_err(|e| self.fail(&e))
    }

    fn sync(&self) -> Result<(), MetaStoreError> {
        if self.failed.load(Ordering::Acquire) {
            return Err(MetaStoreError::Failed);
        }
        self.db.flush().map_err(|e| self.fail(&e))?;
        self.db_file.sync_data().map_err(|e| self.fail(&e))
    }

    fn size_on_disk(&self) -> Result<u64, MetaStoreError> {
        self.db.size_on_disk().map_err(|e| self.fail(&e))
    }
}

/// Opens the folder; sled panics on some kinds of damage.
fn try_open(path: &Path) -> Result<SledMetaStore, String> {
    let is_new = !path.join("db").exists();
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    let db = catch_unwind(AssertUnwindSafe(|| config.open()))
        .map_err(|_| "sled panicked while opening it".to_owned())?
        .map_err(|e| e.to_string())?;
    let db_file = File::open(path.join("db")).map_err(|e| e.to_string())?;
    if is_new {
        sync_new_folder(path).map_err(|e| e.to_string())?;
    }
    Ok(SledMetaStore {
        db,
        path: path.to_owned(),
        db_file,
        failed: AtomicBool::new(false),
        writing: Mutex::new(()),
    })
}

/// Makes the names durable that sled has created: its files in the folder, and the folder in its parent.
fn sync_new_folder(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// Renames the folder to `<name>.damaged`, so that it can be looked at, replacing an earlier one.
fn move_aside(path: &Path) -> std::io::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".damaged");
    let aside = path.with_file_name(name);
    match fs::symlink_metadata(&aside) {
        Ok(old) if old.is_dir() => fs::remove_dir_all(&aside)?,
        Ok(_) => fs::remove_file(&aside)?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}
