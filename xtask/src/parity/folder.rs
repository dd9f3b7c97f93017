//! Data directories of nodes that are stopped.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

/// What a segment that was cleaned consists of.
const OF_SEGMENT: [&str; 4] = ["log", "index", "timeindex", "txnindex"];

/// Copies a folder with all that is in it.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (entry, to) = (entry?.path(), to);
        let name = entry.file_name().unwrap_or_default();
        if entry.is_dir() {
            copy(&entry, &to.join(name))?;
        } else {
            fs::copy(&entry, to.join(name))?;
        }
    }
    Ok(())
}

/// The files of a partition whose names end so, by name.
pub(super) fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().and_then(|found| found.to_str()).is_some_and(|found| extensions.contains(&found))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The offset at which the active segment begins.
pub(super) fn active_base(folder: &Path) -> Result<i64, Failure> {
    let segments = files(folder, &["log"])?;
    base(segments.last().ok_or("a partition without segments")?)
}

/// Puts the segments below `base` of the partition `from` in place of those of the partition `to`.
pub(super) fn take_segments(from: &Path, to: &Path, below: i64) -> Result<(), Failure> {
    for file in files(to, &OF_SEGMENT)? {
        if base(&file)? < below {
            fs::remove_file(file)?;
        }
    }
    for file in files(from, &OF_SEGMENT)? {
        if base(&file)? < below {
            fs::copy(&file, to.join(file.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

/// The offset in a file's name.
fn base(file: &Path) -> Result<i64, Failure> {
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    name.parse().map_err(|_| format!("{}: no offset", file.display()).into())
}
