//! Finds out, from the files alone, what the log was, and leaves it fit to be written on.

use std::io;
use std::path::Path;

use ottla_env::{Disk, File, OpenOptions};

use crate::error::StartError;
use crate::log::LogOptions;
use crate::log::memory::Memory;
use crate::log::replay::Replay;
use crate::log::segment::{Segment, parse_segment_name, segment_path};

/// A log as it was found.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) memory: Memory,
    pub(super) tail: Tail,
}

/// Where to write on.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Oldest first; the last one is written to.
    pub(super) segments: Vec<Segment>,
    /// End of the last segment.
    pub(super) position: u64,
    /// Up to here it has zeros.
    pub(super) room: u64,
    /// Of the next frame.
    pub(super) next_number: u64,
    /// Of the last batch.
    pub(super) batch: u64,
}

/// Reads all segments, drops a torn tail, and makes sure that what was found is on disk: bytes that a killed process
/// wrote but did not sync may be in the page cache only, and this node is about to rely on them.
pub(super) fn recover(disk: &dyn Disk, options: &LogOptions) -> Result<Recovered, StartError> {
    let dir = options.dir.as_path();
    let bases = list_segments(disk, dir).map_err(|e| io_error(dir, e))?;
    let mut replay = Replay::new(options);
    let last = bases.last().copied();
    for base in bases {
        let path = segment_path(dir, base);
        let file = disk.open(&path, OpenOptions::WRITE).map_err(|e| io_error(&path, e))?;
        replay.segment(base, &file, Some(base) == last)?;
    }
    replay.check_complete()?;

    for &base in &replay.obsolete {
        let path = segment_path(dir, base);
        disk.remove_file(&path).map_err(|e| io_error(&path, e))?;
    }
    if let Some(torn) = &replay.torn {
        tracing::info!(path = %torn.path.display(), from = torn.from, to = torn.to,
            "the tail of the metadata log was never synced and is dropped");
        erase(torn.file.as_ref(), torn.from, torn.to).map_err(|e| io_error(&torn.path, e))?;
    }
    if !replay.is_clean
        && let Some(segment) = replay.tail.segments.last()
    {
        segment.file.sync_data().map_err(|e| io_error(&segment_path(dir, segment.base), e))?;
    }
    if !replay.is_clean && !replay.tail.segments.is_empty() || !replay.obsolete.is_empty() {
        disk.sync_dir(dir).map_err(|e| io_error(dir, e))?;
    }
    Ok(Recovered { memory: replay.memory, tail: replay.tail })
}

fn list_segments(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<u64>> {
    let files = disk.list(dir)?.into_iter().filter(|entry| !entry.is_dir);
    let mut bases: Vec<_> = files.filter_map(|file| parse_segment_name(&file.name)).collect();
    bases.sort_unstable();
    Ok(bases)
}

/// Writes zeros over a torn tail, so that no frame of it can ever follow a new one. Cutting the file would do on most
/// systems, but only growth is promised to be durable.
fn erase(file: &dyn File, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; 64 << 10];
    let mut position = from;
    while position < to {
        let size = usize::try_from(to - position).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all_at(zeros.get(..size).unwrap_or_default(), position)?;
        position += size as u64;
    }
    file.sync_data()
}

fn io_error(path: &Path, source: io::Error) -> StartError {
    StartError::Io { path: path.to_owned(), source }
}
