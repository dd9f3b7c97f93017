//! Everything that is known before the first byte is written, and what is done with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_env::Disk;
use ottla_metadata::MetadataImage;
use ottla_metadata::image::{ResourceKind, UNASSIGNED_DIRECTORY};
use ottla_storage::MetaProperties;
use ottla_types::{BrokerEpoch, DirectoryId, NodeId, PartitionIndex, TopicId, TopicIdPartition};

use crate::bootstrap::Bootstrap;
use crate::copy::{Copied, copy_folder};
use crate::error::ImportError;
use crate::finish::{Finish, finish};
use crate::import::{ImportOptions, Progress};
use crate::kafka_metadata;
use crate::layout::{Layout, lay_out};
use crate::source::{self, Source};
use crate::takeover::{self, Takeover};
use crate::target::{self, State};

/// Everything that is known before the first byte is written.
pub(crate) struct Prepared<'a> {
    pub(crate) options: &'a ImportOptions,
    pub(crate) sources: Vec<Source>,
    pub(crate) layout: Layout,
    pub(crate) image: MetadataImage,
    pub(crate) epoch: BrokerEpoch,
    pub(crate) warnings: Vec<String>,
}

impl<'a> Prepared<'a> {
    pub(crate) fn new(disk: &dyn Disk, options: &'a ImportOptions) -> Result<Self, ImportError> {
        let sources = source::open(disk, &options.sources)?;
        let (node, folder) = match sources.iter().find(|source| source.has_metadata) {
            Some(source) => (source.node_id, source.dir.join(kafka_metadata::FOLDER)),
            None => return Err(ImportError::NoMetadata),
        };
        let kafka = kafka_metadata::read(disk, &folder)?;
        if !kafka.voters.iter().eq([&node]) {
            let voters = kafka.voters.iter().map(|voter| voter.0).collect();
            return Err(ImportError::OtherVoters { voters, node });
        }
        let epoch = check_directories(&sources, &kafka.image, node)?;
        takeover::check(&kafka.image, node, options.sole_replica)?;
        check_tiered(&kafka.image)?;
        let mut layout = lay_out(disk, &sources, &kafka.image, node)?;
        let ids = |source: usize| {
            target_of(options, source, &sources).map_or(UNASSIGNED_DIRECTORY, |s| s.directory_id)
        };
        let mut homes: BTreeMap<(TopicId, PartitionIndex), DirectoryId> = BTreeMap::new();
        for (partition, source) in &layout.homes {
            homes.insert((partition.topic_id, partition.topic_partition.partition), ids(*source));
        }
        let directory_of = |topic, index| homes.get(&(topic, index)).copied().unwrap_or(UNASSIGNED_DIRECTORY);
        let Takeover { image, warnings: mut all } = takeover::take_over(&kafka.image, node, &directory_of)?;
        all.append(&mut layout.warnings);
        let aborted: Vec<_> = layout.placed.iter().filter(|placed| placed.folder.has_aborted).collect();
        if let Some(example) = aborted.first() {
            all.push(format!(
                "{} partitions have aborted transactions, such as {}: this version shows their records to consumers with \
                 isolation.level=read_committed, too",
                aborted.len(),
                example.partition.topic_partition
            ));
        }
        Ok(Self { options, sources, layout, image, epoch, warnings: all })
    }

    /// Whose id and identity the target has: those of its source, or with one for all those of the metadata's.
    pub(crate) fn identity_of(&self, target: usize) -> &Source {
        let own = if self.options.targets.len() == 1 { self.metadata_source() } else { target };
        &self.sources[own]
    }

    pub(crate) fn metadata_source(&self) -> usize {
        self.sources.iter().position(|source| source.has_metadata).unwrap_or(0)
    }

    pub(crate) fn metadata_target(&self) -> usize {
        self.target_index(self.metadata_source())
    }

    pub(crate) fn target_index(&self, source: usize) -> usize {
        if self.options.targets.len() == 1 { 0 } else { source }
    }

    pub(crate) fn target(&self, index: usize) -> &Path {
        &self.options.targets[index]
    }

    /// Whether an earlier import has done all but remove the marks.
    pub(crate) fn check_targets(&self, disk: &dyn Disk) -> Result<bool, ImportError> {
        let targets = self.options.targets.iter().enumerate();
        let states = targets.map(|(at, dir)| Ok((dir, target::state(disk, dir, self.identity_of(at))?)));
        let states: Vec<_> = states.collect::<Result<_, ImportError>>()?;
        let is_finished =
            states.get(self.metadata_target()).is_some_and(|(_, state)| *state == State::Finished);
        let fits = |state: State| match is_finished {
            true => state != State::Empty,
            // Some other import's.
            false => state != State::Finished,
        };
        if !states.iter().all(|(_, state)| fits(*state)) {
            let dir = states.iter().find(|(_, state)| *state == State::Finished);
            let dir = dir.map_or_else(PathBuf::new, |(dir, _)| (*dir).clone());
            return Err(ImportError::TargetNotEmpty { dir, found: "another import".to_owned() });
        }
        let dir = self.target(self.metadata_target());
        // Kafka may have run again since: its metadata moves on each time.
        if is_finished && Bootstrap::read(disk, dir)? != Some(self.image.encode_snapshot()?) {
            let found = "an import of an earlier state".to_owned();
            return Err(ImportError::TargetNotEmpty { dir: dir.to_owned(), found });
        }
        Ok(is_finished)
    }

