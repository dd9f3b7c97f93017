//! Three nodes, each broker and controller, as processes with Kafka-style settings.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use ottla_testkit::{BrokerProcess, PATIENCE, RawClient, TopicSpec, eventually};
use ottla_testkit::{ErrorCode, describe_quorum};

use crate::support::Home;

/// From the death of the active controller to the next one that serves.
const FAILOVER: Duration = Duration::from_secs(2);
/// From the start of the processes to `ready` on all of them; on a busy machine.
const FORMATION: Duration = Duration::from_secs(10);

/// The homes of nodes 1 to 3.
struct Cluster {
    homes: BTreeMap<i32, Home>,
}

impl Cluster {
    fn new() -> Self {
        // Voters have to know each other's ports beforehand: those that were free a moment ago.
        let free: Vec<TcpListener> =
            (0..3).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let ports: Vec<u16> = free.iter().map(|l| l.local_addr().expect("an address").port()).collect();
        let voters: Vec<String> =
            ports.iter().zip(1..).map(|(port, id)| format!("{id}@127.0.0.1:{port}")).collect();
        let voters = voters.join(",");
        let home = |(port, id): (&u16, i32)| {
            let properties = format!(
                "process.roles=broker,controller\nnode.id={id}\ncontroller.quorum.voters={voters}\n\
                 listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:{port}\n\
                 controller.listener.names=CONTROLLER\ninter.broker.listener.name=PLAINTEXT\n\
                 log.dirs=data\noffsets.topic.num.partitions=3\noffsets.topic.replication.factor=1\n"
            );
            (id, Home::bare().config(&properties))
        };
        Self { homes: ports.iter().zip(1..).map(home).collect() }
    }

    fn start(&self) -> BTreeMap<i32, BrokerProcess> {
        let started = Instant::now();
        let nodes = thread::scope(|scope| {
            let starting: Vec<_> =
                self.homes.iter().map(|(id, home)| (*id, scope.spawn(|| home.start()))).collect();
            starting.into_iter().map(|(id, node)| (id, node.join().expect("a node"))).collect()
        });
        println!("three nodes were ready after {:?}", started.elapsed());
        assert!(started.elapsed() < FORMATION, "{:?}", started.elapsed());
        nodes
    }
}

/// Node and epoch of the active controller, as the broker of this connection finds it out.
fn leader(client: &mut RawClient) -> Option<(i32, i32)> {
    let quorum = describe_quorum(client);
    (quorum.error_code == ErrorCode::NONE)
        .then(|| quorum.topics[0].partitions[0].clone())
        .filter(|partition| partition.leader_id >= 0)
        .map(|partition| (partition.leader_id, partition.leader_epoch))
}

/// Creates a topic and waits until every node knows it.
fn create_everywhere(nodes: &BTreeMap<i32, BrokerProcess>, through: i32, topic: &str) {
    let result = nodes[&through].client().try_create(&TopicSpec::new(topic));
    assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
    for (id, node) in nodes {
        let mut client = node.client();
        eventually(&format!("node {id} does not know {topic}"), || {
            (client.topic(topic).topic_id == result.topic_id).then_some(())
        });
    }
}

fn stop(nodes: BTreeMap<i32, BrokerProcess>) {
    for node in nodes.values() {
        node.terminate();
    }
    for (id, node) in nodes {
        let exited = node.wait();
        assert_eq!(exited.code, Some(0), "node {id}: {exited:?}");
    }
}

#[test]
fn three_processes_form_a_quorum_and_survive_the_death_of_the_active_controller() {
    let cluster = Cluster::new();
    let mut nodes = cluster.start();
    for id in 1..=3 {
        create_everywhere(&nodes, id, &format!("through-{id}"));
    }
    let quorum = describe_quorum(&mut nodes[&1].client());
    assert_eq!(quorum.nodes.iter().map(|node| node.node_id).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(quorum.nodes.iter().all(|node| node.listeners[0].port > 0), "{quorum:?}");
    assert_eq!(quorum.topics[0].partitions[0].current_voters.len(), 3);

    // The active controller dies; each survivor takes its clients' requests to the next one.
    let (first, epoch) = leader(&mut nodes[&1].client()).expect("a leader");
    let mut survivors: Vec<i32> = nodes.keys().copied().filter(|id| *id != first).collect();
    let mut client = nodes[&survivors[0]].client();
    let killed = Instant::now();
    nodes.remove(&first).expect("it runs").kill();
    let result = client.try_create(&TopicSpec::new("after-the-kill"));
    let took = killed.elapsed();
    assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
    println!("a topic was created {took:?} after the active controller was killed");
    assert!(took < FAILOVER, "{took:?}");
    let (second, next_epoch) = leader(&mut client).expect("a leader");
    assert!(second != first && next_epoch > epoch, "{second} in {next_epoch} after {first} in {epoch}");
    create_everywhere(&nodes, survivors.pop().expect("two"), "through-the-other");

    // It comes back and follows.
    nodes.insert(first, cluster.homes[&first].start());
    create_everywhere(&nodes, first, "with-the-returned");
    let end = |client: &mut RawClient| {
        let partition = describe_quorum(client).topics[0].partitions[0].clone();
        let voters = partition.current_voters.iter();
        let of = |id: i32| voters.clone().find(|voter| voter.replica_id == id).map(|v| v.log_end_offset);
        (of(first), of(partition.leader_id))
    };
    eventually("the returned voter does not catch up", || {
        let (returned, leader) = end(&mut client);
        (returned.is_some() && returned == leader).then_some(())
    });

    stop(nodes);
    let nodes = cluster.start();
    create_everywhere(&nodes, 2, "after-the-restart");
    let topics = ["through-1", "after-the-kill", "with-the-returned"];
    for topic in topics {
        assert_eq!(nodes[&3].client().topic(topic).error_code, ErrorCode::NONE, "{topic}");
    }
    stop(nodes);
}

#[test]
fn an_active_controller_that_stops_hands_over_without_an_election() {
    let cluster = Cluster::new();
    let mut nodes = cluster.start();
    let (first, epoch) = leader(&mut nodes[&1].client()).expect("a leader");
    let node = nodes.remove(&first).expect("it runs");
    node.terminate();
    let exited = node.wait();
    assert_eq!(exited.code, Some(0), "{exited:?}");
    let mut client = nodes.values().next().expect("two").client();
    let result = client.try_create(&TopicSpec::new("t"));
    assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
    let (second, next_epoch) = leader(&mut client).expect("a leader");
    assert!(second != first && next_epoch == epoch + 1, "{second} in {next_epoch} after {first} in {epoch}");
}

#[test]
fn a_voter_that_lost_its_directory_is_refused() {
    let cluster = Cluster::new();
    let mut nodes = cluster.start();
    for wiped in [1, 3] {
        nodes.remove(&wiped).expect("it runs").kill();
        let home = &cluster.homes[&wiped];
        let data = home.dir.path().join("data");
        let kept = home.dir.path().join("kept");
        std::fs::rename(&data, &kept).expect("its data");
        let started = Instant::now();
        let exited = home.refuses();
        assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
        assert_eq!(exited.code, Some(1), "{exited:?}");
        assert!(exited.stderr.contains("give it back its directory"), "{exited:?}");
        // That is the remedy.
        std::fs::remove_dir_all(&data).expect("the new directory");
        std::fs::rename(&kept, &data).expect("its data");
        nodes.insert(wiped, home.start());
        create_everywhere(&nodes, wiped, &format!("after-{wiped}"));
    }
}
