//! A controller and three brokers, each a node of its own.

use std::fs;
use std::path::Path;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::metadata::MetadataResponsePartition;
use ottla_testkit::{NodeSpec, RawClient, TestNode, TopicSpec, batch, eventually};

pub(crate) const BROKERS: [i32; 3] = [1, 2, 3];

/// The cluster.
pub(crate) struct Cluster {
    controller: TestNode,
    pub(crate) specs: Vec<NodeSpec>,
    nodes: Vec<Option<TestNode>>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        Self::start_with(|_, spec| spec)
    }

    /// Each broker may be set up differently.
    pub(crate) fn start_with(adapt: impl Fn(i32, NodeSpec) -> NodeSpec) -> Self {
        let controller = NodeSpec::new()
            .set("process.roles", "controller")
            .set("node.id", "100")
            .set("listeners", "CONTROLLER://127.0.0.1:0")
            // Tests put partitions where they want them; those about the balancer have it begin.
            .set("ottla.balancer.enable", "false")
            .set("ottla.balancer.interval.ms", "20")
            .start();
        let mut cluster = Self { controller, specs: Vec::new(), nodes: Vec::new() };
        for id in BROKERS {
            cluster.add(|spec| adapt(id, spec));
        }
        cluster
    }

    /// Starts a further broker, with the next id.
    pub(crate) fn add(&mut self, adapt: impl FnOnce(NodeSpec) -> NodeSpec) {
        let id = self.specs.len() + 1;
        let spec = NodeSpec::new()
            .set("process.roles", "broker")
            .set("node.id", &id.to_string())
            .set("listeners", "PLAINTEXT://127.0.0.1:0")
            .set("controller.quorum.bootstrap.servers", &self.controller.listener("CONTROLLER").to_string());
        let spec = adapt(spec);
        self.nodes.push(Some(spec.start()));
        self.specs.push(spec);
    }

    pub(crate) fn any(&self) -> RawClient {
        self.nodes.iter().flatten().next().expect("one lives").client()
    }

    pub(crate) fn client(&self, id: i32) -> RawClient {
        self.nodes[slot(id)].as_ref().expect("it lives").client()
    }

    pub(crate) fn kill(&mut self, id: i32) {
        self.nodes[slot(id)].take().expect("it lives").kill();
    }

    pub(crate) fn restart(&mut self, id: i32) {
        self.nodes[slot(id)] = Some(self.specs[slot(id)].start());
    }

    /// Restarts all brokers.
    pub(crate) fn restart_all(&mut self) {
        self.stop();
        BROKERS.into_iter().for_each(|id| self.restart(id));
    }

    /// Stops all brokers in an orderly way.
    pub(crate) fn stop(&mut self) {
        self.nodes.iter_mut().filter_map(Option::take).for_each(TestNode::stop);
    }

    pub(crate) fn create(&self, topic: &TopicSpec<'_>) {
        let result = self.any().try_create(topic);
        assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
    }

    pub(crate) fn partition(&self, topic: &str) -> Option<MetadataResponsePartition> {
        self.any().topic(topic).partitions.into_iter().next()
    }

    /// Waits until somebody other than `not` leads.
    pub(crate) fn leader_but(&self, topic: &str, not: i32) -> i32 {
        eventually("nobody leads", || {
            let leader = self.partition(topic)?.leader_id;
            (leader >= 0 && leader != not && self.nodes[slot(leader)].is_some()).then_some(leader)
        })
    }

    pub(crate) fn leader(&self, topic: &str) -> i32 {
        self.leader_but(topic, -1)
    }

    pub(crate) fn wait_for_isr(&self, topic: &str, wanted: &[i32]) {
        eventually(&format!("{topic} is not in sync on {wanted:?}"), || {
            let mut isr = self.partition(topic)?.isr_nodes.to_vec();
            isr.sort_unstable();
            (isr == wanted).then_some(())
        });
    }

    /// Appends as a producer does that tries again; how it was acknowledged.
    pub(crate) fn produce(&self, topic: &str, acks: i16, value: &str) {
        eventually(&format!("{value} is not acknowledged"), || {
            let leader = self.leader(topic);
            let produced = self.client(leader).try_produce(topic, 0, acks, batch::one(value));
            (produced.error_code == ErrorCode::NONE).then_some(())
        });
    }

    /// What consumers read, once it is `count` records.
    pub(crate) fn values(&self, topic: &str, count: usize) -> Vec<String> {
        eventually(&format!("not {count} records can be read"), || {
            let mut client = self.client(self.leader(topic));
            let end = client.list_offset(topic, ottla_testkit::LATEST);
            if end.error_code != ErrorCode::NONE || end.offset < i64::try_from(count).unwrap() {
                return None;
            }
            Some(client.read_values(topic, 0))
        })
    }
}

pub(crate) fn slot(id: i32) -> usize {
    usize::try_from(id - 1).unwrap()
}

pub(crate) fn others(id: i32) -> Vec<i32> {
    BROKERS.into_iter().filter(|&other| other != id).collect()
}

/// The bytes of a partition's first segment; what is preallocated behind them is not part of it.
pub(crate) fn segment(data: &Path, folder: &str) -> Vec<u8> {
    let mut bytes = fs::read(data.join(folder).join("00000000000000000000.log")).expect("a segment");
    let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.truncate(len);
    bytes
}
