//! A disk whose syncs or reads wait until a test lets them through.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use ottla_env::{DirEntry, Disk, File, OpenOptions};

use crate::PATIENCE;

/// Holds up the syncs, or the reads, of files whose path contains all of some texts. Open at first.
#[derive(Clone, Debug)]
pub struct DiskGate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    holds: Operation,
    path_contains: Vec<String>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Sync,
    Read,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    waiting: usize,
}

impl DiskGate {
    /// A gate for syncs of the files whose path contains `parts`.
    pub fn on_syncs(parts: &[&str]) -> Self {
        Self::on(Operation::Sync, parts)
    }

    /// A gate for reads of the files whose path contains `parts`.
    pub fn on_reads(parts: &[&str]) -> Self {
        Self::on(Operation::Read, parts)
    }

    fn on(holds: Operation, parts: &[&str]) -> Self {
        let path_contains = parts.iter().map(|part| (*part).to_owned()).collect();
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Inner { holds, path_contains, state, changed }))
    }

    /// Puts the gate before `disk`.
    pub fn before(&self, disk: Arc<dyn Disk>) -> Arc<dyn Disk> {
        Arc::new(GatedDisk { disk, gate: self.clone() })
    }

    /// From now on they wait.
    pub fn close(&self) {
        self.0.state.lock().unwrap().closed = true;
    }

    /// Lets those that wait and all further ones through.
    pub fn open(&self) {
        self.0.state.lock().unwrap().closed = false;
        self.0.changed.notify_all();
    }

    /// Waits until `n` of them are held up.
    pub fn wait_for_held(&self, n: usize) {
        let state = self.0.state.lock().unwrap();
        let (state, timed_out) =
            self.0.changed.wait_timeout_while(state, PATIENCE, |state| state.waiting < n).unwrap();
        assert!(!timed_out.timed_out(), "{} are held up, not {n}", state.waiting);
    }

    fn pass(&self, operation: Operation, path: &Path) {
        let path = path.to_string_lossy();
        if operation != self.0.holds || !self.0.path_contains.iter().all(|part| path.contains(part)) {
            return;
        }
        let mut state = self.0.state.lock().unwrap();
        state.waiting += 1;
        self.0.changed.notify_all();
        let mut state = self.0.changed.wait_while(state, |state| state.closed).unwrap();
        state.waiting -= 1;
    }
}

#[derive(Debug)]
struct GatedDisk {
    disk: Arc<dyn Disk>,
    gate: DiskGate,
}

impl Disk for GatedDisk {
    fn open(&self, path: &Path, options: OpenOptions) -> io::Result<Arc<dyn File>> {
        let file = self.disk.open(path, options)?;
        Ok(Arc::new(GatedFile { file, path: path.into(), gate: self.gate.clone() }))
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

    fn total_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.disk.total_bytes(dir)
    }

    fn cache_life(&self) -> Option<[u8; 16]> {
        self.disk.cache_life()
    }
}

#[derive(Debug)]
struct GatedFile {
    file: Arc<dyn File>,
    path: Box<Path>,
    gate: DiskGate,
}

impl File for GatedFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.gate.pass(Operation::Read, &self.path);
        self.file.read_at(buf, offset)
    }

    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        self.file.write_vectored_at(bufs, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.gate.pass(Operation::Sync, &self.path);
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
