//! A disk of a process that has no descriptor left.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ottla_env::{DirEntry, Disk, File, OpenOptions};
use ottla_simdisk::SimDisk;

/// Refuses to open anything while it is told to.
#[derive(Clone, Debug)]
pub(super) struct ScarceDisk {
    pub(super) disk: SimDisk,
    refuses: Arc<AtomicBool>,
}

impl ScarceDisk {
    pub(super) fn new(disk: SimDisk) -> Self {
        Self { disk, refuses: Arc::default() }
    }

    pub(super) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }

    fn descriptor(&self) -> io::Result<()> {
        const EMFILE: i32 = 24;
        if self.refuses.load(Ordering::Relaxed) { Err(io::Error::from_raw_os_error(EMFILE)) } else { Ok(()) }
    }
}

impl Disk for ScarceDisk {
    fn open(&self, path: &Path, options: OpenOptions) -> io::Result<Arc<dyn File>> {
        self.descriptor()?;
        self.disk.open(path, options)
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
        self.descriptor()?;
        self.disk.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.descriptor()?;
        self.disk.sync_dir(dir)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.disk.free_bytes(dir)
    }
}
