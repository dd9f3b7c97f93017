//! Real nodes under faults: three processes in namespaces of their own, on disks that lose power, clients that write and read
//! meanwhile, and at the end the rules of `ottla-history`.
//!
//! ```text
//!  seed ─▶ nemesis ─▶ network, processes, disks                     faults.rs says what there is
//!                           │
//!  producers ⇄ nodes ⇄ consumers ─▶ journal ─▶ history ─┐
//!                           │ stopped                   ├─▶ rules, gaps without progress ─▶ report
//!                           └─▶ logs of all replicas ───┘
//! ```
//!
//! `cargo xtask chaos` builds it and starts it in new namespaces, where it is process 1: whatever becomes of it, the kernel ends
//! its processes, and takes down its network and mounts.

mod cluster;
mod disk;
mod faults;
mod journal;
mod load;
mod logs;
mod nemesis;
mod network;
mod node;
mod progress;
mod quorum;
mod report;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// What a run fails with: a message for people.
type Failure = Box<dyn std::error::Error>;

/// Faults that hit real nodes, and what must hold nevertheless.
#[derive(Parser)]
struct Arguments {
    /// The `ottla-broker` to run
    #[arg(long)]
    binary: PathBuf,
    /// An empty directory for logs
    #[arg(long)]
    work: PathBuf,
    /// For how long faults happen, minutes
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// Only these faults
    #[arg(long)]
    only: Vec<String>,
    /// What everything is drawn from
    #[arg(long)]
    seed: u64,
    /// Nodes, each broker and controller: 3 or 5
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(3..=5))]
    nodes: i32,
    /// Partitions
    #[arg(long, default_value_t = 12)]
    partitions: i32,
    /// Producers
    #[arg(long, default_value_t = 4)]
    producers: u32,
    /// Records per second, of all producers
    #[arg(long, default_value_t = 2000)]
    records_per_s: u32,
    /// Bytes of a record
    #[arg(long, default_value_t = 200)]
    record_bytes: usize,
    /// A line of server.properties for all nodes, such as log.durability=os
    #[arg(long = "set")]
    settings: Vec<String>,
    /// The longest time without an acknowledgement in a partition while a majority can work, seconds
    #[arg(long, default_value_t = 10)]
    bound_s: u64,
    /// Acknowledged records have to be lost, else it fails: for settings that do not keep them
    #[arg(long)]
    expect_loss: bool,
    /// Write the result as JSON to standard output
    #[arg(long)]
    json: bool,
    /// Keep the logs and the disks, whatever came of it
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    match run::run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
