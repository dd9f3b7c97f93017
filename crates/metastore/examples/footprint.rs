//! What an idle store costs: resident memory and the time to open.
//!
//! `cargo run --release -p ottla-metastore --example footprint -- DIR`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a measurement that may fail loudly, and prints what it measured"
)]

use std::time::Instant;

use ottla_metastore::{MetaBatch, MetaStore, SledMetaStore, Tree};

const TREE: Tree = Tree("t");

fn main() {
    let dir = std::env::args().nth(1).expect("DIR");
    for what in ["new store", "store of 10,000 entries of 200 bytes"] {
        let before = resident_kib();
        let started = Instant::now();
        let store = SledMetaStore::open(&dir).unwrap().store;
        let opened = started.elapsed();
        println!("{what}: opened in {opened:?}, {} KiB", resident_kib() - before);
        let started = Instant::now();
        for i in 0..10_000u32 {
            store.apply(MetaBatch::new(TREE).put(i.to_be_bytes().to_vec(), vec![1; 200])).unwrap();
        }
        let filled = started.elapsed();
        let started = Instant::now();
        store.sync().unwrap();
        println!(
            "  10,000 entries written in {filled:?}, synced in {:?}: {} KiB resident, {} KiB on disk",
            started.elapsed(),
            resident_kib() - before,
            store.size_on_disk().unwrap() / 1024
        );
    }
}

/// Of this process.
fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
