//! What openraft cannot be asked for from outside: that it dies, or waits for a disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use openraft::EntryPayload;
use openraft::raft::{AppendEntriesRequest, VoteRequest};
use ottla_simdisk::SimDisk;
use ottla_types::Uuid;
use tokio::time::timeout;

use super::*;
use crate::config::Limits;
use crate::log::Ballot;
use crate::raft::codec::Output;
use crate::raft::messages::{self, Envelope, SnapshotPiece};
use crate::raft::types::{
    Entry, LogId, SnapshotMeta, StoredVoters, VoterNode, Voters, log_id, vote as vote_of,
};
use crate::state_machine::{SnapshotCheck, StateMachineError};
use crate::transport::NoTransport;

/// Longer than anything here should take.
const LONG: Duration = Duration::from_secs(20);
const CLUSTER: &str = "cluster";

/// A state that is always the same; nothing else is a snapshot of it.
struct Constant;

const STATE: Bytes = Bytes::from_static(b"constant");

impl StateMachine for Constant {
    fn apply(&mut self, _: Offset, _: LeaderEpoch, _: &Bytes) -> Result<(), StateMachineError> {
        Ok(())
    }

    fn snapshot(&self) -> Result<Bytes, StateMachineError> {
        Ok(STATE)
    }

    fn restore(&mut self, _: Offset, _: LeaderEpoch, snapshot: &Bytes) -> Result<(), StateMachineError> {
        check(snapshot)
    }

    fn snapshot_check(&self) -> SnapshotCheck {
        check
    }
}

fn check(snapshot: &Bytes) -> Result<(), StateMachineError> {
    if *snapshot == STATE { Ok(()) } else { Err("it is not constant".into()) }
}

async fn alone(disk: &SimDisk) -> Quorum {
    let config = QuorumConfig {
        // Each write takes a new file, for which nothing is reserved.
        limits: Limits { segment_bytes: 1, room_bytes: 0, ..Limits::default() },
        ..QuorumConfig::standalone(NodeId(1), Uuid([1; 16]), CLUSTER, Path::new("/metadata"))
    };
    let disk = Arc::new(disk.clone());
    Quorum::start(config, disk, Box::new(Constant), Arc::new(NoTransport)).await.unwrap()
}

#[tokio::test]
async fn a_panic_of_openraft_stops_the_node_with_a_reason() {
    let quorum = alone(&SimDisk::new(1)).await;
    quorum.0.raft.with_raft_state(|_| -> Option<()> { panic!("planted") }).await.unwrap_err();
    let mut states = quorum.state();
    let stopped = timeout(LONG, states.wait_for(|state| state.role == Role::Stopped)).await;
    let state = stopped.unwrap().unwrap().clone();
    assert!(state.failure.is_some_and(|failure| failure.contains("panicked")));
    assert_eq!(state.leader, None);
    let proposed = quorum.propose(Bytes::from_static(b"a")).await;
    assert!(matches!(proposed, Err(ProposeError::Stopped(_))), "{proposed:?}");
    timeout(LONG, quorum.shutdown()).await.unwrap();
}

#[tokio::test]
async fn a_stop_in_good_order_is_no_failure() {
    let quorum = alone(&SimDisk::new(1)).await;
    quorum.shutdown().await;
    let state = quorum.state().borrow().clone();
    assert_eq!((state.role, state.failure), (Role::Stopped, None));
}

#[tokio::test]
async fn a_stop_ends_although_the_disk_is_full() {
    let disk = SimDisk::new(1);
    let quorum = alone(&disk).await;
    let kept = quorum.propose(Bytes::from_static(b"kept")).await.unwrap().offset;
    disk.set_capacity(Some(disk.used_bytes()));
    let waiting = tokio::spawn({
        let quorum = quorum.clone();
        async move { quorum.propose(Bytes::from_static(b"lost")).await }
    });
    while quorum.0.reader.state().last.is_none_or(|last| last.index <= u64::try_from(kept.0).unwrap()) {
        tokio::task::yield_now().await; // until it is in the log's memory
    }
    timeout(LONG, quorum.shutdown()).await.unwrap();
    assert!(timeout(LONG, waiting).await.unwrap().unwrap().is_err());

    disk.set_capacity(None);
    let quorum = alone(&disk).await;
    let end = quorum.state().borrow().applied_offset;
    assert!(end >= Some(kept), "{end:?}");
    quorum.shutdown().await;
}

