//! openraft's own suite for log storage and state machines, on our log and snapshot files.

use std::sync::Arc;

use bytes::Bytes;
use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use ottla_env::RealDisk;
use ottla_types::{DirectoryId, LeaderEpoch, Offset};
use tempfile::TempDir;

use crate::log::{LogOptions, RaftLog};
use crate::raft::machine::{Growth, Machine};
use crate::raft::store::Store;
use crate::raft::types::TypeConfig;
use crate::snapshot::SnapshotStore;
use crate::state_machine::{StateMachine, StateMachineError};

struct Nothing;

impl StateMachine for Nothing {
    fn apply(&mut self, _: Offset, _: LeaderEpoch, _: &Bytes) -> Result<(), StateMachineError> {
        Ok(())
    }

    fn snapshot(&self) -> Result<Bytes, StateMachineError> {
        Ok(Bytes::from_static(b"nothing"))
    }

    fn restore(&mut self, _: Offset, _: LeaderEpoch, _: &Bytes) -> Result<(), StateMachineError> {
        Ok(())
    }
}

struct Builder;

impl StoreBuilder<TypeConfig, Store, Machine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, Store, Machine), StorageError<TypeConfig>> {
        let dir = tempfile::tempdir().unwrap();
        let options = LogOptions {
            dir: dir.path().to_owned(),
            directory_id: DirectoryId::default(),
            // Small, so that the log rolls and reads come from disk.
            segment_bytes: 512,
            room_bytes: 128,
            cache_bytes: 0,
        };
        let log = RaftLog::open(Arc::new(RealDisk), options).unwrap();
        let snapshots = SnapshotStore::open(Arc::new(RealDisk), dir.path()).unwrap();
        let machine = Machine::new(Box::new(Nothing), snapshots, Growth::new(u64::MAX));
        Ok((dir, Store::new(log), machine))
    }
}

#[test]
fn openraft_suite_passes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Suite::test_all(Builder)).unwrap();
}
