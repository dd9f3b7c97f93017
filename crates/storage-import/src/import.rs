//! The order of an import.
//!
//! ```text
//!  check the sources ─▶ read the metadata ─▶ compare with the folders ─▶ mark the targets ─▶ copy ─▶ finish each ─▶ unmark
//!  └──────────────── nothing is written (--dry-run) ────────────────┘                               the metadata's first
//! ```

use std::path::PathBuf;
use std::sync::Arc;

use ottla_env::Disk;

use crate::copy::Copied;
use crate::error::ImportError;
use crate::prepared::Prepared;
use crate::report::Report;
use crate::target;

/// What is imported, and how.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The directories of the Kafka node: all of `log.dirs`, and `metadata.log.dir` if it is another.
    pub sources: Vec<PathBuf>,
    /// Where they go: one for all, or one for each in the same order. Not there, or empty.
    pub targets: Vec<PathBuf>,
    /// Link segments that get no more records instead of copying them.
    pub link: bool,
    /// Give up the replicas that other nodes have.
    pub sole_replica: bool,
    /// Write nothing.
    pub dry_run: bool,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Partitions that are done.
    pub partitions: usize,
    /// Of how many.
    pub all_partitions: usize,
    /// Bytes that are done.
    pub bytes: u64,
    /// Of how many.
    pub all_bytes: u64,
}

/// Takes over Kafka's directories. Blocks on the disk.
pub fn import(
    disk: &Arc<dyn Disk>,
    options: &ImportOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, ImportError> {
    check_paths(options)?;
    let mut prepared = Prepared::new(&**disk, options)?;
    let is_finished = prepared.check_targets(&**disk)?;
    if is_finished {
        prepared.warnings.push("all of it was imported before: nothing is copied".to_owned());
    }
    if options.dry_run {
        return Ok(prepared.report(Copied::default(), &Default::default()));
    }
    let (copied, offsets) = match is_finished {
        true => Default::default(),
        false => (prepared.copy(disk, progress)?, prepared.finish(disk)?),
    };
    // The metadata's target is unmarked first: then all is there, and only the other marks are left.
    target::complete(&**disk, prepared.target(prepared.metadata_target()))?;
    options.targets.iter().try_for_each(|target| target::complete(&**disk, target))?;
    Ok(prepared.report(copied, &offsets))
}

fn check_paths(options: &ImportOptions) -> Result<(), ImportError> {
    let (sources, targets) = (options.sources.len(), options.targets.len());
    if sources == 0 || targets != 1 && targets != sources {
        return Err(ImportError::TargetCount { sources, targets });
    }
    for target in &options.targets {
        if let Some(source) = options.sources.iter().find(|source| target.starts_with(source)) {
            return Err(ImportError::TargetInSource { target: target.clone(), source_dir: source.clone() });
        }
    }
    Ok(())
}
