//! The files of a log directory that nobody has open, for those who look at it or prepare one: an import, a dump. Opens no
//! log and, but for [`OffsetCheckpoint::write`], changes nothing.

mod dump;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ottla_env::Disk;
use ottla_types::{Offset, TopicId, TopicPartition};

pub use dump::{Item, ProducerEntry, dump};

pub use crate::dir::checkpoints::OffsetCheckpoint;

use crate::dir::{checkpoints, clean_shutdown, materialised, open, partition_metadata};
use crate::error::StorageError;
use crate::{segment, text_file};

/// The file in a partition's folder that tells that offsets may be missing; only Ottla writes it.
pub const GAPS: &str = crate::log::gaps::FILE_NAME;

/// The file that tells which partitions there must be; only Ottla writes it.
pub const MATERIALISED: &str = materialised::FILE_NAME;

impl OffsetCheckpoint {
    /// Reads the file in the directory `root`; nothing if there is none. One that does not read is an error.
    pub fn read(
        self,
        disk: &dyn Disk,
        root: &Path,
    ) -> Result<BTreeMap<TopicPartition, Offset>, StorageError> {
        let path = root.join(self.file_name());
        let text = text_file::read_text(disk, &path, checkpoints::MAX_BYTES)
            .map_err(|e| StorageError::io("read", &path, e))?;
        // Kafka creates the file empty.
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(BTreeMap::new()) };
        let offsets = checkpoints::parse(&text)
            .ok_or_else(|| StorageError::damaged(&path, "it is no checkpoint of offsets of version 0"))?;
        Ok(offsets.into_iter().map(|(partition, offset)| (partition, Offset(offset))).collect())
    }

    /// Puts `offsets` in place of the file in the directory `root`; durable when this returns.
    pub fn write(
        self,
        disk: &dyn Disk,
        root: &Path,
        offsets: &BTreeMap<TopicPartition, Offset>,
    ) -> Result<(), StorageError> {
        let path = root.join(self.file_name());
        let text = checkpoints::to_text(offsets.iter().map(|(partition, offset)| (partition, offset.0)));
        text_file::replace(disk, &path, text.as_bytes()).map_err(|e| StorageError::io("write", &path, e))
    }
}

/// Whether the directory `root` was closed in order.
pub fn is_cleanly_shut_down(disk: &dyn Disk, root: &Path) -> Result<bool, StorageError> {
    let path: PathBuf = root.join(clean_shutdown::FILE_NAME);
    disk.exists(&path).map_err(|e| StorageError::io("look for", &path, e))
}

/// The partition that a folder of this name holds: `topic-3`.
pub fn partition_of(folder: &str) -> Option<TopicPartition> {
    open::partition_of(folder)
}

/// The topic that a partition's folder says to belong to; `None` if it does not say.
pub fn topic_id_of(disk: &dyn Disk, folder: &Path) -> Result<Option<TopicId>, StorageError> {
    let path = folder.join(partition_metadata::FILE_NAME);
    let text = text_file::read_text(disk, &path, partition_metadata::MAX_BYTES)
        .map_err(|e| StorageError::io("read", &path, e))?;
    Ok(text.as_deref().and_then(partition_metadata::parse))
}

/// The offset in the name of a partition's file, and the suffix behind it: `00000000000000000412.log`.
pub fn offset_and_suffix(file: &str) -> Option<(Offset, &str)> {
    segment::parse_file_name(file).map(|(offset, suffix)| (Offset(offset), suffix))
}
