//! Files and folders that are out of use and wait to be removed, off the paths that readers and writers take.

use std::io;
use std::path::{Path, PathBuf};

use ottla_env::Disk;
use parking_lot::Mutex;

/// What waits to be removed.
#[derive(Debug, Default)]
pub(crate) struct Doomed(Mutex<Vec<Doom>>);

#[derive(Debug)]
enum Doom {
    File(PathBuf),
    Folder(PathBuf),
}

impl Doomed {
    pub(crate) fn add_file(&self, path: PathBuf) {
        self.0.lock().push(Doom::File(path));
    }

    pub(crate) fn add_folder(&self, path: PathBuf) {
        self.0.lock().push(Doom::Folder(path));
    }

    /// The name is used again: the file that is there must not be removed.
    pub(crate) fn spare(&self, path: &Path) {
        self.0.lock().retain(|doom| !matches!(doom, Doom::File(p) if p == path));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Removes one; false if nothing is left. Files under the lock, so that [`Doomed::spare`] cannot be overtaken.
    pub(crate) fn remove_one(&self, disk: &dyn Disk) -> io::Result<bool> {
        let folder = {
            let mut waiting = self.0.lock();
            match waiting.pop() {
                None => return Ok(false),
                Some(Doom::File(path)) => return gone(disk.remove_file(&path)),
                Some(Doom::Folder(path)) => path,
            }
        };
        gone(disk.remove_dir_all(&folder))
    }
}

fn gone(removed: io::Result<()>) -> io::Result<bool> {
    match removed {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(true),
    }
}
