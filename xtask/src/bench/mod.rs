//! `cargo xtask bench`: Ottla, Apache Kafka and speed-of-light programs in turn, and how they compare.
//!
//! Servers take turns (A B C, C B A, …) and run throughout, so that a round meets the machine in one mood; idle ones take next
//! to nothing. Of each figure the median with its range is shown, and the median of the ratios within rounds, from six rounds on
//! with the interval in which 95 % of resampled medians lie. `--noise` adds Ottla a second time: what its ratio to itself
//! strays from 1 is noise.

mod calls;
mod clients;
mod contest;
mod density;
mod failover;
mod idle;
mod latency;
mod opponents;
mod process;
mod replay;
mod syncs;

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::Failure;
use crate::kafka_jars::{run as run_command, target_dir, workspace_root};

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
    /// What very many partitions hold that have nothing to do
    Density(density::Arguments),
    /// How soon others lead what a node led that dies, stands still or stops
    Failover(failover::Arguments),
    /// What syncing costs, beside `fio`
    Syncs,
    /// System calls of each request, which are not to be more than they must
    Calls,
}

#[derive(clap::Args)]
struct Common {
    /// How often each server takes its turn
    #[arg(long, global = true, default_value_t = 6)]
    rounds: u32,
    /// Seconds of each turn
    #[arg(long, global = true, default_value_t = 5.0)]
    seconds: f64,
    /// The most seconds before the first round for Apache Kafka, until its cost stops falling
    #[arg(long, global = true, default_value_t = 90.0)]
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
    /// Where servers keep their data: a folder on the disk that is measured
    #[arg(long, global = true)]
    dir: Option<PathBuf>,
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
    let common = &arguments.common;
    let mut work = tempfile::Builder::new();
    let work =
        work.prefix("ottla-bench-").tempdir_in(common.dir.clone().unwrap_or_else(std::env::temp_dir))?;
    let file_system = text_of(Command::new("stat").args(["-f", "-c", "%T"]).arg(work.path()))?;
    if file_system == "tmpfs" && !matches!(arguments.what, What::Calls) {
        let at = work.path().display();
        return Err(format!(
            "{at} is in memory, where nothing is synced or read cold: give --dir a folder on a disk"
        )
        .into());
    }
    let place = Place {
        common,
        programs: target_dir("benches").join("release"),
        work: work.path(),
        processors: if two { (Some(0), Some(1)) } else { (None, None) },
        topics: Cell::new(0),
    };
    let measurements = match &arguments.what {
        What::Replay => replay::run(&place)?,
        What::Clients(arguments) => clients::run(&place, arguments)?,
        What::Latency(arguments) => latency::run(&place, arguments)?,
        What::Idle => idle::run(&place)?,
        What::Density(arguments) => density::run(&place, arguments)?,
        What::Failover(arguments) => failover::run(&place, arguments)?,
        What::Syncs => syncs::run(&place)?,
        What::Calls => calls::run(&place)?,
    };
    if let Some(path) = &common.json {
        let all = json!({
            "environment": {
                "commit": text_of(Command::new("git").current_dir(&root).args(["describe", "--always", "--dirty"]))?,
                "date": text_of(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%MZ"]))?,
                "kernel": text_of(Command::new("uname").arg("-r"))?,
                "processor": processor()?,
                "file_system": file_system,
            },
            "durability": common.durability,
            "seconds": common.seconds,
            "rounds": common.rounds,
            "measurements": measurements,
        });
        fs::write(path, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}

impl Place<'_> {
    /// What a table is of, with the mode that its figures are of.
    fn title(&self, scenario: &str) -> String {
        format!("{scenario} (Ottla: {}; Kafka: page cache)", self.common.durability)
    }
}

/// What a command prints.
fn text_of(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The processor's name.
fn processor() -> Result<String, Failure> {
    let all = fs::read_to_string("/proc/cpuinfo")?;
    let name = all.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(name.map(|(_, name)| name.to_owned()).unwrap_or_default())
}

/// Runs one of the harness's programs, which prints its measurement as JSON.
fn measured(who: &str, mut command: Command) -> Result<Value, Failure> {
    let output = command.output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{who}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
