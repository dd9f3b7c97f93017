//! `ottla-bootstrap`: the metadata that a node's quorum begins with. In the metadata directory from the import until the quorum
//! is formed.
//!
//! ```text
//!   0 magic "OttlaBst" │ 8 format u16 │ 10 crc32c u32 of what follows │ 14 metadata snapshot
//! ```

use std::path::{Path, PathBuf};

use bytes::Bytes;
use ottla_env::{Disk, OpenOptions};
use ottla_records::crc32c;

use crate::error::ImportError;

const FILE_NAME: &str = "ottla-bootstrap";
const TEMPORARY: &str = "ottla-bootstrap.tmp";
const MAGIC: &[u8; 8] = b"OttlaBst";
const FORMAT: u16 = 1;

/// A metadata directory's bootstrap file.
#[derive(Debug)]
pub struct Bootstrap;

impl Bootstrap {
    /// The snapshot (`MetadataImage::decode_snapshot`) in the metadata directory `dir`; `None` if there is no file.
    pub fn read(disk: &dyn Disk, dir: &Path) -> Result<Option<Bytes>, ImportError> {
        let path = dir.join(FILE_NAME);
        let file = match disk.open(&path, OpenOptions::READ) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(ImportError::io("open", &path))?,
        };
        let read = || {
            let mut bytes = vec![0; usize::try_from(file.len()?).unwrap_or(usize::MAX)];
            file.read_exact_at(&mut bytes, 0)?;
            Ok(Bytes::from(bytes))
        };
        let bytes: Bytes = read().map_err(ImportError::io("read", &path))?;
        parse(&path, &bytes).map(Some)
    }

    /// Writes it; durable on return.
    pub(crate) fn write(disk: &dyn Disk, dir: &Path, snapshot: &[u8]) -> Result<(), ImportError> {
        let (path, temporary) = (dir.join(FILE_NAME), dir.join(TEMPORARY));
        let write = || {
            let file = disk.open(&temporary, OpenOptions::CREATE_EMPTY)?;
            let mut head = MAGIC.to_vec();
            head.extend(FORMAT.to_be_bytes());
            head.extend(crc32c(snapshot).to_be_bytes());
            file.write_all_at(&head, 0)?;
            file.write_all_at(snapshot, head.len() as u64)?;
            file.sync_data()?;
            disk.rename(&temporary, &path)?;
            disk.sync_dir(dir)
        };
        write().map_err(ImportError::io("write", &path))
    }

    /// Removes it: once the quorum knows more, nobody may begin there again.
    pub fn remove(disk: &dyn Disk, dir: &Path) -> Result<(), ImportError> {
        let path: PathBuf = dir.join(FILE_NAME);
        match disk.remove_file(&path).and_then(|()| disk.sync_dir(dir)) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(ImportError::io("remove", &path)),
        }
    }

    pub(crate) fn exists(disk: &dyn Disk, dir: &Path) -> Result<bool, ImportError> {
        let path = dir.join(FILE_NAME);
        disk.exists(&path).map_err(ImportError::io("look for", &path))
    }
}

fn parse(path: &Path, bytes: &Bytes) -> Result<Bytes, ImportError> {
    let damaged = |what| ImportError::DamagedBootstrap { path: path.to_owned(), what };
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin as such a file does"))?;
    let (format, rest) = rest.split_first_chunk().ok_or_else(|| damaged("it is too short"))?;
    let found = u16::from_be_bytes(*format);
    if found != FORMAT {
        return Err(ImportError::BootstrapFormat { path: path.to_owned(), found, known: FORMAT });
    }
    let (crc, snapshot) = rest.split_first_chunk().ok_or_else(|| damaged("it is too short"))?;
    if u32::from_be_bytes(*crc) != crc32c(snapshot) {
        return Err(damaged("wrong checksum"));
    }
    Ok(bytes.slice_ref(snapshot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_format_is_refused_with_the_remedy() {
        let bytes = Bytes::from([&MAGIC[..], &[0, 2], b"what comes then"].concat());
        let refused = parse(Path::new("ottla-bootstrap"), &bytes).unwrap_err().to_string();
        assert_eq!(
            refused,
            "ottla-bootstrap has format 2, this build reads 1: run the newer build that wrote it"
        );
    }
}
