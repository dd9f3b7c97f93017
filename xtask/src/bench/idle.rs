//! Start, and what a node takes that has nothing to do, or many connections.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Place;
use super::contest::{Column, contest};
use super::opponents::Opponent;
use super::process::{cpu_seconds, resident_mib};
use super::replay::{Scenario, replay};
use crate::Failure;

const IDLE: [Column; 3] = [
    ("/first_ack_ms", "exec to first acknowledged record, ms", 0),
    ("/resident_mib", "resident, MiB", 1),
    ("/percent_of_a_core", "% of a core", 3),
];
/// So long at least, or ticks are too coarse for a thousandth of a core.
const IDLE_SECONDS: f64 = 60.0;
const BUSY: [Column; 3] =
    [("/mb_per_s", "MB/s", 1), ("/resident_mib", "resident, MiB", 1), ("/broker_cores", "broker cores", 2)];
/// A thousand connections that all produce, 50 MB/s together.
const MANY: Scenario = Scenario {
    name: "1,000 connections",
    mode: "produce",
    record: 1000,
    batch: 16384,
    codec: "none",
    connections: 1000,
    in_flight: 1,
};

pub(super) fn run(place: &Place<'_>) -> Result<Value, Failure> {
    let brokers = place.brokers(false)?;
    let opponents: Vec<&Opponent> = brokers.iter().collect();
    let first = Scenario { batch: 1000, connections: 1, ..MANY };
    let mut starts = 0;
    let mut measurements = vec![contest(
        &place.title("start, and nothing to do"),
        &IDLE,
        &opponents,
        place.common.rounds,
        |opponent| {
            starts += 1;
            let fresh = place.start(opponent.name, &format!("start-{starts}"), false)?;
            // One record is acknowledged, and nothing more is sent.
            replay(place, &first, &fresh, "first", 0.0, &["--warm-up", "0", "--partitions", "1"])?;
            let first_ack = fresh.server.since_start();
            let pid = fresh.pid()?;
            std::thread::sleep(Duration::from_secs(1));
            let (before, began) = (cpu_seconds(pid)?, Instant::now());
            std::thread::sleep(Duration::from_secs_f64(place.common.seconds.max(IDLE_SECONDS)));
            let percent = 100.0 * (cpu_seconds(pid)? - before) / began.elapsed().as_secs_f64();
            Ok(json!({
                "first_ack_ms": first_ack.as_secs_f64() * 1e3,
                "resident_mib": resident_mib(pid)?,
                "percent_of_a_core": percent,
            }))
        },
    )?];
    let busy = |opponent: &Opponent, seconds: f64| {
        replay(place, &MANY, opponent, "many", seconds, &["--rate", "50"])
    };
    for opponent in &opponents {
        place.warm_up(opponent, "/cpu_us_per_request", |seconds| busy(opponent, seconds))?;
    }
    let (title, rounds) = (place.title("1,000 connections, 50 MB/s"), place.common.rounds);
    measurements
        .push(contest(&title, &BUSY, &opponents, rounds, |opponent| busy(opponent, place.common.seconds))?);
    Ok(measurements.into())
}
