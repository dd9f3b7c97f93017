//! Faults to inject, and counts of what was asked.

use std::io;
use std::path::Path;

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Opening an existing file, listing, asking for existence.
    Open,
    /// Creating a file or directory.
    Create,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Changing a length.
    SetLen,
    /// Reserving blocks.
    Preallocate,
    /// Syncing a file.
    SyncData,
    /// Syncing a directory.
    SyncDir,
    /// Renaming.
    Rename,
    /// Removing.
    Remove,
}

impl Op {
    /// Whether it changes what power loss could leave.
    pub const fn mutates(self) -> bool {
        !matches!(self, Self::Open | Self::Read)
    }
}

const EMFILE: i32 = 24;

/// An error to answer with, some times.
#[derive(Clone, Debug)]
pub struct Fault {
    op: Op,
    path_contains: String,
    skip: u64,
    times: u64,
    kind: FaultKind,
}

#[derive(Clone, Copy, Debug)]
enum FaultKind {
    Io,
    NoSpace,
    NoDescriptor,
    Panic,
}

impl Fault {
    /// `op` fails once with an input/output error (EIO). A failed [`Op::SyncData`] drops the dirty pages, and the
    /// next one succeeds, as on Linux.
    pub fn io(op: Op) -> Self {
        Self { op, path_contains: String::new(), skip: 0, times: 1, kind: FaultKind::Io }
    }

    /// `op` fails once with "no space left on device" (ENOSPC).
    pub fn no_space(op: Op) -> Self {
        Self { kind: FaultKind::NoSpace, ..Self::io(op) }
    }

    /// `op` fails once with "too many open files" (EMFILE).
    pub fn no_descriptor(op: Op) -> Self {
        Self { kind: FaultKind::NoDescriptor, ..Self::io(op) }
    }

    /// `op` panics once, as a fault of ours would.
    pub fn panic(op: Op) -> Self {
        Self { kind: FaultKind::Panic, ..Self::io(op) }
    }

    /// Only on paths that contain `part`.
    #[must_use]
    pub fn on(mut self, part: impl Into<String>) -> Self {
        self.path_contains = part.into();
        self
    }

    /// The first `n` matches succeed.
    #[must_use]
    pub fn after(mut self, n: u64) -> Self {
        self.skip = n;
        self
    }

    /// Fails `n` times instead of once; `u64::MAX`: for ever.
    #[must_use]
    pub fn times(mut self, n: u64) -> Self {
        self.times = n;
        self
    }

    #[expect(clippy::panic, reason = "one of the faults is a panic")]
    pub(crate) fn strike(&mut self, op: Op, path: &Path) -> Option<io::Error> {
        if op != self.op || self.times == 0 || !path.to_string_lossy().contains(&self.path_contains) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        if self.times != u64::MAX {
            self.times -= 1;
        }
        Some(match self.kind {
            FaultKind::Io => io::Error::other("simulated input/output error"),
            FaultKind::NoSpace => io::ErrorKind::StorageFull.into(),
            FaultKind::NoDescriptor => io::Error::from_raw_os_error(EMFILE),
            FaultKind::Panic => panic!("simulated panic"),
        })
    }
}

/// How often each operation was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Files opened, directories listed, existence asked.
    pub opens: u64,
    /// Files and directories created.
    pub creates: u64,
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
    /// Bytes written.
    pub bytes_written: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Length changes.
    pub set_lens: u64,
    /// Reservations.
    pub preallocates: u64,
    /// File syncs.
    pub syncs: u64,
    /// Directory syncs.
    pub dir_syncs: u64,
    /// Renames.
    pub renames: u64,
    /// Removals.
    pub removes: u64,
}

impl Counters {
    pub(crate) fn count(&mut self, op: Op) {
        let slot = match op {
            Op::Open => &mut self.opens,
            Op::Create => &mut self.creates,
            Op::Read => &mut self.reads,
            Op::Write => &mut self.writes,
            Op::SetLen => &mut self.set_lens,
            Op::Preallocate => &mut self.preallocates,
            Op::SyncData => &mut self.syncs,
            Op::SyncDir => &mut self.dir_syncs,
            Op::Rename => &mut self.renames,
            Op::Remove => &mut self.removes,
        };
        *slot += 1;
    }
}
