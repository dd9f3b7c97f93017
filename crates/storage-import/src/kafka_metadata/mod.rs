//! Kafka's metadata: the folder `__cluster_metadata-0`, newest snapshot and what the log has beyond it.
//!
//! ```text
//!  00000000000000000900-0000000003.checkpoint     00000000000000000000.log … 00000000000000000850.log
//!  [header │ records … │ footer]                              900 │ records │ control │ records … end
//!   all that is below offset 900                                  └ these are applied
//! ```
//!
//! All of the log counts as committed: the caller makes sure that its node is the only voter, and was stopped cleanly.

mod batches;
mod loader;
mod voters;

#[cfg(test)]
mod loader_test;

use std::collections::BTreeSet;
use std::path::Path;

use ottla_env::Disk;
use ottla_metadata::MetadataImage;
use ottla_storage::inspect;
use ottla_types::{NodeId, Offset};

use crate::error::ImportError;
use crate::kafka_metadata::batches::Batches;
use crate::kafka_metadata::loader::Loader;

/// The folder's name.
pub(crate) const FOLDER: &str = "__cluster_metadata-0";

/// What the folder tells.
#[derive(Debug)]
pub(crate) struct KafkaMetadata {
    /// As of the log's end.
    pub(crate) image: MetadataImage,
    /// The voters of the quorum.
    pub(crate) voters: BTreeSet<NodeId>,
}

/// Reads `folder`.
pub(crate) fn read(disk: &dyn Disk, folder: &Path) -> Result<KafkaMetadata, ImportError> {
    let entries = disk.list(folder).map_err(ImportError::io("list", folder))?;
    let files = || entries.iter().filter(|entry| !entry.is_dir).map(|entry| entry.name.as_str());
    let mut loader = Loader::new();
    if let Some((end, name)) = files().filter_map(|name| Some((snapshot_end(name)?, name))).max() {
        let path = folder.join(name);
        loader.snapshot(Batches::open(disk, &path)?, end)?;
    }
    let mut segments: Vec<(Offset, &str)> = files()
        .filter_map(|name| {
            inspect::offset_and_suffix(name).filter(|(_, s)| *s == "log").map(|(o, _)| (o, name))
        })
        .collect();
    segments.sort();
    // What lies wholly below the snapshot need not be whole any more.
    let first = segments.partition_point(|(base, _)| *base <= loader.next()).saturating_sub(1);
    for (_, name) in segments.iter().skip(first) {
        loader.log(Batches::open(disk, &folder.join(name))?)?;
    }
    let (image, voters) = loader.finish();
    let voters = match voters {
        Some(voters) => voters,
        None => voters::of_quorum_state(disk, folder)?,
    };
    Ok(KafkaMetadata { image, voters })
}

/// The offset behind a snapshot's last, and its epoch: `<offset>-<epoch>.checkpoint`.
fn snapshot_end(name: &str) -> Option<(Offset, i32)> {
    let (end, epoch) = name.strip_suffix(".checkpoint")?.split_once('-')?;
    let is_number = |digits: &str, len| digits.len() == len && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number(end, 20) || !is_number(epoch, 10) {
        return None;
    }
    Some((Offset(end.parse().ok()?), epoch.parse().ok()?))
}
