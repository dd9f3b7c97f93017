use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ottla_types::Uuid;

use super::*;
use crate::raft::types::{Entry, SnapshotMeta, StoredVoters, VoterNode, joiner_id, log_id, vote as vote_of};

/// Node 3 asks one whose epoch is 5 and that has committed index 9 of epoch 4.
const KNOWN: Known = Known { epoch: 5, committed: Some(Position { epoch: 4, index: 9 }), from: NodeId(3) };

fn at(epoch: u64, index: u64) -> LogId {
    log_id(Position { epoch, index })
}

fn won(epoch: u64) -> Vote {
    vote_of(Ballot { epoch, node: 3, committed: true })
}

fn asked(epoch: u64) -> Vote {
    vote_of(Ballot { epoch, node: 3, committed: false })
}

fn members(configs: &[&[u64]], nodes: &[u64]) -> Voters {
    let configs = configs.iter().map(|config| config.iter().copied().collect::<BTreeSet<u64>>()).collect();
    let nodes: BTreeMap<u64, VoterNode> = nodes.iter().map(|id| (*id, VoterNode::default())).collect();
    Voters::new(configs, nodes).unwrap()
}

fn append(vote: Vote, prev: Option<LogId>, entries: &[LogId]) -> AppendEntriesRequest<TypeConfig> {
    let entries =
        entries.iter().map(|log_id| Entry { log_id: *log_id, payload: EntryPayload::Blank }).collect();
    AppendEntriesRequest { vote, prev_log_id: prev, entries, leader_commit: None }
}

fn append_voters(voters: Voters) -> AppendEntriesRequest<TypeConfig> {
    let entry = Entry { log_id: at(5, 10), payload: EntryPayload::Membership(voters) };
    AppendEntriesRequest { entries: vec![entry], ..append(won(5), Some(at(4, 9)), &[]) }
}

fn snapshot(vote: Vote, last: Option<LogId>, named_at: Option<LogId>, voters: Voters) -> SnapshotPiece {
    let meta = SnapshotMeta { last_log_id: last, last_membership: StoredVoters::new(named_at, voters) };
    SnapshotPiece { vote, meta, total: 0, offset: 0, bytes: Bytes::new() }
}

#[test]
fn what_a_leader_sends_is_taken() {
    for request in [
        append(won(5), None, &[at(0, 0), at(1, 1), at(1, 2)]),
        append(won(5), Some(at(4, 9)), &[at(4, 10), at(5, 11)]),
        append(won(6), Some(at(4, 8)), &[at(4, 9), at(6, 10)]),
        append(won(6), None, &[]),
        // Of a leader that does not know yet that it was replaced.
        append(won(3), Some(at(3, 9)), &[at(3, 10)]),
        append_voters(members(&[&[1, 3]], &[1, 3, joiner_id(NodeId(4), Uuid([255; 16]))])),
        append_voters(members(&[&[1], &[1, 3]], &[1, 3])),
    ] {
        assert_eq!(KNOWN.check_append(&request), Ok(()), "{request:?}");
    }
    let request = AppendEntriesRequest { leader_commit: Some(at(3, 5)), ..append(won(6), None, &[]) };
    assert_eq!(KNOWN.check_append(&request), Ok(()));
    assert_eq!(KNOWN.check_vote(&VoteRequest::new(asked(6), Some(at(5, 20)))), Ok(()));
    assert_eq!(KNOWN.check_transfer(&TransferLeaderRequest::new(won(5), 1, Some(at(5, 20)))), Ok(()));
    let piece = snapshot(won(5), Some(at(4, 30)), Some(at(1, 7)), members(&[&[1, 3]], &[1, 3]));
    assert_eq!(KNOWN.check_snapshot(&piece), Ok(()));
    // A node without a past may meet an old quorum.
    let fresh = Known { epoch: 0, committed: None, ..KNOWN };
    assert_eq!(fresh.check_append(&append(won(MAX_EPOCH), None, &[])), Ok(()));
}

