use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use openraft::EntryPayload;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, VoteRequest};
use ottla_types::{NodeId, Uuid};
use proptest::prelude::*;

use super::codec::{Input, Output, from_log, to_log};
use super::messages::{self, Envelope, JoinAnswer, SnapshotPiece};
use super::types::{
    Entry, LogId, Payload, SnapshotMeta, StoredVoters, Vote, VoterNode, Voters, founder_id, joiner_id,
    log_id, node_id,
};
use crate::log::Position;
use crate::transport::Destination;

fn log_ids() -> impl Strategy<Value = LogId> {
    (any::<u64>(), any::<u64>()).prop_map(|(epoch, index)| log_id(Position { epoch, index }))
}

fn votes() -> impl Strategy<Value = Vote> {
    (any::<u64>(), any::<u64>(), any::<bool>()).prop_map(|(term, node, committed)| {
        if committed { Vote::new_committed(term, node) } else { Vote::new(term, node) }
    })
}

fn voters() -> impl Strategy<Value = Voters> {
    let node = (any::<[u8; 16]>(), ".{0,20}")
        .prop_map(|(id, endpoint)| VoterNode { directory_id: Uuid(id), endpoint });
    let nodes = proptest::collection::btree_map(any::<u64>(), node, 1..5);
    (nodes, any::<bool>()).prop_map(|(nodes, is_joint): (BTreeMap<u64, VoterNode>, bool)| {
        let all: BTreeSet<u64> = nodes.keys().copied().collect();
        let first: BTreeSet<u64> = nodes.keys().copied().take(1).collect();
        let configs = if is_joint { vec![first, all] } else { vec![all] };
        Voters::new(configs, nodes).unwrap()
    })
}

fn entries() -> impl Strategy<Value = Entry> {
    let payload = prop_oneof![
        Just(EntryPayload::Blank),
        proptest::collection::vec(any::<u8>(), 0..50)
            .prop_map(|b| EntryPayload::Normal(Payload(Bytes::from(b)))),
        voters().prop_map(EntryPayload::Membership),
    ];
    (log_ids(), payload).prop_map(|(log_id, payload)| Entry { log_id, payload })
}

fn appends() -> impl Strategy<Value = AppendEntriesRequest<super::types::TypeConfig>> {
    let entries = proptest::collection::vec(entries(), 0..5);
    (votes(), proptest::option::of(log_ids()), proptest::option::of(log_ids()), entries).prop_map(
        |(vote, prev_log_id, leader_commit, entries)| AppendEntriesRequest {
            vote,
            prev_log_id,
            entries,
            leader_commit,
        },
    )
}

