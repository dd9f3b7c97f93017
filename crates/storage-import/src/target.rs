//! The directories that are written, and what tells an import that was not finished.

use std::io;
use std::path::Path;

use ottla_env::{Disk, OpenOptions, create_dir_durably};
use ottla_storage::MetaProperties;

use crate::bootstrap::Bootstrap;
use crate::error::ImportError;
use crate::source::Source;

/// The file that is in a target until the import is complete.
pub const UNFINISHED: &str = "ottla-import-unfinished";
/// What a new file system has.
const LOST_AND_FOUND: &str = "lost+found";
const QUORUM: &str = "ottla-quorum";

/// Whether an import into `dir` was begun and not finished: no node may start there.
pub fn is_unfinished(disk: &dyn Disk, dir: &Path) -> io::Result<bool> {
    disk.exists(&dir.join(UNFINISHED))
}

/// What a target is before the import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing is there.
    Empty,
    /// An import was interrupted.
    Unfinished,
    /// It has all of its part of this import.
    Finished,
}

/// Looks at `dir`, which is to get what is in `source`.
pub(crate) fn state(disk: &dyn Disk, dir: &Path, source: &Source) -> Result<State, ImportError> {
    let list = match disk.list(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(State::Empty),
        list => list.map_err(ImportError::io("list", dir))?,
    };
    let has = |name: &str| list.iter().any(|entry| entry.name == name);
    let Some(found) = list.iter().find(|entry| entry.name != LOST_AND_FOUND) else { return Ok(State::Empty) };
    if has(QUORUM) {
        return Err(ImportError::AlreadyOttla { dir: dir.to_owned(), found: QUORUM });
    }
    if has(UNFINISHED) {
        return Ok(State::Unfinished);
    }
    let meta = MetaProperties::read(disk, dir)?;
    let is_of_this = |meta: &MetaProperties| {
        meta.cluster_id == source.cluster_id
            && meta.node_id == source.node_id
            && meta.directory_id == Some(source.directory_id)
    };
    let is_ready = !source.has_metadata || Bootstrap::exists(disk, dir)?;
    if is_ready && meta.as_ref().is_some_and(is_of_this) {
        return Ok(State::Finished);
    }
    let found = meta.map_or_else(
        || found.name.clone(),
        |meta| format!("node {} of cluster {}", meta.node_id, meta.cluster_id),
    );
    Err(ImportError::TargetNotEmpty { dir: dir.to_owned(), found })
}

/// Marks `dir` as unfinished, and empties it of what an earlier attempt has left.
pub(crate) fn begin(disk: &dyn Disk, dir: &Path) -> Result<(), ImportError> {
    let begin = || {
        create_dir_durably(disk, dir)?;
        let marker = disk.open(&dir.join(UNFINISHED), OpenOptions::CREATE)?;
        marker.sync_data()?;
        disk.sync_dir(dir)?;
        for entry in disk.list(dir)? {
            let path = dir.join(&entry.name);
            match entry.name.as_str() {
                UNFINISHED | LOST_AND_FOUND => {}
                _ if entry.is_dir => disk.remove_dir_all(&path)?,
                _ => disk.remove_file(&path)?,
            }
        }
        disk.sync_dir(dir)
    };
    begin().map_err(ImportError::io("prepare", dir))
}

/// The import into `dir` is complete.
pub(crate) fn complete(disk: &dyn Disk, dir: &Path) -> Result<(), ImportError> {
    let path = dir.join(UNFINISHED);
    match disk.remove_file(&path).and_then(|()| disk.sync_dir(dir)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(ImportError::io("remove", path)),
    }
}
