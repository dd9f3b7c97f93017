//! `cargo xtask bench`: the same encoded requests to Ottla, Apache Kafka and a speed-of-light program in turn, from the
//! replayer of `benches/`; the median of each with its range, and ratios within rounds.
//!
//! Each server has one processor to itself if there are two, the replayer the other. All run throughout, so that a round
//! meets the machine in one mood; idle ones take next to nothing.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::Failure;
use crate::clients::install_kafka;
use crate::clients::server::{Server, pinned};
use crate::kafka_jars::{run as run_command, workspace_root};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often each server takes its turn
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of each turn
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds of replay before the first round, for Apache Kafka to compile what is hot
    #[arg(long, default_value_t = 20.0)]
    warm_up: f64,
    /// Beside Apache Kafka, which is fetched
    #[arg(long)]
    kafka: bool,
    /// Ottla's durability; the others leave syncing to the operating system, but for `sol fsync`
    #[arg(long, default_value = "os")]
    durability: String,
    /// Only scenarios whose name has this in it
    #[arg(long)]
    only: Option<String>,
    /// Where to write every measurement
    #[arg(long)]
    json: Option<PathBuf>,
}

struct Scenario {
    name: &'static str,
    mode: &'static str,
    /// Bytes of a record, and of a batch or fetch.
    record: usize,
    batch: usize,
    connections: usize,
    in_flight: usize,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "produce, 1 KB records",
        mode: "produce",
        record: 1000,
        batch: 65536,
        connections: 1,
        in_flight: 5,
    },
    Scenario {
        name: "produce, 100 B records",
        mode: "produce",
        record: 100,
        batch: 65536,
        connections: 1,
        in_flight: 5,
    },
    Scenario {
        name: "produce, 50 connections, one record each",
        mode: "produce",
        record: 1000,
        batch: 1000,
        connections: 50,
        in_flight: 1,
    },
    Scenario {
        name: "fetch, 64 KiB",
        mode: "fetch",
        record: 1000,
        batch: 65536,
        connections: 1,
        in_flight: 1,
    },
    Scenario {
        name: "fetch, 1 MiB",
        mode: "fetch",
        record: 1000,
        batch: 1 << 20,
        connections: 1,
        in_flight: 1,
    },
];

/// What a table shows: the key in a measurement, the heading, and the digits after the point.
const COLUMNS: [(&str, &str, usize); 6] = [
    ("records_per_s", "records/s", 0),
    ("mb_per_s", "MB/s", 0),
    ("cpu_s_per_gb", "CPU-s/GB", 2),
    ("cpu_us_per_request", "CPU µs/request", 1),
    ("p50_us", "p50 µs", 0),
    ("p99_us", "p99 µs", 0),
];

struct Opponent {
    name: &'static str,
    server: Server,
    raw: bool,
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let root = workspace_root().canonicalize()?;
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--quiet", "--bins", "--manifest-path"]);
    run_command(build.arg(root.join("benches/Cargo.toml")))?;
    let programs = root.join("benches/target/release");
    let two = std::thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    let (ours, theirs) = if two { (Some(0), Some(1)) } else { (None, None) };

