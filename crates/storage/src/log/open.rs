//! How a log begins its life in memory.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Weak};

use super::{Folder, Log};
use crate::config::LogConfig;
use crate::context::Context;
use crate::epoch_cache::EpochCache;
use crate::error::StorageError;
use crate::producer::Producers;
use crate::tail_cache::Tail;

impl Log {
    /// A log that has nothing on disk yet, and will not before its first append.
    pub(crate) fn empty(ctx: Context, config: Arc<LogConfig>) -> Self {
        let id = ctx.next_log();
        Self {
            id,
            config,
            // Most have one segment; grown by itself there would at once be room for four.
            segments: VecDeque::with_capacity(1),
            log_start: 0,
            end: 0,
            flushed: 0,
            epochs: EpochCache::default(),
            epochs_dirty: false,
            producers: Producers::default(),
            snapshots: BTreeSet::new(),
            pending_snapshots: Vec::new(),
            since_snapshot: 0,
            mark: None,
            since_mark: 0,
            tail: Tail::default(),
            progress: Arc::default(),
            folder: Folder::None,
            names_dirty: false,
            found: false,
            seals_dirty: false,
            flushing: None,
            unflushed: 0,
            poisoned: false,
            has_gaps: false,
            compaction: Weak::new(),
            swapping: Arc::default(),
            rolls: 0,
            losses: Vec::new(),
            ctx,
        }
    }

    /// The log in a folder that is there: recovers what lies after the newest snapshot.
    pub(crate) fn existing(ctx: Context, config: Arc<LogConfig>, now_ms: i64) -> Result<Self, StorageError> {
        ctx.health.check()?;
        let mut log = Self::empty(ctx, config);
        log.progress = log.ctx.checkpoints.progress(&log.ctx.partition.topic_partition);
        log.folder = if log.ctx.materialised.contains(&log.ctx.partition) {
            Folder::Recorded
        } else {
            Folder::Written
        };
        // Of what a process that died has left, only some may be synced.
        (log.names_dirty, log.found) = (true, true);
        log.recover(now_ms)?;
        Ok(log)
    }

    /// The partition is being deleted: nothing more is written. Readers may finish with the files that they have.
    pub fn abandon(&mut self) {
        self.ctx.life.lock().deleted = true;
        self.give_up();
    }

    /// Writes nothing more, so that the partition can be opened anew while this is still held somewhere.
    pub fn give_up(&mut self) {
        self.ctx.life.lock().gone = true;
        self.abandon_swap();
        self.drop_held();
        self.poisoned = true;
        // What a flush still brings must not be noted of whoever has the name next.
        self.progress = Arc::default();
        self.ctx.handles.forget_log(self.id);
    }
}
