//! Log directories that take no new partitions (`cordoned.log.dirs`, KIP-1066); what lies in them stays.

use std::collections::BTreeSet;
use std::path::Path;

use ottla_storage::LogDir;
use ottla_types::DirectoryId;

use super::ReplicaManager;
use super::describe_log_dirs::absolute;

/// Stands for every directory.
const ALL: &str = "*";

impl ReplicaManager {
    /// The directories at `paths` are cordoned from now on, and no others. Whether that is a change.
    pub(crate) fn cordon(&self, paths: &[String]) -> bool {
        if let Err(reason) = self.check_cordon(paths) {
            tracing::warn!("cordoned.log.dirs: {reason}");
        }
        let is_named = |dir: &LogDir| paths.iter().any(|path| path == ALL || is_at(dir.path(), path));
        let named = self.dirs.iter().enumerate().filter(|(_, dir)| is_named(dir));
        let named: BTreeSet<usize> = named.map(|(index, _)| index).collect();
        let mut cordoned = self.cordoned.lock();
        let is_new = *cordoned != named;
        *cordoned = named;
        is_new
    }

    /// Whether `paths` are log directories, or all of them at once.
    pub(crate) fn check_cordon(&self, paths: &[String]) -> Result<(), String> {
        if paths.iter().any(|path| path == ALL) {
            return match paths.len() {
                1 => Ok(()),
                _ => Err("When cordoned.log.dirs is set to *, it must not contain other values".to_owned()),
            };
        }
        let mut known =
            self.dirs.iter().map(|dir| dir.path()).chain(self.unopened.iter().map(|(path, _)| &**path));
        match paths.iter().find(|path| !known.any(|dir| is_at(dir, path))) {
            None => Ok(()),
            Some(path) => Err(format!(
                "Invalid entry in cordoned.log.dirs: {path}. All cordoned log dirs must be entries of log.dirs or \
                 log.dir."
            )),
        }
    }

    /// Whether the directory with this index takes no new partitions.
    pub(super) fn is_cordoned(&self, index: usize) -> bool {
        self.cordoned.lock().contains(&index)
    }

    /// Their ids, for the controller.
    pub(crate) fn cordoned_directory_ids(&self) -> Vec<DirectoryId> {
        let cordoned = self.cordoned.lock();
        cordoned.iter().filter_map(|index| self.dirs.get(*index)).map(|dir| dir.directory_id()).collect()
    }
}

fn is_at(dir: &Path, path: &str) -> bool {
    absolute(dir) == absolute(Path::new(path))
}
