//! The files of a log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_env::File;

/// A file of the log.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// The number of its first frame, which is its name.
    pub(super) base: u64,
    pub(super) file: Arc<dyn File>,
    /// The largest index of an entry in it.
    pub(super) max_index: Option<u64>,
}

impl Segment {
    pub(super) fn note_entry(&mut self, index: u64) {
        self.max_index = self.max_index.max(Some(index));
    }
}

/// `<dir>/00000000000000000412.raft`.
pub(super) fn segment_path(dir: &Path, base: u64) -> PathBuf {
    dir.join(format!("{base:020}.raft"))
}

/// The number in a segment's name; `None` for any other file.
pub(super) fn parse_segment_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".raft")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}
