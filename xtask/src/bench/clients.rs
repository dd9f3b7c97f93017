//! Through clients that everybody knows: Kafka's Java tools, and librdkafka by way of confluent-kafka.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::Place;
use super::contest::{Column, contest};
use super::opponents::Opponent;
use super::process::cpu_seconds;
use crate::Failure;
use crate::clients::{install_kafka, install_python};
use crate::kafka_jars::workspace_root;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// MB of records of each turn
    #[arg(long, default_value_t = 1000)]
    megabytes: usize,
}

const THROUGHPUT: [Column; 7] = [
    ("/produced/records_per_s", "produced, records/s", 0),
    ("/produced/cpu_s_per_gb", "broker CPU-s/GB", 2),
    ("/produced/machine_cores", "busy cores of the machine", 2),
    ("/produced/broker_cores", "the broker's", 2),
    ("/consumed/records_per_s", "consumed, records/s", 0),
    ("/consumed/cpu_s_per_gb", "broker CPU-s/GB", 2),
    ("/consumed/machine_cores", "busy cores of the machine", 2),
];
const ONE_BY_ONE: [Column; 4] = [
    ("/mean_ms", "mean ms", 3),
    ("/p50_ms", "p50 ms", 0),
    ("/p99_ms", "p99 ms", 0),
    ("/p999_ms", "p99.9 ms", 0),
];

struct Scenario {
    name: &'static str,
    client: Client,
    record: usize,
    acks: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Client {
    Java,
    Librdkafka,
}

const SCENARIOS: [Scenario; 4] = [
    Scenario { name: "Java, 1 KB records, acks=1", client: Client::Java, record: 1000, acks: "1" },
    Scenario { name: "Java, 1 KB records, acks=all", client: Client::Java, record: 1000, acks: "all" },
    Scenario { name: "Java, 100 B records, acks=1", client: Client::Java, record: 100, acks: "1" },
    Scenario {
        name: "librdkafka, 1 KB records, acks=all",
        client: Client::Librdkafka,
        record: 1000,
        acks: "all",
    },
];

pub(super) fn run(place: &Place<'_>, arguments: &Arguments) -> Result<Value, Failure> {
    let (class_path, python) = (install_kafka()?, install_python()?);
    let brokers = place.brokers(false)?;
    let opponents: Vec<&Opponent> = brokers.iter().collect();
    let mut measurements = Vec::new();
    let common = place.common;
    for scenario in SCENARIOS.iter().filter(|scenario| common.wants(scenario.name)) {
        let turn = |opponent: &Opponent| {
            let topic = place.new_topic();
            opponent.create(&topic)?;
            let turn = Turn { opponent, topic: &topic, scenario, megabytes: arguments.megabytes };
            let result = match scenario.client {
                Client::Java => turn.java(&class_path),
                Client::Librdkafka => turn.librdkafka(&python),
            };
            opponent.delete(&topic)?;
            result
        };
        for opponent in &opponents {
            // Three GB are enough for the Java virtual machine to have compiled what is hot.
            for _ in 0..if opponent.warms_up() { 3 } else { 1 } {
                turn(opponent)?;
            }
        }
        measurements.push(contest(
            &place.title(scenario.name),
            &THROUGHPUT,
            &opponents,
            common.rounds,
            turn,
        )?);
    }
    for acks in ["1", "all"] {
        let name = format!("Java, one record at a time, acks={acks}");
        if common.wants(&name) {
            let turn = |opponent: &Opponent| {
                let topic = place.new_topic();
                opponent.create(&topic)?;
                one_by_one(opponent, &class_path, &topic, acks)
            };
            opponents.iter().try_for_each(|opponent| turn(opponent).map(drop))?;
            measurements.push(contest(&place.title(&name), &ONE_BY_ONE, &opponents, common.rounds, turn)?);
        }
    }
    Ok(measurements.into())
}

struct Turn<'a> {
    opponent: &'a Opponent,
    topic: &'a str,
    scenario: &'a Scenario,
    megabytes: usize,
}

