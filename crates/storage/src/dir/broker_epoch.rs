//! `ottla-broker-epoch`: which incarnation of the broker has the directory, if everything that it acknowledges is synced before. What
//! Kafka's `.kafka_cleanshutdown` tells of one that stopped in order, this tells of one that did not. Apache Kafka ignores it.
//!
//! ```text
//! 0     version
//! 4711  broker epoch; -1: what it acknowledges may be lost
//! ```

use std::io;
use std::path::Path;

use ottla_env::Disk;
use ottla_types::BrokerEpoch;

use super::LogDir;
use crate::error::StorageError;
use crate::text_file;

const FILE_NAME: &str = "ottla-broker-epoch";
/// Far above what the file has.
const MAX_BYTES: usize = 4096;

impl LogDir {
    /// Notes that the broker of this epoch has the directory and syncs what it acknowledges; [`BrokerEpoch::NONE`] if it does not.
    /// Durable when this returns. An error leaves what was noted before: that of another incarnation.
    pub fn note_broker_epoch(&self, epoch: BrokerEpoch) -> Result<(), StorageError> {
        let shared = &self.shared;
        shared.health.check()?;
        let path = shared.root.join(FILE_NAME);
        text_file::replace(&*shared.disk, &path, format!("0\n{epoch}\n").as_bytes())
            .map_err(|e| shared.health.write_failed("write", &path, &e))
    }
}

/// What was noted; `None` if nothing was, or it does not read.
pub(super) fn noted(disk: &dyn Disk, root: &Path) -> io::Result<Option<BrokerEpoch>> {
    let path = root.join(FILE_NAME);
    let bytes = text_file::read(disk, &path, MAX_BYTES)?;
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(text.and_then(|text| parse(&path, &text)))
}

fn parse(path: &Path, text: &str) -> Option<BrokerEpoch> {
    let number = text_file::behind_version(path, text)?.strip_suffix('\n')?;
    number.parse().ok().map(BrokerEpoch).filter(|epoch| epoch.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_read_tells_nothing() {
        let parse = |text| parse(Path::new(FILE_NAME), text);
        assert_eq!(parse("0\n4711\n"), Some(BrokerEpoch(4711)));
        for text in ["", "0\n-1\n", "0\n", "0\n47", "1\n5\n", "0\nx\n", "0\n5\n6\n"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
