//! What a read brings.

use std::sync::Arc;

use bytes::Bytes;
use ottla_env::File;
use ottla_types::Offset;

/// Some bytes of whole batches: here, or where they lie in a file.
#[derive(Clone, Debug)]
pub enum RecordsSlice {
    /// The bytes themselves.
    Memory(Bytes),
    /// To be read, or sent by the kernel, from an open file; retention and truncation do not take it away.
    File {
        /// The segment.
        file: Arc<dyn File>,
        /// Where in it, bytes.
        position: u64,
        /// How many bytes.
        len: u64,
    },
}

impl RecordsSlice {
    /// How many bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { len, .. } => *len,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, read if need be.
    pub fn load(&self) -> std::io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::File { file, position, len } => {
                let mut bytes = vec![0; usize::try_from(*len).unwrap_or(usize::MAX)];
                file.read_exact_at(&mut bytes, *position)?;
                Ok(bytes.into())
            }
        }
    }
}

/// What a read brings: whole batches, contiguous, in order.
#[derive(Clone, Debug, Default)]
pub struct ReadResult {
    /// The batches. The first may begin before the offset that was asked for.
    pub slices: Vec<RecordsSlice>,
    /// All slices together, bytes.
    pub bytes: u64,
    /// Base offset of the first batch; `None` if there is nothing to read.
    pub first_offset: Option<Offset>,
    /// There was a batch to read, but it is larger than asked for.
    pub too_large: bool,
}

impl ReadResult {
    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Adds bytes in memory.
    pub(crate) fn push_memory(&mut self, pieces: Vec<Bytes>) {
        self.slices.extend(pieces.into_iter().map(RecordsSlice::Memory));
    }

    /// Adds a range of a file, or lengthens the last one when it continues there.
    pub(crate) fn push_file(&mut self, file: Arc<dyn File>, position: u64, len: u64) {
        match self.slices.last_mut() {
            Some(RecordsSlice::File { position: start, len: before, .. }) if *start + *before == position => {
                *before += len;
            }
            _ => self.slices.push(RecordsSlice::File { file, position, len }),
        }
    }

    /// All bytes in one piece, read if need be.
    pub fn load(&self) -> std::io::Result<Bytes> {
        let mut pieces = self.slices.iter().map(RecordsSlice::load);
        match (pieces.next(), self.slices.len()) {
            (None, _) => Ok(Bytes::new()),
            (Some(only), 1) => only,
            (Some(first), _) => {
                let mut all = first?.to_vec();
                for piece in pieces {
                    all.extend_from_slice(&piece?);
                }
                Ok(all.into())
            }
        }
    }
}
