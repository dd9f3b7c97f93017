//! What syncing costs: many producers that each wait for the disk, and a steady load with and without syncs, beside the same by
//! `fio`.

use std::process::Command;

use serde_json::{Value, json};

use super::contest::{Column, contest};
use super::opponents::{KAFKA, OTTLA, Opponent};
use super::replay::{Scenario, replay};
use super::{Place, text_of};
use crate::Failure;
use crate::clients::install_kafka;
use crate::clients::server::Server;

const MANY: Scenario = Scenario {
    name: "every write synced, 50 producers",
    mode: "produce",
    record: 1000,
    batch: 1000,
    codec: "none",
    connections: 50,
    in_flight: 1,
};
const MANY_COLUMNS: [Column; 5] = [
    ("/requests_per_s", "acknowledged/s", 0),
    ("/acks_per_sync", "acknowledged a sync", 1),
    ("/cpu_us_per_request", "CPU µs/request", 1),
    ("/p50_us", "p50 µs", 0),
    ("/p99_us", "p99 µs", 0),
];
const STEADY: Scenario = Scenario { batch: 65536, connections: 4, in_flight: 5, ..MANY };
const STEADY_COLUMNS: [Column; 5] = [
    ("/mb_per_s", "MB/s", 0),
    ("/cpu_s_per_gb", "CPU-s/GB", 2),
    ("/p50_us", "p50 µs", 0),
    ("/p99_us", "p99 µs", 0),
    ("/sync_kib", "KiB a sync", 0),
];

/// What `fio` writes to learn the device's rate.
const SEQUENTIAL: &str = "4G";

pub(super) fn run(place: &Place<'_>) -> Result<Value, Failure> {
    let mut measurements = Vec::new();
    if place.common.wants(MANY.name) {
        measurements.push(many(place)?);
    }
    if place.common.wants("half the device's rate") {
        measurements.push(steady(place)?);
    }
    Ok(measurements.into())
}

fn many(place: &Place<'_>) -> Result<Value, Failure> {
    let mut opponents = vec![ottla(place, OTTLA, "fsync")?];
    if place.common.kafka {
        let each = "log.flush.interval.messages=1";
        let server = Server::kafka(&install_kafka()?, &place.folder(KAFKA)?, &[each], place.processors.1)?;
        opponents.push(Opponent { name: KAFKA, server, raw: false });
    }
    let turn = |opponent: &Opponent, seconds: f64| {
        let more = ["--partitions", "1", "--warm-up", "0"];
        let (mut result, synced) =
            counted(opponent, || replay(place, &MANY, opponent, "many", seconds, &more))?;
        result["acks_per_sync"] =
            json!(synced.map(|synced| result["requests"].as_f64().unwrap_or(0.0) / synced));
        Ok(result)
    };
    let all: Vec<&Opponent> = opponents.iter().collect();
    for opponent in &all {
        place.warm_up(opponent, "/cpu_us_per_request", |seconds| turn(opponent, seconds))?;
    }
    let title = format!("{} (Ottla: fsync; Kafka: flush.messages=1), one partition", MANY.name);
    contest(&title, &MANY_COLUMNS, &all, place.common.rounds, |opponent| turn(opponent, place.common.seconds))
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
fn steady(place: &Place<'_>) -> Result<Value, Failure> {
    let sequential = fio(place, &["--bs=1M", "--size", SEQUENTIAL, "--end_fsync=1"])?;
    let device = sequential["write"]["bw_bytes"].as_f64().ok_or("fio told no bandwidth")? / 1e6;
    let rate = (device / 2.0).round();
    println!("fio writes {device:.0} MB/s in sequence; half of it is {rate:.0}\n");
    let opponents = [ottla(place, "Ottla fsync", "fsync")?, ottla(place, "Ottla os", "os")?];
    let all: Vec<&Opponent> = opponents.iter().collect();
    let turn = |opponent: &Opponent| {
        let topic = place.new_topic();
        let more = ["--partitions", "1", "--rate", &rate.to_string()];
        let (mut result, synced) =
            counted(opponent, || replay(place, &STEADY, opponent, &topic, place.common.seconds, &more))?;
        // The warm-up is a second of it.
        let kib = result["mb_per_s"].as_f64().unwrap_or(0.0) * 1e3 / 1.024 * (place.common.seconds + 1.0);
        result["sync_kib"] = json!(synced.filter(|synced| *synced > 100.0).map(|synced| kib / synced));
        opponent.delete(&topic)?;
        Ok(result)
    };
    let title = format!("half the device's rate, {rate:.0} MB/s, one partition");
    let measured = contest(&title, &STEADY_COLUMNS, &all, place.common.rounds, turn)?;
    let kib = measured[0]["rounds"][0]["sync_kib"].as_f64().unwrap_or(256.0).clamp(64.0, 4096.0) as u64;
    let (bs, rate) = (format!("--bs={}k", kib / 64 * 64), format!("--rate={rate}M"));
    let same = fio(place, &[&bs, &rate, "--size=8G", "--fdatasync=1", "--time_based=1", "--runtime=10"])?;
    let percentile =
        |name: &str| same["sync"]["lat_ns"]["percentile"][name].as_f64().unwrap_or(f64::NAN) / 1e3;
    let (p50, p99) = (percentile("50.000000"), percentile("99.000000"));
    println!("fio at the same rate, {bs}: fdatasync p50 {p50:.0} µs, p99 {p99:.0} µs\n");
    Ok(json!({"contest": measured, "fio_sequential": sequential, "fio_fdatasync": same}))
}

fn ottla(place: &Place<'_>, name: &'static str, durability: &str) -> Result<Opponent, Failure> {
    place.ottla(name, &place.folder(durability)?, durability, place.processors.1)
}

/// One turn, and how many syncs were made in it; not known of Kafka.
fn counted(
    opponent: &Opponent,
    turn: impl FnOnce() -> Result<Value, Failure>,
) -> Result<(Value, Option<f64>), Failure> {
    let before = syncs(opponent)?;
    let result = turn()?;
    Ok((result, syncs(opponent)?.zip(before).map(|(after, before)| after - before)))
}

/// How many syncs it has made; not known of Kafka.
fn syncs(opponent: &Opponent) -> Result<Option<f64>, Failure> {
    let Some(admin) = &opponent.server.admin else { return Ok(None) };
    let metrics = text_of(Command::new("curl").args(["-s", &format!("http://{admin}/metrics")]))?;
    let name = "kafka_log_logflushstats_logflushrateandtimems_count";
    let count = metrics
        .lines()
        .filter(|line| line.starts_with(name))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    Ok(Some(count.sum()))
}

/// One job of `fio` that writes to the measured disk: its part of the result.
fn fio(place: &Place<'_>, how: &[&str]) -> Result<Value, Failure> {
    let mut command = Command::new("fio");
    command.args(["--name=device", "--rw=write", "--ioengine=psync", "--unlink=1", "--output-format=json"]);
    command.arg("--directory").arg(place.folder("fio")?).args(how);
    let output =
        command.output().map_err(|error| format!("cannot run fio: {error}; install it (apt install fio)"))?;
    let result: Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        format!("fio told no result: {error}; {}", String::from_utf8_lossy(&output.stderr))
    })?;
    Ok(result["jobs"][0].clone())
}
