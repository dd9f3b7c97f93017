//! Small text files that are replaced as a whole.

use std::io;
use std::path::{Path, PathBuf};

use ottla_env::{Disk, OpenOptions};

/// Reads a whole file; `None` if it is not there. Refuses more than `max` bytes.
pub(crate) fn read(disk: &dyn Disk, path: &Path, max: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open(path, OpenOptions::READ) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let len = usize::try_from(file.len()?).unwrap_or(usize::MAX);
    if len > max {
        return Err(io::Error::other(format!("{len} bytes, expected at most {max}")));
    }
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(Some(bytes))
}

/// Like [`read`], as text.
pub(crate) fn read_text(disk: &dyn Disk, path: &Path, max: usize) -> io::Result<Option<String>> {
    read(disk, path, max)?
        .map(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8")))
        .transpose()
}

/// The first line of files that a start can do without; what follows is of this version.
const VERSION: &str = "0";

/// What follows the version of such a file. One of another version is as if it were not there, and said so: who goes back to
/// an older build need not remove anything.
pub(crate) fn behind_version<'a>(path: &Path, text: &'a str) -> Option<&'a str> {
    let (version, rest) = text.split_once('\n')?;
    if version == VERSION {
        return Some(rest);
    }
    if version.parse::<u32>().is_ok() {
        tracing::warn!(path = %path.display(), "it has version {version}, this build reads {VERSION}, and does \
            without it: the newer build that wrote it can read it");
    }
    None
}

/// Puts `bytes` in place of what is at `path`: after power loss it is all old or all new.
///
/// ```text
///  write path.tmp ─▶ sync it ─▶ rename to path ─▶ sync the folder
/// ```
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let tmp = tmp_path(path);
    let file = disk.open(&tmp, OpenOptions::CREATE_EMPTY)?;
    file.write_all_at(bytes, 0)?;
    file.sync_data()?;
    disk.rename(&tmp, path)?;
    disk.sync_dir(path.parent().unwrap_or_else(|| Path::new(".")))
}

/// Like [`replace`], but what power loss leaves may be anything: for what can be done without.
pub(crate) fn replace_unsynced(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let tmp = tmp_path(path);
    disk.open(&tmp, OpenOptions::CREATE_EMPTY)?.write_all_at(bytes, 0)?;
    disk.rename(&tmp, path)
}

fn tmp_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}
