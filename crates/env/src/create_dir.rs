//! Creating a directory that is there after power loss.

use std::io;
use std::path::Path;

use crate::disk::Disk;

/// Creates the directory `dir`, and those above it that are missing, each synced into its parent before the next. One that
/// is there may be left by a process that ended in between, so that its name is synced too.
pub fn create_dir_durably(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let (mut missing, mut there) = (Vec::new(), dir);
    while !disk.exists(there)? {
        missing.push(there);
        there = parent_of(there);
    }
    match disk.sync_dir(parent_of(there)) {
        // Whoever created it had more rights, or mounted it.
        Err(e) if is_foreign(&e) => {}
        synced => synced?,
    }
    missing.into_iter().rev().try_for_each(|path| {
        disk.create_dir_all(path)?;
        disk.sync_dir(parent_of(path))
    })
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

fn is_foreign(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Unsupported
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RealDisk;

    #[test]
    fn missing_parents_are_created_and_what_is_there_is_left() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b/c");
        for _ in 0..2 {
            create_dir_durably(&RealDisk, &dir).unwrap();
            assert!(dir.is_dir());
        }
        create_dir_durably(&RealDisk, Path::new("/")).unwrap();
        create_dir_durably(&RealDisk, Path::new(".")).unwrap();
        std::fs::write(root.path().join("file"), "").unwrap();
        assert!(create_dir_durably(&RealDisk, &root.path().join("file/d")).is_err());
    }
}
