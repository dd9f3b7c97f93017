//! The last step for one target: checkpoints and identity, and each log opened once as a start opens it, so that the first
//! start finds a directory that was closed in order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_env::Disk;
use ottla_storage::inspect::OffsetCheckpoint;
use ottla_storage::{Log, LogConfig, LogDir, LogDirOptions, MetaProperties, ReadError, StorageError};
use ottla_types::{BrokerEpoch, Offset, TopicIdPartition, TopicPartition};

use crate::error::ImportError;

/// What a target is to be.
#[derive(Debug)]
pub(crate) struct Finish<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) meta: &'a MetaProperties,
    /// The broker's epoch when Kafka stopped.
    pub(crate) epoch: BrokerEpoch,
    /// The partitions that are here, by Kafka's directory that they come from.
    pub(crate) partitions: &'a BTreeMap<PathBuf, Vec<TopicIdPartition>>,
}

/// Finishes the target; gives the number of offsets between each log's start and its end.
pub(crate) fn finish(
    disk: &Arc<dyn Disk>,
    finish: &Finish<'_>,
) -> Result<BTreeMap<TopicIdPartition, i64>, ImportError> {
    write_checkpoints(&**disk, finish)?;
    finish.meta.write(&**disk, finish.dir)?;
    let options = LogDirOptions::new(finish.meta.cluster_id.clone(), finish.meta.node_id);
    let (dir, _) = LogDir::open(Arc::clone(disk), finish.dir, &options)?;
    let config = LogConfig { preallocate: false, ..LogConfig::default() };
    let mut offsets = BTreeMap::new();
    for partition in finish.partitions.values().flatten() {
        let failed = |source| ImportError::DoesNotOpen { partition: partition.clone(), source };
        let mut log = dir.open_log(partition, config.clone(), 0).map_err(failed)?;
        check_readable(&mut log).map_err(failed)?;
        offsets.insert(partition.clone(), log.log_end_offset() - log.log_start_offset());
        log.close().map_err(failed)?;
    }
    // What opening has found out of use.
    while dir.run_deletions(1000)? > 0 {}
    dir.close(finish.epoch)?;
    Ok(offsets)
}

/// Each segment's first batch is read: of those that were closed in order opening looks at none, and formats of before Kafka 0.11
/// are not served.
fn check_readable(log: &mut Log) -> Result<(), StorageError> {
    let (start, end) = (log.log_start_offset(), log.log_end_offset());
    let bases: Vec<Offset> = log.segments().map(|segment| segment.base_offset.max(start)).collect();
    for base in bases.into_iter().filter(|base| *base < end) {
        match log.read(base, 1, end, true) {
            Err(ReadError::Storage(e)) => return Err(e),
            Ok(_) | Err(ReadError::OffsetOutOfRange { .. }) => {}
        }
    }
    Ok(())
}

fn write_checkpoints(disk: &dyn Disk, finish: &Finish<'_>) -> Result<(), ImportError> {
    for checkpoint in OffsetCheckpoint::ALL {
        let mut offsets = BTreeMap::new();
        for (source, partitions) in finish.partitions {
            let here: BTreeSet<&TopicPartition> = partitions.iter().map(|p| &p.topic_partition).collect();
            let all = checkpoint.read(disk, source)?.into_iter();
            offsets.extend(all.filter(|(partition, _)| here.contains(partition)));
        }
        if !offsets.is_empty() {
            checkpoint.write(disk, finish.dir, &offsets)?;
        }
    }
    Ok(())
}
