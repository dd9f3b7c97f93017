//! `meta.properties`: whose directory this is (version 1, KIP-631 and KIP-858).

use std::path::Path;

use ottla_env::Disk;
use ottla_types::{DirectoryId, NodeId};

use crate::error::StorageError;
use crate::text_file;

pub(crate) const FILE_NAME: &str = "meta.properties";
const VERSION: u32 = 1;
/// Far above what the file has.
pub(crate) const MAX_BYTES: usize = 64 << 10;

/// Whose a directory is: the contents of its `meta.properties`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaProperties {
    /// The cluster.
    pub cluster_id: String,
    /// The node.
    pub node_id: NodeId,
    /// The directory itself; Kafka before 3.7 wrote none.
    pub directory_id: Option<DirectoryId>,
}

impl MetaProperties {
    /// Reads the file in the directory `root`; `None` if there is none.
    pub fn read(disk: &dyn Disk, root: &Path) -> Result<Option<Self>, StorageError> {
        let path = root.join(FILE_NAME);
        let text =
            text_file::read_text(disk, &path, MAX_BYTES).map_err(|e| StorageError::io("read", &path, e))?;
        let Some(text) = text else { return Ok(None) };
        if let Some(found) = property(&text, "version").and_then(|version| version.parse().ok())
            && found > VERSION
        {
            return Err(StorageError::Format { path, found, known: VERSION });
        }
        Self::parse(&text).map(Some).map_err(|reason| StorageError::damaged(&path, reason))
    }

    /// Writes the file in the directory `root`, which exists; durable when this returns.
    pub fn write(&self, disk: &dyn Disk, root: &Path) -> Result<(), StorageError> {
        let path = root.join(FILE_NAME);
        text_file::replace(disk, &path, self.to_text().as_bytes())
            .map_err(|e| StorageError::io("write", &path, e))
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("version=1\ncluster.id={}\nnode.id={}\n", self.cluster_id, self.node_id);
        if let Some(id) = self.directory_id {
            text.push_str(&format!("directory.id={id}\n"));
        }
        text
    }

    /// What is wrong with it, if it cannot be read.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let get = |key| property(text, key);
        let want = |key: &'static str| get(key).ok_or_else(|| format!("{key} is missing"));
        let version = want("version")?;
        if version != "1" {
            return Err(format!("version is {version}; only 1 is known"));
        }
        let directory_id =
            get("directory.id").map(|id| id.parse().map_err(|e| format!("directory.id: {e}"))).transpose()?;
        Ok(Self {
            // A properties file may escape what a cluster id never has but '='.
            cluster_id: want("cluster.id")?.replace('\\', ""),
            node_id: NodeId(want("node.id")?.parse().map_err(|e| format!("node.id: {e}"))?),
            directory_id,
        })
    }
}

fn property<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .find(|(k, _)| k.trim() == key)
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_types::Uuid;

    #[test]
    fn kafkas_file_is_read() {
        let text = "#\n#Sun Nov 22 20:00:00 UTC 2026\ncluster.id=MkU3OEVBNTcwNTJENDM2Qg\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\nnode.id=1\nversion=1\n";
        let meta = MetaProperties::parse(text).unwrap();
        assert_eq!(meta.cluster_id, "MkU3OEVBNTcwNTJENDM2Qg");
        assert_eq!((meta.node_id, meta.directory_id), (NodeId(1), Some(Uuid::METADATA_TOPIC)));
        assert_eq!(MetaProperties::parse(&meta.to_text()), Ok(meta));
    }

    #[test]
    fn a_later_version_is_refused_with_the_remedy() {
        let disk = ottla_simdisk::SimDisk::new(1);
        let path = Path::new("/").join(FILE_NAME);
        text_file::replace(&disk, &path, b"version=2\nnode.id=1\n").unwrap();
        let refused = MetaProperties::read(&disk, Path::new("/")).unwrap_err().to_string();
        assert_eq!(
            refused,
            "/meta.properties has format 2, this build reads 1: run the newer build that wrote it"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(MetaProperties::parse("version=1\n").unwrap_err(), "cluster.id is missing");
        assert!(MetaProperties::parse("version=2\n").unwrap_err().contains("only 1"));
        assert!(
            MetaProperties::parse("version=1\ncluster.id=a\nnode.id=x\n").unwrap_err().contains("node.id")
        );
    }
}