impl Turn<'_> {
    fn records(&self) -> usize {
        self.megabytes * 1_000_000 / self.scenario.record
    }

    fn java(&self, class_path: &str) -> Result<Value, Failure> {
        let (records, record) = (self.records().to_string(), self.scenario.record.to_string());
        let bootstrap = &self.opponent.server.bootstrap;
        let mut produce = java(class_path, "ProducerPerformance");
        produce.args(["--topic", self.topic, "--num-records", &records, "--record-size", &record]);
        produce.args(["--throughput", "-1", "--producer-props", &format!("bootstrap.servers={bootstrap}")]);
        produce.args([&format!("acks={}", self.scenario.acks), "linger.ms=5", "batch.size=131072"]);
        // 1000000 records sent, 98765.4 records/sec (94.19 MB/sec), 12.34 ms avg latency, …
        let produced = self.watched(&mut produce, |output| {
            let mut fields = output.lines().last()?.split(", ");
            let sent = fields.next()?.strip_suffix(" records sent")?;
            if sent != records {
                return None;
            }
            fields.next()?.split_whitespace().next()?.parse().ok()
        })?;
        let mut consume = java(class_path, "ConsumerPerformance");
        consume.args(["--topic", self.topic, "--num-records", &records, "--bootstrap-server", bootstrap]);
        // start, end, MB, MB/s, records, records/s, ms of rebalances, ms of fetching, MB/s and records/s of fetching
        let consumed = self.watched(&mut consume, |output| {
            let fields: Vec<&str> = output.lines().last()?.split(", ").map(str::trim).collect();
            // It takes whole fetches, so it may have taken more.
            let enough = fields.get(4)?.parse::<usize>().ok()? >= self.records();
            if enough { fields.get(9)?.parse().ok() } else { None }
        })?;
        Ok(json!({"produced": produced, "consumed": consumed}))
    }

    fn librdkafka(&self, python: &str) -> Result<Value, Failure> {
        let script = workspace_root().canonicalize()?.join("benches/librdkafka.py");
        let run = |mode: &str| {
            let mut client = Command::new(python);
            client.arg(&script).args([mode, &self.opponent.server.bootstrap, self.topic]);
            client.args([self.records().to_string(), self.scenario.record.to_string()]);
            self.watched(client.arg(self.scenario.acks), |output| output.trim().parse().ok())
        };
        Ok(json!({"produced": run("produce")?, "consumed": run("consume")?}))
    }

    /// Runs a client, whose output holds the records per second, and looks at who used the processors meanwhile.
    fn watched(&self, client: &mut Command, rate: impl Fn(&str) -> Option<f64>) -> Result<Value, Failure> {
        let pid = self.opponent.pid()?;
        let (broker, machine, began) = (cpu_seconds(pid)?, machine_seconds()?, Instant::now());
        let output = client
            .stderr(Stdio::null())
            .output()
            .map_err(|error| format!("cannot run {client:?}: {error}"))?;
        let (broker, machine) = (cpu_seconds(pid)? - broker, machine_seconds()? - machine);
        let seconds = began.elapsed().as_secs_f64();
        if !output.status.success() {
            return Err(format!("{}: the client ended with {}", self.opponent.name, output.status).into());
        }
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let rate = rate(&output).ok_or_else(|| format!("{}: no rate in {output:?}", self.opponent.name))?;
        Ok(json!({
            "records_per_s": rate,
            "cpu_s_per_gb": broker / (self.megabytes as f64 / 1e3),
            "broker_cores": broker / seconds,
            "machine_cores": machine / seconds,
        }))
    }
}

/// Kafka's EndToEndLatency: a record is sent when the one before it has been consumed.
fn one_by_one(opponent: &Opponent, class_path: &str, topic: &str, acks: &str) -> Result<Value, Failure> {
    let mut tool = java(class_path, "EndToEndLatency");
    tool.args([&opponent.server.bootstrap, topic, "5000", acks, "1000"]).stderr(Stdio::null());
    let output = tool.output().map_err(|error| format!("cannot run {tool:?}: {error}"))?;
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    // Avg latency: 0.4567 ms
    // Percentiles: 50th = 0, 99th = 3, 99.9th = 9
    let numbers = |prefix: &str| -> Vec<f64> {
        let line = output.lines().find_map(|line| line.trim().strip_prefix(prefix)).unwrap_or_default();
        let words = line.split(|c: char| !c.is_ascii_digit() && c != '.');
        words.filter_map(|word| word.parse().ok()).collect()
    };
    let (mean, percentiles) = (numbers("Avg latency:"), numbers("Percentiles:"));
    let mut result = Map::new();
    for (key, value) in [
        ("mean_ms", mean.first()),
        ("p50_ms", percentiles.get(1)),
        ("p99_ms", percentiles.get(3)),
        ("p999_ms", percentiles.get(5)),
    ] {
        let value = value.ok_or_else(|| format!("{}: no {key} in {output:?}", opponent.name))?;
        result.insert(key.to_owned(), json!(value));
    }
    Ok(result.into())
}

fn java(class_path: &str, tool: &str) -> Command {
    let mut java = Command::new("java");
    java.args(["-Xmx512m", "-cp", class_path, &format!("org.apache.kafka.tools.{tool}")]);
    java
}

/// How long all processors together were busy, seconds.
fn machine_seconds() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/stat")?;
    let all = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<f64> = all.filter_map(|field| field.parse().ok()).collect();
    // user, nice, system, idle, waiting for disks, interrupts, soft interrupts; a tick is a hundredth of a second
    Ok([0, 1, 2, 5, 6].iter().filter_map(|index| ticks.get(*index)).sum::<f64>() / 100.0)
}
