//! What logs need from time to time: checkpoints, retention, deletion of files, forgetting of silent producers. One
//! thread; each step takes a partition's lock only for itself.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::ReplicaManager;

/// Recovery points and high watermarks are written this often: it bounds what a restart reads.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
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
    fn wait(&self, wait: Duration) -> bool {
        let mut stopped = self.stopped.lock();
        if !*stopped {
            self.wake.wait_for(&mut stopped, wait);
        }
        !*stopped
    }
}

impl ReplicaManager {
    /// Starts the maintenance thread. Retention runs every `retention_every` (`log.retention.check.interval.ms`).
    pub(crate) fn start_maintenance(
        self: &Arc<Self>,
        retention_every: Duration,
    ) -> Result<(), std::io::Error> {
        let (manager, stop) = (Arc::downgrade(self), Arc::clone(&self.stop_maintenance));
        let run = move || {
            let mut retention_at = Instant::now() + retention_every.min(Duration::from_secs(30));
            while stop.wait(CHECKPOINT_EVERY) {
                let Some(manager) = manager.upgrade() else { return };
                if Instant::now() >= retention_at {
                    manager.apply_retention();
                    retention_at = Instant::now() + retention_every;
                }
                manager.tend_directories();
            }
        };
        self.threads.lock().push(thread::Builder::new().name("log-maintenance".into()).spawn(run)?);
        Ok(())
    }

    fn apply_retention(&self) {
        let now_ms = self.clock.wall_ms();
        for partition in self.partitions() {
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
