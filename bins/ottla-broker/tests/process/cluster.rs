//! Several nodes, each broker and controller, as processes with Kafka-style settings.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use ottla_testkit::{BrokerProcess, quorum_properties};

use crate::support::Home;

/// From the start of the processes to `ready` on all of them; on a busy machine.
const FORMATION: Duration = Duration::from_secs(10);

/// The homes of nodes 1 and up.
pub(crate) struct Cluster {
    pub(crate) homes: BTreeMap<i32, Home>,
}

impl Cluster {
    /// `count` nodes that know each other; none runs yet.
    pub(crate) fn of(count: i32) -> Self {
        let home = |(id, properties): (i32, String)| {
            let few = "offsets.topic.num.partitions=3\noffsets.topic.replication.factor=1\n";
            (id, Home::bare().config(&format!("{properties}{few}")))
        };
        Self { homes: quorum_properties(count).into_iter().map(home).collect() }
    }

    /// Starts all of them at the same time.
    pub(crate) fn start(&self) -> BTreeMap<i32, BrokerProcess> {
        let started = Instant::now();
        let nodes: BTreeMap<_, _> = thread::scope(|scope| {
            let starting: Vec<_> =
                self.homes.iter().map(|(id, home)| (*id, scope.spawn(|| home.start()))).collect();
            starting.into_iter().map(|(id, node)| (id, node.join().expect("a node"))).collect()
        });
        println!("{} nodes were ready after {:?}", nodes.len(), started.elapsed());
        assert!(started.elapsed() < FORMATION, "{:?}", started.elapsed());
        nodes
    }
}

/// Asks all of them to stop, and waits.
pub(crate) fn stop(nodes: BTreeMap<i32, BrokerProcess>) {
    for node in nodes.values() {
        node.terminate();
    }
    for (id, node) in nodes {
        let exited = node.wait();
        assert_eq!(exited.code, Some(0), "node {id}: {exited:?}");
    }
}
