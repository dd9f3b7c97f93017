//! The operating system's file system.

use std::fs;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FallocateFlags, FlockOperation, fallocate};

use crate::disk::{DirEntry, Disk, File, OpenOptions};

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, options: OpenOptions) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(options.write)
            .create(options.create)
            .truncate(options.truncate)
            .open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(DirEntry { name, is_dir: entry.file_type()?.is_dir() });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        fs::exists(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn total_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_blocks.saturating_mul(stat.f_frsize))
    }

    fn cache_life(&self) -> Option<[u8; 16]> {
        // Linux draws one at each boot, the same in all containers (random(4)).
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let digits = text.trim().replace('-', "");
        Some(u128::from_str_radix(&digits, 16).ok()?.to_be_bytes())
    }
}

#[derive(Debug)]
struct RealFile(fs::File);

impl File for RealFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }

    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        match bufs {
            [one] => self.0.write_at(one, offset),
            _ => Ok(rustix::io::pwritev(&self.0, bufs, offset)?),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn preallocate(&self, offset: u64, len: u64) -> io::Result<()> {
        Ok(fallocate(&self.0, FallocateFlags::KEEP_SIZE, offset, len)?)
    }

    fn start_writeback(&self, offset: u64, len: u64) -> io::Result<()> {
        // rustix has no sync_file_range; advising DONTNEED starts writeback of dirty pages and keeps them cached.
        let Some(len) = std::num::NonZeroU64::new(len) else { return Ok(()) };
        Ok(rustix::fs::fadvise(&self.0, offset, Some(len), rustix::fs::Advice::DontNeed)?)
    }

    fn try_lock(&self) -> io::Result<bool> {
        // Java locks by fcntl, which does not exclude other descriptors of this process; flock does.
        let taken = |result| match result {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(false),
            Err(errno) => Err(io::Error::from(errno)),
        };
        Ok(taken(rustix::fs::flock(&self.0, FlockOperation::NonBlockingLockExclusive))?
            && taken(rustix::fs::fcntl_lock(&self.0, FlockOperation::NonBlockingLockExclusive))?)
    }

    fn as_std(&self) -> Option<&fs::File> {
        Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temp_file() -> (tempfile::TempDir, Arc<dyn File>) {
        let dir = tempfile::tempdir().unwrap();
        let file = RealDisk.open(&dir.path().join("a"), OpenOptions::CREATE).unwrap();
        (dir, file)
    }

    #[test]
    fn slices_are_written_and_read_where_asked() {
        let (_dir, file) = temp_file();
        let mut bufs = [IoSlice::new(b"head"), IoSlice::new(b"body")];
        crate::write_all_vectored_at(&*file, &mut bufs, 2).unwrap();
        let mut out = [0; 10];
        file.read_exact_at(&mut out, 0).unwrap();
        assert_eq!(&out, b"\0\0headbody");
        assert_eq!(file.read_exact_at(&mut out, 1).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_reservation_keeps_the_length() {
        let (_dir, file) = temp_file();
        file.preallocate(0, 1 << 16).unwrap();
        assert!(file.is_empty().unwrap());
        file.write_all_at(b"x", 0).unwrap();
        file.start_writeback(0, 1).unwrap();
        file.sync_data().unwrap();
        assert_eq!(file.len().unwrap(), 1);
    }

    #[test]
    fn a_lock_is_held_by_one_open_file() {
        let (dir, file) = temp_file();
        assert!(file.try_lock().unwrap());
        let other = RealDisk.open(&dir.path().join("a"), OpenOptions::CREATE).unwrap();
        assert!(!other.try_lock().unwrap());
        drop(file);
        assert!(other.try_lock().unwrap());
    }

    #[test]
    fn a_directory_lists_by_name() {
        let (dir, _file) = temp_file();
        RealDisk.create_dir_all(&dir.path().join("b/c")).unwrap();
        RealDisk.sync_dir(dir.path()).unwrap();
        let names: Vec<_> =
            RealDisk.list(dir.path()).unwrap().into_iter().map(|e| (e.name, e.is_dir)).collect();
        assert_eq!(names, [("a".to_owned(), false), ("b".to_owned(), true)]);
        let free = RealDisk.free_bytes(dir.path()).unwrap();
        assert!(free > 0 && RealDisk.total_bytes(dir.path()).unwrap() >= free);
    }
}
