//! `cargo xtask parity compaction`: Kafka's producers write, Kafka's cleaner and Ottla's clean a copy each, Kafka's classes tell what is left.
//!
//! ```text
//!  Kafka, no cleaner: write ─▶ stop ─┬─▶ a copy: Ottla cleans ─▶ Kafka's broker and tools read it
//!         ▲                          └─▶ Kafka's cleaner       ─▶ Kafka's broker reads it
//!         └───────────────────────── three rounds ─────────────────────────┘
//! ```
//!
//! In rounds two and three Ottla goes on with the segments that it made itself: what the first gives a horizon goes in the second,
//! and markers of aborted transactions in the third.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::folder;
use super::kafka::{Figures, Kafka, PARTITION, TOPIC, figures};
use super::view::{Row, View, compare};
use crate::Failure;
use crate::kafka_jars::{run as run_command, target_dir, workspace_root};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many records are written, in all rounds together
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// How many keys there are; by default a twentieth of the records
    #[arg(long)]
    keys: Option<u64>,
    /// What the records and producers are derived from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the nodes keep their data
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Keep that folder
    #[arg(long)]
    keep: bool,
}

/// How much of the records is written before each round, percent, all together.
const ROUNDS: [u64; 3] = [70, 90, 100];
/// How long tombstones and markers stay after the round that first saw them.
const DELETE_RETENTION: Duration = Duration::from_secs(1);
/// Records lie so far back: no clock has to be waited for.
const AGO: Duration = Duration::from_secs(2 * 3600);

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("ottla-parity-").disable_cleanup(arguments.keep);
    let work = builder.tempdir_in(arguments.dir.clone().unwrap_or_else(std::env::temp_dir))?;
    let parity = Parity::new(arguments, work.path())?;
    let mut differs = false;
    for round in 0..ROUNDS.len() {
        differs |= parity.round(round)?;
    }
    if differs { Err("Ottla has not left what Kafka has".into()) } else { Ok(()) }
}

struct Parity<'a> {
    arguments: &'a Arguments,
    kafka: Kafka,
    /// Ottla's program for one round.
    ottla: PathBuf,
    /// The folders of the nodes, and a file for a moment.
    kafkas: PathBuf,
    ottlas: PathBuf,
    scratch: PathBuf,
    /// The timestamp of the first record.
    epoch_ms: u128,
    segment_bytes: u64,
}

impl<'a> Parity<'a> {
    fn new(arguments: &'a Arguments, work: &Path) -> Result<Self, Failure> {
        let root = workspace_root().canonicalize()?;
        let mut build = Command::new("cargo");
        build.args(["build", "--release", "--quiet", "-p", "ottla-storage", "--example", "compact_once"]);
        run_command(build.current_dir(&root))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        Ok(Self {
            arguments,
            kafka: Kafka::install(work)?,
            ottla: target_dir("").join("release/examples/compact_once"),
            kafkas: work.join("kafka"),
            ottlas: work.join("ottla"),
            scratch: work.join("view"),
            epoch_ms: (now - AGO).as_millis(),
            // Some thirty segments; Kafka takes no smaller ones.
            segment_bytes: (arguments.records * 4).max(1 << 20),
        })
    }

    /// Whether there was a difference.
    fn round(&self, round: usize) -> Result<bool, Failure> {
        let (kafkas, ottlas) = (self.kafkas.join("data"), self.ottlas.join("data"));
        let written = self.write(round)?;
        let input = View::of_files(&self.kafka, &kafkas, &self.scratch)?;
        self.hand_over(round)?;
        // Horizons of the last round are over.
        std::thread::sleep(DELETE_RETENTION);
        let ours = figures(
            Command::new(&self.ottla)
                .arg(&ottlas)
                .arg(TOPIC)
                .args([self.segment_bytes.to_string(), DELETE_RETENTION.as_millis().to_string()]),
        )?;
        let (theirs, peak) = self.kafka.clean(&self.kafkas)?;
        self.kafka.check_files(&ottlas.join(PARTITION))?;
        let kafka = self.view(&self.kafkas)?;
        let ottla = self.view(&self.ottlas)?;
        let rows = compare(&input, &kafka, &ottla);
        print(round, &written, &rows, &ours, &theirs, peak);
        Ok(rows.iter().any(|row| row.difference.is_some()))
    }

