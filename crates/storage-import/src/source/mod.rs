//! Kafka's directories: whose they are, and that nobody has them open. Nothing in them is changed.

pub(crate) mod partition;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_env::{Disk, File, OpenOptions};
use ottla_storage::{MetaProperties, inspect};
use ottla_types::{DirectoryId, NodeId, Uuid};

use crate::error::ImportError;
use crate::kafka_metadata;

/// What only Ottla has in a directory.
const OTTLAS: [&str; 2] = [inspect::MATERIALISED, "ottla-quorum"];

/// One directory.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) dir: PathBuf,
    pub(crate) cluster_id: String,
    pub(crate) node_id: NodeId,
    /// Its own, or a new one if it has none: Kafka before 3.7.
    pub(crate) directory_id: DirectoryId,
    pub(crate) has_id: bool,
    pub(crate) has_metadata: bool,
    /// Kafka has stopped in order, which it notes in its log directories.
    pub(crate) is_clean: bool,
    /// Keeps Kafka off while this is read, if there is something to lock.
    _lock: Option<Arc<dyn File>>,
}

/// Opens the directories, which must be one node's. The errors that tell most come first.
pub(crate) fn open(disk: &dyn Disk, dirs: &[PathBuf]) -> Result<Vec<Source>, ImportError> {
    let sources: Vec<_> = dirs.iter().map(|dir| open_one(disk, dir)).collect::<Result<_, _>>()?;
    for (i, second) in sources.iter().enumerate() {
        for first in sources.iter().take(i) {
            check_pair(first, second)?;
        }
    }
    if !sources.iter().any(|source| source.has_metadata) {
        return Err(ImportError::NoMetadata);
    }
    Ok(sources)
}

fn open_one(disk: &dyn Disk, dir: &Path) -> Result<Source, ImportError> {
    let list = match disk.list(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        list => list.map_err(ImportError::io("list", dir))?,
    };
    let has = |name: &str| list.iter().any(|entry| entry.name == name);
    if let Some(found) = OTTLAS.into_iter().find(|name| has(name)) {
        return Err(ImportError::AlreadyOttla { dir: dir.to_owned(), found });
    }
    let meta =
        MetaProperties::read(disk, dir)?.ok_or_else(|| ImportError::NotKafka { dir: dir.to_owned() })?;
    let lock = lock(disk, dir)?;
    let is_clean = inspect::is_cleanly_shut_down(disk, dir)?;
    let has_metadata = has(kafka_metadata::FOLDER);
    let holds_partitions = list
        .iter()
        .any(|e| e.is_dir && e.name != kafka_metadata::FOLDER && inspect::partition_of(&e.name).is_some());
    // A directory with metadata alone has no such marker: whether it should is known from the metadata.
    if !is_clean && (holds_partitions || !has_metadata) {
        return Err(ImportError::Unclean { dir: dir.to_owned() });
    }
    Ok(Source {
        dir: dir.to_owned(),
        cluster_id: meta.cluster_id,
        node_id: meta.node_id,
        directory_id: meta.directory_id.unwrap_or_else(Uuid::random),
        has_id: meta.directory_id.is_some(),
        has_metadata,
        is_clean,
        _lock: lock,
    })
}

fn check_pair(first: &Source, second: &Source) -> Result<(), ImportError> {
    let (one, other) = (first.dir.clone(), second.dir.clone());
    if first.owner() != second.owner() {
        return Err(ImportError::TwoOwners {
            first: one,
            first_owner: first.owner(),
            second: other,
            second_owner: second.owner(),
        });
    }
    if first.directory_id == second.directory_id {
        return Err(ImportError::SameDirectory { first: one, second: other, id: first.directory_id });
    }
    if first.has_metadata && second.has_metadata {
        return Err(ImportError::TwoMetadata { first: one, second: other });
    }
    Ok(())
}

impl Source {
    /// An error if Kafka was started since: it takes its marker away.
    pub(crate) fn check_untouched(&self, disk: &dyn Disk) -> Result<(), ImportError> {
        match self.is_clean && !inspect::is_cleanly_shut_down(disk, &self.dir)? {
            true => Err(ImportError::Touched { dir: self.dir.clone() }),
            false => Ok(()),
        }
    }

    fn owner(&self) -> String {
        format!("node {} of cluster {}", self.node_id, self.cluster_id)
    }
}

/// Kafka holds the lock as long as it runs, and removes its file when it stops.
fn lock(disk: &dyn Disk, dir: &Path) -> Result<Option<Arc<dyn File>>, ImportError> {
    let path = dir.join(".lock");
    let file = match disk.open(&path, OpenOptions::WRITE) {
        Err(e) => {
            // What may not be written cannot be locked.
            let is_known =
                [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem];
            return if is_known.contains(&e.kind()) {
                Ok(None)
            } else {
                Err(ImportError::io("open", path)(e))
            };
        }
        Ok(file) => file,
    };
    match file.try_lock().map_err(ImportError::io("lock", path))? {
        true => Ok(Some(file)),
        false => Err(ImportError::InUse { dir: dir.to_owned() }),
    }
}
