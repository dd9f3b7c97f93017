//! What a start finds missing where that may be right: it is told, not only taken away.

use std::fmt;
use std::path::{Path, PathBuf};

use ottla_types::Offset;

use super::Log;

/// Records that a start did not find, or cut off, though nothing proves that they were synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The file where it shows.
    pub path: PathBuf,
    /// The first offset that is gone.
    pub from: Offset,
    /// What was found there, and what was made of it.
    pub reason: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: from offset {} on: {}", self.path.display(), self.from, self.reason)
    }
}

impl Log {
    /// What this start did not find, oldest first. After power loss an unsynced end is among it.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    pub(super) fn note_loss(&mut self, path: &Path, from: i64, reason: String) {
        let loss = Loss { path: path.to_owned(), from: Offset(from), reason };
        tracing::warn!("{loss}");
        self.losses.push(loss);
    }
}
