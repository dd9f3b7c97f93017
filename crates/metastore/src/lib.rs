//! Small key-value state behind one trait: the materialised metadata image, broker-local state, indexes of
//! snapshots. Two implementations, [`SledMetaStore`] and [`MemMetaStore`], pass the same contract (`tests/contract.rs`).
//!
//! Everything in a store can be rebuilt from a log or from files, and must be: a store that cannot be opened is
//! moved aside and starts empty. What was applied before a successful [`MetaStore::sync`] survives power loss, what
//! came after may be gone, wholly or from some batch on. Nothing here knows what the values mean, and only
//! this crate names sled.
//!
//! Calls block on the disk; keep them off async threads. Start at [`SledMetaStore::open`].

mod mem;
mod sled_store;
mod store;

pub use crate::mem::MemMetaStore;
pub use crate::sled_store::{Opened, SledMetaStore};
pub use crate::store::{
    KeyRange, MAX_KEY_BYTES, MAX_VALUE_BYTES, MetaBatch, MetaIter, MetaOp, MetaStore, MetaStoreError, Tree,
};