    let work = tempfile::Builder::new().prefix("ottla-bench-").tempdir()?;
    let folder = |name: &str| -> Result<PathBuf, Failure> {
        let folder = work.path().join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    };
    let durability = format!("log.durability={}", arguments.durability);
    let mut brokers = vec![Opponent {
        name: "Ottla",
        server: Server::ottla(&folder("ottla")?, &[durability], theirs)?,
        raw: false,
    }];
    if arguments.kafka {
        let server = Server::kafka(&install_kafka()?, &folder("kafka")?, theirs)?;
        brokers.push(Opponent { name: "Kafka", server, raw: false });
    }
    let mut measurements = Vec::new();
    for scenario in
        SCENARIOS.iter().filter(|s| arguments.only.as_ref().is_none_or(|only| s.name.contains(only)))
    {
        let sol = Opponent {
            name: "speed of light",
            server: sol(scenario, &programs, work.path(), theirs)?,
            raw: true,
        };
        let opponents: Vec<&Opponent> = brokers.iter().chain([&sol]).collect();
        let replay = |opponent: &Opponent, seconds: f64| {
            replay(scenario, opponent, seconds, pinned(programs.join("replay").as_os_str(), ours))
        };
        for opponent in &opponents {
            // What is fetched has to be there.
            if scenario.mode == "fetch" && !opponent.raw {
                let fill = Scenario { mode: "produce", batch: 65536, connections: 1, ..*scenario };
                self::replay(&fill, opponent, 2.0, pinned(programs.join("replay").as_os_str(), ours))?;
            }
            replay(opponent, if opponent.name == "Kafka" { arguments.warm_up } else { 1.0 })?;
        }
        let mut rounds: Vec<Vec<Value>> = vec![Vec::new(); opponents.len()];
        for _ in 0..arguments.rounds {
            for (opponent, measured) in opponents.iter().zip(&mut rounds) {
                measured.push(replay(opponent, arguments.seconds)?);
            }
        }
        println!("{}", table(scenario.name, &opponents, &rounds));
        for (opponent, rounds) in opponents.iter().zip(rounds) {
            measurements.push(json!({"scenario": scenario.name, "server": opponent.name, "rounds": rounds}));
        }
        sol.server.stop().or_else(|_| Ok::<_, Failure>(()))?;
    }
    if let Some(path) = &arguments.json {
        fs::write(
            path,
            serde_json::to_string_pretty(&json!({
                "durability": arguments.durability,
                "seconds": arguments.seconds,
                "measurements": measurements,
            }))?,
        )?;
    }
    Ok(())
}

fn sol(scenario: &Scenario, programs: &Path, work: &Path, processor: Option<u32>) -> Result<Server, Failure> {
    let mut command = pinned(programs.join("sol").as_os_str(), processor);
    command.arg(scenario.mode).arg("--file").arg(work.join("sol"));
    command.args(["--fetch-bytes", &scenario.batch.to_string()]);
    Server::program(command, work)
}

/// One turn of one server.
fn replay(
    scenario: &Scenario,
    opponent: &Opponent,
    seconds: f64,
    mut command: Command,
) -> Result<Value, Failure> {
    let pid = opponent.server.pid().ok_or("a server without a process")?;
    command.arg(scenario.mode).args(["--bootstrap", &opponent.server.bootstrap]);
    command.args(["--pid", &pid.to_string(), "--seconds", &seconds.to_string()]);
    command.args(["--topic", &format!("replay-{}", scenario.record)]);
    command.args(["--record", &scenario.record.to_string(), "--batch", &scenario.batch.to_string()]);
    command.args(["--connections", &scenario.connections.to_string()]);
    command.args(["--in-flight", &scenario.in_flight.to_string()]);
    command.args(opponent.raw.then_some(OsStr::new("--raw")));
    let output = command.output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{}: {}", opponent.name, String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Medians with their range, and in the second line of each other server the median of its ratios to Ottla, round by round.
fn table(scenario: &str, opponents: &[&Opponent], rounds: &[Vec<Value>]) -> String {
    let headings: Vec<_> = COLUMNS.iter().map(|(_, heading, _)| *heading).collect();
    let mut text =
        format!("## {scenario}\n\n| | {} |\n|---{}|\n", headings.join(" | "), "|---:".repeat(COLUMNS.len()));
    let values = |server: usize, key: &str| -> Vec<f64> {
        rounds[server].iter().map(|round| round[key].as_f64().unwrap_or(f64::NAN)).collect()
    };
    for (server, opponent) in opponents.iter().enumerate() {
        text += &format!("| {}", opponent.name);
        for (key, _, digits) in COLUMNS {
            let (median, least, most) = spread(values(server, key));
            text += &format!(" | {median:.digits$} [{least:.digits$}–{most:.digits$}]");
        }
        text += " |\n";
        if server == 0 {
            continue;
        }
        text += &format!("| Ottla ÷ {}", opponent.name);
        for (key, _, _) in COLUMNS {
            let ratios =
                values(0, key).into_iter().zip(values(server, key)).map(|(ours, other)| ours / other);
            let (median, least, most) = spread(ratios.collect());
            text += &format!(" | {median:.2} [{least:.2}–{most:.2}]");
        }
        text += " |\n";
    }
    text
}

/// Median, least and greatest.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    (at(values.len() / 2), at(0), at(values.len().saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_between_least_and_greatest() {
        assert_eq!(spread(vec![3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
        assert!(spread(Vec::new()).0.is_nan());
    }
}
