//! The disk: one tree behind a lock, and the handles into it.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ottla_env::{DirEntry, Disk, File, ManualClock, OpenOptions, Rng, SeededRng};
use parking_lot::Mutex;

use crate::fault::{Counters, Fault, Op};
use crate::tree::{Id, Tree};

/// A file system in memory that can lose power. Clones are the same disk.
///
/// The same seed and the same calls give the same outcome.
#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    tree: Tree,
    rng: SeededRng,
    powered: bool,
    /// Counts restarts, of the machine or of the process: handles of an older one are dead.
    boot: u64,
    /// Counts power cycles: what was not synced is gone.
    cache_life: u64,
    mutations: u64,
    crash_at: Option<u64>,
    faults: Vec<Fault>,
    capacity_bytes: Option<u64>,
    slow: Option<(Op, Duration, Arc<ManualClock>)>,
    counters: Counters,
    /// Which handle holds the lock of a file.
    locks: BTreeMap<Id, u64>,
    handles: u64,
}

impl SimDisk {
    /// An empty disk whose outcomes are drawn from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            tree: Tree::default(),
            rng: SeededRng::new(seed),
            powered: true,
            boot: 0,
            cache_life: 0,
            mutations: 0,
            crash_at: None,
            faults: Vec::new(),
            capacity_bytes: None,
            slow: None,
            counters: Counters::default(),
            locks: BTreeMap::new(),
            handles: 0,
        })))
    }

    /// A copy that goes its own way: the same bytes, drawing from `seed`.
    pub fn fork(&self, seed: u64) -> Self {
        let state = self.0.lock();
        let fork = Self::new(seed);
        {
            let mut new = fork.0.lock();
            new.tree = state.tree.clone();
            new.capacity_bytes = state.capacity_bytes;
        }
        fork
    }

    /// Loses power now and comes back: unsynced bytes and names survive in any part; open files are dead.
    pub fn crash(&self) {
        self.0.lock().powered = false;
        self.restart();
    }

    /// The power goes at the `n`-th mutating operation from now (1: the next one), which happens in any part. From
    /// then on everything fails until [`SimDisk::restart`].
    pub fn crash_at(&self, n: u64) {
        let mut state = self.0.lock();
        state.crash_at = Some(state.mutations + n);
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        !self.0.lock().powered
    }

    /// Turns the power on again, with what power loss left.
    pub fn restart(&self) {
        let mut state = self.0.lock();
        let state = &mut *state;
        state.tree.lose_power(&mut state.rng);
        state.cache_life += 1;
        state.start_process();
    }

    /// Starts the process again that died, by [`SimDisk::crash_at`] or just now, on a machine that did not: all that was written
    /// is there, synced or not; open files are dead.
    pub fn restart_process(&self) {
        self.0.lock().start_process();
    }

    /// How many operations that change something were asked for; the range for [`SimDisk::crash_at`].
    pub fn mutations(&self) -> u64 {
        self.0.lock().mutations
    }

    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        self.0.lock().faults.clear();
    }

    /// Bounds the sum of file lengths and reservations; a write over it is cut at the last byte that fits, the next
    /// fails with "no space left on device".
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.lock().capacity_bytes = bytes;
    }

    /// Bytes of the device in use.
    pub fn used_bytes(&self) -> u64 {
        self.0.lock().tree.used()
    }

    /// Each `op` moves `clock` on by `by`.
    pub fn slow(&self, op: Op, by: Duration, clock: Arc<ManualClock>) {
        self.0.lock().slow = Some((op, by, clock));
    }

    /// Flips the bits of `mask` in the byte at `offset`, where it rests.
    pub fn corrupt(&self, path: &Path, offset: u64, mask: u8) -> io::Result<()> {
        let mut state = self.0.lock();
        let id = state.tree.find(path)?;
        state.tree.content(id)?.corrupt(offset, mask);
        Ok(())
    }

    /// What was asked so far.
    pub fn counters(&self) -> Counters {
        self.0.lock().counters
    }
}

impl State {
    fn start_process(&mut self) {
        self.powered = true;
        self.crash_at = None;
        self.boot += 1;
        self.locks.clear();
    }