#[test]
fn entries_with_gaps_or_out_of_order_are_refused() {
    for (prev, entries) in [
        (None, vec![at(5, 1_000_000_000)]),
        (None, vec![at(5, 100), at(4, 3)]),
        (Some(at(4, 9)), vec![at(5, 11)]),
        (Some(at(4, 9)), vec![at(5, 9)]),
        (Some(at(4, 9)), vec![at(5, 10), at(5, 12)]),
        (Some(at(4, 9)), vec![at(5, 10), at(4, 11)]),
        (Some(at(5, 10)), vec![at(4, 11)]),
        // Beyond the leader, beyond all, and other ones than those which are committed.
        (Some(at(4, 9)), vec![at(6, 10)]),
        (Some(at(5, u64::MAX)), vec![at(5, u64::MAX)]),
        (Some(at(5, MAX_INDEX)), vec![at(5, MAX_INDEX + 1)]),
        (Some(at(4, 8)), vec![at(5, 9)]),
        (Some(at(3, 10)), vec![at(5, 11)]),
    ] {
        let request = append(won(5), prev, &entries);
        assert!(KNOWN.check_append(&request).is_err(), "{request:?}");
    }
    let far = AppendEntriesRequest { leader_commit: Some(at(5, u64::MAX)), ..append(won(5), None, &[]) };
    assert!(KNOWN.check_append(&far).is_err());
}

#[test]
fn an_epoch_that_nobody_comes_to_is_refused() {
    for epoch in [5 + LEAP + 1, (1 << 31) - 1, u64::MAX] {
        assert!(KNOWN.check_append(&append(won(epoch), None, &[])).is_err());
        assert!(KNOWN.check_vote(&VoteRequest::new(asked(epoch), None)).is_err());
        assert!(KNOWN.check_transfer(&TransferLeaderRequest::new(won(epoch), 1, None)).is_err());
        assert!(check_answered(&asked(5), &won(epoch)).is_err());
    }
    let fresh = Known { epoch: 0, committed: None, ..KNOWN };
    assert!(fresh.check_append(&append(won(MAX_EPOCH + 1), None, &[])).is_err());
    assert!(check_answered(&asked(5), &asked(7)).is_ok());
}

#[test]
fn a_vote_is_the_senders_own() {
    let of = |node, committed| vote_of(Ballot { epoch: 6, node, committed });
    for node in [1, 77, u64::MAX] {
        assert!(KNOWN.check_vote(&VoteRequest::new(of(node, false), None)).is_err());
        assert!(KNOWN.check_append(&append(of(node, true), None, &[])).is_err());
    }
    assert!(KNOWN.check_vote(&VoteRequest::new(of(3, true), None)).is_err(), "who asks has not won");
    assert!(KNOWN.check_append(&append(of(3, false), None, &[])).is_err(), "who appends has won");
    assert!(KNOWN.check_vote(&VoteRequest::new(asked(6), Some(at(7, 1)))).is_err());
    assert!(KNOWN.check_vote(&VoteRequest::new(asked(6), Some(at(6, 1 << 63)))).is_err());
}

#[test]
fn a_snapshot_without_voters_or_beyond_its_leader_is_refused() {
    let voters = || members(&[&[1, 3]], &[1, 3]);
    let good = Some(at(1, 7));
    for piece in [
        snapshot(won(5), Some(at(u64::MAX, u64::MAX)), None, Voters::default()),
        snapshot(won(5), None, good, voters()),
        snapshot(won(5), Some(at(6, 30)), good, voters()),
        snapshot(won(5), Some(at(5, u64::MAX)), good, voters()),
        // It would have to be both newer and older than what is committed.
        snapshot(won(5), Some(at(5, 9)), good, voters()),
        snapshot(won(5), Some(at(5, 30)), None, voters()),
        snapshot(won(5), Some(at(5, 30)), Some(at(5, 31)), voters()),
        snapshot(won(5), Some(at(5, 30)), good, Voters::default()),
        snapshot(won(5), Some(at(5, 30)), good, members(&[&[1]], &[1, u64::from(u32::MAX)])),
    ] {
        assert!(KNOWN.check_snapshot(&piece).is_err(), "{piece:?}");
    }
    assert!(KNOWN.check_append(&append_voters(Voters::default())).is_err());
    assert!(KNOWN.check_append(&append_voters(members(&[&[1], &[3], &[1, 3]], &[1, 3]))).is_err());
}

#[test]
fn a_follower_cannot_have_more_than_it_was_sent() {
    let request = append(won(5), Some(at(4, 9)), &[at(5, 10)]);
    let has = |log_id| check_appended(&request, &AppendEntriesResponse::PartialSuccess(log_id));
    assert_eq!(has(Some(at(5, 10))), Ok(()));
    assert_eq!(has(None), Ok(()));
    assert!(has(Some(at(5, 11))).is_err());
    assert!(check_appended(&request, &AppendEntriesResponse::HigherVote(won(u64::MAX))).is_err());
}
