//! A node's disk: the disk of the crash tests (`ottla-simdisk`), mounted, so that an unmodified binary writes to it.
//!
//! ```text
//!  ottla-broker ──system calls──▶ kernel ──FUSE──▶ Mounted ──env::Disk──▶ SimDisk: what was synced, and what was not
//!                                                     │ fsync
//!                                                     └──▶ Syncs: done after as long as a device takes
//! ```

mod mounted;
mod syncs;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fuser::{BackgroundSession, Config, MountOption};
use ottla_env::Disk;
use ottla_simdisk::SimDisk;

use self::mounted::{Inodes, Mounted};
use self::syncs::Syncs;

/// A mounted disk that can lose power.
pub(crate) struct PowerDisk {
    disk: SimDisk,
    inodes: Arc<Inodes>,
    syncs: Syncs,
    _session: BackgroundSession,
}

impl PowerDisk {
    /// An empty disk at `mount_point`; what power loss leaves is drawn from `seed`.
    pub(crate) fn mount(mount_point: &Path, seed: u64) -> io::Result<Self> {
        std::fs::create_dir_all(mount_point)?;
        let disk = SimDisk::new(seed);
        let inodes = Arc::new(Inodes::new());
        let syncs = Syncs::start(disk.clone(), seed)?;
        let mounted = Mounted::new(disk.clone(), Arc::clone(&inodes), syncs.clone());
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("ottla-chaos".to_owned()), MountOption::NoAtime];
        let session = fuser::spawn_mount(mounted, mount_point, &config).map_err(|error| {
            io::Error::other(format!(
                "cannot mount a FUSE file system at {}: {error}; it takes /dev/fuse and the right to mount",
                mount_point.display()
            ))
        })?;
        Ok(Self { disk, inodes, syncs, _session: session })
    }

    /// Loses power and comes back. Nobody may have a file open: the processes that had are dead.
    pub(crate) fn lose_power(&self) {
        self.syncs.lose_power();
        self.inodes.forget_all();
        self.disk.crash();
    }

    /// How much longer than usual each sync takes from now on.
    pub(crate) fn slow_down(&self, by: Duration) {
        self.syncs.slow_down(by);
    }

    /// How many power losses it has seen, as the kernel's boot id.
    pub(crate) fn boot_id(&self) -> String {
        let life = self.disk.cache_life().map_or(0, u128::from_be_bytes);
        format!("{:08x}-0000-4000-8000-{life:012x}\n", std::process::id())
    }

    /// Files of a directory, by name; none if there is no such directory.
    pub(crate) fn files(&self, dir: &Path) -> Vec<String> {
        let entries = self.disk.list(dir).unwrap_or_default();
        entries.into_iter().filter(|entry| !entry.is_dir).map(|entry| entry.name).collect()
    }

    /// Directories of a directory, by name.
    pub(crate) fn dirs(&self, dir: &Path) -> Vec<String> {
        let entries = self.disk.list(dir).unwrap_or_default();
        entries.into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name).collect()
    }

    /// A file's bytes as they are now.
    pub(crate) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.disk.open(path, ottla_env::OpenOptions::READ)?;
        let mut bytes = vec![0; usize::try_from(file.len()?).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Copies everything to `target`, to be looked at after the run.
    pub(crate) fn copy_to(&self, target: &Path) -> io::Result<()> {
        let mut dirs = vec![PathBuf::from("/")];
        while let Some(dir) = dirs.pop() {
            let to = target.join(dir.strip_prefix("/").unwrap_or(&dir));
            std::fs::create_dir_all(&to)?;
            for name in self.files(&dir) {
                std::fs::write(to.join(&name), self.read(&dir.join(&name))?)?;
            }
            dirs.extend(self.dirs(&dir).into_iter().map(|name| dir.join(name)));
        }
        Ok(())
    }
}
