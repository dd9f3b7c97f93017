//! The lock of a partition. A panic under it leaves a state that nobody may go on with: the partition then refuses what it
//! is asked, and is opened anew from its files (`reopen.rs`).

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;
use std::thread;

use parking_lot::MutexGuard;

use super::partition::{Partition, State};

/// A partition's state, locked.
pub(super) struct Locked<'a> {
    partition: &'a Partition,
    state: MutexGuard<'a, State>,
    /// It was taken while a panic from elsewhere unwound, as destructors do.
    in_panic: bool,
}

impl<'a> Locked<'a> {
    pub(super) fn new(partition: &'a Partition, state: MutexGuard<'a, State>) -> Self {
        Self { partition, state, in_panic: thread::panicking() }
    }

    /// Nobody knows any more what state this is.
    pub(super) fn fail(&mut self) {
        // Nothing more than marks: a second panic would end the process.
        self.state.failed = true;
        self.state.log.poison();
        self.partition.has_failed.store(true, Ordering::Release);
    }
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if !self.in_panic && thread::panicking() {
            self.fail();
        }
    }
}
