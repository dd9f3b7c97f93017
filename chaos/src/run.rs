//! A run from its beginning to its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ottla_history::Violation;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::cluster::Cluster;
use crate::journal::Journal;
use crate::load::{self, Load, TOPIC};
use crate::logs::{self, Replicas};
use crate::nemesis::Nemesis;
use crate::node::Setup;
use crate::report::Report;
use crate::{Arguments, Failure, progress};

/// Nodes that nothing holds back serve within this time, and are all in sync.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
const TELL_EVERY: Duration = Duration::from_secs(10);
const LOST: &str = "R3 lost-write";

/// Whether all was as it has to be.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, Failure> {
    std::fs::create_dir_all(&arguments.work)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            // Process 1 takes all others of its namespaces with it.
            std::process::exit(130);
        }
    });
    let journal = Journal::begin();
    let setup = Setup {
        binary: arguments.binary.canonicalize()?,
        work: arguments.work.canonicalize()?,
        nodes: arguments.nodes,
        settings: arguments.settings.clone(),
    };
    let mut nemesis = Nemesis::new(arguments.seed, &arguments.only, journal.clone())?;
    let mut cluster = Cluster::build(setup, arguments.seed, journal.clone())?;
    let load = Load {
        partitions: arguments.partitions,
        producers: arguments.producers,
        records_per_s: arguments.records_per_s,
        record_bytes: arguments.record_bytes,
    };
    let report = live(arguments, &runtime, &journal, &mut cluster, &mut nemesis, load)?;
    let is_broken = !report.violations.is_empty();
    let is_as_expected = match arguments.expect_loss {
        true => report.violations.iter().any(|violation| violation.rule == LOST),
        false => !is_broken,
    };
    std::fs::write(arguments.work.join("result.json"), report.to_json().to_string())?;
    tell(&report.to_text());
    if arguments.json {
        println!("{}", report.to_json());
    }
    if arguments.keep || !is_as_expected {
        for (id, node) in &cluster.nodes {
            node.disk.copy_to(&arguments.work.join(format!("disk-{id}-at-the-end")))?;
        }
    }
    if arguments.expect_loss {
        let found = if is_as_expected { "as expected" } else { "NOT lost, which was expected" };
        tell(&format!("acknowledged records lost: {found}"));
    }
    runtime.shutdown_background();
    Ok(is_as_expected)
}

/// Load and faults, the end of both, and what is found then.
fn live(
    arguments: &Arguments,
    runtime: &Runtime,
    journal: &Journal,
    cluster: &mut Cluster,
    nemesis: &mut Nemesis,
    load: Load,
) -> Result<Report, Failure> {
    let all: Vec<i32> = cluster.nodes.keys().copied().collect();
    cluster.start(&all)?;
    cluster.settle(SETTLED_WITHIN)?;
    let servers = cluster.bootstrap_servers();
    runtime.block_on(load::create_topic(&servers, load, arguments.nodes))?;
    tell(&format!(
        "{} nodes serve; seed {}; logs in {}",
        all.len(),
        arguments.seed,
        arguments.work.display()
    ));

    let _guard = runtime.enter();
    let mut tasks = load::start(&servers, load, arguments.seed, journal);
    let (tell_ends, ends) = oneshot::channel();
    let follower = runtime.spawn(load::follow(servers.clone(), load, journal.clone(), ends));
    let from = journal.now();
    let to = from + Duration::from_secs_f64(arguments.minutes * 60.0);
    let mut told = Instant::now();
    while journal.now() < to && cluster.broken.is_empty() {
        nemesis.strike(cluster)?;
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            tell_progress(journal, nemesis, to - from);
        }
    }
    let to = journal.now();
    tell("all is healed; waiting for the rest");
    cluster.start(&all)?;
    if let Err(failure) = cluster.settle(SETTLED_WITHIN) {
        journal.unmet(failure.to_string());
    }
    journal.finish();
    runtime.block_on(async { while tasks.join_next().await.is_some() {} });
    let leaders = runtime.block_on(in_sync(&servers, load, journal));
    let scanned = runtime.block_on(load::scan(&servers, load, journal));
    match scanned {
        Ok(ends) => {
            let _ = tell_ends.send(ends);
            runtime.block_on(follower)?;
        }
        Err(failure) => journal.unmet(format!("the last scan: {failure}")),
    }
    tell("stopping the nodes; reading their logs");
    cluster.stop(&all);
    let leaders = leaders?;
    let replicas = logs::read(cluster, &leaders)?;
    Ok(judge(arguments, journal, cluster, nemesis, load, replicas, (from, to)))
}