    /// Every operation passes here first.
    fn enter(&mut self, op: Op, path: &Path) -> io::Result<()> {
        if !self.powered {
            return Err(power_is_off());
        }
        self.counters.count(op);
        if let Some((slow, by, clock)) = &self.slow
            && *slow == op
        {
            clock.advance(*by);
        }
        if op.mutates() {
            self.mutations += 1;
            if self.crash_at.is_some_and(|at| self.mutations >= at) {
                self.powered = false;
                // Half of the time the operation was issued, so that any part of it may survive.
                if self.rng.below(2) == 0 {
                    return Err(power_is_off());
                }
                return Ok(());
            }
        }
        match self.faults.iter_mut().find_map(|fault| fault.strike(op, path)) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// After the operation: the caller does not learn that it happened when the power went during it.
    fn leave<T>(&self, done: T) -> io::Result<T> {
        if self.powered { Ok(done) } else { Err(power_is_off()) }
    }

    fn room_for(&mut self, id: Id, end: u64, wanted: u64) -> io::Result<u64> {
        let Some(capacity) = self.capacity_bytes else { return Ok(wanted) };
        let held = self.tree.content(id)?.footprint();
        let free = capacity.saturating_sub(self.tree.used());
        let lacking = end.saturating_sub(held).saturating_sub(free);
        Ok(wanted.saturating_sub(lacking))
    }
}

fn power_is_off() -> io::Error {
    io::Error::other("simulated power loss")
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, options: OpenOptions) -> io::Result<Arc<dyn File>> {
        let mut state = self.0.lock();
        let id = match state.tree.find(path) {
            Ok(id) => {
                state.enter(Op::Open, path)?;
                state.tree.content(id)?;
                if options.truncate {
                    state.enter(Op::SetLen, path)?;
                    state.tree.content(id)?.set_len(0);
                }
                id
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && options.create => {
                state.enter(Op::Create, path)?;
                state.tree.create_file(path)?
            }
            Err(error) => {
                state.enter(Op::Open, path)?;
                return Err(error);
            }
        };
        // Before there is a file: dropping one takes the lock that is held here.
        state.leave(())?;
        state.handles += 1;
        let file = SimFile {
            handle: state.handles,
            disk: self.clone(),
            id,
            boot: state.boot,
            path: path.to_owned(),
            writable: options.write,
        };
        Ok(Arc::new(file))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.enter(Op::Create, path)?;
        state.tree.create_dir_all(path)?;
        state.leave(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.enter(Op::Remove, path)?;
        state.tree.remove_file(path)?;
        state.leave(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.enter(Op::Remove, path)?;
        state.tree.remove_dir_all(path)?;
        state.leave(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.enter(Op::Rename, from)?;
        state.tree.rename(from, to)?;
        state.leave(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let mut state = self.0.lock();
        state.enter(Op::Open, dir)?;
        state.tree.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let mut state = self.0.lock();
        state.enter(Op::Open, path)?;
        match state.tree.find(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.enter(Op::SyncDir, dir)?;
        // A sync during which the power went has made nothing durable for sure.
        state.leave(())?;
        state.tree.sync_dir(dir)
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        let state = self.0.lock();
        state.leave(())?;
        Ok(state.capacity_bytes.map_or(u64::MAX / 2, |capacity| capacity.saturating_sub(state.tree.used())))
    }

    fn total_bytes(&self, _dir: &Path) -> io::Result<u64> {
        let state = self.0.lock();
        state.leave(())?;
        Ok(state.capacity_bytes.unwrap_or(u64::MAX / 2))
    }

    fn cache_life(&self) -> Option<[u8; 16]> {
        Some(u128::from(self.0.lock().cache_life).to_be_bytes())
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    id: Id,
    boot: u64,
    path: PathBuf,
    writable: bool,
    handle: u64,
}

impl SimFile {
    fn with<T>(&self, op: Op, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.0.lock();
        if state.boot != self.boot {
            return Err(power_is_off());
        }
        if op.mutates() && !self.writable && op != Op::SyncData {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        state.enter(op, &self.path)?;
        let done = act(&mut state)?;
        state.leave(done)
    }
}

impl File for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(Op::Read, |state| {
            let n = state.tree.content(self.id)?.read_at(buf, offset);
            state.counters.bytes_read += n as u64;
            Ok(n)
        })
    }

    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        self.with(Op::Write, |state| {
            let bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
            let wanted = bytes.len() as u64;
            let room = state.room_for(self.id, offset + wanted, wanted)?;
            if room == 0 && wanted > 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let written = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
            state.tree.content(self.id)?.write_at(&bytes[..written], offset);
            state.counters.bytes_written += written as u64;
            Ok(written)
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        if state.boot != self.boot {
            return Err(power_is_off());
        }
        let entered = state.enter(Op::SyncData, &self.path);
        // A sync during which the power went has made nothing durable for sure.
        state.leave(())?;
        let state = &mut *state;
        let content = state.tree.content(self.id)?;
        match &entered {
            Ok(()) => content.sync(),
            Err(_) => content.fail_sync(&mut state.rng),
        }
        entered
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(Op::SetLen, |state| {
            state.tree.content(self.id)?.set_len(len);
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.0.lock();
        if state.boot != self.boot {
            return Err(power_is_off());
        }
        state.leave(())?;
        Ok(state.tree.content(self.id)?.len())
    }

    fn preallocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.with(Op::Preallocate, |state| {
            if state.room_for(self.id, offset + len, len)? < len {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.tree.content(self.id)?.reserve(offset + len);
            Ok(())
        })
    }

    fn start_writeback(&self, _offset: u64, _len: u64) -> io::Result<()> {
        self.disk.0.lock().leave(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.disk.0.lock();
        if state.boot != self.boot {
            return Err(power_is_off());
        }
        state.leave(())?;
        let holder = *state.locks.entry(self.id).or_insert(self.handle);
        Ok(holder == self.handle)
    }

    fn as_std(&self) -> Option<&std::fs::File> {
        None
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut state = self.disk.0.lock();
        if state.boot == self.boot && state.locks.get(&self.id) == Some(&self.handle) {
            state.locks.remove(&self.id);
        }
    }
}
