//! Which folder is which partition, and where it goes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ottla_env::Disk;
use ottla_metadata::MetadataImage;
use ottla_metadata::image::{MIGRATING_DIRECTORY, PartitionImage, UNASSIGNED_DIRECTORY};
use ottla_storage::inspect::{self, OffsetCheckpoint};
use ottla_types::{NodeId, Offset, TopicIdPartition, TopicPartition};

use crate::error::ImportError;
use crate::kafka_metadata;
use crate::source::Source;
use crate::source::partition::PartitionFolder;

/// What is in the directory beside folders.
const KNOWN_FILES: [&str; 5] =
    [".lock", ".kafka_cleanshutdown", "meta.properties", "bootstrap.checkpoint", "lost+found"];

/// One partition with its files.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) partition: TopicIdPartition,
    /// Index of the source.
    pub(crate) source: usize,
    pub(crate) folder: PartitionFolder,
}

/// All partitions of the node.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Those with files, ordered by name.
    pub(crate) placed: Vec<Placed>,
    /// In which source each partition is, with files or without; those that are in none are not in here.
    pub(crate) homes: BTreeMap<TopicIdPartition, usize>,
    /// What was left out.
    pub(crate) warnings: Vec<String>,
}

/// Compares what is in `sources` with what `image` gives to `node`.
pub(crate) fn lay_out(
    disk: &dyn Disk,
    sources: &[Source],
    image: &MetadataImage,
    node: NodeId,
) -> Result<Layout, ImportError> {
    let mut layout = Layout::default();
    let mut folders: BTreeMap<TopicIdPartition, (usize, PathBuf)> = BTreeMap::new();
    for (index, source) in sources.iter().enumerate() {
        for (partition, path) in find_folders(disk, source, &mut layout.warnings)? {
            let wanted = image.topics.partition(partition.topic_id, partition.topic_partition.partition);
            let named = image.topics.id_of(partition.topic_partition.topic.as_str());
            if named != Some(partition.topic_id) || !wanted.is_some_and(|wanted| wanted.is_replica(node)) {
                layout.warnings.push(format!(
                    "{} is not imported: the metadata does not give partition {} of topic id {} to node {node}",
                    path.display(),
                    partition.topic_partition,
                    partition.topic_id
                ));
                continue;
            }
            if let Some((_, first)) = folders.insert(partition, (index, path.clone())) {
                return Err(ImportError::TwoFolders { first, second: path });
            }
        }
    }
    let mut empty = Vec::new();
    for topic in image.topics.iter() {
        for (index, partition) in topic.partitions().filter(|(_, partition)| partition.is_replica(node)) {
            let id = TopicIdPartition {
                topic_id: topic.id,
                topic_partition: TopicPartition::new(topic.name.clone(), index),
            };
            match folders.remove(&id) {
                Some((source, path)) => layout.place(disk, sources, source, id, path)?,
                None if is_assigned(partition, node) => {
                    return Err(ImportError::MissingFolder { partition: id });
                }
                None => empty.push(id.topic_partition.to_string()),
            }
        }
    }
    if let Some(example) = empty.first() {
        let count = empty.len();
        layout.warnings.push(format!(
            "{count} partitions have neither a folder nor a log directory, such as {example}: they begin empty"
        ));
    }
    layout.placed.sort_by(|a, b| a.partition.topic_partition.cmp(&b.partition.topic_partition));
    Ok(layout)
}

impl Layout {
    fn place(
        &mut self,
        disk: &dyn Disk,
        sources: &[Source],
        source: usize,
        partition: TopicIdPartition,
        path: PathBuf,
    ) -> Result<(), ImportError> {
        let folder = PartitionFolder::list(disk, path)?;
        self.homes.insert(partition.clone(), source);
        for name in &folder.unknown {
            self.warnings
                .push(format!("{} is not imported: its name says nothing", folder.path.join(name).display()));
        }
        let root = sources.get(source).map(|source| source.dir.as_path()).unwrap_or(&folder.path);
        if folder.first.is_none() {
            let synced = OffsetCheckpoint::RecoveryPoint.read(disk, root)?;
            let synced = synced.get(&partition.topic_partition).copied().unwrap_or(Offset(0));
            if synced > Offset(0) {
                return Err(ImportError::NoSegments { folder: folder.path, synced });
            }
        }
        if !folder.is_empty() {
            self.placed.push(Placed { partition, source, folder });
        }
        Ok(())
    }
}

/// Whether Kafka has chosen a directory for the partition, so that it has a folder there. What was lost counts as well.
fn is_assigned(partition: &PartitionImage, node: NodeId) -> bool {
    let directory = partition.directory_of(node).unwrap_or(UNASSIGNED_DIRECTORY);
    ![UNASSIGNED_DIRECTORY, MIGRATING_DIRECTORY].contains(&directory)
}

/// The partitions' folders in one source. What is something else is warned about.
fn find_folders(
    disk: &dyn Disk,
    source: &Source,
    warnings: &mut Vec<String>,
) -> Result<Vec<(TopicIdPartition, PathBuf)>, ImportError> {
    let mut found = Vec::new();
    let mut deleting = 0;
    for entry in disk.list(&source.dir).map_err(ImportError::io("list", &source.dir))? {
        let path = source.dir.join(&entry.name);
        let mut skip = |why: &str| warnings.push(format!("{} is not imported: {why}", path.display()));
        let name = entry.name.as_str();
        if name == kafka_metadata::FOLDER || KNOWN_FILES.contains(&name) {
            continue;
        }
        if !entry.is_dir {
            if !OffsetCheckpoint::ALL.iter().any(|checkpoint| checkpoint.file_name() == name) {
                skip("it is no file of Kafka");
            }
        } else if name.ends_with("-delete") {
            deleting += 1;
        } else if name.ends_with("-stray") {
            skip("Kafka set it aside, because it belongs to no topic");
        } else if name.ends_with("-future") {
            skip(
                "it is an unfinished copy of a partition that was being moved; the partition itself is imported",
            );
        } else if let Some(partition) = inspect::partition_of(name) {
            match inspect::topic_id_of(disk, &path)? {
                Some(topic_id) => {
                    found.push((TopicIdPartition { topic_id, topic_partition: partition }, path))
                }
                None => skip("its partition.metadata does not tell which topic it belongs to"),
            }
        } else {
            skip("it is no folder of Kafka");
        }
    }
    if deleting > 0 {
        let dir = source.dir.display();
        warnings.push(format!("{deleting} folders in {dir} are not imported: Kafka was deleting them"));
    }
    Ok(found)
}
