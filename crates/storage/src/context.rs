//! What a log shares with the others of its directory.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ottla_env::Disk;
use ottla_types::TopicIdPartition;
use parking_lot::Mutex;

use crate::config::LogDirOptions;
use crate::dir::checkpoints::Checkpoints;
use crate::dir::doomed::Doomed;
use crate::dir::materialised::Materialised;
use crate::handles::{FileKey, Handles, Stage};
use crate::health::Health;
use crate::segment::file_name;
use crate::tail_cache::TailCache;
use crate::writers::Writers;

/// One log directory's shared parts.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) root: PathBuf,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) health: Health,
    pub(crate) handles: Handles,
    pub(crate) writers: Writers,
    pub(crate) tail: TailCache,
    pub(crate) doomed: Doomed,
    pub(crate) materialised: Materialised,
    pub(crate) checkpoints: Checkpoints,
    /// It was closed in order before this start: nothing was left unsynced.
    pub(crate) was_closed: bool,
    next_log: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        root: &Path,
        disk: Arc<dyn Disk>,
        options: &LogDirOptions,
        materialised: Materialised,
        checkpoints: Checkpoints,
        was_closed: bool,
    ) -> Self {
        Self {
            root: root.to_owned(),
            disk,
            health: Health::new(root),
            handles: Handles::new(options.open_files),
            writers: Writers::new(options.appending_files),
            tail: TailCache::new(options.tail_cache_bytes),
            doomed: Doomed::default(),
            materialised,
            checkpoints,
            was_closed,
            next_log: AtomicU64::new(1),
        }
    }

    /// A number that no other log of this process has.
    pub(crate) fn next_log(&self) -> u64 {
        self.next_log.fetch_add(1, Ordering::Relaxed)
    }
}

/// One log's surroundings.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) shared: Arc<Shared>,
    pub(crate) partition: TopicIdPartition,
    /// The partition's folder.
    pub(crate) dir: PathBuf,
    /// Whoever writes files by path outside of the log's lock holds it, and looks first whether they still mean anything.
    pub(crate) life: Arc<Mutex<Life>>,
    /// The folder holds a copy that is being made: the checkpoints and the record of partitions do not speak of it.
    pub(crate) is_future: bool,
}

/// What may overtake a flush.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// The log was given up: what is still under way does nothing more.
    pub(crate) gone: bool,
    /// Because the partition is being deleted: nor may the record say that it is there.
    pub(crate) deleted: bool,
    /// How often history was cut: what is still under way knows the former one.
    pub(crate) truncations: u64,
}

impl Context {
    pub(crate) fn new(shared: Arc<Shared>, partition: TopicIdPartition) -> Self {
        let dir = shared.root.join(partition.topic_partition.to_string());
        Self { shared, partition, dir, life: Arc::default(), is_future: false }
    }

    /// For a copy that is being made in `folder` of the directory.
    pub(crate) fn future(shared: Arc<Shared>, partition: TopicIdPartition, folder: &Path) -> Self {
        let dir = shared.root.join(folder);
        Self { shared, partition, dir, life: Arc::default(), is_future: true }
    }

    /// The same log under the partition's own name.
    pub(crate) fn as_current(&self) -> Self {
        let current = Self::new(Arc::clone(&self.shared), self.partition.clone());
        Self { life: Arc::clone(&self.life), ..current }
    }

    pub(crate) fn segment_path(&self, key: FileKey) -> PathBuf {
        let mut name = file_name(key.base, key.kind.suffix());
        if key.stage == Stage::Cleaned {
            // A deleted topic and one that has its name now may both be cleaned for a while.
            name.push_str(&format!(".{}", key.log));
        }
        name.push_str(key.stage.suffix());
        self.dir.join(name)
    }

    pub(crate) fn snapshot_path(&self, offset: i64) -> PathBuf {
        self.dir.join(file_name(offset, "snapshot"))
    }

    pub(crate) fn mark_path(&self, offset: i64) -> PathBuf {
        self.dir.join(file_name(offset, "written"))
    }

    pub(crate) fn epochs_path(&self) -> PathBuf {
        self.dir.join("leader-epoch-checkpoint")
    }
}

impl Deref for Context {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}
