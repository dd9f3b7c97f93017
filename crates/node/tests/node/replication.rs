//! Partitions with replicas on several brokers: what is acknowledged is on all of them, whoever dies.

use std::fs;
use std::path::Path;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::metadata::MetadataResponsePartition;
use ottla_testkit::{
    ACKS_ALL, ACKS_LEADER, DiskGate, NodeSpec, RawClient, TestNode, TopicSpec, batch, eventually,
};

const BROKERS: [i32; 3] = [1, 2, 3];

/// A controller and three brokers, each a node of its own.
struct Cluster {
    _controller: TestNode,
    specs: Vec<NodeSpec>,
    nodes: Vec<Option<TestNode>>,
}

impl Cluster {
    fn start() -> Self {
        Self::start_with(|_, spec| spec)
    }

    /// Each broker may be set up differently.
    fn start_with(adapt: impl Fn(i32, NodeSpec) -> NodeSpec) -> Self {
        let controller = NodeSpec::new()
            .set("process.roles", "controller")
            .set("node.id", "100")
            .set("listeners", "CONTROLLER://127.0.0.1:0")
            .start();
        let servers = controller.listener("CONTROLLER").to_string();
        let spec = |id: i32| {
            let spec = NodeSpec::new()
                .set("process.roles", "broker")
                .set("node.id", &id.to_string())
                .set("listeners", "PLAINTEXT://127.0.0.1:0")
                .set("controller.quorum.bootstrap.servers", &servers);
            adapt(id, spec)
        };
        let specs: Vec<NodeSpec> = BROKERS.into_iter().map(spec).collect();
        let nodes = specs.iter().map(|spec| Some(spec.start())).collect();
        Self { _controller: controller, specs, nodes }
    }

    fn any(&self) -> RawClient {
        self.nodes.iter().flatten().next().expect("one lives").client()
    }

    fn client(&self, id: i32) -> RawClient {
        self.nodes[slot(id)].as_ref().expect("it lives").client()
    }

    fn kill(&mut self, id: i32) {
        self.nodes[slot(id)].take().expect("it lives").kill();
    }

    fn restart(&mut self, id: i32) {
        self.nodes[slot(id)] = Some(self.specs[slot(id)].start());
    }

    /// Stops all brokers in an orderly way.
    fn stop(&mut self) {
        self.nodes.iter_mut().filter_map(Option::take).for_each(TestNode::stop);
    }

    fn create(&self, topic: &TopicSpec<'_>) {
        let result = self.any().try_create(topic);
        assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
    }

    fn partition(&self, topic: &str) -> Option<MetadataResponsePartition> {
        self.any().topic(topic).partitions.into_iter().next()
    }

    /// Waits until somebody other than `not` leads.
    fn leader_but(&self, topic: &str, not: i32) -> i32 {
        eventually("nobody leads", || {
            let leader = self.partition(topic)?.leader_id;
            (leader >= 0 && leader != not && self.nodes[slot(leader)].is_some()).then_some(leader)
        })
    }

    fn leader(&self, topic: &str) -> i32 {
        self.leader_but(topic, -1)
    }

    fn wait_for_isr(&self, topic: &str, wanted: &[i32]) {
        eventually(&format!("{topic} is not in sync on {wanted:?}"), || {
            let mut isr = self.partition(topic)?.isr_nodes.to_vec();
            isr.sort_unstable();
            (isr == wanted).then_some(())
        });
    }

    /// Appends as a producer does that tries again; how it was acknowledged.
    fn produce(&self, topic: &str, acks: i16, value: &str) {
        eventually(&format!("{value} is not acknowledged"), || {
            let leader = self.leader(topic);
            let produced = self.client(leader).try_produce(topic, 0, acks, batch::one(value));
            (produced.error_code == ErrorCode::NONE).then_some(())
        });
    }

