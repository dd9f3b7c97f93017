//! Moves replicas to other log directories, on a thread that lives while there is something to move
//! (`ReplicaAlterLogDirsThread`, KIP-113, KIP-858).
//!
//! ```text
//!  copy, batch by batch ─▶ caught up ─▶ controller: it is in the new directory ─▶ the metadata says so
//!     ▲  the partition's lock only to read                                              │
//!     └──────────── more was appended ◀─────────────────────────────────────────────────┤
//!                                       the partition's lock: the rest, then in its place ◀┘
//! ```
//! The metadata comes first: should the process die before the copy has taken the current log's place, the next one finds the
//! log where it was, says so, and begins the move anew. A replica that has left a directory must not be looked for there.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use ottla_env::Monotonic;
use ottla_storage::{CopyError, FutureLog, Log, NextCopy, ReplaceError, StorageError};
use ottla_types::TopicIdPartition;

use super::ReplicaManager;
use super::alter_log_dirs::Move;
use super::partition::Partition;
use super::strays::make_way;

/// Copied at a time.
const CHUNK: u64 = 1 << 20;
/// Copied with the partition's lock held, at most.
const LAST_CHUNKS: usize = 4;
/// Synced at least each so many bytes, so that the last sync is short.
const FLUSH_EVERY: u64 = 32 << 20;
/// How long to wait where nothing is to be copied: for the controller, or for the next append.
const IDLE: Duration = Duration::from_millis(10);
/// A cancelled move, or the end of the process, waits no longer for the throttle.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// What the thread knows of a move.
#[derive(Debug, Default)]
struct Copy {
    moving: Option<Arc<Move>>,
    future: Option<FutureLog>,
    unflushed: u64,
    /// The controller was told of the new directory.
    is_told: bool,
}

/// What all moves together copied last.
#[derive(Clone, Copy, Debug)]
struct Copied {
    at: Monotonic,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Copied(u64),
    Waits,
    Done,
}

/// Why a move ends before it is done.
#[derive(Debug, thiserror::Error)]
enum MoveError {
    #[error("it was cancelled")]
    Cancelled,
    #[error("the partition is not on this broker any more")]
    Gone,
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{0}")]
    InDoubt(String),
    #[error("a fault of the broker; report it")]
    Fault,
}

impl ReplicaManager {
    /// Starts the thread if there is something to move and it does not run.
    pub(super) fn start_mover(self: &Arc<Self>) -> Result<(), std::io::Error> {
        let mut under_way = self.moves.under_way.lock();
        let is_stopped = self.moves.stopped.load(Ordering::Acquire);
        if under_way.is_running || under_way.moves.is_empty() || is_stopped {
            return Ok(());
        }
        let manager = Arc::downgrade(self);
        let thread = thread::Builder::new().name("alter-log-dirs".into()).spawn(move || run(&manager))?;
        (under_way.thread, under_way.is_running) = (Some(thread), true);
        Ok(())
    }

