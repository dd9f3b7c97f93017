//! Very many partitions that have a record each and nothing to do: what they hold, and how soon a node with them is ready.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::process::{cpu_seconds, resident_mib};
use super::{Place, measured};
use crate::Failure;
use crate::clients::server::Server;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// How many, in topics of a thousand
    #[arg(long, default_value_t = 100_000)]
    partitions: u32,
}

const PER_TOPIC: u32 = 1000;
/// Recovery and syncs go on after `ready`; by then all is quiet.
const QUIET_WITHIN: Duration = Duration::from_secs(300);

#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn run(place: &Place<'_>, arguments: &Arguments) -> Result<Value, Failure> {
    let folder = place.folder("density")?;
    let settings = [format!("log.durability={}", place.common.durability)];
    let start = || -> Result<(Server, f64), Failure> {
        let server = Server::ottla(&folder, &settings, None)?;
        let ready = server.since_start().as_secs_f64();
        Ok((server, ready))
    };
    println!(
        "## {} partitions with a record each ({})\n\n| | ready after, s | resident when quiet, MiB | KiB a partition | descriptors | maps |\n|---|---:|---:|---:|---:|---:|",
        arguments.partitions, place.common.durability
    );
    let mut rows = Vec::new();
    let (server, ready) = start()?;
    let empty = quiet(&server)?;
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
    fill(place, &server, arguments.partitions / PER_TOPIC)?;
    tell("filled", ready, &quiet(&server)?);
    // Dropped without being asked to stop: `kill -9`.
    drop(server);
    let (server, ready) = start()?;
    tell("after kill -9", ready, &quiet(&server)?);
    server.stop()?;
    let (server, ready) = start()?;
    tell("after a stop", ready, &quiet(&server)?);
    Ok(rows.into())
}

/// Creates the topics and has a record acknowledged by each of their partitions.
fn fill(place: &Place<'_>, server: &Server, topics: u32) -> Result<(), Failure> {
    let pid = server.pid().ok_or("no process")?.to_string();
    for topic in 0..topics {
        let mut replay = Command::new(place.programs.join("replay"));
        replay.args(["produce", "--bootstrap", &server.bootstrap, "--pid", &pid]);
        replay.args(["--topic", &format!("dense-{topic}"), "--partitions", &PER_TOPIC.to_string()]);
        replay.args(["--record", "100", "--batch", "100", "--warm-up", "0", "--seconds", "0"]);
        measured("Ottla", replay)?;
    }
    Ok(())
}

struct Held {
    resident_mib: f64,
    descriptors: usize,
    maps: usize,
}

/// What the node holds once it has had nothing to do for two seconds.
fn quiet(server: &Server) -> Result<Held, Failure> {
    const WINDOW: Duration = Duration::from_secs(2);
    /// Seconds of processor in a window.
    const QUIET: f64 = 0.05;
    let pid = server.pid().ok_or("no process")?;
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
