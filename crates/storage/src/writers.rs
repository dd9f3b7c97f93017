//! The files that take appends. Each partition that is written to has one; of many, a bounded number is open.
//!
//! ```text
//!  append ─▶ Writer: open? ─ yes ─▶ write
//!                     └ no ─▶ too many open: one that is not in use is synced and closed ─▶ open ─▶ write
//! ```
//!
//! Whatever was written is synced before its file is closed for another's sake: a file that is opened anew might not tell of a write
//! that failed (PostgreSQL wiki, "Fsync Errors").

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use ottla_env::{File, OpenOptions};
use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};

use crate::context::Context;

/// So many are looked at for one that needs no sync.
const LOOKS: usize = 32;

/// Which files of a directory are open for appends.
#[derive(Debug)]
pub(crate) struct Writers {
    capacity: usize,
    open: Arc<AtomicUsize>,
    oldest_first: Mutex<VecDeque<Weak<Writer>>>,
}

/// One segment's file for appends, open or not.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    opened: Mutex<Option<Opened>>,
}

/// Nobody closes it while it is locked.
#[derive(Debug)]
pub(crate) struct Opened {
    file: Arc<dyn File>,
    /// What errors name.
    path: PathBuf,
    /// Written to since it was last known to be synced.
    is_dirty: bool,
    /// Written to since it was last considered for closing.
    is_used: bool,
    _counted: Counted,
}

/// An open file, as long as it lives.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Opened {
    pub(crate) fn file(&self) -> &dyn File {
        &*self.file
    }
}

impl Writer {
    /// The file, to write to; opened with `options` if it is not open.
    pub(crate) fn open(
        self: &Arc<Self>,
        ctx: &Context,
        path: impl FnOnce() -> PathBuf,
        options: OpenOptions,
    ) -> io::Result<MappedMutexGuard<'_, Opened>> {
        let closed = match MutexGuard::try_map(self.opened.lock(), Option::as_mut) {
            Ok(mut opened) => {
                (opened.is_dirty, opened.is_used) = (true, true);
                return Ok(opened);
            }
            Err(closed) => closed,
        };
        ctx.writers.make_room(ctx)?;
        let path = path();
        let file = ctx.disk.open(&path, options)?;
        let opened = Opened { file, path, is_dirty: true, is_used: true, _counted: ctx.writers.count(self) };
        Ok(MutexGuard::map(closed, |closed| closed.insert(opened)))
    }

    /// The file, to read from, if it is open and nobody is about to close it.
    pub(crate) fn file(&self) -> Option<Arc<dyn File>> {
        self.opened.try_lock()?.as_ref().map(|opened| Arc::clone(&opened.file))
    }

    /// All that was written to it is durable.
    pub(crate) fn note_synced(&self) {
        if let Some(opened) = &mut *self.opened.lock() {
            opened.is_dirty = false;
        }
    }
}

impl Writers {
    /// At most `capacity` are open at a time, or as many as are written to at the same moment.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), open: Arc::default(), oldest_first: Mutex::default() }
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn count(&self, writer: &Arc<Writer>) -> Counted {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        let mut queue = self.oldest_first.lock();
        queue.push_back(Arc::downgrade(writer));
        // Those that were closed by their logs.
        if queue.len() > 2 * open.max(LOOKS) {
            queue.retain(|writer| writer.strong_count() > 0);
        }
        Counted(Arc::clone(&self.open))
    }

    /// Closes files until there is room for one more: rather one that is synced and was not used lately.
    fn make_room(&self, ctx: &Context) -> io::Result<()> {
        let mut looks = 0;
        while self.len() >= self.capacity {
            let most = self.oldest_first.lock().len() + LOOKS;
            let Some(weak) = self.oldest_first.lock().pop_front() else { break };
            let Some(writer) = weak.upgrade() else { continue };
            looks += 1;
            if looks > most {
                // All are being written to.
                self.oldest_first.lock().push_back(weak);
                break;
            }
            let Some(mut state) = writer.opened.try_lock() else {
                self.oldest_first.lock().push_back(weak);
                continue;
            };
            let Some(opened) = &mut *state else { continue };
            let is_used = std::mem::take(&mut opened.is_used);
            if looks <= LOOKS && (is_used || opened.is_dirty) {
                self.oldest_first.lock().push_back(weak);
                continue;
            }
            if opened.is_dirty {
                opened.file.sync_data().inspect_err(|e| {
                    ctx.health.sync_failed(&opened.path, e);
                })?;
            }
            *state = None;
        }
        Ok(())
    }
}
