//! The metadata quorum of several processes: forming, losing the active controller, wiped directories.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use ottla_testkit::{BrokerProcess, PATIENCE, RawClient, SAFE_DOWNGRADE, TopicSpec, UPGRADE, eventually};
use ottla_testkit::{ErrorCode, describe_quorum};

use crate::cluster::{Cluster, stop};

/// From the death of the active controller to the next one that serves.
const FAILOVER: Duration = Duration::from_secs(2);
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

#[test]
fn three_processes_form_a_quorum_and_survive_the_death_of_the_active_controller() {
    let cluster = Cluster::of(3);
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

/// The answer of the admin listener at `address` to a question for `/readyz`, once it has `wanted` in it.
fn readiness(address: SocketAddr, wanted: &str) -> Option<String> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let mut answer = String::new();
        if let Ok(mut stream) = TcpStream::connect(address) {
            let asked = stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let _ = asked.and_then(|()| stream.read_to_string(&mut answer));
        }
        if answer.contains(wanted) {
            return Some(answer);
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}

#[test]
fn a_voter_that_starts_alone_is_not_ready_and_says_who_is_missing() {
    let mut cluster = Cluster::of(3);
    let admin = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let setting = format!("admin.listener={admin}");
    cluster.homes.get_mut(&2).expect("a home").arguments.extend(["--set".to_owned(), setting]);
    stop(cluster.start());
    let homes = &cluster.homes;
    let (alone, later) = thread::scope(|scope| {
        let second = scope.spawn(|| homes[&2].start());
        let alone = readiness(admin, "these do not: 1 (");
        // It gets ready with the others, whatever it said.
        let others = [1, 3].map(|id| scope.spawn(move || homes[&id].start()));
        let others = others.map(|node| node.join().expect("a node"));
        let second = second.join().expect("a node");
        let later = readiness(admin, "\"ready\":true");
        drop((second, others));
        (alone, later)
    });
    let alone = alone.expect("it does not say who is missing");
    assert!(alone.starts_with("HTTP/1.1 503 ") && alone.contains(", 3 ("), "{alone}");
    assert!(later.is_some(), "it does not get ready");
}

#[test]
fn an_active_controller_that_stops_hands_over_without_an_election() {
    let cluster = Cluster::of(3);
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
    let cluster = Cluster::of(3);
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

#[test]
fn two_wiped_voters_of_three_are_refused_and_the_third_keeps_everything() {
    let cluster = Cluster::of(3);
    let nodes = cluster.start();
    create_everywhere(&nodes, 1, "kept");
    stop(nodes);
    let homes = &cluster.homes;
    let set_aside = |id: i32| {
        let dir = homes[&id].dir.path();
        std::fs::rename(dir.join("data"), dir.join("kept")).expect("its data");
    };
    let give_back = |id: i32| {
        let dir = homes[&id].dir.path();
        std::fs::remove_dir_all(dir.join("data")).expect("the new directory");
        std::fs::rename(dir.join("kept"), dir.join("data")).expect("its data");
    };
    set_aside(1);
    set_aside(2);
    let nodes = thread::scope(|scope| {
        // It has no majority, and is not ready before it has one.
        let third = scope.spawn(|| homes[&3].start());
        let wiped = [1, 2].map(|id| (id, scope.spawn(move || homes[&id].refuses())));
        for (id, refused) in wiped {
            let exited = refused.join().expect("it ran");
            assert_eq!(exited.code, Some(1), "node {id}: {exited:?}");
            assert!(exited.stderr.contains("give it back its directory"), "node {id}: {exited:?}");
            give_back(id);
        }
        let others = [1, 2].map(|id| (id, scope.spawn(move || homes[&id].start())));
        let others = others.into_iter().map(|(id, node)| (id, node.join().expect("a node")));
        let mut nodes: BTreeMap<i32, BrokerProcess> = others.collect();
        nodes.insert(3, third.join().expect("a node"));
        nodes
    });
    for node in nodes.values() {
        assert_eq!(node.client().topic("kept").error_code, ErrorCode::NONE);
    }
    create_everywhere(&nodes, 3, "goes-on");
}

#[test]
fn a_controller_that_stands_still_is_replaced_and_follows_when_it_goes_on() {
    let cluster = Cluster::of(3);
    let nodes = cluster.start();
    let (first, epoch) = leader(&mut nodes[&1].client()).expect("a leader");
    let other = nodes.keys().copied().find(|id| *id != first).expect("two");
    nodes[&first].pause();
    let paused = Instant::now();
    let result = nodes[&other].client().try_create(&TopicSpec::new("meanwhile"));
    println!("a topic was created {:?} after the active controller stood still", paused.elapsed());
    assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
    nodes[&first].resume();
    eventually("the old leader does not follow", || {
        let (now, now_epoch) = leader(&mut nodes[&first].client())?;
        (now != first && now_epoch > epoch).then_some(())
    });
    create_everywhere(&nodes, first, "through-the-old-leader");
}

#[test]
fn five_voters_survive_the_death_of_two() {
    let cluster = Cluster::of(5);
    let mut nodes = cluster.start();
    for round in 0..2 {
        let any = *nodes.keys().next().expect("some live");
        let (active, _) = eventually("nobody leads", || leader(&mut nodes[&any].client()));
        nodes.remove(&active).expect("it runs").kill();
        let through = *nodes.keys().next().expect("some live");
        create_everywhere(&nodes, through, &format!("after-{round}"));
    }
}

#[test]
fn a_feature_is_finalized_only_while_every_controller_says_that_it_supports_it() {
    const FEATURE: &str = "eligible.leader.replicas.version";
    let cluster = Cluster::of(3);
    let mut nodes = cluster.start();
    let off = nodes[&1].client().update_feature(FEATURE, 0, SAFE_DOWNGRADE);
    assert_eq!(off.0, ErrorCode::NONE, "{off:?}");
    let (active, _) = leader(&mut nodes[&1].client()).expect("a leader");
    let (gone, asked) = if active == 3 { (1, 2) } else { (3, active) };
    nodes.remove(&gone).expect("it runs").kill();
    let (error, reason) = nodes[&asked].client().update_feature(FEATURE, 1, UPGRADE);
    assert_eq!(error, ErrorCode::INVALID_UPDATE_VERSION, "{reason}");
    assert!(reason.contains(&format!("Controller {gone} does not answer")), "{reason}");
    nodes.insert(gone, cluster.homes[&gone].start());
    let on = nodes[&asked].client().update_feature(FEATURE, 1, UPGRADE);
    assert_eq!(on.0, ErrorCode::NONE, "{on:?}");
    let unknown = nodes[&asked].client().update_feature("metadata.version", 99, UPGRADE);
    assert!(unknown.1.contains("only supports versions 17-30"), "{unknown:?}");
}
