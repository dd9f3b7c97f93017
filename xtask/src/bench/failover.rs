//! How soon others lead what a node led that dies, stands still or stops: three nodes, each broker and controller, asked
//! for their metadata every 10 ms.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use ottla_testkit::{BrokerProcess, ErrorCode, RawClient, TopicSpec, describe_quorum, quorum_properties};
use serde_json::{Value, json};

use super::Place;
use crate::Failure;
use crate::kafka_jars::target_dir;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Partitions of three replicas
    #[arg(long, default_value_t = 1000)]
    partitions: i32,
    /// How often each fault happens, each time to a new cluster
    #[arg(long, default_value_t = 10)]
    runs: usize,
}

const NODES: i32 = 3;
const TOPIC: &str = "failover";
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
/// Nobody waits longer for a leader.
const LOST_AFTER: Duration = Duration::from_secs(30);

struct Fault {
    name: &'static str,
    /// Whether it hits the active controller.
    to_controller: bool,
    act: fn(&BrokerProcess),
    /// The most that is promised.
    bound: Option<Duration>,
}

const FAULTS: [Fault; 6] = [
    Fault {
        name: "SIGKILL",
        to_controller: false,
        act: BrokerProcess::end,
        bound: Some(Duration::from_millis(500)),
    },
    Fault {
        name: "SIGKILL of the active controller",
        to_controller: true,
        act: BrokerProcess::end,
        bound: Some(Duration::from_millis(1800)),
    },
    Fault {
        name: "SIGSTOP",
        to_controller: false,
        act: BrokerProcess::pause,
        bound: Some(Duration::from_millis(2300)),
    },
    Fault {
        name: "SIGSTOP of the active controller",
        to_controller: true,
        act: BrokerProcess::pause,
        bound: None,
    },
    Fault {
        name: "SIGTERM",
        to_controller: false,
        act: BrokerProcess::terminate,
        bound: Some(Duration::from_millis(100)),
    },
    Fault {
        name: "SIGTERM of the active controller",
        to_controller: true,
        act: BrokerProcess::terminate,
        bound: Some(Duration::from_millis(100)),
    },
];

#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn run(place: &Place<'_>, arguments: &Arguments) -> Result<Value, Failure> {
    let binary = target_dir("").join("release/ottla-broker");
    println!(
        "## Failover of {} partitions, three replicas on three nodes, {} runs each\n\n| fault | others lead all after, ms: least | median | most | promised |\n|---|---:|---:|---:|---:|",
        arguments.partitions, arguments.runs
    );
    let mut rows = Vec::new();
    for fault in FAULTS.iter().filter(|fault| place.common.wants(fault.name)) {
        let mut took = Vec::new();
        for _ in 0..arguments.runs {
            let folder = tempfile::tempdir_in(place.work)?;
            took.push(one(&binary, folder.path(), fault, arguments.partitions)?.as_millis() as u64);
        }
        took.sort_unstable();
        let (least, median, most) = (took[0], took[took.len() / 2], took[took.len() - 1]);
        let bound = fault.bound.map(|bound| bound.as_millis() as u64);
        let promised = bound.map_or_else(String::new, |bound| bound.to_string());
        println!("| {} | {least} | {median} | {most} | {promised} |", fault.name);
        rows.push(json!({"scenario": "failover", "fault": fault.name, "ms": took, "promised_ms": bound}));
    }
    Ok(rows.into())
}

/// A cluster that the fault hits once: how long until others lead all that the node led.
fn one(binary: &Path, folder: &Path, fault: &Fault, partitions: i32) -> Result<Duration, Failure> {
    let nodes = start(binary, folder)?;
    let mut anyone = client(&nodes, 1)?;
    let topic = TopicSpec::new(TOPIC).partitions(partitions).replicas(3);
    let created = anyone.try_create(&topic);
    if created.error_code != ErrorCode::NONE {
        return Err(format!("the topic is not created: {created:?}").into());
    }
    let active = settle(&mut anyone, partitions)?;
    let hit = (1..=NODES).find(|id| (*id == active) == fault.to_controller).unwrap_or(active);
    // One that is neither hit nor active hears of it last.
    let asked = (1..=NODES).find(|id| *id != hit && *id != active).unwrap_or(active);
    let mut asked = client(&nodes, asked)?;
    // It may have heard of less than the one that said so.
    settle(&mut asked, partitions)?;
    let began = Instant::now();
    (fault.act)(nodes.get(&hit).ok_or("no such node")?);
    loop {
        let topic = asked.topic(TOPIC);
        if topic.partitions.iter().all(|partition| partition.leader_id >= 0 && partition.leader_id != hit) {
            return Ok(began.elapsed());
        }
        if began.elapsed() > LOST_AFTER {
            return Err(format!("{}: no new leaders after {LOST_AFTER:?}", fault.name).into());
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

fn client(nodes: &BTreeMap<i32, BrokerProcess>, id: i32) -> Result<RawClient, Failure> {
    Ok(nodes.get(&id).ok_or("no such node")?.client())
}

/// Waits until every partition is on three brokers and led by its preferred replica; the active controller.
fn settle(client: &mut RawClient, partitions: i32) -> Result<i32, Failure> {
    let began = Instant::now();
    loop {
        let topic = client.topic(TOPIC);
        let led = topic.partitions.iter().filter(|partition| {
            partition.isr_nodes.len() == 3 && partition.replica_nodes.first() == Some(&partition.leader_id)
        });
        let leader = describe_quorum(client)
            .topics
            .first()
            .and_then(|topic| topic.partitions.first()?.leader_id.into());
        if let Some(active) = leader.filter(|id| *id > 0)
            && led.count() == usize::try_from(partitions).unwrap_or(0)
        {
            return Ok(active);
        }
        if began.elapsed() > SETTLED_WITHIN {
            return Err(format!("the cluster does not settle within {SETTLED_WITHIN:?}").into());
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

fn start(binary: &Path, folder: &Path) -> Result<BTreeMap<i32, BrokerProcess>, Failure> {
    std::thread::scope(|scope| {
        let starting: Vec<_> = quorum_properties(NODES)
            .into_iter()
            .map(|(id, properties)| {
                let home = folder.join(id.to_string());
                (id, scope.spawn(move || start_one(binary, &home, &properties)))
            })
            .collect();
        let joined = starting.into_iter().map(|(id, node)| {
            let node = node.join().map_err(|_| format!("node {id} panicked"))?;
            Ok((id, node.map_err(|reason| format!("node {id} does not start: {reason}"))?))
        });
        joined.collect()
    })
}

fn start_one(binary: &Path, home: &Path, properties: &str) -> Result<BrokerProcess, String> {
    const FILE: &str = "server.properties";
    let write = || std::fs::create_dir_all(home).and_then(|()| std::fs::write(home.join(FILE), properties));
    write().map_err(|error| error.to_string())?;
    let started = BrokerProcess::start(binary, home, &["--config", FILE], &BTreeMap::new());
    started.map_err(|exited| exited.stderr)
}
