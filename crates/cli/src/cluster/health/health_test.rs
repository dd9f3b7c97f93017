//! What is found in a cluster, by what it says of itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use ottla_client::{
    BrokerInfo, ClientError, EligibleLeaders, LeaderEpoch, Listening, LogDirInfo, NodeId, Offset,
    PartitionIndex, PartitionInfo, QuorumEndpoint, QuorumInfo, QuorumReplica, Reassignment, RegisteredBroker,
    TopicInfo, TopicPartition,
};

use super::look::{Look, QuorumLook};
use super::report::Report;

fn ids(ids: &[i32]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

fn at(partition: i32) -> TopicPartition {
    TopicPartition::new("t", partition)
}

fn broker(id: i32) -> RegisteredBroker {
    RegisteredBroker {
        info: BrokerInfo { id: NodeId(id), host: "h".into(), port: 9092, rack: None },
        fenced: false,
    }
}

fn partition(index: i32, leader: i32, replicas: &[i32], isr: &[i32]) -> PartitionInfo {
    PartitionInfo {
        index: PartitionIndex(index),
        leader: Some(NodeId(leader)).filter(|id| id.is_some()),
        leader_epoch: LeaderEpoch(0),
        replicas: ids(replicas),
        isr: ids(isr),
        offline: Vec::new(),
    }
}

fn voter(id: i32, end: i64) -> QuorumReplica {
    QuorumReplica {
        id: NodeId(id),
        directory_id: None,
        log_end: Some(Offset(end)),
        last_fetch: None,
        last_caught_up: None,
        endpoints: vec![QuorumEndpoint { listener: "C".into(), host: "h".into(), port: 9093 }],
    }
}

/// Led by node 1, all committed up to 10.
fn quorum(ends: [i64; 3]) -> QuorumInfo {
    QuorumInfo {
        leader: Some(NodeId(1)),
        epoch: LeaderEpoch(1),
        high_watermark: Some(Offset(10)),
        voters: vec![voter(1, ends[0]), voter(2, ends[1]), voter(3, ends[2])],
        observers: Vec::new(),
    }
}

fn topic(partitions: Vec<PartitionInfo>) -> Vec<Arc<TopicInfo>> {
    let id = Default::default();
    vec![Arc::new(TopicInfo { name: "t".into(), id, internal: false, partitions })]
}

/// Three nodes, a topic of three replicas, `min.insync.replicas` 2.
fn well() -> Look {
    let listening = [1, 2, 3].map(|id| (NodeId(id), Listening::Yes));
    Look {
        brokers: vec![broker(1), broker(2), broker(3)],
        topics: topic(vec![partition(0, 1, &[1, 2, 3], &[3, 2, 1])]),
        log_dirs: BTreeMap::new(),
        reassignments: Ok(Vec::new()),
        min_isr: Ok([("t".into(), 2)].into()),
        eligible: Ok(Vec::new()),
        quorum: Ok(QuorumLook { first: quorum([10; 3]), later: None, listening: listening.into() }),
    }
}

fn with(change: impl FnOnce(&mut Look)) -> Look {
    let mut look = well();
    change(&mut look);
    look
}

/// The table below the first line, by column, and whether that is healthy.
fn check(look: &Look, healthy: bool, expected: &[[&str; 3]]) {
    let report = Report::of(look);
    let text = report.text();
    let rows: Vec<Vec<&str>> = text.lines().skip(3).map(|line| line.split("  ").collect()).collect();
    let cells =
        rows.iter().map(|row| row.iter().map(|c| c.trim()).filter(|c| !c.is_empty()).collect::<Vec<_>>());
    assert_eq!(cells.collect::<Vec<_>>(), expected, "{text}");
    assert_eq!(report.healthy, healthy, "{text}");
}

#[test]
fn a_cluster_that_is_well_is_healthy_in_one_line() {
    let text = Report::of(&well()).text();
    assert_eq!(text, "healthy: 3 of 3 brokers up, 3 of 3 voters up, 1 partition");
}

#[test]
fn brokers_are_fenced_or_missing() {
    let look = with(|look| {
        look.brokers = vec![broker(1), RegisteredBroker { fenced: true, ..broker(2) }];
        look.brokers.push(RegisteredBroker { fenced: true, ..broker(7) });
    });
    let unregister = "start it; if it is gone for good, `kafka-cluster.sh unregister --id 7`";
    check(
        &look,
        false,
        &[
            ["fault", "broker 2 (h:9092) is fenced, with 1 replica", "start it; if it runs, read its log"],
            ["fault", "broker 7 (h:9092) is fenced, with 0 replicas", unregister],
            [
                "fault",
                "broker 3 is not there, and should hold 1 replica",
                "start it, or move its replicas to others",
            ],
        ],
    );
}

#[test]
fn log_directories_fail_and_brokers_keep_silent() {
    let dir = |path: &str, failure: Option<&str>| LogDirInfo {
        path: path.into(),
        failure: failure.map(str::to_owned),
        total_bytes: None,
        usable_bytes: None,
        cordoned: false,
    };
    let gone = ClientError::Unreachable { addresses: "h:9092".into(), reason: "refused".into() };
    let dirs = vec![dir("/a", None), dir("/b", Some("KAFKA_STORAGE_ERROR"))];
    let look = with(|look| look.log_dirs = [(NodeId(1), Ok(dirs)), (NodeId(2), Err(gone))].into());
    let silent = "broker 2 does not answer: no broker answers at h:9092: refused; check that one runs there and that the address is right";
    check(
        &look,
        false,
        &[
            [
                "fault",
                "log directory /b of broker 1 is offline: KAFKA_STORAGE_ERROR",
                "read the broker's log for the cause, mend the disk, and restart the broker",
            ],
            ["fault", silent, "see whether it runs and can be reached from here"],
        ],
    );
}

#[test]
fn each_partition_is_counted_as_the_worst_that_it_is() {
    let look = with(|look| {
        look.brokers[2].fenced = true;
        look.topics = topic(vec![
            partition(0, -1, &[3, 2], &[3]),
            partition(1, 1, &[1, 2, 3], &[1]),
            partition(2, 1, &[1, 2, 3], &[1, 2]),
            partition(3, 1, &[1, 2, 3, 4], &[1, 2, 4]),
            // More is asked for than there are replicas: brokers take that for all of them.
            partition(4, 1, &[1], &[1]),
        ]);
        look.brokers.push(broker(4));
    });
    check(
        &look,
        false,
        &[
            ["fault", "broker 3 (h:9092) is fenced, with 4 replicas", "start it; if it runs, read its log"],
            ["fault", "1 partition has no leader: t-0", "start broker 3, with every committed record"],
            ["fault", "1 partition under min.insync.replicas, acks=all is refused: t-1", "start broker 3"],
            [
                "fault",
                "1 partition at min.insync.replicas, one loss from refusing acks=all: t-2",
                "start broker 3",
            ],
            ["fault", "1 partition has replicas out of sync: t-3", "start broker 3"],
        ],
    );
}

#[test]
fn who_brings_a_partition_back_is_eligible_or_was_last() {
    let leaderless = |eligible: &[i32], last_known: &[i32]| {
        with(|look| {
            look.topics = topic(vec![partition(0, -1, &[5, 6, 1], &[])]);
            look.brokers.extend([5, 6].map(|id| RegisteredBroker { fenced: true, ..broker(id) }));
            let (eligible, last_known) = (ids(eligible), ids(last_known));
            look.eligible = Ok(vec![EligibleLeaders { partition: at(0), eligible, last_known }]);
        })
    };
    let remedy = |look: &Look| {
        let text = Report::of(look).text();
        text.lines().last().and_then(|line| line.rsplit("  ").next()).unwrap().to_owned()
    };
    assert_eq!(remedy(&leaderless(&[6], &[5])), "start broker 6, with every committed record");
    assert_eq!(remedy(&leaderless(&[], &[5])), "start broker 5, with every committed record");
    assert_eq!(remedy(&leaderless(&[1], &[])), "ask again: an election should end within seconds");
    assert_eq!(remedy(&leaderless(&[], &[])), "start the brokers that hold them");
}

#[test]
fn what_moves_or_is_led_by_others_is_no_fault() {
    let look = with(|look| {
        look.brokers.push(broker(4));
        look.topics =
            topic(vec![partition(0, 1, &[4, 1, 2, 3], &[1, 2, 3]), partition(1, 1, &[1, 2, 3], &[1, 2, 3])]);
        let (replicas, adding, removing) = (ids(&[4, 1, 2, 3]), ids(&[4]), ids(&[3]));
        look.reassignments = Ok(vec![Reassignment { partition: at(0), replicas, adding, removing }]);
    });
    check(
        &look,
        true,
        &[
            ["info", "1 partition on the move to broker 4: t-0", "nothing: replicas are copied"],
            [
                "info",
                "1 partition is not led by the preferred leader: t-0",
                "nothing: leaders go back by themselves",
            ],
        ],
    );
}

#[test]
fn a_voter_is_behind_if_it_gets_no_nearer() {
    let twice = |first, later| {
        with(|look| {
            if let Ok(asked) = &mut look.quorum {
                (asked.first, asked.later) = (quorum(first), Some(quorum(later)));
            }
        })
    };
    let caught_up = twice([10, 10, 4], [12, 12, 10]);
    assert!(Report::of(&caught_up).healthy, "it has what was committed when it was behind");
    check(
        &twice([10, 10, 4], [12, 12, 9]),
        false,
        &[[
            "fault",
            "voter 3 (h:9093) is 1 record behind and does not follow: 2 of 3 up, none may be lost",
            "see whether it runs and reaches the others",
        ]],
    );
}

#[test]
fn a_voter_that_has_everything_is_down_if_nobody_listens_there() {
    let refused = |others: Listening| {
        with(|look| {
            if let Ok(asked) = &mut look.quorum {
                asked.listening =
                    [(NodeId(1), others), (NodeId(2), Listening::No), (NodeId(3), others)].into();
            }
        })
    };
    check(
        &refused(Listening::Yes),
        false,
        &[[
            "fault",
            "voter 2 (h:9093) is down: 2 of 3 up, none may be lost",
            "start it; if it is gone for good, `ottla cluster quorum remove 2`",
        ]],
    );
    let majority_lost = with(|look| {
        if let Ok(asked) = &mut look.quorum {
            asked.listening =
                [1, 2, 3].map(|id| (NodeId(id), if id == 1 { Listening::Yes } else { Listening::No })).into();
        }
    });
    let start = "start it: without a majority nothing changes";
    check(
        &majority_lost,
        false,
        &[
            ["fault", "voter 2 (h:9093) is down: 1 of 3 up, 2 are needed", start],
            ["fault", "voter 3 (h:9093) is down: 1 of 3 up, 2 are needed", start],
        ],
    );
    // Where not even the leader can be reached, a refusal is the network's.
    assert!(Report::of(&refused(Listening::No)).healthy);
}

#[test]
fn what_a_cluster_cannot_tell_is_no_fault_and_what_it_does_not_answer_is() {
    let old = || ClientError::UnsupportedVersion {
        broker: "h:9092".into(),
        api: "DescribeQuorum".into(),
        offered: "no version".into(),
        needed: "one of 0 to 2".into(),
    };
    let late = || ClientError::Timeout { what: "x".into(), after: Default::default(), last: String::new() };
    let untold = with(|look| (look.quorum, look.reassignments) = (Err(old()), Err(old())));
    check(
        &untold,
        true,
        &[
            ["info", "this cluster does not tell how its controllers are", "upgrade it to know"],
            ["info", "this cluster does not tell which partitions move", "upgrade it to know"],
        ],
    );
    let silent = with(|look| (look.quorum, look.min_isr) = (Err(late()), Err(late())));
    check(
        &silent,
        false,
        &[
            [
                "fault",
                "no active controller answers: x took longer than 0ns",
                "see that a majority of the voters runs and that brokers reach them",
            ],
            [
                "fault",
                "min.insync.replicas: no answer: x took longer than 0ns",
                "ask again, with more permissions if they lack",
            ],
        ],
    );
}

#[test]
fn the_json_has_every_field_whatever_is_found() {
    let look = with(|look| look.topics = topic(vec![partition(0, 1, &[1, 2, 3], &[1, 2])]));
    let json = serde_json::to_value(Report::of(&look)).unwrap();
    let expected = serde_json::json!({
        "healthy": false,
        "brokers": {"registered": 3, "up": 3},
        "quorum": {"leader": 1, "voters": 3, "voters_up": 3, "may_lose": 1},
        "partitions": {
            "total": 1, "offline": 0, "under_min_isr": 0, "at_min_isr": 1, "under_replicated": 0,
            "reassigning": 0, "not_preferred_leader": 0
        },
        "findings": [{
            "severity": "fault",
            "kind": "at_min_isr",
            "nodes": [3],
            "partitions": [{"topic": "t", "partition": 0}],
            "message": "1 partition at min.insync.replicas, one loss from refusing acks=all: t-0",
            "remedy": "wait for broker 3; read its log if it does not catch up"
        }]
    });
    assert_eq!(json, expected);
}
