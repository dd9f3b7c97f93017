//! `cargo xtask bench`: Ottla, Apache Kafka and speed-of-light programs in turn, and how they compare.
//!
//! Servers take turns (A B C, C B A, …) and run throughout, so that a round meets the machine in one mood; idle ones take next
//! to nothing. Of each figure the median with its range is shown, and the median of the ratios within rounds, from six rounds on
//! with the interval in which 95 % of resampled medians lie. `--noise` adds Ottla a second time: what its ratio to itself
//! strays from 1 is noise.

mod calls;
mod clients;
mod contest;
mod idle;
mod latency;
mod opponents;
mod replay;

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::Failure;
use crate::kafka_jars::{run as run_command, workspace_root};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Subcommand)]
enum What {
    /// The same encoded Produce and Fetch requests, from a replayer on a processor of its own
    Replay,
    /// Kafka's Java tools and librdkafka
    Clients(clients::Arguments),
    /// From when a record is due at a fixed rate until a consumer has it
    Latency(latency::Arguments),
    /// Start, and what a node takes that has nothing to do, or many connections
    Idle,
    /// System calls of each request, which are not to be more than they must
    Calls,
}

#[derive(clap::Args)]
struct Common {
    /// How often each server takes its turn
    #[arg(long, global = true, default_value_t = 5)]
    rounds: u32,
    /// Seconds of each turn
    #[arg(long, global = true, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds before the first round, for Apache Kafka to compile what is hot
    #[arg(long, global = true, default_value_t = 20.0)]
    warm_up: f64,
    /// Beside Apache Kafka, which is fetched: as it comes, and tuned for few processors
    #[arg(long, global = true)]
    kafka: bool,
    /// Ottla a second time
    #[arg(long, global = true)]
    noise: bool,
    /// Ottla's durability; the others leave syncing to the operating system, but for `sol fsync`
    #[arg(long, global = true, default_value = "os")]
    durability: String,
    /// Only scenarios whose name has this in it
    #[arg(long, global = true)]
    only: Option<String>,
    /// Where to write every measurement
    #[arg(long, global = true)]
    json: Option<PathBuf>,
}

impl Common {
    fn wants(&self, scenario: &str) -> bool {
        self.only.as_ref().is_none_or(|only| scenario.contains(only.as_str()))
    }
}

/// What a command of the benchmark works with.
struct Place<'a> {
    common: &'a Common,
    /// Where the harness's programs are.
    programs: PathBuf,
    /// Where servers keep their data.
    work: &'a Path,
    /// The processors of whoever measures, and of who is measured, if there are two.
    processors: (Option<u32>, Option<u32>),
    /// How many topics have been used.
    topics: Cell<u32>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let root = workspace_root().canonicalize()?;
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--quiet", "--bins", "--manifest-path"]);
    run_command(build.arg(root.join("benches/Cargo.toml")))?;
    let two = std::thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    let work = tempfile::Builder::new().prefix("ottla-bench-").tempdir()?;
    let common = &arguments.common;
    let place = Place {
        common,
        programs: root.join("benches/target/release"),
        work: work.path(),
        processors: if two { (Some(0), Some(1)) } else { (None, None) },
        topics: Cell::new(0),
    };
    let measurements = match &arguments.what {
        What::Replay => replay::run(&place)?,
        What::Clients(arguments) => clients::run(&place, arguments)?,
        What::Latency(arguments) => latency::run(&place, arguments)?,
        What::Idle => idle::run(&place)?,
        What::Calls => calls::run(&place)?,
    };
    if let Some(path) = &common.json {
        let all = json!({
            "durability": common.durability,
            "seconds": common.seconds,
            "rounds": common.rounds,
            "measurements": measurements,
        });
        fs::write(path, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}

/// Runs one of the harness's programs, which prints its measurement as JSON.
fn measured(who: &str, mut command: Command) -> Result<Value, Failure> {
    let output = command.output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{who}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