/// Waits until every partition has a leader and all replicas in sync; the leaders.
async fn in_sync(servers: &str, load: Load, journal: &Journal) -> Result<BTreeMap<i32, i32>, String> {
    let began = Instant::now();
    loop {
        let described = match load::connect(servers, "admin").await {
            Ok(client) => client.admin().describe_topic(TOPIC).await,
            Err(error) => Err(error),
        };
        let mut unmet = Vec::new();
        match described {
            Ok(topic) => {
                let mut leaders = BTreeMap::new();
                for partition in &topic.partitions {
                    match partition.leader {
                        Some(leader) => {
                            leaders.insert(partition.index.0, leader.0);
                        }
                        None => unmet.push(format!("partition {} has no leader", partition.index)),
                    }
                    if partition.isr.len() < partition.replicas.len() {
                        unmet.push(format!("partition {}: in sync {:?}", partition.index, partition.isr));
                    }
                }
                if unmet.is_empty() && i32::try_from(leaders.len()) == Ok(load.partitions) {
                    return Ok(leaders);
                }
                if began.elapsed() > SETTLED_WITHIN {
                    unmet
                        .drain(..)
                        .for_each(|what| journal.unmet(format!("{what} after {SETTLED_WITHIN:?}")));
                    return Ok(leaders);
                }
            }
            Err(error) if began.elapsed() > SETTLED_WITHIN => return Err(error.to_string()),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn judge(
    arguments: &Arguments,
    journal: &Journal,
    cluster: &Cluster,
    nemesis: &Nemesis,
    load: Load,
    mut replicas: Replicas,
    (from, to): (Duration, Duration),
) -> Report {
    let mut history = std::mem::take(&mut *journal.history());
    history.dumps = std::mem::take(&mut replicas.dumps);
    let gaps = progress::gaps(&history.sends, load.partitions, (from, to), &cluster.without_majority());
    let mut violations = ottla_history::check(&history);
    let mut add = |rule, message| violations.push(Violation { rule, message });
    for what in &cluster.broken {
        add("node", what.clone());
    }
    for what in &replicas.differences {
        add("replicas byte-identical", what.clone());
    }
    let bound = Duration::from_secs(arguments.bound_s);
    for gap in gaps.iter().filter(|gap| gap.counts > bound).take(3) {
        let (from, to) = (gap.from.as_secs_f64(), gap.to.as_secs_f64());
        add(
            "progress",
            format!(
                "partition {}: nothing acknowledged from {from:.1} s to {to:.1} s; a majority could work for {:.1} s of it",
                gap.partition,
                gap.counts.as_secs_f64()
            ),
        );
    }
    Report::new(arguments.seed, cluster, journal, &history, &replicas, &nemesis.past, (gaps, violations))
}

fn tell_progress(journal: &Journal, nemesis: &Nemesis, of: Duration) {
    let (now, faults) = (journal.now().as_secs(), nemesis.past.len());
    let last = nemesis.past.last().map_or("", |past| past.name);
    tell(&format!(
        "{now} of {} s: {} acknowledged, {faults} faults, last {last}",
        of.as_secs(),
        journal.acknowledged()
    ));
}

fn tell(line: &str) {
    eprintln!("{line}");
}