    /// What consumers read, once it is `count` records.
    fn values(&self, topic: &str, count: usize) -> Vec<String> {
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

fn slot(id: i32) -> usize {
    usize::try_from(id - 1).unwrap()
}

fn others(id: i32) -> Vec<i32> {
    BROKERS.into_iter().filter(|&other| other != id).collect()
}

/// The bytes of a partition's first segment; what is preallocated behind them is not part of it.
fn segment(data: &Path, folder: &str) -> Vec<u8> {
    let mut bytes = fs::read(data.join(folder).join("00000000000000000000.log")).expect("a segment");
    let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.truncate(len);
    bytes
}

#[test]
fn acknowledged_records_are_on_all_replicas_byte_by_byte() {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").replicas(3));
    for i in 0..50 {
        cluster.produce("t", ACKS_ALL, &i.to_string());
    }
    let segments: Vec<_> = cluster.specs.iter().map(|spec| segment(spec.data(), "t-0")).collect();
    assert!(segments[0].len() > 50 * 60);
    assert!(segments[0] == segments[1] && segments[0] == segments[2], "without any wait after the last one");
    let expected: Vec<String> = (0..50).map(|i| i.to_string()).collect();
    assert_eq!(cluster.values("t", 50), expected);
    cluster.wait_for_isr("t", &BROKERS);
    cluster.stop();
}

#[test]
fn a_killed_leader_is_replaced_and_comes_back_in_sync() {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").replicas(3).config("min.insync.replicas", "2"));
    let mut expected = Vec::new();
    let mut produce = |cluster: &Cluster, value: String| {
        cluster.produce("t", ACKS_ALL, &value);
        expected.push(value);
    };
    let first = cluster.leader("t");
    for i in 0..20 {
        produce(&cluster, format!("a{i}"));
    }
    cluster.kill(first);
    let second = cluster.leader_but("t", first);
    for i in 0..20 {
        produce(&cluster, format!("b{i}"));
    }
    cluster.wait_for_isr("t", &others(first));
    cluster.restart(first);
    cluster.wait_for_isr("t", &BROKERS);
    produce(&cluster, "c".to_owned());
    assert_eq!(cluster.leader("t"), second, "who comes back follows");
    cluster.kill(second);
    cluster.leader_but("t", second);
    produce(&cluster, "d".to_owned());
    assert_eq!(cluster.values("t", expected.len()), expected);
    cluster.restart(second);
    cluster.wait_for_isr("t", &BROKERS);
    cluster.stop();
    let segments: Vec<_> = cluster.specs.iter().map(|spec| segment(spec.data(), "t-0")).collect();
    assert!(segments[0] == segments[1] && segments[0] == segments[2]);
}

#[test]
fn too_few_in_sync_replicas_take_no_records_that_all_must_have() {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").replicas(3).config("min.insync.replicas", "2"));
    cluster.produce("t", ACKS_ALL, "a");
    let leader = cluster.leader("t");
    for id in others(leader) {
        cluster.kill(id);
    }
    cluster.wait_for_isr("t", &[leader]);
    eventually("an append is taken", || {
        let refused = cluster.client(leader).try_produce("t", 0, ACKS_ALL, batch::one("lost"));
        (refused.error_code == ErrorCode::NOT_ENOUGH_REPLICAS).then_some(())
    });
    cluster.produce("t", ACKS_LEADER, "b");
    assert_eq!(cluster.values("t", 1), ["a"], "not committed, so not shown");
    cluster.restart(others(leader)[0]);
    cluster.produce("t", ACKS_ALL, "c");
    assert_eq!(cluster.values("t", 3), ["a", "b", "c"]);
    cluster.stop();
}

#[test]
fn a_follower_that_stands_still_leaves_the_in_sync_set_and_returns() {
    let gate = DiskGate::on_syncs(&["t-0"]);
    let slow = 3;
    let mut cluster = Cluster::start_with(|id, spec| {
        let spec = spec.set("replica.lag.time.max.ms", "500");
        if id == slow { spec.map_disk(|disk| gate.before(disk)) } else { spec }
    });
    cluster.create(&TopicSpec::new("t").replicas(3));
    cluster.produce("t", ACKS_ALL, "a");
    if cluster.leader("t") == slow {
        // Somebody else shall lead.
        cluster.kill(slow);
        cluster.leader_but("t", slow);
        cluster.restart(slow);
    }
    cluster.wait_for_isr("t", &BROKERS);
    gate.close();
    let mut client = cluster.client(cluster.leader("t"));
    let sent = client.send_produce("t", ACKS_ALL, batch::one("b"));
    gate.wait_for_held(1);
    assert!(client.is_silent(), "it is not safe on a follower that counts");
    assert_eq!(client.receive_produced(sent).error_code, ErrorCode::NONE);
    cluster.wait_for_isr("t", &others(slow));
    cluster.produce("t", ACKS_ALL, "c");
    gate.open();
    cluster.wait_for_isr("t", &BROKERS);
    assert_eq!(cluster.values("t", 3), ["a", "b", "c"]);
    cluster.stop();
}
