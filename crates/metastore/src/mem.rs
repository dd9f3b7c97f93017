//! The store in memory, for tests and simulation.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use parking_lot::RwLock;

use crate::store::{KeyRange, MetaBatch, MetaIter, MetaOp, MetaStore, MetaStoreError, Tree};

/// Keeps everything in memory and nothing beyond it.
#[derive(Debug, Default)]
pub struct MemMetaStore {
    trees: RwLock<HashMap<Tree, BTreeMap<Bytes, Bytes>>>,
}

impl MetaStore for MemMetaStore {
    fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Bytes>, MetaStoreError> {
        Ok(self.trees.read().get(&tree).and_then(|tree| tree.get(key).cloned()))
    }

    fn scan(&self, tree: Tree, range: KeyRange) -> Result<MetaIter<'_>, MetaStoreError> {
        if range.is_empty() {
            return Ok(Box::new(std::iter::empty()));
        }
        // A copy, so that the iterator does not hold the lock; the slices are shared.
        let found: Vec<_> = match self.trees.read().get(&tree) {
            None => Vec::new(),
            Some(tree) => {
                let bounds = (range.start.map(Bytes::from), range.end.map(Bytes::from));
                tree.range(bounds).map(|(key, value)| Ok((key.clone(), value.clone()))).collect()
            }
        };
        Ok(Box::new(found.into_iter()))
    }

    fn apply(&self, batch: MetaBatch) -> Result<(), MetaStoreError> {
        let tree = batch.tree();
        let ops = batch.into_checked_ops()?;
        let mut trees = self.trees.write();
        let tree = trees.entry(tree).or_default();
        for op in ops {
            match op {
                MetaOp::Put(key, value) => tree.insert(key, value),
                MetaOp::Delete(key) => tree.remove(&key),
            };
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), MetaStoreError> {
        Ok(())
    }

    fn size_on_disk(&self) -> Result<u64, MetaStoreError> {
        Ok(0)
    }
}
