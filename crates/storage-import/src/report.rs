//! What an import did, or would do.

use std::path::PathBuf;

use ottla_types::{DirectoryId, NodeId, Offset, ProducerId, TopicId, TopicName};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The cluster.
    pub cluster_id: String,
    /// The node.
    pub node_id: NodeId,
    /// The last metadata offset that was taken over.
    pub metadata_offset: Offset,
    /// The first producer id that was not handed out.
    pub next_producer_id: ProducerId,
    /// The directories.
    pub directories: Vec<DirectoryReport>,
    /// The topics, ordered by name.
    pub topics: Vec<TopicReport>,
    /// How many resources have dynamic configs.
    pub configured: usize,
    /// Bytes that were copied.
    pub copied_bytes: u64,
    /// Bytes in files that were linked.
    pub linked_bytes: u64,
    /// Nothing was written: this is what an import would do.
    pub dry_run: bool,
    /// What is not as it was in Kafka, and what was left out.
    pub warnings: Vec<String>,
}

/// One directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryReport {
    /// Kafka's.
    pub from: PathBuf,
    /// Ottla's.
    pub to: PathBuf,
    /// The id that partitions there have.
    pub id: DirectoryId,
    /// Whether it is for partitions: one of `log.dirs`.
    pub logs: bool,
    /// Whether it has the metadata: `metadata.log.dir`.
    pub metadata: bool,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicReport {
    /// Its name.
    pub name: TopicName,
    /// Its id.
    pub id: TopicId,
    /// How many partitions it has.
    pub partitions: usize,
    /// How many of them have files.
    pub with_files: usize,
    /// Bytes of all their files.
    pub bytes: u64,
    /// Offsets between the logs' starts and ends, all together; 0 in a dry run.
    pub offsets: i64,
}