    pub(crate) fn copy(
        &self,
        disk: &Arc<dyn Disk>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Copied, ImportError> {
        for target in &self.options.targets {
            target::begin(&**disk, target)?;
        }
        self.check_space(&**disk)?;
        let mut so_far = Progress {
            all_partitions: self.layout.placed.len(),
            all_bytes: self.layout.placed.iter().map(|placed| placed.folder.bytes()).sum(),
            ..Progress::default()
        };
        let mut all = Copied::default();
        for placed in &self.layout.placed {
            let to = self.target(self.target_index(placed.source));
            let to = to.join(placed.partition.topic_partition.to_string());
            let done = copy_folder(&**disk, &placed.folder, &to, self.options.link, |bytes| {
                so_far.bytes += bytes;
                progress(so_far);
            })?;
            all.copied_bytes += done.copied_bytes;
            all.linked_bytes += done.linked_bytes;
            so_far.partitions += 1;
            progress(so_far);
        }
        self.sources.iter().try_for_each(|source| source.check_untouched(&**disk))?;
        for target in &self.options.targets {
            disk.sync_dir(target).map_err(ImportError::io("sync", target))?;
        }
        Ok(all)
    }

    fn check_space(&self, disk: &dyn Disk) -> Result<(), ImportError> {
        for (index, dir) in self.options.targets.iter().enumerate() {
            let here = self.layout.placed.iter().filter(|placed| self.target_index(placed.source) == index);
            let files = here.flat_map(|placed| &placed.folder.files);
            let copied = files.filter(|file| !(self.options.link && file.is_sealed_log));
            let needed = copied.map(|file| file.len).sum();
            let free = disk.free_bytes(dir).map_err(ImportError::io("ask the free space of", dir))?;
            if free < needed {
                return Err(ImportError::NoSpace { dir: dir.clone(), free, needed });
            }
        }
        Ok(())
    }

    /// Finishes all targets; gives how many offsets each partition has.
    pub(crate) fn finish(
        &self,
        disk: &Arc<dyn Disk>,
    ) -> Result<BTreeMap<TopicIdPartition, i64>, ImportError> {
        let mut offsets = BTreeMap::new();
        for (index, dir) in self.options.targets.iter().enumerate() {
            let mut partitions: BTreeMap<PathBuf, Vec<TopicIdPartition>> = BTreeMap::new();
            for placed in self.layout.placed.iter().filter(|placed| self.target_index(placed.source) == index)
            {
                let from = self.sources[placed.source].dir.clone();
                partitions.entry(from).or_default().push(placed.partition.clone());
            }
            let identity = self.identity_of(index);
            let meta = MetaProperties {
                cluster_id: identity.cluster_id.clone(),
                node_id: identity.node_id,
                directory_id: Some(identity.directory_id),
            };
            offsets.extend(finish(
                disk,
                &Finish { dir, meta: &meta, epoch: self.epoch, partitions: &partitions },
            )?);
        }
        Bootstrap::write(&**disk, self.target(self.metadata_target()), &self.image.encode_snapshot()?)?;
        Ok(offsets)
    }
}

/// The source whose id the directory has that `source` goes to.
fn target_of<'s>(options: &ImportOptions, source: usize, sources: &'s [Source]) -> Option<&'s Source> {
    if options.targets.len() == 1 {
        return sources.iter().find(|source| source.has_metadata);
    }
    sources.get(source)
}

/// Compares the directories with those that the broker has registered; gives the broker's epoch.
fn check_directories(
    sources: &[Source],
    image: &MetadataImage,
    node: NodeId,
) -> Result<BrokerEpoch, ImportError> {
    let broker = image.brokers.get(node).ok_or(ImportError::NotABroker { node })?;
    let registered = &broker.directories;
    let is_here = |id: &DirectoryId| sources.iter().any(|source| source.directory_id == *id);
    if let Some(missing) = registered.iter().copied().find(|id| !is_here(id)) {
        return Err(ImportError::MissingDirectory { node, missing });
    }
    for source in sources.iter().filter(|source| !registered.is_empty() && source.has_id) {
        match registered.contains(&source.directory_id) {
            true if !source.is_clean => return Err(ImportError::Unclean { dir: source.dir.clone() }),
            false if !source.has_metadata => {
                let (dir, id) = (source.dir.clone(), source.directory_id);
                return Err(ImportError::ForeignDirectory { dir, id, node });
            }
            _ => {}
        }
    }
    Ok(broker.epoch)
}

fn check_tiered(image: &MetadataImage) -> Result<(), ImportError> {
    for (resource, values) in image.configs.iter() {
        let is_tiered =
            values.get("remote.storage.enable").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_tiered && resource.kind == ResourceKind::Topic {
            return Err(ImportError::Tiered { topic: resource.name.clone() });
        }
    }
    Ok(())
}
