//! `--dev-nodes`: a cluster from one command.

use std::net::TcpListener;

use ottla_testkit::{ErrorCode, TopicSpec, eventually};

use crate::support::Home;

/// A port from which on all those are free that three nodes take.
fn free_port(from: u16) -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let is_good =
        |first: &u16| [0, 10, 20].iter().all(|node| [0, 1, 552].iter().all(|of| is_free(first + node + of)));
    (0..1000).map(|step| from + step * 7).find(is_good).expect("free ports")
}

fn home(port: u16) -> Home {
    let home = Home::bare().argument("--dev-nodes").argument("3");
    home.argument("--dev-port").argument(&port.to_string())
}

#[test]
fn three_nodes_start_serve_and_stop_with_one_command() {
    let home = home(free_port(20_000));
    let nodes = home.start();
    assert_eq!(nodes.ready_line().matches("PLAINTEXT://").count(), 3, "{}", nodes.ready_line());
    let mut client = nodes.client();
    let created = client.try_create(&TopicSpec::new("t").replicas(3));
    assert_eq!(created.error_code, ErrorCode::NONE, "{created:?}");
    eventually("it is not on three nodes", || {
        (client.topic("t").partitions.first()?.isr_nodes.len() == 3).then_some(())
    });
    for id in 1..=3 {
        assert!(home.dir.path().join(format!("ottla-data/{id}/meta.properties")).exists(), "node {id}");
    }
    nodes.terminate();
    let exited = nodes.wait();
    assert_eq!(exited.code, Some(0), "{}", exited.stderr);
    assert_eq!(exited.stdout.lines().count(), 1, "{}", exited.stdout);
}

#[test]
fn a_node_that_does_not_start_is_told_and_stops_the_others() {
    let port = free_port(28_000);
    let _taken = TcpListener::bind(("127.0.0.1", port + 10)).expect("a free port");
    let exited = home(port).refuses();
    assert_eq!(exited.code, Some(1), "{exited:?}");
    assert!(exited.stderr.contains("node 2 does not start"), "{}", exited.stderr);
}
