//! Parts of files inside a reply: sent by `sendfile` where the stream allows it.

use std::fmt::{self, Debug};
use std::io;
use std::sync::Arc;

/// A file that replies can be sent from. The owner keeps it open and its bytes unchanged for as long as a
/// reply holds it.
pub trait AsFile: Send + Sync {
    /// The operating system's file, when it is one: needed for `sendfile`.
    fn as_std(&self) -> Option<&std::fs::File>;
    /// Reads up to `buf.len()` bytes at `position`; 0 at the end.
    fn read_at(&self, buf: &mut [u8], position: u64) -> io::Result<usize>;
}

impl AsFile for std::fs::File {
    fn as_std(&self) -> Option<&std::fs::File> {
        Some(self)
    }

    fn read_at(&self, buf: &mut [u8], position: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buf, position)
    }
}

/// `len` bytes of a file from `position` on.
#[derive(Clone)]
pub struct FileRange {
    /// The file.
    pub file: Arc<dyn AsFile>,
    /// First byte.
    pub position: u64,
    /// Bytes.
    pub len: u64,
}

impl FileRange {
    /// Takes `bytes` off the front.
    pub(crate) fn advance(&mut self, bytes: u64) {
        self.position += bytes;
        self.len -= bytes;
    }
}

impl Debug for FileRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileRange({}+{})", self.position, self.len)
    }
}
