//! A disk whose syncs panic when they are told to.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ottla_env::{DirEntry, Disk, File, OpenOptions};

#[derive(Clone, Debug)]
pub(super) struct FaultyDisk {
    disk: Arc<dyn Disk>,
    panics: Arc<AtomicBool>,
}

#[derive(Debug)]
struct FaultyFile {
    file: Arc<dyn File>,
    panics: Arc<AtomicBool>,
}

impl FaultyDisk {
    pub(super) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, panics: Arc::default() }
    }

    /// The next sync of a file panics.
    pub(super) fn panic_once(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path, options: OpenOptions) -> io::Result<Arc<dyn File>> {
        let file = self.disk.open(path, options)?;
        Ok(Arc::new(FaultyFile { file, panics: Arc::clone(&self.panics) }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir_all(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        self.disk.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.disk.free_bytes(dir)
    }
}

impl File for FaultyFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }

    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        self.file.write_vectored_at(bufs, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "in a sync");
        self.file.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn preallocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.file.preallocate(offset, len)
    }

    fn start_writeback(&self, offset: u64, len: u64) -> io::Result<()> {
        self.file.start_writeback(offset, len)
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.file.try_lock()
    }

    fn as_std(&self) -> Option<&std::fs::File> {
        self.file.as_std()
    }
}
