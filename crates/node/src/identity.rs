//! Which cluster this node belongs to, and the ids of its directories (`meta.properties`).
//!
//! An empty directory is formatted on start. The cluster's id comes, in this order, from a directory that has one, from
//! `cluster.id`, from the controllers (a broker), or is minted (the only voter of a new quorum).

use std::path::PathBuf;

use ottla_config::BrokerConfig;
use ottla_env::{Disk, create_dir_durably};
use ottla_storage::{MetaProperties, StorageError};
use ottla_types::{DirectoryId, NodeId, Uuid};

/// Why it is not clear who this node is.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A directory cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
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
        let meta = match MetaProperties::read(disk, &dir) {
            Ok(meta) => meta,
            // The broker goes on without it, if another one serves.
            Err(StorageError::Io { .. }) if dir != config.log.metadata_dir => None,
            Err(error) => return Err(error.into()),
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
    let failed =
        |source| StorageError::Io { op: "create", path: dir.clone(), source: std::sync::Arc::new(source) };
    create_dir_durably(disk, dir).map_err(failed)?;
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

fn directories(config: &BrokerConfig) -> Vec<PathBuf> {
    let logs = if config.node.is_broker { config.log.dirs.as_slice() } else { &[] };
    let mut all: Vec<PathBuf> = logs.to_vec();
    if config.node.is_controller && !all.contains(&config.log.metadata_dir) {
        all.push(config.log.metadata_dir.clone());
    }
    all
}
