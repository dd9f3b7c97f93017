//! When a partition is synced, and what comes of it.
//!
//! ```text
//!            ┌──────────────── more was appended, or want of space: later ◀────────┐
//!            ▼                                                                     │
//!  append ─▶ queued ─▶ syncing: FlushJob, without the lock ─▶ high watermark moves, or failed
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use ottla_storage::{FlushJob, FlushOutcome, StorageError};
use ottla_types::Offset;

use super::flush_queue::{FlushBy, Ticket};
use super::partition::{Partition, State};
use super::sync_policy::{Unsynced, retry_after};
use super::waiters::AckOutcome;

/// Where a partition is in this.
#[derive(Debug, Default)]
pub(super) struct SyncState {
    queued: Option<Queued>,
    syncing: bool,
    /// Syncs that failed in a row.
    failed_syncs: u32,
    /// Appended since the last sync began.
    unsynced_bytes: u64,
    /// Whether anything was appended since a sync was last due.
    appended: bool,
}

impl SyncState {
    pub(super) fn appended(&mut self, bytes: u64) {
        self.unsynced_bytes += bytes;
        self.appended = true;
    }

    /// Whether a sync is queued, and if so whether at once.
    pub(super) fn is_queued(&self) -> Option<bool> {
        self.queued.map(|queued| queued == Queued::Now)
    }
}

/// A sync that was begun: run its job, then give the outcome to [`Partition::end_sync`].
pub(super) struct BegunSync {
    pub(super) job: FlushJob,
    pub(super) bytes: u64,
}

/// A partition is queued once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queued {
    Later(Ticket),
    Now,
}

impl State {
    /// When what was appended is to be synced; `awaited` if an acknowledgement waits.
    pub(super) fn sync_by(&self, awaited: bool) -> FlushBy {
        let unsynced = Unsynced {
            records: self.log.log_end_offset() - self.log.flushed_offset(),
            bytes: self.sync.unsynced_bytes,
        };
        self.config.sync.after_append(awaited, unsynced)
    }
}

impl Partition {
    pub(super) fn schedule_sync(self: &Arc<Self>, state: &mut State, by: FlushBy) {
        let former = match (state.sync.queued, by) {
            (Some(Queued::Now), _) => return,
            (Some(Queued::Later(ticket)), FlushBy::Within(wait)) if ticket.is_due_within(wait) => return,
            (Some(Queued::Later(ticket)), _) => Some(ticket),
            (None, _) => None,
        };
        if state.sync.syncing && by == FlushBy::Now {
            // The end of the sync that runs queues the next one.
            former.into_iter().for_each(|former| self.flush_queue.load().cancel(former));
            state.sync.queued = Some(Queued::Now);
            return;
        }
        let ticket = self.flush_queue.load().push(Arc::clone(self), by, former);
        state.sync.queued = Some(match by {
            FlushBy::Now => Queued::Now,
            FlushBy::Within(_) => Queued::Later(ticket),
        });
    }

    /// What it obeys changed: what is queued may be due sooner.
    pub(super) fn reschedule_sync(self: &Arc<Self>, state: &mut State) {
        if let Some(Queued::Later(_)) = state.sync.queued {
            let by = state.sync_by(false);
            self.schedule_sync(state, by);
        }
    }

    /// Syncs what is not yet durable; run by a sync thread, which outlives whatever happens here.
    pub(super) fn sync(self: &Arc<Self>) {
        match catch_unwind(AssertUnwindSafe(|| self.sync_once())) {
            Ok(Some(high_watermark)) => self.notify(high_watermark),
            Ok(None) => {}
            // A flush was begun that nobody will complete.
            Err(_) => self.look().fail(),
        }
    }

    /// Like [`Partition::sync`], and does not put it off as the policy might.
    pub(super) fn sync_now(self: &Arc<Self>) {
        {
            let mut state = self.look();
            if let Some(Queued::Later(ticket)) = state.sync.queued {
                self.flush_queue.load().cancel(ticket);
            }
            if state.sync.queued != Some(Queued::Now) && !state.sync.syncing {
                state.sync.queued = Some(Queued::Now);
            }
        }
        self.sync();
    }

    /// Returns the new high watermark if it moved.
    fn sync_once(self: &Arc<Self>) -> Option<Offset> {
        let BegunSync { job, bytes } = self.begin_sync()?;
        let began = Instant::now();
        let done = job.run();
        self.flush_queue.load().times.record(began.elapsed());
        self.end_sync(done, bytes)
    }

    /// What is to be synced now, if anything is.
    pub(super) fn begin_sync(self: &Arc<Self>) -> Option<BegunSync> {
        let mut state = self.look();
        if state.sync.syncing {
            // Its turn came while a sync runs: the end of that one queues the next.
            state.sync.queued = state.sync.queued.map(|_| Queued::Now);
            return None;
        }
        let former = state.sync.queued.take();
        if state.failed {
            return None;
        }
        let appended = std::mem::take(&mut state.sync.appended);
        if former != Some(Queued::Now)
            && !state.log.wants_flush()
            && let Some(wait) = state.config.sync.can_wait(appended, state.sync.unsynced_bytes)
        {
            self.schedule_sync(&mut state, FlushBy::Within(wait));
            return None;
        }
        let job = state.log.begin_flush()?;
        state.sync.syncing = true;
        Some(BegunSync { job, bytes: std::mem::take(&mut state.sync.unsynced_bytes) })
    }

    /// Takes note of a sync of so many bytes. Returns the new high watermark if it moved.
    pub(super) fn end_sync(self: &Arc<Self>, done: FlushOutcome, bytes: u64) -> Option<Offset> {
        let mut state = self.look();
        state.sync.syncing = false;
        let moved = match state.log.complete_flush(done) {
            Ok(_) => {
                state.sync.failed_syncs = 0;
                state.advance()
            }
            Err(error) => {
                state.sync.unsynced_bytes += bytes;
                self.storage_failed(&mut state, &error);
                None
            }
        };
        if state.sync.queued == Some(Queued::Now) {
            self.flush_queue.load().push(Arc::clone(self), FlushBy::Now, None);
        }
        moved
    }

    fn storage_failed(self: &Arc<Self>, state: &mut State, error: &StorageError) {
        tracing::error!("{}: {error}", self.id().topic_partition);
        state.acks.fail(AckOutcome::StorageFailed);
        state.fetches.wake_all();
        if error.passes() {
            // Nobody else would ask for it again, and what was appended is neither durable nor readable until then.
            state.sync.failed_syncs = state.sync.failed_syncs.saturating_add(1);
            let by = FlushBy::Within(retry_after(state.sync.failed_syncs));
            self.schedule_sync(state, by);
        }
    }
}
