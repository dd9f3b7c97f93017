//! The folder of the quorum's log, and that there was one.
//!
//! ```text
//!  metadata.log.dir/meta.properties        who this voter is
//!                   ottla-quorum-begun     the folder was filled: without it, the voter has forgotten its votes
//!                   ottla-quorum/begun     filled before the first vote
//! ```
//! A voter is its directory's id, which others go by. One that lost only the folder still has the id, and could vote a second
//! time in an epoch; so it does not start, as one that lost all of the directory is not let in.

use std::io;
use std::path::{Path, PathBuf};

use ottla_env::{Disk, OpenOptions, create_dir_durably};

use crate::identity::{IdentityError, io_error};

/// The folder of the quorum's log in `metadata.log.dir`.
const QUORUM_DIR: &str = "ottla-quorum";
/// Beside it.
const BEGUN_BESIDE: &str = "ottla-quorum-begun";
/// In it.
const BEGUN: &str = "begun";

/// The folder, which is there and noted when this returns.
pub(crate) fn open(disk: &dyn Disk, metadata_dir: &Path) -> Result<PathBuf, IdentityError> {
    let folder = metadata_dir.join(QUORUM_DIR);
    let failed = |source| io_error("prepare", &folder, source);
    if disk.exists(&metadata_dir.join(BEGUN_BESIDE)).map_err(failed)? {
        if is_empty(disk, &folder).map_err(failed)? {
            return Err(IdentityError::LostQuorum { dir: metadata_dir.to_owned(), folder });
        }
    } else {
        note(disk, metadata_dir, &folder).map_err(failed)?;
    }
    Ok(folder)
}

/// In this order: whoever dies in between has not voted, and is not taken for one that lost its votes.
fn note(disk: &dyn Disk, metadata_dir: &Path, folder: &Path) -> io::Result<()> {
    create_dir_durably(disk, folder)?;
    for (dir, name) in [(folder, BEGUN), (metadata_dir, BEGUN_BESIDE)] {
        disk.open(&dir.join(name), OpenOptions::CREATE)?.sync_data()?;
        disk.sync_dir(dir)?;
    }
    Ok(())
}

/// Whether nothing of a log is there: what `rm` of all names leaves begins with a dot, and a new file system has `lost+found`.
fn is_empty(disk: &dyn Disk, folder: &Path) -> io::Result<bool> {
    match disk.list(folder) {
        Ok(found) => Ok(!found.iter().any(|entry| !entry.is_dir && !entry.name.starts_with('.'))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use ottla_simdisk::SimDisk;

    use super::*;

    const DIR: &str = "/data";

    fn open(disk: &SimDisk) -> Result<PathBuf, String> {
        super::open(disk, Path::new(DIR)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_voter_whose_log_is_gone_does_not_start_though_its_directory_is_known() {
        let disk = SimDisk::new(1);
        let folder = open(&disk).unwrap();
        assert_eq!(open(&disk).unwrap(), folder, "it has not voted yet");
        disk.open(&folder.join(".lock"), OpenOptions::CREATE).unwrap();
        disk.remove_file(&folder.join(BEGUN)).unwrap();
        let emptied = open(&disk).unwrap_err();
        assert!(emptied.contains("is missing or empty"), "{emptied}");
        disk.remove_dir_all(&folder).unwrap();
        assert_eq!(open(&disk).unwrap_err(), emptied);
        // Given back as it was.
        disk.create_dir_all(&folder).unwrap();
        disk.open(&folder.join("00000000000000000000.raft"), OpenOptions::CREATE).unwrap();
        assert_eq!(open(&disk).unwrap(), folder);
    }

    #[test]
    fn a_log_of_an_earlier_build_is_noted_at_the_next_start() {
        let disk = SimDisk::new(1);
        let folder = Path::new(DIR).join(QUORUM_DIR);
        disk.create_dir_all(&folder).unwrap();
        disk.open(&folder.join("00000000000000000000.raft"), OpenOptions::CREATE).unwrap();
        open(&disk).unwrap();
        disk.remove_dir_all(&folder).unwrap();
        assert!(open(&disk).is_err());
    }
}
