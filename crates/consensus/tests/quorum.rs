//! What a quorum promises, on real and on simulated disks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod harness;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use harness::{Cluster, Recorder, alone, config, quick, until};
use ottla_consensus::{
    Limits, NoTransport, ProposeError, Quorum, ReadError, Role, RpcKind, StartError, Timing,
};
use ottla_env::{Disk, RealDisk};
use ottla_simdisk::{Fault, Op, SimDisk};
use ottla_types::{LeaderEpoch, NodeId, Offset, Uuid};

fn sim() -> Arc<SimDisk> {
    Arc::new(SimDisk::new(1))
}

const DIR: &str = "/data/metadata";

#[tokio::test]
async fn a_single_voter_leads_at_once_and_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::default();
    let quorum = alone(Arc::new(RealDisk), &dir.path().join("meta"), &recorder, Limits::default()).await;
    let state = quorum.state().borrow().clone();
    assert_eq!((state.role, state.leader, state.epoch), (Role::Leader, Some(NodeId(1)), LeaderEpoch(1)));
    // Offset 0 names the voters, offset 1 opens the epoch.
    assert_eq!(state.applied_offset, Some(Offset(1)));
    assert_eq!(state.log_end_offset(), Offset(2));
    assert_eq!(state.voters.len(), 1);
    assert_eq!(state.voters[0].directory_id, harness::directory(1));
    let first = quorum.propose(Bytes::from_static(b"a")).await.unwrap();
    assert_eq!((first.offset, first.epoch), (Offset(2), LeaderEpoch(1)));
    assert_eq!(recorder.offsets(), [2]);
    quorum.shutdown().await;
    assert_eq!(quorum.state().borrow().role, Role::Stopped);

    let recorder = Recorder::default();
    let quorum = alone(Arc::new(RealDisk), &dir.path().join("meta"), &recorder, Limits::default()).await;
    assert_eq!(recorder.payloads(), ["a"]);
    assert_eq!(quorum.state().borrow().epoch, LeaderEpoch(2));
    quorum.read_barrier().await.unwrap();
    assert_eq!(quorum.propose(Bytes::from_static(b"b")).await.unwrap().offset, Offset(4));
}

