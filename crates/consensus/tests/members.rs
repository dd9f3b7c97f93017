//! Quorums whose members change.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use harness::{Cluster, LONG, Recorder, directory, endpoint, member, quick, until};
use ottla_consensus::{
    ChangeError, Limits, Member, ProposeError, Quorum, QuorumConfig, QuorumState, Role, Timing,
};
use ottla_env::{Disk, RealDisk};
use ottla_simdisk::SimDisk;
use ottla_types::{NodeId, Offset, Uuid};

fn voters(state: &QuorumState) -> Vec<i32> {
    state.voters.iter().map(|voter| voter.id.0).collect()
}

fn observers(state: &QuorumState) -> Vec<i32> {
    state.observers.iter().map(|observer| observer.id.0).collect()
}

async fn cluster(count: i32, disk: Arc<dyn Disk>, limits: Limits) -> Cluster {
    Cluster::start(count, std::path::Path::new("/quorum"), disk, quick(), limits).await
}

fn sim() -> Arc<dyn Disk> {
    Arc::new(SimDisk::new(1))
}

/// Starts a node that joins, and makes it a voter.
async fn add(cluster: &mut Cluster, id: i32) {
    let joined = cluster.start_joining(id, directory(id)).await;
    let leader = cluster.leader(None).await;
    leader.add_voter(&member(id), LONG).await.unwrap();
    until(&joined, "it votes", |state| voters(state).contains(&id)).await;
}

async fn propose(quorum: &Quorum, payload: &'static str) {
    quorum.propose(Bytes::from_static(payload.as_bytes())).await.unwrap();
}

/// Proposes to whoever leads: who did a moment ago may have been replaced.
async fn propose_to_leader(cluster: &Cluster, payload: &'static str) {
    loop {
        let leader = cluster.leader(None).await;
        match leader.propose(Bytes::from_static(payload.as_bytes())).await {
            Err(ProposeError::NotLeader { .. }) => tokio::task::yield_now().await,
            proposed => {
                proposed.unwrap();
                return;
            }
        }
    }
}

