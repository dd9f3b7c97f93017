//! A quorum that begins with the state of a cluster that is taken over.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod harness;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use harness::{Recorder, config};
use ottla_consensus::{Limits, NoTransport, Quorum, QuorumConfig, StartError, StateMachine, Timing};
use ottla_env::Disk;
use ottla_simdisk::SimDisk;
use ottla_types::{LeaderEpoch, Offset};

const DIR: &str = "/data/metadata";

/// The state of another cluster, in which one payload was agreed about.
fn state(payload: &'static str) -> Bytes {
    let mut recorder = Recorder::default();
    recorder.apply(Offset(0), LeaderEpoch(0), &Bytes::from_static(payload.as_bytes())).unwrap();
    recorder.snapshot().unwrap()
}

fn taking_over(payload: &'static str) -> QuorumConfig {
    QuorumConfig {
        initial_state: Some(state(payload)),
        // What is taken over has data.
        data_in: Some(PathBuf::from("/data")),
        ..config(1, &[1], Path::new(DIR), Timing::default(), Limits::default())
    }
}

async fn start(config: QuorumConfig, disk: &SimDisk) -> Result<(Quorum, Recorder), StartError> {
    let recorder = Recorder::default();
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let quorum = Quorum::start(config, disk, Box::new(recorder.clone()), Arc::new(NoTransport)).await?;
    Ok((quorum, recorder))
}

#[tokio::test]
async fn the_quorum_goes_on_from_there() {
    let disk = SimDisk::new(1);
    let (quorum, recorder) = start(taking_over("old"), &disk).await.unwrap();
    assert_eq!(recorder.payloads(), ["old"]);
    let voters = quorum.state().borrow().voters.clone();
    assert_eq!((voters.len(), voters[0].directory_id), (1, harness::directory(1)));
    assert_eq!(quorum.propose(Bytes::from_static(b"new")).await.unwrap().offset, Offset(2));
    quorum.shutdown().await;
    // Nobody has to bring the state again, and who does is not heard.
    let as_usual = QuorumConfig { initial_state: None, ..taking_over("old") };
    for config in [as_usual, taking_over("other")] {
        let (quorum, recorder) = start(config, &disk).await.unwrap();
        assert_eq!(recorder.payloads(), ["old", "new"]);
        quorum.trigger_snapshot().await.unwrap();
        harness::until(&quorum, "the snapshot is newer", |s| s.snapshot_offset > Some(Offset(0))).await;
        quorum.shutdown().await;
    }
}

#[tokio::test]
async fn power_loss_at_any_moment_leaves_a_start_that_takes_over_all_of_it() {
    let total = {
        let disk = SimDisk::new(1);
        let (quorum, _) = start(taking_over("old"), &disk).await.unwrap();
        quorum.propose(Bytes::from_static(b"new")).await.unwrap();
        disk.mutations()
    };
    for n in 1..=total {
        let disk = SimDisk::new(n);
        disk.crash_at(n);
        let mut acknowledged = false;
        if let Ok((quorum, _)) = start(taking_over("old"), &disk).await {
            acknowledged = quorum.propose(Bytes::from_static(b"new")).await.is_ok();
            quorum.kill();
        }
        // What the dead process still has under way does not come to this copy.
        let disk = disk.fork(n);
        disk.restart();
        let (_quorum, recorder) = start(taking_over("old"), &disk).await.unwrap();
        let payloads = recorder.payloads();
        assert_eq!(payloads[0], "old", "crash at {n}");
        assert!(payloads.len() == 2 || !acknowledged, "crash at {n}: {payloads:?}");
    }
}

#[tokio::test]
async fn it_begins_with_one_voter() {
    let disk = SimDisk::new(1);
    let several = config(1, &[1, 2, 3], Path::new(DIR), Timing::default(), Limits::default());
    let several = QuorumConfig { initial_state: Some(state("old")), ..several };
    let Err(error) = start(several, &disk).await else { panic!("three voters") };
    assert!(error.to_string().contains("begins with one voter"), "{error}");
    assert!(!disk.exists(Path::new(DIR)).unwrap());
}
