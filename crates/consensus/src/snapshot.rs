//! Snapshots as plain files, named as Kafka names its own: `<last offset>-<epoch>.snap`.
//!
//! ```text
//!   0 magic "OttlaSnp" │ 8 format u16 │ 10 zero u16 │ 12 length of head u32 │ 16 length of state u64
//!  24 head (log position, voters) │ state │ crc32c u32 over everything before it
//! ```
//!
//! A file has its name only when it is complete and synced, so a snapshot that does not read is damage.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};
use ottla_env::{Disk, OpenOptions};

use crate::error::StartError;
use crate::log::Position;

const MAGIC: &[u8; 8] = b"OttlaSnp";
const FORMAT: u16 = 1;
const HEADER_BYTES: usize = 24;
const FOOTER_BYTES: usize = 4;
const SUFFIX: &str = ".snap";
const TEMPORARY: &str = ".snap.tmp";

/// The snapshots in a directory.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotStore {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

/// What a snapshot file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotFile {
    /// Opaque here.
    pub(crate) head: Bytes,
    /// Of the state machine.
    pub(crate) state: Bytes,
}

impl SnapshotStore {
    /// Opens the directory; removes what was not completed.
    pub(crate) fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<Self, StartError> {
        let store = Self { disk, dir: dir.to_owned() };
        store
            .remove(|name| name.ends_with(TEMPORARY))
            .map_err(|source| StartError::Io { path: dir.to_owned(), source })?;
        Ok(store)
    }

    /// The newest snapshot.
    pub(crate) fn newest(&self) -> io::Result<Option<Position>> {
        Ok(self.names()?.iter().filter_map(|name| parse_name(name)).max_by_key(|p| (p.index, p.epoch)))
    }

    /// Stores a snapshot durably, then removes the older ones.
    pub(crate) fn write(&self, position: Position, head: &[u8], state: &[u8]) -> io::Result<()> {
        let path = self.path(position);
        let temporary = path.with_extension("snap.tmp");
        let file = self.disk.open(&temporary, OpenOptions::CREATE_EMPTY)?;
        let too_large = |_| io::Error::new(io::ErrorKind::InvalidInput, "snapshot too large");
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&FORMAT.to_be_bytes());
        header.extend_from_slice(&[0; 2]);
        header.extend_from_slice(&u32::try_from(head.len()).map_err(too_large)?.to_be_bytes());
        header.extend_from_slice(&(state.len() as u64).to_be_bytes());

        let mut crc = Digest::new(CrcAlgorithm::Crc32Iscsi);
        let mut offset = 0;
        for part in [header.as_slice(), head, state] {
            crc.update(part);
            file.write_all_at(part, offset)?;
            offset += part.len() as u64;
        }
        let [.., a, b, c, d] = crc.finalize().to_be_bytes();
        file.write_all_at(&[a, b, c, d], offset)?;
        file.sync_data()?;
        self.disk.rename(&temporary, &path)?;
        self.disk.sync_dir(&self.dir)?;
        // Not those before this one: another one may have been completed meanwhile.
        let newest = self.newest()?;
        self.remove(|name| parse_name(name).is_some_and(|position| Some(position) != newest))
    }

    /// Reads and checks the newest snapshot.
    pub(crate) fn read_newest(&self) -> io::Result<Option<(Position, SnapshotFile)>> {
        while let Some(newest) = self.newest()? {
            match self.read(newest) {
                // A newer one was completed meanwhile, and has taken its place.
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.newest()? != Some(newest) => {}
                read => return read.map(|file| Some((newest, file))),
            }
        }
        Ok(None)
    }

    /// Reads and checks a snapshot.
    pub(crate) fn read(&self, position: Position) -> io::Result<SnapshotFile> {
        let path = self.path(position);
        let file = self.disk.open(&path, OpenOptions::READ)?;
        let len = usize::try_from(file.len()?).unwrap_or(usize::MAX);
        let damaged = |what: &str| {
            let text = format!("snapshot {} is damaged: {what}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        };
        if len < HEADER_BYTES + FOOTER_BYTES {
            return Err(damaged("too short"));
        }
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, 0)?;
        let mut bytes = Bytes::from(bytes);
        let footer = bytes.split_off(len - FOOTER_BYTES);
        let mut crc = Digest::new(CrcAlgorithm::Crc32Iscsi);
        crc.update(&bytes);
        let [.., a, b, c, d] = crc.finalize().to_be_bytes();
        if footer.as_ref() != [a, b, c, d] {
            return Err(damaged("wrong checksum"));
        }
        let header = bytes.split_to(HEADER_BYTES);
        let format = header.get(8..10).and_then(|b| b.try_into().ok()).map_or(0, u16::from_be_bytes);
        if !header.starts_with(MAGIC) {
            return Err(damaged("it does not begin as a snapshot does"));
        }
        if format != FORMAT {
            let error = StartError::Format { path, found: format, supported: FORMAT };
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        let head_len = header.get(12..16).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes);
        let head_len = usize::try_from(head_len).unwrap_or(usize::MAX);
        if head_len > bytes.len() {
            return Err(damaged("lengths do not add up"));
        }
        let head = bytes.split_to(head_len);
        Ok(SnapshotFile { head, state: bytes })
    }

    fn path(&self, position: Position) -> PathBuf {
        self.dir.join(format!("{:020}-{:010}{SUFFIX}", position.index, position.epoch))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self
            .disk
            .list(&self.dir)?
            .into_iter()
            .filter(|entry| !entry.is_dir)
            .map(|entry| entry.name)
            .collect())
    }

    fn remove(&self, which: impl Fn(&str) -> bool) -> io::Result<()> {
        for name in self.names()?.iter().filter(|name| which(name)) {
            match self.disk.remove_file(&self.dir.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
        Ok(())
    }
}

fn parse_name(name: &str) -> Option<Position> {
    let (index, epoch) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    let is_number = |digits: &str, len| digits.len() == len && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(index, 20) || !is_number(epoch, 10) {
        return None;
    }
    Some(Position { epoch: epoch.parse().ok()?, index: index.parse().ok()? })
}
