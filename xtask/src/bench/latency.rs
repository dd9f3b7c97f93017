//! From when a record is due at a fixed rate until a consumer has it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::contest::{Column, contest};
use super::opponents::Opponent;
use super::{Place, measured};
use crate::Failure;
use crate::kafka_jars::run as run_command;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// MB of records a second
    #[arg(long, default_value_t = 50.0)]
    rate: f64,
    /// Also while another consumer reads so many GB that are not in memory
    #[arg(long, default_value_t = 4.0)]
    cold: f64,
}

const COLUMNS: [Column; 9] = [
    ("/end_to_end_us/p50", "p50 µs", 0),
    ("/end_to_end_us/p99", "p99 µs", 0),
    ("/end_to_end_us/p999", "p99.9 µs", 0),
    ("/end_to_end_us/p9999", "p99.99 µs", 0),
    ("/end_to_end_us/max", "max µs", 0),
    ("/acknowledged_us/p99", "acknowledged p99 µs", 0),
    ("/schedule_late_us/p99", "schedule late p99 µs", 0),
    ("/broker_cores", "broker cores", 2),
    ("/cold_mb_per_s", "read meanwhile, MB/s", 0),
];

pub(super) fn run(place: &Place<'_>, arguments: &Arguments) -> Result<Value, Failure> {
    let brokers = place.brokers(false)?;
    let opponents: Vec<&Opponent> = brokers.iter().collect();
    let probe = |opponent: &Opponent, seconds: f64, more: &[&str]| {
        let mut command = Command::new(place.programs.join("probe"));
        command.args(["--bootstrap", &opponent.server.bootstrap, "--pid", &opponent.pid()?.to_string()]);
        command.args(["--rate", &arguments.rate.to_string(), "--seconds", &seconds.to_string()]).args(more);
        measured(opponent.name, command)
    };
    for opponent in &opponents {
        place.warm_up(opponent, "/broker_cores", |seconds| probe(opponent, seconds, &[]))?;
    }
    let (rounds, seconds) = (place.common.rounds, place.common.seconds);
    let title = place.title(&format!("end to end, {} MB/s of 1 KB records", arguments.rate));
    let mut measurements =
        vec![contest(&title, &COLUMNS, &opponents, rounds, |opponent| probe(opponent, seconds, &[]))?];
    if arguments.cold > 0.0 {
        for opponent in &opponents {
            fill(place, opponent, arguments.cold)?;
        }
        let title = format!("{title}, while {} GB are read that are not in memory", arguments.cold);
        measurements.push(contest(&title, &COLUMNS, &opponents, rounds, |opponent| {
            forget(opponent.server.data_dir.as_deref())?;
            probe(opponent, seconds, &["--cold", "cold"])
        })?);
    }
    Ok(measurements.into())
}

/// Puts so many GB into one partition.
fn fill(place: &Place<'_>, opponent: &Opponent, gb: f64) -> Result<(), Failure> {
    let mut filled = 0.0;
    while filled < gb {
        let mut command = Command::new(place.programs.join("replay"));
        command.args(["produce", "--bootstrap", &opponent.server.bootstrap, "--topic", "cold"]);
        command.args(["--pid", &opponent.pid()?.to_string(), "--partitions", "1", "--batch", "262144"]);
        command.args(["--seconds", "2", "--warm-up", "0"]);
        let turn = measured(opponent.name, command)?;
        filled += turn["mb_per_s"].as_f64().unwrap_or(0.0) * 2.0 / 1e3;
    }
    Ok(())
}

/// Has the system write the partition out and drop it from memory, and looks whether it did.
fn forget(data: Option<&Path>) -> Result<(), Failure> {
    let folder = data.ok_or("the data are not on this machine")?.join("cold-0");
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            run_command(Command::new("sync").arg(&path))?;
            let input = format!("if={}", path.display());
            let mut dd = Command::new("dd");
            run_command(dd.args([&input, "iflag=nocache", "count=0"]).stderr(Stdio::null()))?;
            let mut fincore = Command::new("fincore");
            let output = fincore.args(["--bytes", "--noheadings", "--output", "RES"]).arg(&path).output()?;
            let resident: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(u64::MAX);
            if resident > fs::metadata(&path)?.len() / 20 {
                return Err(format!("{resident} bytes of {} stay in memory", path.display()).into());
            }
        }
    }
    Ok(())
}
