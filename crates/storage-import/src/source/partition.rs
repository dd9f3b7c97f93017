//! The files of one partition's folder, and which of them count.

use std::path::{Path, PathBuf};

use ottla_env::{Disk, OpenOptions};
use ottla_storage::inspect;
use ottla_types::Offset;

use crate::error::ImportError;

/// One file that is taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartitionFile {
    pub(crate) name: String,
    pub(crate) len: u64,
    /// Records to which nothing is added any more.
    pub(crate) is_sealed_log: bool,
}

/// A partition's folder.
#[derive(Debug)]
pub(crate) struct PartitionFolder {
    pub(crate) path: PathBuf,
    pub(crate) files: Vec<PartitionFile>,
    /// The first segment.
    pub(crate) first: Option<Offset>,
    pub(crate) has_records: bool,
    /// An index tells of aborted transactions.
    pub(crate) has_aborted: bool,
    /// What nobody knows.
    pub(crate) unknown: Vec<String>,
}

impl PartitionFolder {
    /// Lists the folder at `path`.
    pub(crate) fn list(disk: &dyn Disk, path: PathBuf) -> Result<Self, ImportError> {
        let mut folder = Self {
            path,
            files: Vec::new(),
            first: None,
            has_records: false,
            has_aborted: false,
            unknown: Vec::new(),
        };
        let entries = disk.list(&folder.path).map_err(ImportError::io("list", &folder.path))?;
        let mut last = None;
        for entry in entries {
            let name = entry.name;
            let kind = if entry.is_dir { Kind::Unknown } else { kind_of(&name) };
            match kind {
                Kind::Leftover => continue,
                Kind::Unfinished => return Err(ImportError::Unfinished { path: folder.path.join(name) }),
                Kind::Unknown => {
                    folder.unknown.push(name);
                    continue;
                }
                Kind::Log(_) | Kind::AbortedIndex | Kind::Other => {}
            }
            let len = len(disk, &folder.path.join(&name))?;
            if let Kind::Log(base) = kind {
                folder.first = Some(folder.first.map_or(base, |first| first.min(base)));
                folder.has_records |= len > 0;
                last = last.max(Some(base));
            }
            folder.has_aborted |= kind == Kind::AbortedIndex && len > 0;
            folder.files.push(PartitionFile { name, len, is_sealed_log: false });
        }
        for file in &mut folder.files {
            file.is_sealed_log = matches!(kind_of(&file.name), Kind::Log(base) if Some(base) < last);
        }
        Ok(folder)
    }

    /// Whether the log never had a record: then it needs no folder.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_records && self.first.is_none_or(|first| first == Offset(0))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.len).sum()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Log(Offset),
    AbortedIndex,
    Other,
    /// On its way out.
    Leftover,
    /// Kafka has yet to put it in place.
    Unfinished,
    Unknown,
}

fn kind_of(name: &str) -> Kind {
    if [".deleted", ".cleaned", ".tmp"].iter().any(|suffix| name.ends_with(suffix)) {
        return Kind::Leftover;
    }
    match inspect::offset_and_suffix(name) {
        _ if name.ends_with(".swap") => Kind::Unfinished,
        Some((base, "log")) => Kind::Log(base),
        Some((_, "txnindex")) => Kind::AbortedIndex,
        Some((_, "index" | "timeindex" | "snapshot")) => Kind::Other,
        None if name == "leader-epoch-checkpoint" || name == "partition.metadata" => Kind::Other,
        _ => Kind::Unknown,
    }
}

fn len(disk: &dyn Disk, path: &Path) -> Result<u64, ImportError> {
    let file = disk.open(path, OpenOptions::READ).map_err(ImportError::io("open", path))?;
    file.len().map_err(ImportError::io("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_what_their_names_say() {
        for (name, kind) in [
            ("00000000000000000012.log", Kind::Log(Offset(12))),
            ("00000000000000000012.txnindex", Kind::AbortedIndex),
            ("00000000000000000012.timeindex", Kind::Other),
            ("00000000000000000012.snapshot", Kind::Other),
            ("leader-epoch-checkpoint", Kind::Other),
            ("00000000000000000012.log.deleted", Kind::Leftover),
            ("00000000000000000012.index.cleaned", Kind::Leftover),
            ("00000000000000000012.log.swap", Kind::Unfinished),
            ("12.log", Kind::Unknown),
            ("notes.txt", Kind::Unknown),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }
}
