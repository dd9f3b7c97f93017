//! What logs need from time to time: checkpoints, retention, deletion of files, forgetting of silent producers; release
//! of what idle ones hold, and opening anew of failed ones. One thread; each step takes a partition's lock only for itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ottla_env::Monotonic;
use parking_lot::{Condvar, Mutex};

use super::{ReplicaManager, full_dirs};

/// Recovery points and high watermarks are written this often: it bounds what a restart reads.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// How often idle partitions are looked for.
const IDLE_CHECK_EVERY: Duration = Duration::from_secs(60);
/// Files removed at a time, so that checkpoints are not held up.
const DELETIONS_AT_ONCE: usize = 64;

/// Ends the maintenance thread.
#[derive(Debug, Default)]
pub(super) struct Stop {
    stopped: Mutex<bool>,
    wake: Condvar,
}

impl Stop {
    pub(super) fn stop(&self) {
        *self.stopped.lock() = true;
        self.wake.notify_all();
    }

    /// Waits; whether to go on.
    pub(super) fn wait(&self, wait: Duration) -> bool {
        let mut stopped = self.stopped.lock();
        if !*stopped && !wait.is_zero() {
            self.wake.wait_for(&mut stopped, wait);
        }
        !*stopped
    }
}

/// When the rarer steps are due.
#[derive(Debug)]
struct Schedule {
    retention_every: Duration,
    retention_at: Monotonic,
    idle_check_at: Monotonic,
    full: Vec<full_dirs::Watch>,
}

impl ReplicaManager {
    /// Starts the maintenance thread. Retention runs every `retention_every` (`log.retention.check.interval.ms`). Call it
    /// on the runtime.
    pub(crate) fn start_maintenance(
        self: &Arc<Self>,
        retention_every: Duration,
    ) -> Result<(), std::io::Error> {
        let (manager, stop) = (Arc::downgrade(self), Arc::clone(&self.stop_maintenance));
        let runtime = tokio::runtime::Handle::current();
        let now = self.clock.now();
        let mut schedule = Schedule {
            retention_every,
            retention_at: now + retention_every.min(Duration::from_secs(30)),
            idle_check_at: now + IDLE_CHECK_EVERY,
            full: Vec::new(),
        };
        let run = move || {
            let _runtime = runtime.enter();
            while stop.wait(CHECKPOINT_EVERY) {
                let Some(manager) = manager.upgrade() else { return };
                // A partition's fault costs that partition.
                if catch_unwind(AssertUnwindSafe(|| manager.maintain(&mut schedule))).is_err() {
                    tracing::error!("maintenance of the logs panicked; it goes on: report it");
                }
            }
        };
        self.threads.lock().push(thread::Builder::new().name("log-maintenance".into()).spawn(run)?);
        Ok(())
    }

    fn maintain(self: &Arc<Self>, schedule: &mut Schedule) {
        let now = self.clock.now();
        self.tend_directories();
        self.tell_of_full_directories(&mut schedule.full);
        self.leave_failed_directories();
        self.reopen_failed();
        if let Err(error) = self.start_mover() {
            tracing::warn!("cannot start the thread that moves logs: {error}");
        }
        if now >= schedule.idle_check_at {
            schedule.idle_check_at = now + IDLE_CHECK_EVERY;
            self.release_idle();
            self.note_time();
        }
        if now >= schedule.retention_at {
            schedule.retention_at = now + schedule.retention_every;
            self.apply_retention();
        }
    }

    /// Has partitions that nobody uses hold no files and no memory.
    pub(super) fn release_idle(&self) {
        let now = self.clock.now();
        self.partitions().iter().for_each(|partition| partition.release_if_idle(now));
    }

    /// For the next start, which would not know a wrong date.
    pub(super) fn note_time(&self) {
        let now_ms = self.clock.wall_ms();
        let online = self.dirs.iter().filter(|dir| dir.failure().is_none());
        online.for_each(|dir| dir.note_time(now_ms));
    }

    pub(super) fn apply_retention(&self) {
        let now_ms = self.clock.wall_ms();
        for partition in self.partitions() {
            if partition
                .with_log(|log, high_watermark| log.has_expired(now_ms, high_watermark).unwrap_or(false))
            {
                // Without the lock, which retention then holds for memory's sake only.
                partition.sync();
            }
            let applied = partition.with_log(|log, high_watermark| {
                log.expire_producers(now_ms);
                log.apply_retention(now_ms, high_watermark)
            });
            match applied {
                Ok(deleted) if deleted.segments > 0 => {
                    let at = &partition.id().topic_partition;
                    tracing::info!(
                        "{at}: retention deleted {} segments, {} bytes",
                        deleted.segments,
                        deleted.bytes
                    );
                }
                Ok(_) => {}
                Err(error) => tracing::debug!("retention of {}: {error}", partition.id().topic_partition),
            }
        }
    }

    fn tend_directories(&self) {
        for dir in self.dirs.iter().filter(|dir| dir.failure().is_none()) {
            // Deletions do not wait for the checkpoints: on a full disk they are what makes room for them.
            let deleted = dir.run_deletions(DELETIONS_AT_ONCE).map(|_| ());
            for error in [deleted, dir.write_checkpoints()].into_iter().filter_map(Result::err) {
                tracing::warn!("maintenance of {}: {error}", dir.path().display());
            }
        }
    }
}