/// What `quorum` says it misses, once it says so (or no longer does).
async fn told(quorum: &Quorum, wanted: impl Fn(&Option<String>) -> bool) -> String {
    let deadline = Instant::now() + harness::LONG;
    loop {
        let missing = quorum.missing_leader();
        if wanted(&missing) {
            return missing.unwrap_or_default();
        }
        assert!(Instant::now() < deadline, "it says {missing:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_voter_without_a_majority_names_those_that_do_not_answer() {
    let mut cluster = Cluster::start(3, Path::new("/data"), sim(), quick(), Limits::default()).await;
    let leader = cluster.leader(None).await.node_id().0;
    for (quorum, _) in cluster.running.values() {
        told(quorum, Option::is_none).await;
    }
    let others: Vec<i32> = cluster.voters.iter().copied().filter(|id| *id != leader).collect();
    let (follower, cut) = (cluster.running[&others[0]].0.clone(), others[1]);
    cluster.hub.cut(cut);
    let alone = told(&cluster.running[&cut].0, Option::is_some).await;
    assert!(alone.starts_with("no leader"), "{alone}");
    assert_eq!(follower.missing_leader(), None, "two of three go on");

    // openraft goes on naming the dead leader.
    cluster.kill(leader);
    let both = |missing: &Option<String>| {
        let names = |id: i32| missing.as_ref().is_some_and(|text| text.contains(&harness::endpoint(id)));
        names(leader) && names(cut)
    };
    let text = told(&follower, both).await;
    assert!(text.starts_with("no leader; of 3 voters 2 have to answer, and these do not: "), "{text}");
    assert!(!text.contains(&harness::endpoint(others[0])), "{text}");
    cluster.hub.heal(cut);
    told(&follower, Option::is_none).await;
}

#[tokio::test]
async fn a_leader_that_no_majority_answers_is_none() {
    let cluster = Cluster::start(3, Path::new("/data"), sim(), quick(), Limits::default()).await;
    let leader = cluster.leader(None).await;
    told(&leader, Option::is_none).await;
    for id in cluster.voters.iter().filter(|id| **id != leader.node_id().0) {
        cluster.hub.cut(*id);
    }
    told(&leader, Option::is_some).await;
}

#[tokio::test]
async fn the_only_voter_misses_nobody() {
    let quorum = alone(sim(), Path::new(DIR), &Recorder::default(), Limits::default()).await;
    assert_eq!(quorum.missing_leader(), None);
}

#[tokio::test]
async fn what_was_proposed_survives_power_loss_at_any_moment() {
    let total = {
        let disk = sim();
        let quorum = alone(disk.clone(), Path::new(DIR), &Recorder::default(), Limits::default()).await;
        for n in 0..10u8 {
            quorum.propose(Bytes::from(vec![n; 100])).await.unwrap();
        }
        disk.mutations()
    };
    for n in 1..=total {
        let disk = sim();
        disk.crash_at(n);
        let mut acknowledged = Vec::new();
        let config = config(1, &[1], Path::new(DIR), Timing::default(), Limits::default());
        let started =
            Quorum::start(config, disk.clone(), Box::new(Recorder::default()), Arc::new(NoTransport)).await;
        if let Ok(quorum) = started {
            for n in 0..10u8 {
                match quorum.propose(Bytes::from(vec![n; 100])).await {
                    Ok(_) => acknowledged.push(Bytes::from(vec![n; 100])),
                    Err(_) => break,
                }
            }
            quorum.kill();
        }
        // What the dead process still has under way does not come to this copy.
        let disk = Arc::new(disk.fork(n));
        disk.restart();
        let recorder = Recorder::default();
        let quorum = alone(disk, Path::new(DIR), &recorder, Limits::default()).await;
        let found = recorder.payloads();
        assert!(found.starts_with(&acknowledged), "crash at {n}: {} of {}", found.len(), acknowledged.len());
        assert!(found.len() <= acknowledged.len() + 1);
        quorum.propose(Bytes::from_static(b"goes on")).await.unwrap();
    }
}

#[tokio::test]
async fn snapshots_and_purges_survive_power_loss_at_any_moment() {
    let limits = Limits {
        segment_bytes: 2048,
        snapshot_interval_bytes: 1500,
        retained_entries: 2,
        cache_bytes: 500,
        ..Limits::default()
    };
    let work = async |disk: &Arc<SimDisk>| {
        let mut acknowledged = Vec::new();
        let config = config(1, &[1], Path::new(DIR), Timing::default(), limits);
        let started =
            Quorum::start(config, disk.clone(), Box::new(Recorder::default()), Arc::new(NoTransport)).await;
        let Ok(quorum) = started else { return acknowledged };
        for n in 0..60u8 {
            let payload = Bytes::from(vec![n; 100]);
            if quorum.propose(payload.clone()).await.is_err() {
                break;
            }
            acknowledged.push(payload);
        }
        quorum.kill();
        acknowledged
    };
    let disk = sim();
    assert_eq!(work(&disk).await.len(), 60);
    assert!(disk.counters().renames > 1, "there should be snapshots");
    for n in (1..=disk.mutations()).step_by(2) {
        let disk = sim();
        disk.crash_at(n);
        let acknowledged = work(&disk).await;
        // What the dead process still has under way does not come to this copy.
        let disk = Arc::new(disk.fork(n));
        disk.restart();
        let recorder = Recorder::default();
        let quorum = alone(disk, Path::new(DIR), &recorder, limits).await;
        let found = recorder.payloads();
        assert!(found.starts_with(&acknowledged), "crash at {n}: {} of {}", found.len(), acknowledged.len());
        quorum.kill();
    }
}

#[tokio::test]
async fn a_failed_sync_stops_the_node_for_good() {
    let disk = sim();
    let quorum = alone(disk.clone(), Path::new(DIR), &Recorder::default(), Limits::default()).await;
    disk.inject(Fault::io(Op::SyncData));
    let failed = quorum.propose(Bytes::from_static(b"lost?")).await.unwrap_err();
    assert!(matches!(failed, ProposeError::Unknown | ProposeError::Stopped(_)), "{failed}");
    let state = until(&quorum, "it stops", |state| state.role == Role::Stopped).await;
    assert!(state.failure.is_some() && state.leader.is_none());
    let again = quorum.propose(Bytes::from_static(b"no")).await.unwrap_err();
    assert!(matches!(again, ProposeError::Stopped(_)), "{again}");
    assert!(matches!(quorum.read_barrier().await.unwrap_err(), ReadError::Stopped(_)));
}

#[tokio::test]
async fn snapshots_replace_the_log() {
    let disk = sim();
    let limits = Limits {
        segment_bytes: 4096,
        snapshot_interval_bytes: 5_000,
        retained_entries: 10,
        cache_bytes: 1000,
        ..Limits::default()
    };
    let recorder = Recorder::default();
    let quorum = alone(disk.clone(), Path::new(DIR), &recorder, limits).await;
    for n in 0..200u8 {
        quorum.propose(Bytes::from(vec![n; 100])).await.unwrap();
    }
    let state = until(&quorum, "the log is purged", |state| state.purged_offset >= Some(Offset(100))).await;
    assert!(state.snapshot_offset >= state.purged_offset);
    assert_eq!(quorum.read(Offset(0), usize::MAX).unwrap_err(), ReadError::BeforeLogStart);
    // Another snapshot may be under way, and what is behind this one be purged with it: then that one is there.
    let snapshot_and_tail = || {
        let snapshot = quorum.snapshot().unwrap().unwrap();
        assert!(Some(snapshot.offset) >= state.purged_offset);
        quorum.read(snapshot.offset.next(), usize::MAX).ok()
    };
    let (tail, next) = (0..100).find_map(|_| snapshot_and_tail()).unwrap();
    assert_eq!(next, Offset(202));
    assert!(tail.iter().all(|entry| entry.payload.len() == 100));
    let files = disk.list(Path::new(DIR)).unwrap();
    assert!(files.iter().filter(|file| file.name.ends_with(".snap")).count() == 1, "{files:?}");
    assert!(files.iter().filter(|file| file.name.ends_with(".raft")).count() < 5, "{files:?}");
    quorum.kill();

    disk.crash();
    let again = Recorder::default();
    let quorum = alone(disk, Path::new(DIR), &again, limits).await;
    assert!(again.payloads() == recorder.payloads());
    quorum.propose(Bytes::from_static(b"goes on")).await.unwrap();
}

/// What a start says of a node with a snapshot and a purged log, after all its files of this kind were lost.
async fn start_without(extension: &str) -> Result<Quorum, StartError> {
    let disk = sim();
    let limits = Limits { snapshot_interval_bytes: 1_000, retained_entries: 1, ..Limits::default() };
    let quorum = alone(disk.clone(), Path::new(DIR), &Recorder::default(), limits).await;
    for n in 0..50u8 {
        quorum.propose(Bytes::from(vec![n; 100])).await.unwrap();
    }
    until(&quorum, "the log is purged", |state| state.purged_offset.is_some()).await;
    quorum.shutdown().await;
    for file in disk.list(Path::new(DIR)).unwrap().iter().filter(|file| file.name.ends_with(extension)) {
        disk.remove_file(&Path::new(DIR).join(&file.name)).unwrap();
    }
    let config = config(1, &[1], Path::new(DIR), Timing::default(), limits);
    Quorum::start(config, disk, Box::new(Recorder::default()), Arc::new(NoTransport)).await
}

#[tokio::test]
async fn a_missing_snapshot_is_damage_not_an_empty_state() {
    let started = start_without(".snap").await;
    assert!(
        matches!(&started, Err(StartError::Damaged { what, .. }) if what.contains("no snapshot")),
        "{started:?}"
    );
}

#[tokio::test]
async fn a_missing_log_is_damage_where_there_is_a_snapshot() {
    let started = start_without(".raft").await;
    assert!(
        matches!(&started, Err(StartError::Damaged { what, .. }) if what.contains("its votes are gone")),
        "{started:?}"
    );
}

#[tokio::test]
async fn applied_payloads_can_be_read_in_pieces() {
    let quorum = alone(sim(), Path::new(DIR), &Recorder::default(), Limits::default()).await;
    for n in 0..20u8 {
        quorum.propose(Bytes::from(vec![n; 100])).await.unwrap();
    }
    until(&quorum, "all is applied", |state| state.applied_offset == Some(Offset(21))).await;
    let (mut next, mut seen) = (Offset(0), Vec::new());
    loop {
        let (entries, after) = quorum.read(next, 250).unwrap();
        if after == next {
            break;
        }
        seen.extend(entries.iter().map(|entry| entry.payload[0]));
        next = after;
    }
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
    assert_eq!(next, Offset(22));
}

#[tokio::test]
async fn proposals_are_refused_before_they_are_anywhere() {
    let quorum = alone(
        sim(),
        Path::new(DIR),
        &Recorder::default(),
        Limits { max_payload_bytes: 10, ..Limits::default() },
    )
    .await;
    let large = quorum.propose(Bytes::from(vec![0; 11])).await.unwrap_err();
    assert_eq!(large, ProposeError::TooLarge { size: 11, max: 10 });
    let old = quorum.propose_in(LeaderEpoch(0), Bytes::from_static(b"old")).await.unwrap_err();
    assert!(matches!(old, ProposeError::NotLeader { .. }), "{old}");
    assert_eq!(
        quorum.propose_in(LeaderEpoch(1), Bytes::from_static(b"now")).await.unwrap().offset,
        Offset(2)
    );
}

#[tokio::test]
async fn wrong_configurations_are_named() {
    let start = |change: fn(&mut ottla_consensus::QuorumConfig)| async move {
        let mut config = config(1, &[1], Path::new(DIR), Timing::default(), Limits::default());
        change(&mut config);
        let error = Quorum::start(config, sim(), Box::new(Recorder::default()), Arc::new(NoTransport)).await;
        error.unwrap_err().to_string()
    };
    assert!(start(|c| c.voters.clear()).await.contains("neither voters"));
    assert!(start(|c| c.node_id = NodeId(7)).await.contains("not among the voters"));
    assert!(start(|c| c.voters.push(c.voters[0].clone())).await.contains("twice"));
    assert!(start(|c| c.timing.heartbeat = c.timing.election_min).await.contains("heartbeat"));
    assert!(start(|c| c.limits.max_payload_bytes = usize::MAX).await.contains("at most"));
}

#[tokio::test]
async fn a_moved_directory_is_refused() {
    let disk = sim();
    alone(disk.clone(), Path::new(DIR), &Recorder::default(), Limits::default()).await.shutdown().await;
    let mut config = config(1, &[1], Path::new(DIR), Timing::default(), Limits::default());
    config.directory_id = Uuid([9; 16]);
    let started = Quorum::start(config, disk, Box::new(Recorder::default()), Arc::new(NoTransport)).await;
    assert!(matches!(started, Err(StartError::WrongDirectory { .. })), "{started:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_voters_replace_killed_leaders_and_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(3, dir.path(), Arc::new(RealDisk), quick(), Limits::default()).await;
    let mut acknowledged = Vec::new();
    let mut last_epoch = LeaderEpoch(0);
    for round in 0..4u8 {
        let leader = cluster.leader(None).await;
        let epoch = leader.state().borrow().epoch;
        assert!(epoch > last_epoch, "epochs only grow");
        last_epoch = epoch;
        for n in 0..20u8 {
            let payload = Bytes::from(vec![round, n]);
            leader.propose_in(epoch, payload.clone()).await.unwrap();
            acknowledged.push(payload);
        }
        let id = leader.node_id().0;
        let before = Instant::now();
        cluster.kill(id);
        cluster.leader(Some(id)).await;
        assert!(before.elapsed() < Duration::from_secs(5));
        cluster.start_node(id).await;
    }
    let leader = cluster.leader(None).await;
    leader.read_barrier().await.unwrap();
    let end = leader.state().borrow().applied_offset;
    for (quorum, recorder) in cluster.running.values() {
        until(quorum, "it has caught up", |state| state.applied_offset >= end).await;
        assert_eq!(recorder.payloads(), acknowledged);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_isolated_leader_is_replaced_and_acknowledges_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(3, dir.path(), Arc::new(RealDisk), quick(), Limits::default()).await;
    let old = cluster.leader(None).await;
    let epoch = old.state().borrow().epoch;
    old.propose(Bytes::from_static(b"before")).await.unwrap();
    cluster.hub.cut(old.node_id().0);
    let lost = tokio::spawn({
        let old = old.clone();
        async move { old.propose(Bytes::from_static(b"lost")).await }
    });
    let new = cluster.leader(Some(old.node_id().0)).await;
    assert!(new.state().borrow().epoch > epoch);
    new.propose(Bytes::from_static(b"after")).await.unwrap();
    assert!(old.read_barrier().await.is_err());
    cluster.hub.heal(old.node_id().0);
    let state = until(&old, "it follows", |state| state.leader == Some(new.node_id())).await;
    assert_eq!(state.role, Role::Follower);
    assert!(matches!(lost.await.unwrap(), Err(ProposeError::Unknown | ProposeError::Unavailable)));
    let refused = old.propose(Bytes::from_static(b"no")).await.unwrap_err();
    assert_eq!(refused, ProposeError::NotLeader { leader: Some(new.node_id()) });
    new.read_barrier().await.unwrap();
    let end = new.state().borrow().applied_offset;
    for (quorum, recorder) in cluster.running.values() {
        until(quorum, "it has caught up", |state| state.applied_offset >= end).await;
        assert_eq!(recorder.payloads(), ["before", "after"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_is_handed_over_without_an_election_timeout() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(3, dir.path(), Arc::new(RealDisk), quick(), Limits::default()).await;
    let old = cluster.leader(None).await;
    let to = *cluster.voters.iter().find(|&&id| id != old.node_id().0).unwrap();
    old.propose(Bytes::from_static(b"a")).await.unwrap();
    old.transfer_leadership(NodeId(to)).await.unwrap();
    let (target, _) = &cluster.running[&to];
    until(target, "it leads", |state| state.role == Role::Leader).await;
    target.propose(Bytes::from_static(b"b")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voter_that_was_away_for_long_gets_a_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { snapshot_interval_bytes: 200_000, retained_entries: 5, ..Limits::default() };
    let mut cluster = Cluster::start(3, dir.path(), Arc::new(RealDisk), quick(), limits).await;
    let leader = cluster.leader(None).await;
    let away = *cluster.voters.iter().find(|&&id| id != leader.node_id().0).unwrap();
    leader.propose(Bytes::from_static(b"first")).await.unwrap();
    cluster.kill(away);
    // More than one piece of a snapshot.
    for n in 0..30u8 {
        leader.propose(Bytes::from(vec![n; 50_000])).await.unwrap();
    }
    until(&leader, "the log is purged", |state| state.purged_offset >= Some(Offset(10))).await;
    cluster.start_node(away).await;
    let end = leader.state().borrow().applied_offset;
    let (quorum, recorder) = &cluster.running[&away];
    until(quorum, "it has caught up", |state| state.applied_offset >= end).await;
    assert_eq!(recorder.payloads().len(), 31);
    assert!(quorum.snapshot().unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voter_with_an_emptied_directory_is_not_let_in() {
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(3, dir.path(), Arc::new(RealDisk), quick(), Limits::default()).await;
    let leader = cluster.leader(None).await;
    leader.propose(Bytes::from_static(b"a")).await.unwrap();
    let wiped = *cluster.voters.iter().find(|&&id| id != leader.node_id().0).unwrap();
    cluster.kill(wiped);
    std::fs::remove_dir_all(dir.path().join(wiped.to_string())).unwrap();
    let mut config =
        config(wiped, &cluster.voters, &dir.path().join(wiped.to_string()), quick(), Limits::default());
    config.directory_id = Uuid([77; 16]);
    let transport = cluster.hub.transport(wiped);
    let quorum =
        Quorum::start(config, Arc::new(RealDisk), Box::new(Recorder::default()), transport).await.unwrap();
    cluster.hub.plug(&quorum);
    // The quorum goes on, and gives the newcomer nothing.
    for _ in 0..50 {
        leader.propose(Bytes::from_static(b"b")).await.unwrap();
    }
    assert_eq!(quorum.state().borrow().last_offset, None);
}

#[tokio::test]
async fn garbage_from_a_peer_is_answered_and_changes_nothing() {
    let quorum = alone(sim(), Path::new(DIR), &Recorder::default(), Limits::default()).await;
    let before = quorum.state().borrow().clone();
    let mut seed = 1u64;
    for round in 0..2000usize {
        let kind = RpcKind::ALL[round % RpcKind::ALL.len()];
        let bytes: Vec<u8> = (0..round % 120)
            .map(|_| {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                if seed >> 62 == 0 { 0xff } else { (seed >> 56) as u8 }
            })
            .collect();
        let answer = quorum.handle_rpc(kind, NodeId(2), Bytes::from(bytes)).await;
        assert_eq!(&answer[..2], [1, 1], "a refusal");
    }
    assert_eq!(*quorum.state().borrow(), before);
    quorum.propose(Bytes::from_static(b"still here")).await.unwrap();
}
