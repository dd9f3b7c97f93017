//! Opening a log directory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_env::{Disk, File, OpenOptions, create_dir_durably};
use ottla_types::{BrokerEpoch, TopicId, TopicIdPartition, TopicPartition};
use parking_lot::Mutex;

use super::checkpoints::Checkpoints;
use super::materialised::Materialised;
use super::meta_properties::MetaProperties;
use super::{LogDir, broker_epoch, clean_shutdown, partition_metadata};
use crate::config::LogDirOptions;
use crate::context::Shared;
use crate::error::{OpenError, StorageError};
use crate::text_file;

/// What was found on opening.
#[derive(Clone, Debug, Default)]
pub struct OpenReport {
    /// The directory was empty and is formatted now.
    pub formatted: bool,
    /// It was closed in order, by the broker of this epoch; `None` after a crash.
    pub clean_shutdown: Option<BrokerEpoch>,
    /// The broker's epoch that [`LogDir::note_broker_epoch`] noted last, if it noted one.
    pub noted_epoch: Option<BrokerEpoch>,
    /// Every partition that is here, or ought to be.
    pub partitions: Vec<FoundPartition>,
    /// Folders that look like partitions but tell no topic: remains of a creation that was never acknowledged. They are
    /// left alone until a partition of that name is created.
    pub strays: Vec<PathBuf>,
    /// Partitions of another directory that were being moved to this one. What was copied is thrown away.
    pub futures: Vec<TopicIdPartition>,
}

/// One partition that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPartition {
    /// Which.
    pub partition: TopicIdPartition,
    /// Why it cannot be opened, if that shows already: its records are lost here.
    pub damaged: Option<String>,
}

pub(super) fn open(
    disk: Arc<dyn Disk>,
    root: &Path,
    options: &LogDirOptions,
) -> Result<(LogDir, OpenReport), OpenError> {
    let io_error = |op| move |e| StorageError::io(op, root, e);
    create_dir_durably(&*disk, root).map_err(io_error("create"))?;
    let lock = lock(&*disk, root)?;
    let mut report = OpenReport::default();
    let meta = match MetaProperties::read(&*disk, root)? {
        Some(meta) => check(meta, root, options)?,
        None => {
            report.formatted = true;
            format(&*disk, root, options)?
        }
    };
    let meta = with_directory_id(&*disk, root, meta, options)?;
    report.clean_shutdown =
        take_clean_shutdown(&*disk, root).map_err(io_error("read the shutdown marker of"))?;
    report.noted_epoch = broker_epoch::noted(&*disk, root).map_err(io_error("read the broker epoch of"))?;
    let (found, stale) = find_folders(&*disk, root, &mut report).map_err(io_error("list"))?;
    if !stale.is_empty() {
        // A process that died may not have synced the names: a folder that has moved away must not come back.
        disk.sync_dir(root).map_err(io_error("sync"))?;
    }
    let materialised = Materialised::open(&*disk, root, || with_ids(&found).collect())?;
    let checkpoints = Checkpoints::open(&*disk, root).map_err(io_error("read checkpoints of"))?;
    let shared = Arc::new(Shared::new(
        root,
        disk,
        options,
        materialised,
        checkpoints,
        report.clean_shutdown.is_some(),
    ));
    finish_deletions(&shared, &found, stale)?;
    for partition in with_ids(&found) {
        report.partitions.push(FoundPartition { partition, damaged: None });
    }
    for partition in shared.materialised.all() {
        if found.get(&partition.topic_partition) != Some(&partition.topic_id) {
            let damaged = Some("it had records, but its folder is gone or unreadable".to_owned());
            report.partitions.push(FoundPartition { partition, damaged });
        }
    }
    let directory_id = meta.directory_id.unwrap_or(options.new_directory_id);
    let dir = LogDir { shared, directory_id, partitions: Mutex::new(found), _lock: lock };
    Ok((dir, report))
}

fn lock(disk: &dyn Disk, root: &Path) -> Result<Arc<dyn File>, OpenError> {
    let path = root.join(".lock");
    let take = || -> io::Result<_> {
        let file = disk.open(&path, OpenOptions::CREATE)?;
        Ok((file.try_lock()?, file))
    };
    match take().map_err(|e| StorageError::io("lock", &path, e))? {
        (true, file) => Ok(file),
        (false, _) => Err(OpenError::Locked { dir: root.to_owned() }),
    }
}

fn check(meta: MetaProperties, root: &Path, options: &LogDirOptions) -> Result<MetaProperties, OpenError> {
    if meta.cluster_id != options.cluster_id {
        return Err(OpenError::OtherCluster {
            dir: root.to_owned(),
            expected: options.cluster_id.clone(),
            found: meta.cluster_id,
        });
    }
    if meta.node_id != options.node_id {
        return Err(OpenError::OtherNode {
            dir: root.to_owned(),
            expected: options.node_id,
            found: meta.node_id,
        });
    }
    Ok(meta)
}

