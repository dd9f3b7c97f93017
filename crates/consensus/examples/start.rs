//! How long a single voter takes from nothing to leading, and after a restart; run it under `strace -c -f` to
//! count its syncs.
//!
//! `cargo run --release -p ottla-consensus --example start -- DIR`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measurement that may fail loudly, and prints what it measured"
)]

#[path = "../tests/harness/mod.rs"]
mod harness;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use harness::{Recorder, alone};
use ottla_consensus::Limits;
use ottla_env::RealDisk;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let dir = PathBuf::from(std::env::args().nth(1).expect("DIR"));
    for what in ["first start", "after a kill", "after a kill"] {
        let started = Instant::now();
        let quorum = alone(Arc::new(RealDisk), &dir, &Recorder::default(), Limits::default()).await;
        let leads = started.elapsed();
        let asked = Instant::now();
        for _ in 0..100 {
            quorum.propose(Bytes::from(vec![1; 200])).await.unwrap();
        }
        println!("{what}: leads after {leads:?}, one proposal takes {:?}", asked.elapsed() / 100);
        quorum.kill();
    }
}
