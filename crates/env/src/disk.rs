//! Files and directories. What is durable when, is the contract that crash tests hold us to:
//!
//! ```text
//!  write_at ──▶ page cache ──sync_data──▶ survives power loss (contents, and a length that grew)
//!  create / rename / remove ──sync_dir(parent)──▶ the name survives power loss
//! ```
//!
//! The page cache outlives the process, and dies with the machine: [`Disk::cache_life`] tells one from the other.
//!
//! Without the sync, any subset of the writes, torn at sector boundaries, may survive.

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

/// How to open a file; the default is read-only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Allow writes.
    pub write: bool,
    /// Create it if it is not there.
    pub create: bool,
    /// Cut it to zero bytes.
    pub truncate: bool,
}

impl OpenOptions {
    /// Read only; an error of kind `NotFound` if it is not there.
    pub const READ: Self = Self { write: false, create: false, truncate: false };
    /// Read and write an existing file.
    pub const WRITE: Self = Self { write: true, create: false, truncate: false };
    /// Read and write, created if it is not there.
    pub const CREATE: Self = Self { write: true, create: true, truncate: false };
    /// Read and write, created empty.
    pub const CREATE_EMPTY: Self = Self { write: true, create: true, truncate: true };
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name, without the path.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// A file system.
pub trait Disk: Send + Sync + Debug {
    /// Opens or creates the file at `path`.
    fn open(&self, path: &Path, options: OpenOptions) -> io::Result<Arc<dyn File>>;
    /// Creates the directory and its parents; no error if it is there.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and all in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Renames a file or directory, replacing a file at `to`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives the file at `from` a second name, `to`, which must not be there. `Unsupported` where a file has one name.
    fn hard_link(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// What is in the directory, ordered by name.
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>>;
    /// Whether there is a file or directory at `path`.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that can still be written below `dir`.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
    /// The size of the file system that `dir` is on, bytes.
    fn total_bytes(&self, dir: &Path) -> io::Result<u64>;
    /// Which life of the page cache this is: as long as it is the same, what was written and not synced is still there,
    /// whatever became of the process that wrote it. `None`: not known.
    fn cache_life(&self) -> Option<[u8; 16]>;
}

/// An open file. Shared between threads; every call names its position, there is no cursor.
pub trait File: Send + Sync + Debug {
    /// Reads up to `buf.len()` bytes at `offset`; 0 at the end.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes up to the sum of `bufs` at `offset`, returns how many bytes; extends the file.
    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<usize>;
    /// Makes contents, and the length needed to reach them, durable (`fdatasync`). After an error nothing may be
    /// assumed about what is durable, and asking again proves nothing (PostgreSQL wiki, "Fsync Errors").
    fn sync_data(&self) -> io::Result<()>;
    /// Cuts or extends with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Its length, bytes.
    fn len(&self) -> io::Result<u64>;
    /// Reserves blocks for `len` bytes at `offset` without changing the file's length (`FALLOC_FL_KEEP_SIZE`).
    fn preallocate(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Starts writing dirty pages of the range to the device; waits for nothing, promises nothing. Pages of the range
    /// that are clean may leave the page cache: call it once per range, right after writing it.
    fn start_writeback(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Takes the lock that keeps other processes off a directory; false if another holds it. Held until the file is
    /// dropped. Apache Kafka, which locks the same file, is kept off too.
    fn try_lock(&self) -> io::Result<bool>;
    /// The operating system's file, for `sendfile`; `None` when there is none.
    fn as_std(&self) -> Option<&std::fs::File>;

    /// Whether it has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buf` from `offset`; an error of kind `UnexpectedEof` if the file ends before.
    fn read_exact_at(&self, mut buf: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buf.is_empty() {
            match self.read_at(buf, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    buf = buf.get_mut(n..).unwrap_or_default();
                    offset += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Writes all of `buf` at `offset`.
    fn write_all_at(&self, mut buf: &[u8], mut offset: u64) -> io::Result<()> {
        while !buf.is_empty() {
            match self.write_vectored_at(&[IoSlice::new(buf)], offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    buf = buf.get(n..).unwrap_or_default();
                    offset += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// Writes all of `bufs`, one after the other, at `offset`; consumes the slices.
pub fn write_all_vectored_at(
    file: &dyn File,
    mut bufs: &mut [IoSlice<'_>],
    mut offset: u64,
) -> io::Result<()> {
    IoSlice::advance_slices(&mut bufs, 0);
    while !bufs.is_empty() {
        match file.write_vectored_at(bufs, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                IoSlice::advance_slices(&mut bufs, n);
                offset += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