/// An empty directory becomes ours. One that has partitions but does not say whose they are is damaged.
fn format(disk: &dyn Disk, root: &Path, options: &LogDirOptions) -> Result<MetaProperties, StorageError> {
    let list = disk.list(root).map_err(|e| StorageError::io("list", root, e))?;
    if let Some(folder) = list.iter().find(|e| e.is_dir && partition_of(&e.name).is_some()) {
        let reason =
            format!("there is a partition, {}, but no meta.properties that tells whose it is", folder.name);
        return Err(StorageError::damaged(root, reason));
    }
    let meta = MetaProperties {
        cluster_id: options.cluster_id.clone(),
        node_id: options.node_id,
        directory_id: Some(options.new_directory_id),
    };
    meta.write(disk, root)?;
    Ok(meta)
}

/// Gives a directory of an older Kafka an id.
fn with_directory_id(
    disk: &dyn Disk,
    root: &Path,
    meta: MetaProperties,
    options: &LogDirOptions,
) -> Result<MetaProperties, StorageError> {
    if meta.directory_id.is_some() {
        return Ok(meta);
    }
    let meta = MetaProperties { directory_id: Some(options.new_directory_id), ..meta };
    meta.write(disk, root)?;
    Ok(meta)
}

/// The marker is gone for good before anything is appended.
fn take_clean_shutdown(disk: &dyn Disk, root: &Path) -> io::Result<Option<BrokerEpoch>> {
    let path = root.join(clean_shutdown::FILE_NAME);
    let Some(bytes) = text_file::read(disk, &path, clean_shutdown::MAX_BYTES)? else { return Ok(None) };
    disk.remove_file(&path)?;
    disk.sync_dir(root)?;
    // That it is there tells of the shutdown, as in Kafka; what it says only of the epoch.
    Ok(Some(String::from_utf8(bytes).map_or(BrokerEpoch::NONE, |text| clean_shutdown::parse(&text))))
}

type Found = BTreeMap<TopicPartition, TopicId>;
/// A folder on its way out, and whose it was.
type Stale = (PathBuf, Option<(TopicId, i32)>);

/// Power went before these deletions were recorded. A partition that came back since has a folder, and is not meant.
fn finish_deletions(shared: &Shared, found: &Found, stale: Vec<Stale>) -> Result<(), StorageError> {
    let deleted: BTreeSet<(TopicId, i32)> = stale.iter().filter_map(|(_, deleted)| *deleted).collect();
    let is_back = |p: &TopicIdPartition| found.get(&p.topic_partition) == Some(&p.topic_id);
    let mut gone = shared.materialised.all();
    gone.retain(|p| deleted.contains(&(p.topic_id, p.topic_partition.partition.0)) && !is_back(p));
    match shared
        .materialised
        .remove(&gone)
        .map_err(|e| StorageError::io("finish a deletion in", &shared.root, e))
    {
        // The deletions, and with them the record, go on as space is freed.
        Ok(()) | Err(StorageError::Full { .. }) => {}
        Err(e) => return Err(e),
    }
    stale.into_iter().for_each(|(path, _)| shared.doomed.add_folder(path));
    Ok(())
}

fn with_ids(found: &Found) -> impl Iterator<Item = TopicIdPartition> {
    found.iter().map(|(partition, id)| TopicIdPartition { topic_id: *id, topic_partition: partition.clone() })
}

/// The partitions' folders, and those whose deletion was not finished.
fn find_folders(disk: &dyn Disk, root: &Path, report: &mut OpenReport) -> io::Result<(Found, Vec<Stale>)> {
    let (mut found, mut stale) = (Found::new(), Vec::new());
    for entry in disk.list(root)?.into_iter().filter(|e| e.is_dir) {
        let path = root.join(&entry.name);
        let topic_id = || {
            let metadata = path.join(partition_metadata::FILE_NAME);
            let text = text_file::read_text(disk, &metadata, partition_metadata::MAX_BYTES);
            text.ok().flatten().as_deref().and_then(partition_metadata::parse)
        };
        if let Some(name) = entry.name.strip_suffix("-delete") {
            let index = name.rsplit_once('.').and_then(|(name, _)| name.rsplit_once('-')?.1.parse().ok());
            let deleted = topic_id().zip(index);
            stale.push((path, deleted));
            continue;
        }
        if let Some(name) = entry.name.strip_suffix("-future") {
            let partition = name.rsplit_once('.').and_then(|(name, _)| partition_of(name));
            let copied = partition.zip(topic_id());
            report
                .futures
                .extend(copied.map(|(at, topic_id)| TopicIdPartition { topic_id, topic_partition: at }));
            stale.push((path, None));
            continue;
        }
        let Some(partition) = partition_of(&entry.name) else { continue };
        match topic_id() {
            Some(topic_id) => {
                found.insert(partition, topic_id);
            }
            None => report.strays.push(path),
        }
    }
    Ok((found, stale))
}

/// Whether `root` holds a partition's folder. Opens nothing.
pub fn holds_partitions(disk: &dyn Disk, root: &Path) -> Result<bool, StorageError> {
    let entries = match disk.list(root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(StorageError::io("list", root, e)),
    };
    Ok(entries.iter().any(|entry| entry.is_dir && partition_of(&entry.name).is_some()))
}

/// The partition that a folder's name tells: `topic-3`.
pub(crate) fn partition_of(name: &str) -> Option<TopicPartition> {
    let (topic, index) = name.rsplit_once('-')?;
    let canonical = index == "0" || !index.starts_with('0');
    if topic.is_empty() || !canonical || !index.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(TopicPartition::new(topic, index.parse::<i32>().ok()?))
}