    /// Ends the thread. What is half-copied is thrown away by the next start, which begins the move anew.
    pub(super) fn stop_mover(&self) {
        self.moves.stopped.store(true, Ordering::Release);
        let thread = self.moves.under_way.lock().thread.take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that moves logs had panicked");
        }
    }

    /// One step of each move. Returns how long to wait for the next; `None` if there is nothing left.
    fn step_moves(
        &self,
        copies: &mut BTreeMap<TopicIdPartition, Copy>,
        last: &mut Copied,
    ) -> Option<Duration> {
        if self.moves.stopped.load(Ordering::Acquire) {
            return None;
        }
        self.take_moves(copies)?;
        let now = self.clock.now();
        // By the rate as it is now: one that was raised is not waited out.
        let bytes_per_second = self.moves.bytes_per_second.load(Ordering::Relaxed);
        let is_paused = now < last.at + throttle(last.bytes, bytes_per_second);
        let mut copied = 0;
        let mut ended = Vec::new();
        for (id, copy) in &mut *copies {
            let stepped = catch_unwind(AssertUnwindSafe(|| self.step(copy, is_paused)));
            match stepped.unwrap_or(Err(MoveError::Fault)) {
                Ok(Step::Copied(bytes)) => copied += bytes,
                Ok(Step::Waits) => {}
                Ok(Step::Done) => ended.push((id.clone(), None)),
                Err(error) => ended.push((id.clone(), Some(error))),
            }
        }
        for (id, error) in ended {
            if let Some(copy) = copies.remove(&id) {
                self.end_move(&id, copy, error);
            }
        }
        if copied == 0 {
            return Some(IDLE);
        }
        *last = Copied { at: now, bytes: copied };
        let pause = throttle(copied, bytes_per_second).saturating_sub(self.clock.now().since(now));
        Some(pause.min(LONGEST_PAUSE))
    }

    /// Takes note of new moves, and of those that were cancelled or replaced. `None` if nothing is left.
    fn take_moves(&self, copies: &mut BTreeMap<TopicIdPartition, Copy>) -> Option<()> {
        let mut under_way = self.moves.under_way.lock();
        for (id, moving) in &under_way.moves {
            copies.entry(id.clone()).or_default().moving.get_or_insert_with(|| Arc::clone(moving));
        }
        if copies.is_empty() {
            under_way.is_running = false;
            return None;
        }
        Some(())
    }

    fn step(&self, copy: &mut Copy, is_paused: bool) -> Result<Step, MoveError> {
        let Some(moving) = copy.moving.clone() else { return Err(MoveError::Gone) };
        if moving.cancelled.load(Ordering::Acquire) {
            return Err(MoveError::Cancelled);
        }
        let at = &moving.id.topic_partition;
        let hosted = self.partition(at.topic.as_str(), at.partition).filter(|there| there.id() == &moving.id);
        let Some(partition) = hosted else {
            return if self.opening.contains(at) { Ok(Step::Waits) } else { Err(MoveError::Gone) };
        };
        if is_paused {
            return Ok(Step::Waits);
        }
        match self.copy_some(&moving, copy, &partition) {
            // It was cut, or read while it was.
            Err(MoveError::Copy(CopyError::Outdated)) => {
                if let Some(future) = copy.future.take() {
                    self.dirs[moving.destination].remove_future_log(future)?;
                }
                Ok(Step::Waits)
            }
            step => step,
        }
    }

    fn copy_some(
        &self,
        moving: &Move,
        copy: &mut Copy,
        partition: &Arc<Partition>,
    ) -> Result<Step, MoveError> {
        let now_ms = self.clock.wall_ms();
        let chunk = match self.moves.bytes_per_second.load(Ordering::Relaxed) {
            0 => CHUNK,
            limit => CHUNK.min(limit),
        };
        let future = match &mut copy.future {
            Some(future) => future,
            none => none.insert(self.create_future(moving, partition)?),
        };
        let next = partition.with_log(|log, _| future.next(log, chunk, now_ms))?;
        if let NextCopy::Batches(read) = next {
            let bytes = future.append(&read, now_ms)?;
            moving.note(future);
            copy.unflushed += bytes;
            if copy.unflushed >= FLUSH_EVERY {
                copy.unflushed = 0;
                future.flush()?;
            }
            return Ok(Step::Copied(bytes));
        }
        moving.note(future);
        if partition.is_materialised() && !self.is_assigned(moving) {
            if !std::mem::replace(&mut copy.is_told, true) {
                self.assign_to(&moving.id, moving.destination);
            }
            return Ok(Step::Waits);
        }
        copy.unflushed = 0;
        future.flush()?;
        self.replace_current(moving, copy, partition)
    }

    fn create_future(&self, moving: &Move, partition: &Partition) -> Result<FutureLog, StorageError> {
        let dir = &self.dirs[moving.destination];
        make_way(dir, &moving.id)?;
        dir.create_future_log(&moving.id, &partition.config().log)
    }

    /// Whether the metadata says that it is in the new directory.
    fn is_assigned(&self, moving: &Move) -> bool {
        let image = &self.changing.lock().image;
        let state = image.topics.partition(moving.id.topic_id, moving.id.topic_partition.partition);
        let directory = state.and_then(|partition| partition.directory_of(self.node_id));
        directory == Some(self.dirs[moving.destination].directory_id())
    }

    fn assign_to(&self, id: &TopicIdPartition, dir: usize) {
        let directory = self.dirs[dir].directory_id();
        self.assignments.assign(id.topic_id, id.topic_partition.partition, directory);
    }

    /// Copies what was appended last and puts the copy in its place, with the partition's lock; `Waits` if that is too much.
    fn replace_current(
        &self,
        moving: &Move,
        copy: &mut Copy,
        partition: &Arc<Partition>,
    ) -> Result<Step, MoveError> {
        let changing = self.changing.lock();
        if changing.closed {
            return Ok(Step::Waits);
        }
        // With that lock nobody cancels it.
        if moving.cancelled.load(Ordering::Acquire) {
            return Err(MoveError::Cancelled);
        }
        let Some(home) = self.home(&moving.id) else { return Err(MoveError::Gone) };
        let (from, to) = (&self.dirs[home], &self.dirs[moving.destination]);
        let now_ms = self.clock.wall_ms();
        let replace = |log: &mut Log| -> Result<Option<Log>, MoveError> {
            let Some(mut future) = copy.future.take() else { return Ok(None) };
            let caught_up = last_chunks(log, &mut future, now_ms);
            if !matches!(caught_up, Ok(true)) {
                copy.future = Some(future);
                return caught_up.map(|_| None);
            }
            match to.replace_current_with_future(from, log, future) {
                Ok(moved) => Ok(Some(moved)),
                Err(ReplaceError::Unchanged(future, error)) => {
                    copy.future = Some(*future);
                    Err(error.into())
                }
                Err(error @ ReplaceError::InDoubt(_)) => Err(MoveError::InDoubt(error.to_string())),
            }
        };
        match partition.replace_log(&self.flush_queues[moving.destination], replace) {
            Ok(false) => Ok(Step::Waits),
            Ok(true) => {
                self.assign_to(&moving.id, moving.destination);
                Ok(Step::Done)
            }
            Err(MoveError::InDoubt(reason)) => {
                self.take_out_of_service(moving.id.clone(), reason.clone());
                Err(MoveError::InDoubt(reason))
            }
            Err(error) => Err(error),
        }
    }

    /// The move is over; why, if it is not done.
    fn end_move(&self, id: &TopicIdPartition, copy: Copy, error: Option<MoveError>) {
        let Some(moving) = copy.moving else { return };
        let to = &self.dirs[moving.destination];
        if let Some(error) = &error {
            tracing::warn!("{} does not move to {}: {error}", id.topic_partition, to.path().display());
            // The controller has to know where it stayed.
            if copy.is_told
                && let Some(home) = self.home(id)
            {
                self.assign_to(id, home);
            }
        } else {
            tracing::info!("{} has moved to {}", id.topic_partition, to.path().display());
        }
        if let Some(future) = copy.future
            && let Err(error) = to.remove_future_log(future)
        {
            tracing::warn!("cannot throw away a copy in {}: {error}", to.path().display());
        }
        let mut under_way = self.moves.under_way.lock();
        // It may have been asked for anew meanwhile.
        if under_way.moves.get(id).is_some_and(|current| Arc::ptr_eq(current, &moving)) {
            under_way.moves.remove(id);
        }
    }
}

fn run(manager: &Weak<ReplicaManager>) {
    let mut copies = BTreeMap::new();
    let mut last = Copied { at: Monotonic(0), bytes: 0 };
    loop {
        let Some(manager) = manager.upgrade() else { return };
        let Some(pause) = manager.step_moves(&mut copies, &mut last) else { return };
        drop(manager);
        thread::sleep(pause);
    }
}

/// Whether the copy has caught up.
fn last_chunks(current: &mut Log, future: &mut FutureLog, now_ms: i64) -> Result<bool, MoveError> {
    for _ in 0..LAST_CHUNKS {
        match future.next(current, CHUNK, now_ms)? {
            NextCopy::CaughtUp => return Ok(true),
            NextCopy::Batches(read) => future.append(&read, now_ms)?,
        };
    }
    Ok(false)
}

/// How long nothing is copied after `bytes`.
fn throttle(bytes: u64, bytes_per_second: u64) -> Duration {
    // 0: it is not known yet.
    Duration::from_nanos(bytes.saturating_mul(1_000_000_000).checked_div(bytes_per_second).unwrap_or(0))
}
