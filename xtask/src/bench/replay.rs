//! The same encoded requests to every server, each on a processor of its own, from a replayer on another.

use std::ffi::OsStr;
use std::process::Command;

use serde_json::Value;

use super::contest::{Column, contest};
use super::opponents::Opponent;
use super::{Place, measured};
use crate::Failure;
use crate::clients::server::{Server, pinned};

pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) mode: &'static str,
    /// Bytes of a record, and of a batch or fetch.
    pub(super) record: usize,
    pub(super) batch: usize,
    pub(super) codec: &'static str,
    pub(super) connections: usize,
    pub(super) in_flight: usize,
}

/// One connection with the Java client's five requests on the way, each of one batch of 64 KiB.
const PRODUCE: Scenario = Scenario {
    name: "produce, 1 KB records, uncompressed",
    mode: "produce",
    record: 1000,
    batch: 65536,
    codec: "none",
    connections: 1,
    in_flight: 5,
};
const FETCH: Scenario = Scenario { name: "fetch, 64 KiB", mode: "fetch", in_flight: 1, ..PRODUCE };

const SCENARIOS: [Scenario; 8] = [
    PRODUCE,
    Scenario { name: "produce, 100 B records", record: 100, ..PRODUCE },
    Scenario { name: "produce, 1 KB records, lz4", codec: "lz4", ..PRODUCE },
    Scenario { name: "produce, 1 KB records, zstd", codec: "zstd", ..PRODUCE },
    Scenario {
        name: "produce, 50 connections, one record each",
        batch: 1000,
        connections: 50,
        in_flight: 1,
        ..PRODUCE
    },
    Scenario { name: "produce, one record at a time", batch: 1000, in_flight: 1, ..PRODUCE },
    FETCH,
    Scenario { name: "fetch, 1 MiB", batch: 1 << 20, ..FETCH },
];

const COLUMNS: [Column; 9] = [
    ("/records_per_s", "records/s", 0),
    ("/mb_per_s", "MB/s", 0),
    ("/cpu_s_per_gb", "CPU-s/GB", 2),
    ("/cpu_us_per_request", "CPU µs/request", 1),
    ("/switches_per_request", "switches/request", 2),
    ("/p50_us", "p50 µs", 0),
    ("/p99_us", "p99 µs", 0),
    ("/max_us", "max µs", 0),
    ("/replay_cores", "replayer's cores", 2),
];

pub(super) fn run(place: &Place<'_>) -> Result<Value, Failure> {
    let brokers = place.brokers(true)?;
    let mut measurements = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| place.common.wants(scenario.name)) {
        let sol = Opponent { name: "speed of light", server: sol(scenario, place)?, raw: true };
        let opponents: Vec<&Opponent> = brokers.iter().chain([&sol]).collect();
        let fetched = place.new_topic();
        let turn = |opponent: &Opponent, seconds: f64| {
            if scenario.mode == "fetch" {
                return replay(place, scenario, opponent, &fetched, seconds, &[]);
            }
            let topic = place.new_topic();
            let result = replay(place, scenario, opponent, &topic, seconds, &[])?;
            opponent.delete(&topic)?;
            Ok(result)
        };
        for opponent in &opponents {
            // What is fetched has to be there.
            if scenario.mode == "fetch" && !opponent.raw {
                replay(place, &PRODUCE, opponent, &fetched, 2.0, &[])?;
            }
            place.warm_up(opponent, "/cpu_us_per_request", |seconds| turn(opponent, seconds))?;
        }
        measurements.push(contest(
            &place.title(scenario.name),
            &COLUMNS,
            &opponents,
            place.common.rounds,
            |opponent| turn(opponent, place.common.seconds),
        )?);
        if scenario.mode == "fetch" {
            brokers.iter().try_for_each(|broker| broker.delete(&fetched))?;
        }
    }
    Ok(measurements.into())
}

fn sol(scenario: &Scenario, place: &Place<'_>) -> Result<Server, Failure> {
    let mut command = pinned(place.programs.join("sol").as_os_str(), place.processors.1);
    let mode = match (scenario.mode, place.common.durability.as_str()) {
        ("produce", "fsync") => "fsync",
        (mode, _) => mode,
    };
    command.arg(mode).arg("--file").arg(place.work.join("sol"));
    command.args(["--fetch-bytes", &scenario.batch.to_string()]);
    Server::program(command, place.work)
}

/// One turn of one server.
pub(super) fn replay(
    place: &Place<'_>,
    scenario: &Scenario,
    opponent: &Opponent,
    topic: &str,
    seconds: f64,
    more: &[&str],
) -> Result<Value, Failure> {
    let mut command: Command = pinned(place.programs.join("replay").as_os_str(), place.processors.0);
    command.arg(scenario.mode).args(["--bootstrap", &opponent.server.bootstrap]);
    command.args(["--pid", &opponent.pid()?.to_string(), "--seconds", &seconds.to_string()]);
    command.args(["--topic", topic, "--codec", scenario.codec]);
    command.args(["--record", &scenario.record.to_string(), "--batch", &scenario.batch.to_string()]);
    command.args(["--connections", &scenario.connections.to_string()]);
    command.args(["--in-flight", &scenario.in_flight.to_string()]);
    command.args(opponent.raw.then_some(OsStr::new("--raw"))).args(more);
    measured(opponent.name, command)
}
