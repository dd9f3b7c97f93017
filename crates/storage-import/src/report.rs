//! What an import did, or would do.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ottla_types::{
    DirectoryId, NodeId, Offset, ProducerId, TopicId, TopicIdPartition, TopicName, TopicPartition,
};

use crate::copy::Copied;
use crate::prepared::Prepared;

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

impl Prepared<'_> {
    /// What was done, with the number of offsets of each partition.
    pub(crate) fn report(&self, copied: Copied, offsets: &BTreeMap<TopicIdPartition, i64>) -> Report {
        let identity = self.identity_of(self.metadata_target());
        let directories = self.sources.iter().enumerate().map(|(at, source)| DirectoryReport {
            from: source.dir.clone(),
            to: self.target(self.target_index(at)).to_owned(),
            id: self.identity_of(self.target_index(at)).directory_id,
            logs: source.is_clean,
            metadata: source.has_metadata,
        });
        let topics = self.image.topics.iter().map(|topic| {
            let placed = self.layout.placed.iter().filter(|placed| placed.partition.topic_id == topic.id);
            let ids = topic.partitions().map(|(index, _)| TopicIdPartition {
                topic_id: topic.id,
                topic_partition: TopicPartition::new(topic.name.clone(), index),
            });
            TopicReport {
                name: topic.name.clone(),
                id: topic.id,
                partitions: topic.partition_count(),
                with_files: placed.clone().count(),
                bytes: placed.map(|placed| placed.folder.bytes()).sum(),
                offsets: ids.filter_map(|id| offsets.get(&id)).sum(),
            }
        });
        Report {
            cluster_id: identity.cluster_id.clone(),
            node_id: identity.node_id,
            metadata_offset: self.image.offset,
            next_producer_id: self.image.producer_ids.next,
            directories: directories.collect(),
            topics: topics.collect(),
            configured: self.image.configs.iter().count(),
            copied_bytes: copied.copied_bytes,
            linked_bytes: copied.linked_bytes,
            dry_run: self.options.dry_run,
            warnings: self.warnings.clone(),
        }
    }
}