/// Waits until each node has applied what the leader has, and compares.
async fn all_alike(cluster: &Cluster) {
    let leader = cluster.leader(None).await;
    let recorder = &cluster.running[&leader.node_id().0].1;
    let (end, expected) = (recorder.offsets().last().copied().map(Offset), recorder.payloads());
    for (quorum, recorder) in cluster.running.values() {
        until(quorum, "it has caught up", |state| state.applied_offset >= end).await;
        assert_eq!(recorder.payloads(), expected, "node {}", quorum.node_id());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_voter_grows_to_five_and_shrinks_to_one() {
    let mut cluster = cluster(1, sim(), Limits::default()).await;
    propose_to_leader(&cluster, "alone").await;
    for id in 2..=5 {
        add(&mut cluster, id).await;
        propose_to_leader(&cluster, "more").await;
    }
    all_alike(&cluster).await;
    for id in 1..=4 {
        let leader = cluster.leader(None).await;
        leader.remove_voter(NodeId(id), directory(id), LONG).await.unwrap();
        let (removed, _) = &cluster.running[&id];
        let state = until(removed, "it has no vote", |state| state.role == Role::Observer).await;
        assert_eq!(voters(&state), (id + 1..=5).collect::<Vec<_>>());
        let leader = cluster.leader(Some(id)).await;
        propose(&leader, "less").await;
    }
    let leader = cluster.leader(None).await;
    assert_eq!(leader.node_id(), NodeId(5));
    let only = leader.remove_voter(NodeId(5), directory(5), LONG).await;
    assert_eq!(only, Err(ChangeError::LastVoter { id: NodeId(5) }));
    // Those without a vote still follow.
    all_alike(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_changed_is_refused() {
    let mut cluster = cluster(3, sim(), Limits::default()).await;
    let leader = cluster.leader(None).await;
    let soon = Duration::from_millis(300);
    let duplicate = leader.add_voter(&Member { directory_id: directory(9), ..member(3) }, soon).await;
    assert!(matches!(duplicate, Err(ChangeError::Duplicate { id: NodeId(3), .. })), "{duplicate:?}");
    let absent = leader.add_voter(&member(4), soon).await;
    assert_eq!(absent, Err(ChangeError::Lagging { id: NodeId(4), directory_id: directory(4) }));
    for (id, of) in [(4, 4), (3, 4)] {
        let unknown = leader.remove_voter(NodeId(id), directory(of), soon).await;
        assert!(matches!(unknown, Err(ChangeError::NotFound { .. })), "{unknown:?}");
    }
    let observer = cluster.start_joining(4, directory(4)).await;
    until(&observer, "it follows", |state| observers(state) == [4]).await;
    let observer = leader.update_voter(&member(4), soon).await;
    assert!(matches!(observer, Err(ChangeError::NotFound { .. })), "{observer:?}");

    let (other, _) =
        cluster.running.values().find(|(quorum, _)| quorum.node_id() != leader.node_id()).unwrap();
    let elsewhere = other.remove_voter(NodeId(3), directory(3), soon).await;
    assert_eq!(elsewhere, Err(ChangeError::NotLeader { leader: Some(leader.node_id()) }));

    // Nobody answers: the change stays in the log of the leader, and is undone by the next.
    let others: Vec<i32> = cluster.voters.iter().copied().filter(|id| *id != leader.node_id().0).collect();
    let (gone, stays) = (others[0], others[1]);
    cluster.hub.cut(gone);
    cluster.hub.cut(stays);
    let alone = leader.remove_voter(NodeId(gone), directory(gone), soon).await;
    assert!(
        matches!(alone, Err(ChangeError::TimedOut | ChangeError::InProgress | ChangeError::NotLeader { .. })),
        "{alone:?}"
    );
    cluster.hub.heal(gone);
    cluster.hub.heal(stays);
    propose_to_leader(&cluster, "goes on").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn former_voters_may_all_die() {
    let mut cluster = cluster(1, sim(), Limits::default()).await;
    propose_to_leader(&cluster, "first").await;
    for id in 2..=4 {
        add(&mut cluster, id).await;
    }
    cluster.leader(None).await.remove_voter(NodeId(1), directory(1), LONG).await.unwrap();
    cluster.leader(Some(1)).await;
    cluster.kill(1);
    let leader = cluster.leader(None).await;
    propose(&leader, "second").await;
    // One of the three that joined dies as well.
    cluster.kill(leader.node_id().0);
    propose_to_leader(&cluster, "third").await;
    all_alike(&cluster).await;
    // They come back, and know that they vote.
    let dead = leader.node_id().0;
    let back = cluster.start_joining(dead, directory(dead)).await;
    until(&back, "it follows", |state| state.role == Role::Follower && state.leader.is_some()).await;
    all_alike(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_survives_the_death_of_its_leader_whole_or_not_at_all() {
    for round in 0..6u64 {
        let mut cluster = cluster(3, Arc::new(SimDisk::new(round)), Limits::default()).await;
        let joined = cluster.start_joining(4, directory(4)).await;
        until(&joined, "it follows", |state| observers(state) == [4]).await;
        let leader = cluster.leader(None).await;
        let changing = leader.clone();
        let change = tokio::spawn(async move { changing.add_voter(&member(4), LONG).await });
        // Somewhere within the change.
        for _ in 0..round * 3 {
            tokio::task::yield_now().await;
        }
        let first = leader.node_id().0;
        cluster.kill(first);
        let outcome = change.await.unwrap();
        let next = cluster.leader(None).await;
        propose(&next, "after").await;
        let state = next.state().borrow().clone();
        assert!(voters(&state) == [1, 2, 3] || voters(&state) == [1, 2, 3, 4], "{state:?}");
        assert!(outcome.is_err() || voters(&state).contains(&4), "{outcome:?} {state:?}");
        // The next leader completes what the last one began.
        let again = next.add_voter(&member(4), LONG).await;
        assert!(matches!(again, Ok(()) | Err(ChangeError::Duplicate { .. })), "{again:?}");
        cluster.start_node(first).await;
        all_alike(&cluster).await;
        for (quorum, _) in cluster.running.values() {
            until(quorum, "it knows the voters", |state| voters(state) == [1, 2, 3, 4]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_begins_with_a_snapshot_and_members_are_part_of_it() {
    let limits = Limits { snapshot_interval_bytes: 100_000, retained_entries: 5, ..Limits::default() };
    let mut cluster = cluster(1, sim(), limits).await;
    add(&mut cluster, 2).await;
    let leader = cluster.leader(None).await;
    for n in 0..20u8 {
        leader.propose(Bytes::from(vec![n; 20_000])).await.unwrap();
    }
    until(&leader, "the log is purged", |state| state.purged_offset >= Some(Offset(10))).await;
    add(&mut cluster, 3).await;
    let (third, _) = &cluster.running[&3];
    assert!(third.snapshot().unwrap().is_some());
    all_alike(&cluster).await;
    let leader = cluster.leader(None).await;
    let third = cluster.running[&3].0.clone();
    let named = third.state().borrow().applied_offset;
    for n in 0..20u8 {
        leader.propose(Bytes::from(vec![n; 20_000])).await.unwrap();
    }
    // All start anew, the entries that named them are gone.
    for (quorum, _) in cluster.running.values() {
        until(quorum, "the log is purged", |state| state.purged_offset >= named).await;
    }
    for id in 1..=3 {
        cluster.running[&id].0.shutdown().await;
        cluster.hub.unplug(id);
    }
    cluster.running.clear();
    for id in 1..=3 {
        let quorum = cluster.start_joining(id, directory(id)).await;
        until(&quorum, "it knows the voters", |state| voters(state) == [1, 2, 3]).await;
    }
    propose_to_leader(&cluster, "goes on").await;
    all_alike(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voter_that_lost_its_directory_is_an_observer_until_it_is_added_anew() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let mut cluster = Cluster::start(1, dir.path(), disk, quick(), Limits::default()).await;
    add(&mut cluster, 2).await;
    add(&mut cluster, 3).await;
    propose_to_leader(&cluster, "before").await;
    // The one that once was the only voter, which its log would tell it again.
    let wiped = 1;
    cluster.kill(wiped);
    let leader = cluster.leader(None).await;
    std::fs::remove_dir_all(cluster.dir(wiped)).unwrap();
    let anew = Uuid([77; 16]);
    let back = cluster.start_joining(wiped, anew).await;
    let state = until(&back, "it observes", |state| observers(state) == [wiped]).await;
    assert_eq!((voters(&state), state.role), (vec![1, 2, 3], Role::Observer));
    let new = Member { directory_id: anew, ..member(wiped) };
    let refused = leader.add_voter(&new, LONG).await.unwrap_err();
    assert!(refused.to_string().contains("remove that voter first"), "{refused}");
    // It has the log, and with it the entry by which it was the only voter.
    let end = leader.state().borrow().applied_offset;
    until(&back, "it has caught up", |state| state.applied_offset >= end).await;
    cluster.leader(None).await.remove_voter(NodeId(wiped), directory(wiped), LONG).await.unwrap();
    cluster.leader(None).await.add_voter(&new, LONG).await.unwrap();
    let state = until(&back, "it votes", |state| state.role == Role::Follower).await;
    assert_eq!(voters(&state), [1, 2, 3]);
    all_alike(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_read_log_in_which_it_was_the_only_voter_does_not_make_a_node_lead() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let mut cluster = Cluster::start(1, dir.path(), disk, quick(), Limits::default()).await;
    // The first reply of a follower with an empty log brings more than the first entry only if it all fits one append.
    for n in 0..4u8 {
        cluster.leader(None).await.propose(Bytes::from(vec![n; 900_000])).await.unwrap();
    }
    add(&mut cluster, 2).await;
    add(&mut cluster, 3).await;
    cluster.kill(1);
    cluster.leader(None).await;
    std::fs::remove_dir_all(cluster.dir(1)).unwrap();
    let back = cluster.start_joining(1, Uuid([77; 16])).await;
    until(&back, "it has the entry by which node 1 was the only voter", |state| state.last_offset.is_some())
        .await;
    cluster.hub.cut(1);
    // Far longer than any election would take.
    let led = tokio::time::timeout(Duration::from_secs(2), async {
        back.state().wait_for(|state| matches!(state.role, Role::Leader | Role::Candidate)).await.is_ok()
    });
    assert!(led.await.is_err(), "{:?}", *back.state().borrow());
    cluster.hub.heal(1);
    all_alike(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_that_is_silent_is_forgotten_and_taken_in_again() {
    let timing = Timing { observer_timeout: Duration::from_millis(300), ..quick() };
    let root = std::path::Path::new("/quorum");
    let mut cluster = Cluster::start(1, root, sim(), timing, Limits::default()).await;
    add(&mut cluster, 2).await;
    cluster.start_joining(3, directory(3)).await;
    let leader = cluster.leader(None).await;
    until(&leader, "it observes", |state| observers(state) == [3]).await;
    let recorder: Recorder = cluster.kill(3);
    until(&leader, "it is forgotten", |state| state.observers.is_empty()).await;
    propose(&leader, "meanwhile").await;
    let back = cluster.start_joining(3, directory(3)).await;
    until(&back, "it observes again", |state| observers(state) == [3]).await;
    all_alike(&cluster).await;
    drop(recorder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voter_removed_while_it_was_away_finds_out() {
    let mut cluster = cluster(1, sim(), Limits::default()).await;
    for id in 2..=4 {
        add(&mut cluster, id).await;
    }
    cluster.kill(4);
    let leader = cluster.leader(None).await;
    leader.remove_voter(NodeId(4), directory(4), LONG).await.unwrap();
    let back = cluster.start_joining(4, directory(4)).await;
    let is_removed = |state: &QuorumState| state.role == Role::Observer && voters(state) == [1, 2, 3];
    let state = until(&back, "it has no vote", is_removed).await;
    assert_eq!(observers(&state), [4]);
    let epoch = leader.state().borrow().epoch;
    assert_eq!(cluster.leader(None).await.state().borrow().epoch, epoch, "it has not disturbed the others");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voter_that_moved_is_found_at_its_new_place() {
    let mut cluster = cluster(1, sim(), Limits::default()).await;
    add(&mut cluster, 2).await;
    let leader = cluster.leader(None).await;
    // While it is there, it tells; the way there is another one from then on.
    let (second, _) = &cluster.running[&2];
    cluster.hub.plug_at(6, second);
    cluster.hub.unplug(2);
    let moved = Member { endpoint: endpoint(6), ..member(2) };
    leader.update_voter(&moved, LONG).await.unwrap();
    propose(&leader, "by the new way").await;
    // It comes back at a place that nobody knows, and without it there is no majority: it asks around.
    let (second, _) = cluster.running.remove(&2).unwrap();
    second.kill();
    cluster.hub.unplug(6);
    let config = QuorumConfig { endpoint: endpoint(7), ..cluster.joining(2, directory(2)) };
    let second = cluster.start_with(config).await;
    cluster.hub.plug_at(7, &second);
    cluster.hub.unplug(2);
    let leader = cluster.leader(None).await;
    until(&leader, "it is found", |state| state.voters.iter().any(|voter| voter.endpoint == endpoint(7)))
        .await;
    propose_to_leader(&cluster, "goes on").await;
    all_alike(&cluster).await;
}
