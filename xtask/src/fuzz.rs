//! `cargo xtask fuzz`: runs the fuzz targets from the committed corpus on, and commits to it what they found.
//!
//! The corpus is one text file per target, one input per line in hexadecimal; the fuzzer wants a folder of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ottla_protocol::Version;
use ottla_protocol::registry::ALL;

use crate::Failure;
use crate::kafka_jars::{run as run_command, workspace_root};

#[path = "../../crates/protocol/tests/support/pick.rs"]
mod pick;
#[path = "../../crates/protocol/tests/support/mod.rs"]
mod support;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each target runs; 0 only adds what is missing to the corpus
    #[arg(long, default_value_t = 600)]
    seconds: u32,
    /// Only this target
    #[arg(long)]
    only: Option<String>,
    /// The longest input, bytes
    #[arg(long, default_value_t = 512)]
    max_len: u32,
}

impl Arguments {
    /// Each target for so long.
    pub(crate) fn of(seconds: u32) -> Self {
        Self { seconds, only: None, max_len: 512 }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let installed = Command::new("cargo").args(["+nightly", "fuzz", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        return Err("cargo-fuzz and a nightly toolchain are needed: `rustup toolchain install nightly` and \
                    `cargo install cargo-fuzz`"
            .into());
    }
    for (target, wanted) in pick::TARGETS {
        if arguments.only.as_ref().is_none_or(|only| only == target) {
            let mut corpus = inputs(target)?;
            corpus.extend(seeds(wanted));
            if arguments.seconds > 0 {
                corpus = fuzz(target, arguments, &corpus)?;
                corpus.extend(seeds(wanted));
            }
            write_inputs(target, corpus)?;
        }
    }
    Ok(())
}

/// Every message in every version with its default values.
fn seeds(wanted: pick::Wanted) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, entry) in (0..=u8::MAX).zip(ALL.iter().filter(|entry| wanted(entry.schema.kind))) {
        for version in entry.schema.versions.first..=entry.schema.versions.last {
            let chosen = (version - entry.schema.versions.first).to_be_bytes()[1];
            let bytes = (entry.encode_default)(version).unwrap_or_default();
            seeds.push([&[number, chosen, 0], bytes.as_ref()].concat());
        }
    }
    seeds
}

/// Runs the fuzzer, and gives the smallest inputs that reach as much as all that it found.
fn fuzz(target: &str, arguments: &Arguments, corpus: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Failure> {
    let working = tempfile::tempdir()?;
    let (old, new) = (working.path().join("old"), working.path().join("new"));
    fs::create_dir_all(&old)?;
    fs::create_dir_all(&new)?;
    for (number, input) in corpus.iter().enumerate() {
        fs::write(old.join(number.to_string()), input)?;
    }
    let fuzzer = |flags: &[String]| {
        let mut fuzzer = Command::new("cargo");
        fuzzer.current_dir(workspace_root()).args(["+nightly", "fuzz", "run", target]);
        run_command(fuzzer.args(flags))
    };
    let folder = |path: &Path| path.display().to_string();
    let limit = |name: &str, value: u32| format!("-{name}={value}");
    let separator = || "--".to_owned();
    let max_len = limit("max_len", arguments.max_len);
    let time = limit("max_total_time", arguments.seconds);
    fuzzer(&[folder(&old), separator(), max_len.clone(), time, limit("print_final_stats", 1)])?;
    fuzzer(&[folder(&new), folder(&old), separator(), max_len, limit("merge", 1)])?;
    let mut kept = Vec::new();
    for file in fs::read_dir(&new)? {
        kept.push(fs::read(file?.path())?);
    }
    Ok(kept)
}

fn write_inputs(target: &str, mut inputs: Vec<Vec<u8>>) -> Result<(), Failure> {
    inputs.sort();
    inputs.dedup();
    let mut text = String::new();
    for input in &inputs {
        input.iter().try_for_each(|byte| write!(text, "{byte:02x}"))?;
        text.push('\n');
    }
    fs::create_dir_all(workspace_root().join("fuzz/corpus"))?;
    Ok(fs::write(corpus(target), text)?)
}

fn corpus(target: &str) -> PathBuf {
    workspace_root().join(format!("fuzz/corpus/{target}.txt"))
}

/// The committed inputs of a target; none if it was never run.
fn inputs(target: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let text = fs::read_to_string(corpus(target)).unwrap_or_default();
    let bytes = |line: &str| -> Result<Vec<u8>, Failure> {
        let digits = |at| line.get(at..at + 2).ok_or("an odd number of digits");
        (0..line.len()).step_by(2).map(|at| Ok(u8::from_str_radix(digits(at)?, 16)?)).collect()
    };
    text.lines()
        .map(|line| bytes(line).map_err(|error| format!("fuzz/corpus/{target}.txt: {line}: {error}").into()))
        .collect()
}

const PAGE: &str = "\
# What the fuzzer reached

<!-- Written by `cargo xtask docs` from fuzz/corpus, which `cargo xtask fuzz` extends. -->

For each message: the versions that inputs of the committed corpus are decoded in, how many inputs there are, how many of
them are a message, and in how many different places the others are refused.

| message | versions | inputs | accepted | places of refusal |
|---|---:|---:|---:|---:|
";

#[derive(Default)]
struct Reached<'a> {
    versions: BTreeSet<Version>,
    inputs: usize,
    accepted: usize,
    refused_at: BTreeSet<String>,
    of: usize,
    name: &'a str,
}

/// The page with one row per message.
pub(crate) fn page() -> Result<String, Failure> {
    let mut rows: BTreeMap<&str, Reached<'_>> = BTreeMap::new();
    for schema in ALL.iter().map(|entry| entry.schema) {
        let of = (schema.versions.first..=schema.versions.last).count();
        rows.insert(schema.name, Reached { of, name: schema.name, ..Reached::default() });
    }
    for (target, wanted) in pick::TARGETS {
        for input in inputs(target)? {
            let Some((entry, version, bytes)) = pick::pick(&input, wanted) else { continue };
            let row = rows.entry(entry.schema.name).or_default();
            row.versions.insert(version);
            row.inputs += 1;
            match (entry.decode)(bytes, version) {
                Ok(()) => row.accepted += 1,
                Err(error) => {
                    row.refused_at.insert(error.path().replace(|c: char| c.is_ascii_digit(), ""));
                }
            }
        }
    }
    let mut page = PAGE.to_owned();
    for row in rows.values() {
        let Reached { versions, inputs, accepted, refused_at, of, name } = row;
        let (versions, refused_at) = (versions.len(), refused_at.len());
        writeln!(page, "| {name} | {versions} of {of} | {inputs} | {accepted} | {refused_at} |")?;
    }
    Ok(page)
}
