//! `ottla-gaps`: offsets may be missing in this log, because it was compacted, here or where it was copied from. In a log without
//! this file a batch that does not follow the one before is damage: no checksum covers where a batch says that it belongs.
//! Apache Kafka ignores it.

use ottla_env::OpenOptions;

use super::Log;
use crate::context::Context;
use crate::error::StorageError;

/// The file's name, in the partition's folder. It is empty.
pub(crate) const FILE_NAME: &str = "ottla-gaps";

/// Creates the file. It is durable once the folder is synced.
pub(crate) fn note(ctx: &Context) -> std::io::Result<()> {
    ctx.disk.open(&ctx.dir.join(FILE_NAME), OpenOptions::CREATE).map(|_| ())
}

impl Log {
    /// Before the first gap is written. The flush that makes what follows durable syncs the file's name too.
    pub(super) fn note_gaps(&mut self) -> Result<(), StorageError> {
        if !self.has_gaps {
            let path = self.ctx.dir.join(FILE_NAME);
            note(&self.ctx).map_err(|e| self.ctx.health.write_failed("create", &path, &e))?;
            (self.has_gaps, self.names_dirty) = (true, true);
        }
        Ok(())
    }
}
