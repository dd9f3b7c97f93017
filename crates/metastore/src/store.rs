//! The trait and what goes in and out of it.

use std::fmt::Debug;
use std::ops::Bound;

use bytes::Bytes;

/// Longest key, bytes.
pub const MAX_KEY_BYTES: usize = 512;
/// Longest value, bytes. Larger items are split by the caller: sled keeps large nodes in files that it never syncs.
pub const MAX_VALUE_BYTES: usize = 4096;

/// An ordered map of its own inside a store, named once by the crate that owns its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tree(pub &'static str);

/// A store of ordered maps from bytes to bytes. Keys compare as bytes: encode numbers big-endian.
pub trait MetaStore: Send + Sync + Debug {
    /// The value of `key`.
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Bytes>, MetaStoreError>;

    /// Keys and values of a range, in the order of the keys. Sees every batch applied before the call; of a batch
    /// applied meanwhile it may see a part.
    fn scan(&self, tree: Tree, range: KeyRange) -> Result<MetaIter<'_>, MetaStoreError>;

    /// Applies all of a batch or, on an error, nothing of it. Visible at once, durable after [`MetaStore::sync`].
    fn apply(&self, batch: MetaBatch) -> Result<(), MetaStoreError>;

    /// Returns when everything applied before survives power loss. After an error the store is done: rebuild it.
    fn sync(&self) -> Result<(), MetaStoreError>;

    /// Bytes on disk; 0 for a store in memory. Compare with the live data to notice bloat.
    fn size_on_disk(&self) -> Result<u64, MetaStoreError>;
}

/// Keys and values, in the order of the keys.
pub type MetaIter<'a> = Box<dyn Iterator<Item = Result<(Bytes, Bytes), MetaStoreError>> + Send + 'a>;

/// Which keys to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// First key.
    pub start: Bound<Vec<u8>>,
    /// Last key.
    pub end: Bound<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    pub const fn all() -> Self {
        Self { start: Bound::Unbounded, end: Bound::Unbounded }
    }

    /// From `start`, inclusive, to `end`, exclusive; empty if `end` is not after `start`.
    pub fn between(start: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Self {
        Self { start: Bound::Included(start.into()), end: Bound::Excluded(end.into()) }
    }

    /// Every key that starts with `prefix`.
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let prefix = prefix.into();
        // The first key after all with this prefix: the last byte that can grow, grown.
        let mut after = prefix.clone();
        let end = loop {
            match after.pop() {
                None => break Bound::Unbounded,
                Some(0xff) => {}
                Some(byte) => {
                    after.push(byte + 1);
                    break Bound::Excluded(after);
                }
            }
        };
        Self { start: Bound::Included(prefix), end }
    }

    /// Whether no key can be in it; ordered maps panic or misbehave on such ranges.
    pub(crate) fn is_empty(&self) -> bool {
        match (&self.start, &self.end) {
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (
                Bound::Included(start) | Bound::Excluded(start),
                Bound::Included(end) | Bound::Excluded(end),
            ) => start >= end,
            _ => false,
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetaOp {
    /// Sets a key.
    Put(Bytes, Bytes),
    /// Removes a key, if it is there.
    Delete(Bytes),
}

/// Changes of one tree that happen together. Of several changes of one key the last one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaBatch {
    tree: Tree,
    ops: Vec<MetaOp>,
}

impl MetaBatch {
    /// An empty batch.
    pub const fn new(tree: Tree) -> Self {
        Self { tree, ops: Vec::new() }
    }

    /// Sets a key.
    #[must_use]
    pub fn put(mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.push(MetaOp::Put(key.into(), value.into()));
        self
    }

    /// Removes a key.
    #[must_use]
    pub fn delete(mut self, key: impl Into<Bytes>) -> Self {
        self.push(MetaOp::Delete(key.into()));
        self
    }

    /// Adds a change.
    pub fn push(&mut self, op: MetaOp) {
        self.ops.push(op);
    }

    /// The tree that it changes.
    pub const fn tree(&self) -> Tree {
        self.tree
    }

    /// Whether it changes nothing.
    pub const fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Its changes, checked against the size limits.
    pub(crate) fn into_checked_ops(self) -> Result<Vec<MetaOp>, MetaStoreError> {
        let tree = self.tree.0;
        for op in &self.ops {
            let (key, value) = match op {
                MetaOp::Put(key, value) => (key, value.len()),
                MetaOp::Delete(key) => (key, 0),
            };
            if key.len() > MAX_KEY_BYTES {
                return Err(MetaStoreError::KeyTooLong { tree, size: key.len() });
            }
            if value > MAX_VALUE_BYTES {
                return Err(MetaStoreError::ValueTooLarge { tree, size: value });
            }
        }
        Ok(self.ops)
    }
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum MetaStoreError {
    /// A key over the limit.
    #[error("a key of {size} bytes in {tree} is longer than {MAX_KEY_BYTES}: shorten it")]
    KeyTooLong {
        /// Where.
        tree: &'static str,
        /// Its size, bytes.
        size: usize,
    },
    /// A value over the limit.
    #[error("a value of {size} bytes in {tree} is larger than {MAX_VALUE_BYTES}: split it over several keys")]
    ValueTooLarge {
        /// Where.
        tree: &'static str,
        /// Its size, bytes.
        size: usize,
    },
    /// The store cannot be read or written.
    #[error("metadata store: {0}: check the disk; the store is rebuilt at the next start")]
    Store(String),
    /// An earlier write or sync failed, nothing may be assumed about what is on disk.
    #[error("metadata store failed before: restart, it is rebuilt at the next start")]
    Failed,
    /// The folder can be neither opened nor moved aside.
    #[error("metadata store {path}: {reason}: remove the folder, its content is rebuilt")]
    Open {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        reason: String,
    },
}