proptest! {
    #[test]
    fn entries_survive_the_log(entry in entries()) {
        prop_assert_eq!(from_log(to_log(&entry)).unwrap(), entry);
    }

    #[test]
    fn appends_survive_the_wire(request in appends()) {
        let mut out = Output::default();
        messages::put_append(&mut out, &request);
        let read = messages::take_append(&mut Input(out.finish())).unwrap();
        prop_assert_eq!(read.vote, request.vote);
        prop_assert_eq!(read.prev_log_id, request.prev_log_id);
        prop_assert_eq!(read.leader_commit, request.leader_commit);
        prop_assert_eq!(read.entries, request.entries);
    }

    #[test]
    fn a_cut_append_is_malformed(request in appends(), cut in any::<prop::sample::Index>()) {
        let mut out = Output::default();
        messages::put_append(&mut out, &request);
        let whole = out.finish();
        let cut = whole.slice(..cut.index(whole.len()));
        prop_assert!(messages::take_append(&mut Input(cut)).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let bytes = Bytes::from(bytes);
        let _ = messages::take_append(&mut Input(bytes.clone()));
        let _ = messages::take_append_response(&mut Input(bytes.clone()));
        let _ = messages::take_vote(&mut Input(bytes.clone()));
        let _ = messages::take_vote_response(&mut Input(bytes.clone()));
        let _ = messages::take_transfer(&mut Input(bytes.clone()));
        let _ = messages::take_transfer_response(&mut Input(bytes.clone()));
        let _ = messages::take_snapshot(&mut Input(bytes.clone()));
        let _ = messages::take_identity(&mut Input(bytes.clone()));
        let _ = messages::take_join(&mut Input(bytes.clone()));
        let _ = messages::take_join_answer(&mut Input(bytes.clone()));
        let _ = messages::open_request(&mut Input(bytes.clone()));
        let _ = messages::open_response(bytes);
    }

    #[test]
    fn snapshot_pieces_survive_the_wire(vote in votes(), last in log_ids(), voters in voters(), bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
        let meta = SnapshotMeta { last_log_id: Some(last), last_membership: StoredVoters::new(Some(last), voters) };
        let piece = SnapshotPiece { vote, meta, total: 1 << 40, offset: 7, bytes: Bytes::from(bytes) };
        let mut out = Output::default();
        messages::put_snapshot(&mut out, &piece);
        let read = messages::take_snapshot(&mut Input(out.finish())).unwrap();
        prop_assert_eq!((read.vote, &read.meta, read.total, read.offset, read.bytes), (piece.vote, &piece.meta, piece.total, piece.offset, piece.bytes));
    }
}

#[test]
fn votes_and_answers_survive_the_wire() {
    let mut request = VoteRequest::new(Vote::new(3, 1), Some(log_id(Position { epoch: 2, index: 9 })));
    request.leadership_transfer = true;
    let mut out = Output::default();
    messages::put_vote(&mut out, &request);
    assert_eq!(messages::take_vote(&mut Input(out.finish())).unwrap(), request);

    let answers = [
        AppendEntriesResponse::Success,
        AppendEntriesResponse::PartialSuccess(None),
        AppendEntriesResponse::Conflict,
        AppendEntriesResponse::HigherVote(Vote::new_committed(4, 2)),
    ];
    for answer in answers {
        let mut out = Output::default();
        messages::put_append_response(&mut out, &answer);
        assert_eq!(
            messages::take_append_response(&mut Input(out.finish())).unwrap().to_string(),
            answer.to_string()
        );
    }
}

#[test]
fn the_bytes_of_a_request_stay_as_they_are() {
    let envelope =
        Envelope { cluster_id: "c".to_owned(), from_directory: Uuid([1; 16]), to_directory: Uuid([2; 16]) };
    let request = AppendEntriesRequest {
        vote: Vote::new_committed(5, 1),
        prev_log_id: Some(log_id(Position { epoch: 4, index: 6 })),
        entries: vec![Entry {
            log_id: log_id(Position { epoch: 5, index: 7 }),
            payload: EntryPayload::Normal(Payload(Bytes::from_static(b"hi"))),
        }],
        leader_commit: None,
    };
    let bytes = messages::request(&envelope, |out| messages::put_append(out, &request));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = concat!(
        "01",
        "0000000163",
        "01010101010101010101010101010101",
        "02020202020202020202020202020202",
        "0000000000000005000000000000000101",
        "0100000000000000040000000000000006",
        "00",
        "00000001",
        "00000000000000050000000000000007",
        "01000000026869",
    );
    assert_eq!(hex, expected);
}

#[test]
fn joining_survives_the_wire() {
    let mut out = Output::default();
    messages::put_join(&mut out, 3, "host:9093");
    assert_eq!(messages::take_join(&mut Input(out.finish())).unwrap(), (3, "host:9093".to_owned()));
    let mut out = Output::default();
    messages::put_join(&mut out, 3, &"h".repeat(300));
    assert!(messages::take_join(&mut Input(out.finish())).is_err());
    let leader = Destination { id: Some(NodeId(3)), endpoint: "host:9093".to_owned() };
    for answer in [JoinAnswer::Member, JoinAnswer::Leader(leader), JoinAnswer::Later] {
        let mut out = Output::default();
        messages::put_join_answer(&mut out, &answer);
        assert_eq!(messages::take_join_answer(&mut Input(out.finish())).unwrap(), answer);
    }
}

#[test]
fn a_directory_makes_another_raft_node_of_a_node() {
    let (a, b) = (joiner_id(NodeId(3), Uuid([1; 16])), joiner_id(NodeId(3), Uuid([2; 16])));
    assert!(a != b && a != founder_id(NodeId(3)));
    for id in [a, b, founder_id(NodeId(3)), joiner_id(NodeId(3), Uuid::ZERO)] {
        assert_eq!(node_id(id), NodeId(3));
    }
    assert_ne!(joiner_id(NodeId(3), Uuid::ZERO), founder_id(NodeId(3)));
    assert_eq!(node_id(joiner_id(NodeId(i32::MAX), Uuid([255; 16]))), NodeId(i32::MAX));
}