/// What node 2 sends to node 1.
fn from_2(body: impl FnOnce(&mut Output)) -> Bytes {
    let envelope =
        Envelope { cluster_id: CLUSTER.to_owned(), from_directory: Uuid([2; 16]), to_directory: Uuid::ZERO };
    messages::request(&envelope, body)
}

fn append(epoch: u64, prev: Option<LogId>, entries: &[LogId]) -> Bytes {
    let entries = entries.iter().map(|log_id| Entry { log_id: *log_id, payload: EntryPayload::Blank });
    let vote = vote_of(Ballot { epoch, node: 2, committed: true });
    let request = AppendEntriesRequest::<TypeConfig> {
        vote,
        prev_log_id: prev,
        entries: entries.collect(),
        leader_commit: None,
    };
    from_2(|out| messages::put_append(out, &request))
}

fn snapshot(last: LogId, voters: Voters, state: &'static [u8]) -> Bytes {
    let piece = SnapshotPiece {
        vote: vote_of(Ballot { epoch: 5, node: 2, committed: true }),
        meta: SnapshotMeta {
            last_log_id: Some(last),
            last_membership: StoredVoters::new(Some(last), voters),
        },
        total: state.len() as u64,
        offset: 0,
        bytes: Bytes::from_static(state),
    };
    from_2(|out| messages::put_snapshot(out, &piece))
}

#[tokio::test]
async fn what_no_voter_sends_is_refused_and_leaves_no_trace() {
    let at = |epoch, index| log_id(Position { epoch, index });
    let nodes: BTreeMap<u64, VoterNode> = [1, 2].map(|id| (id, VoterNode::default())).into();
    let voters = Voters::new(vec![BTreeSet::from([1, 2])], nodes).unwrap();
    let asked = |epoch| {
        let vote = vote_of(Ballot { epoch, node: 2, committed: false });
        let mut request = VoteRequest::<TypeConfig>::new(vote, Some(at(epoch, 1 << 40)));
        request.leadership_transfer = true;
        from_2(|out| messages::put_vote(out, &request))
    };
    let evil = [
        (RpcKind::Append, append(5, None, &[at(5, 1_000_000_000)])),
        (RpcKind::Append, append(5, None, &[at(5, 100), at(4, 3)])),
        (RpcKind::Append, append(5, Some(at(5, u64::MAX)), &[at(5, u64::MAX)])),
        (RpcKind::Heartbeat, append(u64::MAX, None, &[])),
        (RpcKind::Vote, asked((1 << 31) - 1)),
        (RpcKind::PreVote, asked(u64::MAX)),
        (RpcKind::Snapshot, snapshot(at(5, 1000), voters, b"garbage")),
        (RpcKind::Snapshot, snapshot(at(u64::MAX, u64::MAX), Voters::default(), b"")),
    ];
    let disk = SimDisk::new(1);
    let quorum = alone(&disk).await;
    let before = quorum.state().borrow().clone();
    for (kind, request) in evil {
        let answer = quorum.handle_rpc(kind, NodeId(2), request).await;
        assert_eq!(&answer[..2], [1, 1], "{kind:?}: {answer:?}");
    }
    assert_eq!(*quorum.state().borrow(), before);
    assert_eq!(quorum.snapshot().unwrap(), None);
    quorum.propose(Bytes::from_static(b"still here")).await.unwrap();
    quorum.shutdown().await;
    let quorum = alone(&disk).await;
    assert_eq!(quorum.state().borrow().epoch, LeaderEpoch(before.epoch.0 + 1));
    quorum.shutdown().await;
}
