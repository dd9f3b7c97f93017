//! Which cluster this node belongs to, and the ids of its directories (`meta.properties`).
//!
//! An empty directory is formatted on start. The cluster's id comes, in this order, from a directory that has one, from
//! `cluster.id`, from the controllers (a broker), or is minted (the only voter of a new quorum).

use std::path::{Path, PathBuf};

use ottla_config::BrokerConfig;
use ottla_env::{Disk, create_dir_durably};
use ottla_storage::{MetaProperties, StorageError};
use ottla_types::{DirectoryId, NodeId, Uuid};

/// Where a Kafka node keeps its metadata; in no directory of Ottla's.
const KAFKA_METADATA: &str = "__cluster_metadata-0";

/// Why it is not clear who this node is.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A directory cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An import was begun there.
    #[error(
        "an import into {dir} was begun and not finished (ottla-import-unfinished): repeat it with ottla storage import"
    )]
    UnfinishedImport {
        /// The directory.
        dir: PathBuf,
    },
    /// The quorum's log was there.
    #[error(
        "{dir} had the log of the metadata quorum, but {folder} is missing or empty, and with it what this controller has voted: \
         mount or restore it. If a majority of the other voters lives, it can be done without: remove this voter, empty {dir}, \
         and add it anew"
    )]
    LostQuorum {
        /// The directory.
        dir: PathBuf,
        /// Where the log was.
        folder: PathBuf,
    },
    /// Kafka had the directory.
    #[error(
        "{dir} is Kafka's: it has __cluster_metadata-0. Take it over with ottla storage import {dir} --data-dir NEW, which \
         copies it, or give this node a directory of its own (log.dirs, metadata.log.dir)"
    )]
    Kafka {
        /// The directory.
        dir: PathBuf,
    },
    /// Two directories disagree.
    #[error(
        "{first} belongs to cluster {first_cluster} but {second} to cluster {second_cluster}; set log.dirs to directories of one cluster"
    )]
    TwoClusters {
        /// One directory.
        first: PathBuf,
        /// Its cluster.
        first_cluster: String,
        /// Another one.
        second: PathBuf,
        /// Its cluster.
        second_cluster: String,
    },
    /// The directory belongs to another node.
    #[error(
        "{dir} belongs to node {found}, but node.id={expected}; set node.id={found} or another directory"
    )]
    OtherNode {
        /// The directory.
        dir: PathBuf,
        /// Whose it is.
        found: NodeId,
        /// Who this is.
        expected: NodeId,
    },
    /// The directories belong to another cluster than configured.
    #[error(
        "cluster.id={configured}, but {dir} belongs to cluster {found}; remove cluster.id or set another directory"
    )]
    OtherCluster {
        /// `cluster.id`.
        configured: String,
        /// The directory.
        dir: PathBuf,
        /// Its cluster.
        found: String,
    },
}

/// The cluster that the directories of this node belong to; `None` if they are all new.
pub(crate) fn known_cluster(disk: &dyn Disk, config: &BrokerConfig) -> Result<Option<String>, IdentityError> {
    let expected = config.node.node_id;
    let mut known: Option<(PathBuf, String)> = None;
    for dir in directories(config) {
        if disk.exists(&dir.join(KAFKA_METADATA)).unwrap_or(false) {
            return Err(IdentityError::Kafka { dir });
        }
        let meta = match read_meta(disk, &dir) {
            Ok(meta) => meta,
            // The broker goes on without it, if another one serves.
            Err(IdentityError::Storage(StorageError::Io { .. })) if dir != config.log.metadata_dir => None,
            Err(error) => return Err(error),
        };
        let Some(meta) = meta else { continue };
        if meta.node_id != expected {
            return Err(IdentityError::OtherNode { dir, found: meta.node_id, expected });
        }
        match &known {
            Some((first, cluster)) if *cluster != meta.cluster_id => {
                return Err(IdentityError::TwoClusters {
                    first: first.clone(),
                    first_cluster: cluster.clone(),
                    second: dir,
                    second_cluster: meta.cluster_id,
                });
            }
            _ => known = Some((dir, meta.cluster_id)),
        }
    }
    if let (Some((dir, found)), Some(configured)) = (&known, &config.node.cluster_id)
        && found != configured
    {
        let (dir, found) = (dir.clone(), found.clone());
        return Err(IdentityError::OtherCluster { configured: configured.clone(), dir, found });
    }
    Ok(known.map(|(_, cluster)| cluster).or_else(|| config.node.cluster_id.clone()))
}

/// The id of the metadata directory, which is formatted if it is new.
pub(crate) fn metadata_directory(
    disk: &dyn Disk,
    config: &BrokerConfig,
    cluster_id: &str,
) -> Result<DirectoryId, IdentityError> {
    let dir = &config.log.metadata_dir;
    let meta = MetaProperties::read(disk, dir)?;
    if let Some(MetaProperties { directory_id: Some(id), .. }) = meta {
        return Ok(id);
    }
    let id = Uuid::random();
    let meta = MetaProperties {
        cluster_id: cluster_id.to_owned(),
        node_id: config.node.node_id,
        directory_id: Some(id),
    };
    create_dir_durably(disk, dir)
        .map_err(|source| io_error("create the directory (log.dirs, metadata.log.dir)", dir, source))?;
    meta.write(disk, dir)?;
    Ok(id)
}

/// A log directory that holds partitions, or may: their metadata must be somewhere.
pub(crate) fn directory_with_partitions(
    disk: &dyn Disk,
    config: &BrokerConfig,
) -> Result<Option<PathBuf>, IdentityError> {
    for dir in directories(config) {
        match ottla_storage::holds_partitions(disk, &dir) {
            Ok(false) => {}
            Ok(true) => return Ok(Some(dir)),
            // It may: nobody can look.
            Err(StorageError::Io { .. }) if dir != config.log.metadata_dir => return Ok(Some(dir)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// What the directory says that it is.
fn read_meta(disk: &dyn Disk, dir: &Path) -> Result<Option<MetaProperties>, IdentityError> {
    let looked = ottla_storage_import::is_unfinished(disk, dir);
    if looked
        .map_err(|source| io_error("look into the directory (log.dirs, metadata.log.dir)", dir, source))?
    {
        return Err(IdentityError::UnfinishedImport { dir: dir.to_owned() });
    }
    Ok(MetaProperties::read(disk, dir)?)
}

pub(crate) fn io_error(op: &'static str, dir: &Path, source: std::io::Error) -> StorageError {
    StorageError::Io { op, path: dir.to_owned(), source: std::sync::Arc::new(source) }
}

fn directories(config: &BrokerConfig) -> Vec<PathBuf> {
    let logs = if config.node.is_broker { config.log.dirs.as_slice() } else { &[] };
    let mut all: Vec<PathBuf> = logs.to_vec();
    if config.node.is_controller && !all.contains(&config.log.metadata_dir) {
        all.push(config.log.metadata_dir.clone());
    }
    all
}