    /// Has Kafka's producers write what comes before a round.
    fn write(&self, round: usize) -> Result<Figures, Failure> {
        let share = |percent: u64| self.arguments.records * percent / 100;
        let from = round.checked_sub(1).and_then(|before| ROUNDS.get(before)).map_or(0, |p| share(*p));
        let end = ROUNDS.get(round).map_or(0, |p| share(*p));
        let node = self.kafka.start(&self.kafkas, false)?;
        if round == 0 {
            self.kafka.create_topic(
                &node.bootstrap,
                &[
                    "cleanup.policy=compact".to_owned(),
                    format!("segment.bytes={}", self.segment_bytes),
                    format!("delete.retention.ms={}", DELETE_RETENTION.as_millis()),
                    "min.cleanable.dirty.ratio=0".to_owned(),
                ],
            )?;
        }
        let keys = self.arguments.keys.unwrap_or_else(|| (self.arguments.records / 20).max(1));
        let seed = self.arguments.seed.wrapping_mul(10) + round as u64;
        let numbers = [seed, keys, from, end].map(|number| number.to_string());
        let mut words = vec![node.bootstrap.clone(), TOPIC.to_owned()];
        words.extend(numbers);
        words.push(self.epoch_ms.to_string());
        let written = self.kafka.figures("Workload", &words)?;
        node.stop()?;
        Ok(written)
    }

    /// Gives Ottla a copy of Kafka's directory, with the segments that it has cleaned itself in place of those that Kafka has.
    fn hand_over(&self, round: usize) -> Result<(), Failure> {
        let (before, data) = (self.ottlas.join("before"), self.ottlas.join("data"));
        if round == 0 {
            return folder::copy(&self.kafkas.join("data"), &data);
        }
        std::fs::rename(&data, &before)?;
        folder::copy(&self.kafkas.join("data"), &data)?;
        let active = folder::active_base(&before.join(PARTITION))?;
        folder::take_segments(&before.join(PARTITION), &data.join(PARTITION), active)?;
        Ok(std::fs::remove_dir_all(&before)?)
    }

    /// What is in the files of a folder, and what Kafka's broker serves of them.
    fn view(&self, work: &Path) -> Result<View, Failure> {
        let mut view = View::of_files(&self.kafka, &work.join("data"), &self.scratch)?;
        let node = self.kafka.start(work, false)?;
        view.consume(&self.kafka, &node.bootstrap, &self.scratch)?;
        node.stop()?;
        Ok(view)
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the command is for")]
fn print(round: usize, written: &Figures, rows: &[Row], ours: &Figures, theirs: &[String], peak: f64) {
    println!("\nround {}", round + 1);
    let written: Vec<String> = written.iter().map(|(name, count)| format!("{count} {name}")).collect();
    println!("  written: {}", written.join(", "));
    println!("  {:<26} {:>9} {:>9} {:>9}", "", "input", "Kafka", "Ottla");
    for Row { what, input, kafka, ottla, difference } in rows {
        let verdict = difference.as_ref().map_or(String::new(), |one| format!("  DIFFERS, {one}"));
        println!("  {what:<26} {input:>9} {kafka:>9} {ottla:>9}{verdict}");
    }
    let of = |name: &str| ours.get(name).copied().unwrap_or(f64::NAN);
    println!(
        "  Ottla: {:.1} of {:.1} MB left, {:.2} s ({:.2} s of them for the keys), {:.0} MB/s, at most {:.0} MiB of memory",
        of("bytes-written") / 1e6,
        of("bytes-read") / 1e6,
        of("seconds"),
        of("seconds-of-keys"),
        of("bytes-read") / 1e6 / of("seconds"),
        of("peak-kib") / 1024.0
    );
    println!("  Kafka: at most {peak:.0} MiB of memory; {}", theirs.join("; "));
}
