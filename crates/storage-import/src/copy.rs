//! The files of a partition, copied or linked, durable before the next partition is begun.

use std::path::Path;

use ottla_env::{Disk, File, OpenOptions};

use crate::error::ImportError;
use crate::source::partition::PartitionFolder;

const CHUNK: usize = 1 << 20;

/// How much was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    pub(crate) copied_bytes: u64,
    pub(crate) linked_bytes: u64,
}

/// Brings the files of `from` into the new folder `to`. With `link`, segments that get no more records are the same files in
/// both places; everything that Ottla writes to in place is a copy all the same.
pub(crate) fn copy_folder(
    disk: &dyn Disk,
    from: &PartitionFolder,
    to: &Path,
    link: bool,
    mut tick: impl FnMut(u64),
) -> Result<Copied, ImportError> {
    disk.create_dir_all(to).map_err(ImportError::io("create", to))?;
    let mut done = Copied::default();
    let mut buffer = vec![0; CHUNK];
    for file in &from.files {
        let (source, target) = (from.path.join(&file.name), to.join(&file.name));
        if link && file.is_sealed_log {
            let linked = disk.hard_link(&source, &target);
            linked.map_err(|e| ImportError::Link { from: source, to: target, source: e })?;
            done.linked_bytes += file.len;
            tick(file.len);
        } else {
            done.copied_bytes += copy_file(disk, &source, &target, &mut buffer, &mut tick)?;
        }
    }
    // Kafka compacts, so that offsets may be missing anywhere.
    let gaps = to.join(ottla_storage::inspect::GAPS);
    disk.open(&gaps, OpenOptions::CREATE).map_err(ImportError::io("create", &gaps))?;
    disk.sync_dir(to).map_err(ImportError::io("sync", to))?;
    Ok(done)
}

fn copy_file(
    disk: &dyn Disk,
    from: &Path,
    to: &Path,
    buffer: &mut [u8],
    tick: &mut impl FnMut(u64),
) -> Result<u64, ImportError> {
    let source = disk.open(from, OpenOptions::READ).map_err(ImportError::io("open", from))?;
    let target = disk.open(to, OpenOptions::CREATE_EMPTY).map_err(ImportError::io("create", to))?;
    let mut done = 0;
    loop {
        let n = read_some(&*source, buffer, done).map_err(ImportError::io("read", from))?;
        let Some(bytes) = buffer.get(..n).filter(|bytes| !bytes.is_empty()) else { break };
        target.write_all_at(bytes, done).map_err(ImportError::io("write", to))?;
        // So that the sync at the end has less to wait for.
        target.start_writeback(done, n as u64).map_err(ImportError::io("write", to))?;
        done += n as u64;
        tick(n as u64);
    }
    target.sync_data().map_err(ImportError::io("sync", to))?;
    Ok(done)
}

fn read_some(file: &dyn File, buffer: &mut [u8], at: u64) -> std::io::Result<usize> {
    loop {
        match file.read_at(buffer, at) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
