//! Keeps other processes off the directory of the quorum: two that append to one log would damage it.

use std::path::Path;
use std::sync::Arc;

use ottla_env::{Disk, File, OpenOptions};

use crate::error::StartError;

/// Locks `dir` for as long as the file is open.
pub(crate) fn take(disk: &dyn Disk, dir: &Path) -> Result<Arc<dyn File>, StartError> {
    let path = dir.join(".lock");
    let io = |source| StartError::Io { path: path.clone(), source };
    let file = disk.open(&path, OpenOptions::CREATE).map_err(io)?;
    match file.try_lock().map_err(io)? {
        true => Ok(file),
        false => Err(StartError::InUse { path: dir.to_owned() }),
    }
}
