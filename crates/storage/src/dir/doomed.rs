//! Files and folders that are out of use and wait to be removed, off the paths that readers and writers take. The oldest
//! go first.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use ottla_env::Disk;
use parking_lot::Mutex;

use super::partition_metadata;

/// What waits to be removed.
#[derive(Debug, Default)]
pub(crate) struct Doomed(Mutex<VecDeque<Doom>>);

#[derive(Clone, Debug)]
enum Doom {
    File(PathBuf),
    Folder(PathBuf),
}

/// Whether the log starts are durable that put files out of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogStarts {
    /// What power loss brings back, recovery leaves out.
    Durable,
    /// The disk is too full to write them: only the names tell where a log starts. So of its segments each goes for good
    /// before the next, and what is left has no gap.
    ByNames,
}

/// What came of [`Doomed::remove_next`].
#[derive(Debug)]
pub(crate) enum Removed {
    /// There was nothing.
    Nothing,
    /// A file.
    File,
    /// All of a folder but what tells whose it was; it goes with [`remove_husk`], or comes back.
    Contents(PathBuf),
}

impl Doomed {
    pub(crate) fn add_file(&self, path: PathBuf) {
        self.0.lock().push_back(Doom::File(path));
    }

    pub(crate) fn add_folder(&self, path: PathBuf) {
        self.0.lock().push_back(Doom::Folder(path));
    }

    /// The name is used again: the file that is there must not be removed.
    pub(crate) fn spare(&self, path: &Path) {
        self.0.lock().retain(|doom| !matches!(doom, Doom::File(p) if p == path));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Removes the next. Files under the lock, so that [`Doomed::spare`] cannot be overtaken.
    pub(crate) fn remove_next(&self, disk: &dyn Disk, starts: LogStarts) -> io::Result<Removed> {
        let folder = {
            let mut waiting = self.0.lock();
            match waiting.front().cloned() {
                None => return Ok(Removed::Nothing),
                Some(Doom::File(path)) => {
                    if starts == LogStarts::ByNames && path.extension().is_some_and(|suffix| suffix == "log")
                    {
                        path.parent().map_or(Ok(()), |folder| unless_gone(disk.sync_dir(folder)))?;
                    }
                    waiting.pop_front();
                    unless_gone(disk.remove_file(&path))?;
                    return Ok(Removed::File);
                }
                Some(Doom::Folder(path)) => {
                    waiting.pop_front();
                    path
                }
            }
        };
        unless_gone(remove_contents(disk, &folder))?;
        Ok(Removed::Contents(folder))
    }
}

fn remove_contents(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    for entry in disk.list(folder)?.into_iter().filter(|entry| entry.name != partition_metadata::FILE_NAME) {
        let path = folder.join(&entry.name);
        let removed = if entry.is_dir { disk.remove_dir_all(&path) } else { disk.remove_file(&path) };
        unless_gone(removed)?;
    }
    Ok(())
}

/// Removes what [`Removed::Contents`] left of a folder.
pub(crate) fn remove_husk(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    unless_gone(disk.remove_dir_all(folder))
}

fn unless_gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
