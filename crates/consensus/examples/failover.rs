//! How long a quorum of three is without a leader when its leader is killed, on real files with real syncs.
//!
//! `cargo run --release -p ottla-consensus --example failover -- [KILLS [SYNCERS [DIR]]]`
//!
//! KILLS: how often (100). SYNCERS: threads that write 64 KiB and fdatasync in a loop on the same disk (0).
//! DIR: where (a new folder in the current directory, removed afterwards).

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measurement that may fail loudly, and prints what it measured"
)]

#[path = "../tests/harness/mod.rs"]
mod harness;

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use harness::{Cluster, until};
use ottla_consensus::{Limits, Timing};
use ottla_env::RealDisk;

fn main() {
    let mut args = std::env::args().skip(1);
    let kills: usize = args.next().map_or(100, |kills| kills.parse().expect("KILLS is a number"));
    let syncers: usize = args.next().map_or(0, |syncers| syncers.parse().expect("SYNCERS is a number"));
    let dir =
        args.next().map_or_else(|| PathBuf::from(format!("failover-{}", std::process::id())), PathBuf::from);
    fs::create_dir_all(&dir).unwrap();

    let stop = Arc::new(AtomicBool::new(false));
    let syncs = Arc::new(AtomicU64::new(0));
    let load: Vec<_> = (0..syncers)
        .map(|n| {
            let (path, stop, syncs) = (dir.join(format!("load-{n}")), Arc::clone(&stop), Arc::clone(&syncs));
            std::thread::spawn(move || sync_in_a_loop(&path, &stop, &syncs))
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let started = Instant::now();
    let times = runtime.block_on(measure(kills, &dir));
    let elapsed = started.elapsed();
    stop.store(true, Ordering::Relaxed);
    load.into_iter().for_each(|thread| thread.join().unwrap());
    fs::remove_dir_all(&dir).unwrap();

    println!(
        "{kills} kills, {:.0} syncs/s beside",
        syncs.load(Ordering::Relaxed) as f64 / elapsed.as_secs_f64()
    );
    print("leader known to lead", times.iter().map(|times| times.0).collect());
    print("first proposal done", times.iter().map(|times| times.1).collect());
}

/// Kills leaders; from the kill to the next one that may serve, and to its first committed proposal.
async fn measure(kills: usize, dir: &Path) -> Vec<(Duration, Duration)> {
    let mut cluster = Cluster::start(3, dir, Arc::new(RealDisk), Timing::default(), Limits::default()).await;
    let mut leader = cluster.leader(None).await;
    let mut times = Vec::new();
    let mut proposed = 0u64;
    for _ in 0..kills {
        for _ in 0..20 {
            leader.propose(Bytes::from(vec![1; 200])).await.unwrap();
            proposed += 1;
        }
        let id = leader.node_id().0;
        let killed = Instant::now();
        cluster.kill(id);
        leader = cluster.leader(Some(id)).await;
        let leads = killed.elapsed();
        leader.propose(Bytes::from_static(b"first")).await.unwrap();
        proposed += 1;
        times.push((leads, killed.elapsed()));
        cluster.start_node(id).await;
        // The next kill meets three voters that know all.
        let end = leader.state().borrow().committed_offset;
        until(&cluster.running[&id].0, "it has caught up", |state| state.applied_offset >= end).await;
    }
    let (_, recorder) = &cluster.running[&leader.node_id().0];
    assert_eq!(recorder.offsets().len() as u64, proposed, "an acknowledged proposal was lost");
    times
}

fn sync_in_a_loop(path: &Path, stop: &AtomicBool, syncs: &AtomicU64) {
    let file = fs::File::create(path).unwrap();
    let block = vec![7; 64 << 10];
    let mut offset = 0;
    while !stop.load(Ordering::Relaxed) {
        file.write_all_at(&block, offset % (64 << 20)).unwrap();
        file.sync_data().unwrap();
        offset += block.len() as u64;
        syncs.fetch_add(1, Ordering::Relaxed);
    }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100).saturating_sub(1)].as_millis();
    println!("{what}: p50 {} ms, p90 {} ms, p99 {} ms, max {} ms", at(50), at(90), at(99), at(100));
}
