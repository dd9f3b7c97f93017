//! `ottla cluster` against nodes in this process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use ottla_testkit::{ErrorCode, NodeSpec, TestNode, TopicSpec, eventually};
use serde_json::{Value, json};

/// Exit code and JSON of `ottla cluster …`, asked of `node`.
fn cluster(node: &TestNode, arguments: &str) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_ottla"))
        .args(["cluster", "--format", "json", "-b", &node.address().to_string()])
        .args(arguments.split(' '))
        .output()
        .expect("the command");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let json = if out.is_empty() { Value::Null } else { serde_json::from_str(&out).expect("JSON") };
    let status = output.status.code();
    assert!(status.is_some(), "{arguments} did not end by itself: {json} {err}");
    (status.unwrap_or_default(), json)
}

/// A broker and controller that joins the cluster of `first`.
fn joining(id: i32, first: Option<&TestNode>) -> NodeSpec {
    let spec = NodeSpec::new().set("node.id", &id.to_string()).set("ottla.balancer.enable", "false");
    match first {
        Some(node) => {
            let at = node.listener("CONTROLLER").to_string();
            spec.set("process.roles", "broker,controller").set("controller.quorum.bootstrap.servers", &at)
        }
        None => spec,
    }
}

fn ids(replicas: &Value) -> Vec<i64> {
    replicas.as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
}

fn kinds(health: &Value) -> Vec<&str> {
    health["findings"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect()
}

#[test]
fn voters_come_and_go_and_a_dead_node_is_told_until_it_is_back() {
    let first = joining(1, None).start();
    let specs = [2, 3].map(|id| joining(id, Some(&first)));
    let [second, third] = specs.each_ref().map(NodeSpec::start);
    let (code, quorum) = cluster(&first, "quorum");
    assert_eq!((code, ids(&quorum["voters"])), (0, vec![1]));
    assert_eq!(quorum["leader"], 1);

    assert_eq!(cluster(&first, "quorum add 9").0, 1, "who does not follow cannot vote");
    for id in [2, 3] {
        eventually("it does not follow", || {
            ids(&cluster(&first, "quorum").1["observers"]).contains(&id).then_some(())
        });
        assert_eq!(cluster(&second, &format!("quorum add {id}")).0, 0);
    }
    assert_eq!(cluster(&first, "quorum add 3").0, 1, "it votes already");
    let (_, quorum) = cluster(&third, "quorum");
    assert_eq!((ids(&quorum["voters"]), ids(&quorum["observers"])), (vec![1, 2, 3], vec![]));
    for voter in quorum["voters"].as_array().unwrap() {
        assert!(voter["directory"].is_string() && voter["log_end"].as_i64() > Some(0), "{voter}");
        assert!(voter["endpoints"][0].as_str().unwrap().starts_with("CONTROLLER://127.0.0.1:"), "{voter}");
    }

    let spec = TopicSpec::new("t").partitions(2).replicas(3).config("min.insync.replicas", "2");
    let created = first.client().try_create(&spec);
    assert_eq!(created.error_code, ErrorCode::NONE, "{created:?}");
    let (code, health) = cluster(&first, "health --wait 60");
    assert_eq!((code, kinds(&health)), (0, vec![]));
    let quorum = &health["quorum"];
    assert_eq!([&quorum["voters"], &quorum["voters_up"], &quorum["may_lose"]], [3, 3, 1]);
    assert_eq!(health["brokers"], json!({"registered": 3, "up": 3}));
    assert_eq!(health["partitions"]["total"], 2);

    third.kill();
    let health = eventually("its death is not told", || {
        let (code, health) = cluster(&first, "health");
        let told = kinds(&health).starts_with(&["voter_down", "broker_fenced", "at_min_isr"]);
        (code == 1 && told).then_some(health)
    });
    assert_eq!(health["partitions"]["at_min_isr"], 2);
    assert_eq!(health["quorum"]["may_lose"], 0);
    for finding in health["findings"].as_array().unwrap().iter().take(3) {
        assert_eq!(finding["nodes"], json!([3]), "{finding}");
    }
    assert_eq!(cluster(&first, "health --wait 1").0, 1, "it is not back by itself");

    let third = specs[1].start();
    let (code, health) = cluster(&second, "health --wait 60");
    assert_eq!((code, &health["healthy"]), (0, &json!(true)));

    let (code, removed) = cluster(&third, "quorum remove 2");
    assert_eq!((code, &removed["voters"]), (0, &json!([1, 3])));
    assert_eq!(cluster(&third, "quorum remove 2").0, 1, "it does not vote");
    eventually("it votes", || {
        let (_, quorum) = cluster(&first, "quorum");
        (ids(&quorum["voters"]) == [1, 3] && ids(&quorum["observers"]) == [2]).then_some(())
    });
}

#[test]
fn a_cluster_that_nobody_can_reach_is_not_healthy_and_the_code_says_why() {
    let node = joining(1, None).start();
    assert_eq!(cluster(&node, "health --wait 60").0, 0);
    let address = node.address();
    node.stop();
    let output = Command::new(env!("CARGO_BIN_EXE_ottla"))
        .args(["cluster", "health", "-b", &address.to_string(), "--timeout", "3"])
        .output()
        .expect("the command");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(5), &[][..]));
}
