//! The nodes together: what was done to them, and since when a majority of them could work.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::journal::Journal;
use crate::network::{Network, Place};
use crate::node::{Node, Setup, last_lines};

/// How often the nodes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A process that was killed is gone by then, one that was asked to stop too.
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// All nodes, the network between them, and what happened to them.
pub(crate) struct Cluster {
    pub(crate) setup: Setup,
    pub(crate) nodes: BTreeMap<i32, Node>,
    pub(crate) network: Network,
    journal: Journal,
    log: File,
    /// When it changed whether a majority could work, and how.
    majority: Vec<(Duration, bool)>,
    slowest_start: Duration,
    /// What must not happen to a node.
    pub(crate) broken: Vec<String>,
}

impl Cluster {
    /// Nodes with empty disks in a new network; none runs.
    pub(crate) fn build(setup: Setup, seed: u64, journal: Journal) -> Result<Self, Failure> {
        let network = Network::build(setup.nodes)?;
        let node = |id: i32| Ok((id, Node::new(&setup, id, seed.wrapping_add(id.unsigned_abs().into()))?));
        let nodes = (1..=setup.nodes).map(node).collect::<Result<_, Failure>>()?;
        let log = File::create(setup.work.join("faults.log"))?;
        let majority = vec![(Duration::ZERO, false)];
        let slowest_start = Duration::ZERO;
        Ok(Self { setup, nodes, network, journal, log, majority, slowest_start, broken: Vec::new() })
    }

    /// `host:port` of all brokers.
    pub(crate) fn bootstrap_servers(&self) -> String {
        let address = |id: &i32| format!("{}:{}", Place::Node(*id).address(), crate::node::BROKER_PORT);
        self.nodes.keys().map(address).collect::<Vec<_>>().join(",")
    }

    /// Starts nodes that do not run.
    pub(crate) fn start(&mut self, ids: &[i32]) -> Result<(), Failure> {
        for id in ids {
            if let Some(node) = self.nodes.get_mut(id) {
                node.start(&self.setup)?;
            }
        }
        Ok(())
    }

    /// SIGKILL to all of `ids` as good as at once.
    pub(crate) fn kill(&mut self, ids: &[i32]) {
        self.each(ids, |node| node.kill());
        for id in ids {
            self.wait_for_end(*id);
        }
        self.look();
    }

    /// SIGKILL, and what their disks had not synced is gone.
    pub(crate) fn lose_power(&mut self, ids: &[i32]) {
        self.kill(ids);
        self.each(ids, |node| node.disk.lose_power());
    }

    /// SIGTERM, and their end.
    pub(crate) fn stop(&mut self, ids: &[i32]) {
        self.each(ids, |node| node.terminate());
        for id in ids {
            self.wait_for_end(*id);
        }
        self.look();
    }

    /// Does the same to each of them.
    pub(crate) fn each(&mut self, ids: &[i32], mut act: impl FnMut(&mut Node)) {
        for id in ids {
            if let Some(node) = self.nodes.get_mut(id) {
                act(node);
            }
        }
        self.note_majority();
    }

    fn wait_for_end(&mut self, id: i32) {
        let Some(node) = self.nodes.get_mut(&id).filter(|node| node.runs()) else { return };
        match node.wait(GONE_WITHIN) {
            None => {
                self.break_with(format!("node {id} does not stop within {GONE_WITHIN:?}"));
                if let Some(node) = self.nodes.get_mut(&id) {
                    node.kill();
                    node.wait(GONE_WITHIN);
                }
            }
            Some(status) if status.code().is_some_and(|code| code != 0) => {
                self.break_with(format!("node {id} stopped with {status}{}", self.log_of(id)));
            }
            Some(_) => {}
        }
    }

    /// Lets time pass, with an eye on the nodes.
    pub(crate) fn pass(&mut self, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time && !self.journal.is_over() {
            self.look();
            thread::sleep(LOOK_EVERY.min(time));
        }
    }

    /// Waits until all nodes serve.
    pub(crate) fn settle(&mut self, patience: Duration) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            self.look();
            let late: Vec<_> =
                self.nodes.iter().filter(|(_, node)| !node.serves()).map(|(id, _)| *id).collect();
            let Some(&first) = late.first() else { return Ok(()) };
            if began.elapsed() > patience {
                return Err(
                    format!("nodes {late:?} do not serve after {patience:?}{}", self.log_of(first)).into()
                );
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Notes who became ready, who ended by itself, and whether a majority can work.
    pub(crate) fn look(&mut self) {
        let mut ended = Vec::new();
        for (id, node) in &mut self.nodes {
            match node.look() {
                Ok(took) => self.slowest_start = self.slowest_start.max(took.unwrap_or_default()),
                Err(status) => ended.push((*id, status)),
            }
        }
        for (id, status) in ended {
            self.break_with(format!("node {id} ended by itself with {status}{}", self.log_of(id)));
        }
        self.note_majority();
    }

    fn note_majority(&mut self) {
        let now = self.has_majority();
        if self.majority.last().is_none_or(|(_, before)| *before != now) {
            self.majority.push((self.journal.now(), now));
        }
    }

    /// Whether so many nodes serve and hear each other and the clients that progress is due.
    fn has_majority(&self) -> bool {
        let serving: Vec<i32> =
            self.nodes.iter().filter(|(_, node)| node.serves()).map(|(id, _)| *id).collect();
        let reach = |a: i32, b: i32| self.network.connects(Place::Node(a), Place::Node(b));
        let is_whole = |group: &[i32]| {
            group.iter().enumerate().all(|(i, a)| {
                self.network.connects(Place::Node(*a), Place::Clients)
                    && group.iter().skip(i + 1).all(|b| reach(*a, *b))
            })
        };
        (0_u32..1 << serving.len()).any(|set| {
            let group: Vec<i32> =
                serving.iter().enumerate().filter(|(i, _)| set & (1 << i) != 0).map(|(_, id)| *id).collect();
            group.len() > self.nodes.len() / 2 && is_whole(&group)
        })
    }

    /// When a majority could not work: from, to.
    pub(crate) fn without_majority(&self) -> Vec<(Duration, Duration)> {
        let ends = self.majority.iter().skip(1).map(|(at, _)| *at).chain([Duration::MAX]);
        self.majority
            .iter()
            .zip(ends)
            .filter(|((_, can), _)| !can)
            .map(|((from, _), to)| (*from, to))
            .collect()
    }

    /// From exec to `ready`, at most.
    pub(crate) fn slowest_start(&self) -> Duration {
        self.slowest_start
    }

    /// Writes down what was done, with the time.
    pub(crate) fn tell(&mut self, what: impl Display) {
        let at = self.journal.now().as_secs_f64();
        // The run goes on without its log.
        let _ = writeln!(self.log, "{at:9.3} {what}");
    }

    fn break_with(&mut self, what: String) {
        self.tell(&what);
        self.broken.push(what);
    }

    fn log_of(&self, id: i32) -> String {
        let lines = last_lines(&self.setup.work, id, 5);
        if lines.is_empty() { String::new() } else { format!("; it said last:\n  {}", lines.join("\n  ")) }
    }
}
