//! `ottla-clock`: the time that a broker knew at last, so that the next start can tell a wrong date from a long rest. Apache Kafka
//! ignores it.
//!
//! ```text
//! 0              version
//! 1700000000000  ms
//! ```

use std::path::Path;

use ottla_types::TimestampMs;

use super::LogDir;
use crate::text_file;

const FILE_NAME: &str = "ottla-clock";
/// Far above what the file has.
const MAX_BYTES: usize = 4096;

impl LogDir {
    /// Notes the time; without a sync, as an older one does too.
    pub fn note_time(&self, now_ms: TimestampMs) {
        let shared = &self.shared;
        let text = format!("0\n{now_ms}\n");
        let path = shared.root.join(FILE_NAME);
        if let Err(e) = text_file::replace_unsynced(&*shared.disk, &path, text.as_bytes()) {
            tracing::debug!(path = %path.display(), "cannot note the time: {e}");
        }
    }

    /// The time that was noted last; `None` if there is none, or it does not read.
    pub fn noted_time(&self) -> Option<TimestampMs> {
        let path = self.shared.root.join(FILE_NAME);
        let text = text_file::read_text(&*self.shared.disk, &path, MAX_BYTES).ok().flatten()?;
        parse(&path, &text)
    }
}

fn parse(path: &Path, text: &str) -> Option<TimestampMs> {
    text_file::behind_version(path, text)?.strip_suffix('\n')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_file_tells_nothing() {
        let parse = |text| parse(Path::new(FILE_NAME), text);
        assert_eq!(parse("0\n1700000000000\n"), Some(1_700_000_000_000));
        for text in ["", "0\n", "0\n17", "1\n5\n", "0\nx\n", "0\n5\n6\n"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
