//! The batches of one file, each checked, without reading more than one at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use ottla_env::{Disk, File, OpenOptions};
use ottla_records::layout::PEEK_LEN;
use ottla_records::{BatchView, peek};

use crate::error::ImportError;

/// See the module.
#[derive(Debug)]
pub(crate) struct Batches {
    file: Arc<dyn File>,
    path: PathBuf,
    position: u64,
    len: u64,
}

impl Batches {
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, ImportError> {
        let file = disk.open(path, OpenOptions::READ).map_err(ImportError::io("open", path))?;
        let len = file.len().map_err(ImportError::io("read", path))?;
        Ok(Self { file, path: path.to_owned(), position: 0, len })
    }

    /// An error about the batch that was read last, or the one that does not read.
    pub(crate) fn damaged(&self, what: impl ToString) -> ImportError {
        let (path, position) = (self.path.clone(), self.position);
        ImportError::DamagedMetadata { path, position, what: what.to_string() }
    }

    /// The next batch; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<BatchView>, ImportError> {
        let left = self.len.saturating_sub(self.position);
        if left == 0 {
            return Ok(None);
        }
        let head = self.read(left.min(PEEK_LEN as u64))?;
        let size = peek(&head).map_err(|e| self.damaged(e))?.size as u64;
        if size > left {
            return Err(self.damaged(format!("the last batch has {left} of {size} bytes")));
        }
        let batch = BatchView::parse(&self.read(size)?).map_err(|e| self.damaged(e))?;
        batch.check_crc().map_err(|e| self.damaged(e))?;
        self.position += size;
        Ok(Some(batch))
    }

    /// At most what the file has.
    fn read(&self, len: u64) -> Result<Bytes, ImportError> {
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
        let read = self.file.read_exact_at(&mut bytes, self.position);
        read.map_err(ImportError::io("read", &self.path))?;
        Ok(bytes.into())
    }
}
