//! A state machine that cannot go on stops its node, and nothing on disk says that it went on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ottla_simdisk::SimDisk;
use ottla_types::{LeaderEpoch, NodeId, Offset};
use tokio::time::timeout;

use super::*;
use crate::config::{Limits, QuorumConfig, Timing, Voter};
use crate::quorum::Quorum;
use crate::state::Role;
use crate::state_machine::StateMachineError;
use crate::transport::NoTransport;

const DIR: &str = "/metadata";

/// Adds numbers, and knows of one fault for each thing it does.
#[derive(Clone, Debug, Default)]
struct Sum(Arc<Flaws>);

#[derive(Debug, Default)]
struct Flaws {
    sum: AtomicU64,
    /// Takes nothing above 9.
    refuses_large: AtomicBool,
    makes_no_snapshot: AtomicBool,
}

impl StateMachine for Sum {
    fn apply(&mut self, _: Offset, _: LeaderEpoch, payload: &Bytes) -> Result<(), StateMachineError> {
        let number = u64::from(payload[0]);
        if number > 9 && self.0.refuses_large.load(Ordering::Relaxed) {
            return Err(format!("{number} is too large").into());
        }
        self.0.sum.fetch_add(number, Ordering::Relaxed);
        Ok(())
    }

    fn snapshot(&self) -> Result<Bytes, StateMachineError> {
        if self.0.makes_no_snapshot.load(Ordering::Relaxed) {
            return Err("there is no word for it".into());
        }
        Ok(Bytes::copy_from_slice(&self.0.sum.load(Ordering::Relaxed).to_be_bytes()))
    }

    fn restore(&mut self, _: Offset, _: LeaderEpoch, snapshot: &Bytes) -> Result<(), StateMachineError> {
        self.0.sum.store(u64::from_be_bytes(snapshot.as_ref().try_into()?), Ordering::Relaxed);
        Ok(())
    }
}

impl Sum {
    fn is(&self) -> u64 {
        self.0.sum.load(Ordering::Relaxed)
    }
}

/// The only voter; a snapshot is due once payloads of 100 bytes were applied.
async fn start(disk: &SimDisk, sum: &Sum) -> Quorum {
    let config = QuorumConfig {
        node_id: NodeId(1),
        directory_id: Default::default(),
        cluster_id: "cluster".to_owned(),
        voters: vec![Voter { id: NodeId(1), endpoint: "here:1".to_owned() }],
        endpoint: "here:1".to_owned(),
        bootstrap: Vec::new(),
        data_dir: Path::new(DIR).to_owned(),
        data_in: None,
        initial_state: None,
        timing: Timing::default(),
        limits: Limits { snapshot_interval_bytes: 100, retained_entries: 1, ..Limits::default() },
    };
    Quorum::start(config, Arc::new(disk.clone()), Box::new(sum.clone()), Arc::new(NoTransport)).await.unwrap()
}

/// The reason for which the node stops.
async fn stopped(quorum: &Quorum) -> String {
    let mut states = quorum.state();
    let stopped =
        timeout(Duration::from_secs(20), states.wait_for(|state| state.role == Role::Stopped)).await;
    stopped.unwrap().unwrap().failure.clone().unwrap()
}

fn newest(disk: &SimDisk) -> Option<u64> {
    let snapshots = SnapshotStore::open(Arc::new(disk.clone()), Path::new(DIR)).unwrap();
    snapshots.newest().unwrap().map(|position| position.index)
}

fn payload(number: u8, len: usize) -> Bytes {
    let mut payload = vec![0; len];
    payload[0] = number;
    payload.into()
}

#[tokio::test]
async fn what_could_not_be_applied_is_in_no_snapshot_and_is_applied_after_a_restart() {
    let (disk, sum) = (SimDisk::new(1), Sum::default());
    let quorum = start(&disk, &sum).await;
    quorum.propose(payload(1, 1)).await.unwrap();
    sum.0.refuses_large.store(true, Ordering::Relaxed);
    // So long that a snapshot would be due with it.
    quorum.propose(payload(10, 200)).await.unwrap_err();
    let reason = stopped(&quorum).await;
    assert!(reason.contains("10 is too large"), "{reason}");
    quorum.shutdown().await;
    assert_eq!((newest(&disk), sum.is()), (None, 1));

    let better = Sum::default();
    let quorum = start(&disk, &better).await;
    assert_eq!(better.is(), 11);
    quorum.shutdown().await;
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_made_leaves_the_former_one_and_the_log() {
    let (disk, sum) = (SimDisk::new(1), Sum::default());
    let quorum = start(&disk, &sum).await;
    let first = quorum.propose(payload(1, 200)).await.unwrap().offset;
    let mut states = quorum.state();
    let taken = states.wait_for(|state| state.snapshot_offset == Some(first));
    timeout(Duration::from_secs(20), taken).await.unwrap().unwrap();
    sum.0.makes_no_snapshot.store(true, Ordering::Relaxed);
    quorum.propose(payload(2, 200)).await.unwrap();
    let reason = stopped(&quorum).await;
    assert!(reason.contains("there is no word for it"), "{reason}");
    quorum.shutdown().await;
    assert_eq!(newest(&disk).map(offset), Some(first));

    let better = Sum::default();
    let quorum = start(&disk, &better).await;
    assert_eq!(better.is(), 3);
    quorum.shutdown().await;
}
