//! `cargo xtask nightly`: what takes longer than a change may wait. Runs all of it, whatever fails, then prints a table, which
//! goes to `docs/nightly.md`.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::ci::cargo;
use crate::kafka_jars::{run as run_command, workspace_root};
use crate::{Failure, chaos, fuzz, mutants, rolling};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Crashes of the storage crash test
    #[arg(long, default_value_t = 1_000_000)]
    crashes: u64,
    /// Bad files
    #[arg(long, default_value_t = 200_000)]
    damages: u64,
    /// How long each fuzz target runs, seconds; 0 leaves fuzzing out
    #[arg(long, default_value_t = 600)]
    fuzz_seconds: u32,
    /// Seeds of the simulated cluster
    #[arg(long, default_value_t = 100_000)]
    sim_seeds: u64,
    /// How long real nodes run under faults, minutes; 0 leaves it out
    #[arg(long, default_value_t = 10.0)]
    chaos_minutes: f64,
    /// Only this: crashes, damages, sim, rolling, chaos, fuzz or mutants
    #[arg(long)]
    only: Option<String>,
}

/// Its name, what it does, and how.
type Part<'a> = (&'a str, String, &'a dyn Fn() -> Result<(), Failure>);

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { crashes, damages, sim_seeds, fuzz_seconds, chaos_minutes, only } = arguments;
    let long_test = |package: &str, test: &str, variable: &str, count: u64| {
        run_command(
            cargo()
                .args(["test", "--locked", "--quiet", "--package", package, "--lib", "--", "--nocapture"])
                .arg(test)
                .env(variable, count.to_string())
                .current_dir(workspace_root()),
        )
    };
    let crash = || long_test("ottla-storage", "crash_test", "OTTLA_CRASHES", *crashes);
    let damage = || long_test("ottla-storage", "damage_test", "OTTLA_DAMAGES", *damages);
    let sim = || long_test("ottla-sim", "whatever_fails", "OTTLA_SIM_SEEDS", *sim_seeds);
    let fuzz = || match fuzz_seconds {
        0 => Ok(()),
        seconds => fuzz::run(&fuzz::Arguments::of(*seconds)),
    };
    let chaos = || {
        if *chaos_minutes > 0.0 { chaos::run(&chaos::Arguments::of(*chaos_minutes)) } else { Ok(()) }
    };
    let mutants = || mutants::run(&mutants::Arguments::default());
    let rolling = || rolling::run(&rolling::Arguments::default());
    let parts: [Part<'_>; 7] = [
        ("crashes", format!("{crashes} crashes of a log"), &crash),
        ("damages", format!("{damages} bad files"), &damage),
        ("sim", format!("{sim_seeds} seeds of a cluster"), &sim),
        ("rolling", "nodes onto a newer metadata format and back, under load".to_owned(), &rolling),
        ("chaos", format!("{chaos_minutes} minutes of faults on real nodes"), &chaos),
        ("mutants", "all planted bugs".to_owned(), &mutants),
        ("fuzz", format!("{fuzz_seconds} s each fuzz target"), &fuzz),
    ];
    if let Some(unknown) = only.as_ref().filter(|only| parts.iter().all(|(name, ..)| name != only)) {
        return Err(format!("{unknown}: only crashes, damages, sim, rolling, chaos, mutants or fuzz").into());
    }
    let mut rows = Vec::new();
    for (name, what, part) in &parts {
        if only.as_ref().is_none_or(|only| only == name) {
            let began = Instant::now();
            rows.push((what, part(), began.elapsed()));
        }
    }
    print_table(&rows);
    let failed = rows.iter().filter(|(_, result, _)| result.is_err()).count();
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} failed", rows.len()).into()) }
}

#[expect(clippy::print_stdout, reason = "the table is what people run this for")]
fn print_table(rows: &[(&String, Result<(), Failure>, Duration)]) {
    let commit =
        Command::new("git").args(["rev-parse", "--short", "HEAD"]).current_dir(workspace_root()).output();
    let commit =
        commit.map_or_else(|_| String::new(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    println!("\n| commit {commit} | result | s |\n|---|---|---:|");
    for (what, result, took) in rows {
        let result = result.as_ref().map_or_else(ToString::to_string, |()| "passed".to_owned());
        println!("| {what} | {result} | {} |", took.as_secs());
    }
}
