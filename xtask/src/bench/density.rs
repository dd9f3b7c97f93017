//! Very many partitions that have a record each and nothing to do: what they hold, and how soon a node with them is ready.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Place;
use super::opponents::{OTTLA, Opponent};
use super::process::{cpu_seconds, resident_mib};
use super::replay::{Scenario, replay};
use crate::Failure;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// How many, in topics of a thousand
    #[arg(long, default_value_t = 100_000)]
    partitions: u32,
}

const PER_TOPIC: u32 = 1000;
const RECORD: Scenario = Scenario {
    name: "a record each",
    mode: "produce",
    record: 100,
    batch: 100,
    codec: "none",
    connections: 1,
    in_flight: 5,
};
/// Recovery and syncs go on after `ready`; by then all is quiet.
const QUIET_WITHIN: Duration = Duration::from_secs(300);

#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn run(place: &Place<'_>, arguments: &Arguments) -> Result<Value, Failure> {
    let folder = place.folder("density")?;
    let start = || -> Result<(Opponent, f64), Failure> {
        let opponent = place.ottla(OTTLA, &folder, &place.common.durability, None)?;
        let ready = opponent.server.since_start().as_secs_f64();
        Ok((opponent, ready))
    };
    println!(
        "## {} partitions with a record each ({})\n\n| | ready after, s | resident when quiet, MiB | KiB a partition | descriptors | maps |\n|---|---:|---:|---:|---:|---:|",
        arguments.partitions, place.common.durability
    );
    let mut rows = Vec::new();
    let (node, ready) = start()?;
    let empty = quiet(&node)?;
    let mut tell = |what: &str, ready: f64, now: &Held| {
        let each = (now.resident_mib - empty.resident_mib) * 1024.0 / f64::from(arguments.partitions);
        let Held { resident_mib, descriptors, maps } = now;
        println!("| {what} | {ready:.2} | {resident_mib:.0} | {each:.2} | {descriptors} | {maps} |");
        rows.push(
            json!({"scenario": "density", "what": what, "ready_s": ready, "resident_mib": resident_mib,
            "kib_each": each, "descriptors": descriptors, "maps": maps}),
        );
    };
    tell("empty", ready, &empty);
    fill(place, &node, arguments.partitions / PER_TOPIC)?;
    tell("filled", ready, &quiet(&node)?);
    // Dropped without being asked to stop: `kill -9`.
    drop(node);
    let (node, ready) = start()?;
    tell("after kill -9", ready, &quiet(&node)?);
    node.server.stop()?;
    let (node, ready) = start()?;
    tell("after a stop", ready, &quiet(&node)?);
    Ok(rows.into())
}

/// Creates the topics and has a record acknowledged by each of their partitions.
fn fill(place: &Place<'_>, node: &Opponent, topics: u32) -> Result<(), Failure> {
    let per_topic = PER_TOPIC.to_string();
    (0..topics).try_for_each(|topic| {
        // None but the first record of each partition.
        let more = ["--partitions", &per_topic, "--warm-up", "0"];
        replay(place, &RECORD, node, &format!("dense-{topic}"), 0.0, &more).map(|_| ())
    })
}

struct Held {
    resident_mib: f64,
    descriptors: usize,
    maps: usize,
}

/// What the node holds once it has had nothing to do for two seconds.
fn quiet(node: &Opponent) -> Result<Held, Failure> {
    const WINDOW: Duration = Duration::from_secs(2);
    /// Seconds of processor in a window.
    const QUIET: f64 = 0.05;
    let pid = node.pid()?;
    let began = Instant::now();
    loop {
        let before = cpu_seconds(pid)?;
        std::thread::sleep(WINDOW);
        if cpu_seconds(pid)? - before <= QUIET {
            break;
        }
        if began.elapsed() > QUIET_WITHIN {
            return Err(format!("the node is still busy after {QUIET_WITHIN:?}").into());
        }
    }
    Ok(Held {
        resident_mib: resident_mib(pid)?,
        descriptors: fs::read_dir(format!("/proc/{pid}/fd"))?.count(),
        maps: fs::read_to_string(format!("/proc/{pid}/maps"))?.lines().count(),
    })
}
