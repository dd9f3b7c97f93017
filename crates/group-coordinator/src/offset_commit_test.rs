use super::*;
use crate::test_support::*;
use crate::{GroupConfig, GroupRequest, GroupResponse, Joined};

fn refused(rig: &mut Rig, request: OffsetCommit) -> GroupError {
    rig.ask(GroupRequest::CommitOffsets(request)).unwrap_err()
}

fn as_member(joined: &Joined) -> OffsetCommit {
    OffsetCommit {
        member_id: joined.member_id.clone(),
        generation: joined.generation,
        ..committing("g", "t", 7)
    }
}

#[test]
fn a_commit_without_a_group_makes_a_simple_one() {
    let mut rig = Rig::new();
    rig.commit_offset("g", "t", 42);
    assert_eq!(rig.offset("g", "t"), Some(42));
    let group = rig.describe("g").unwrap();
    assert_eq!((group.state, group.protocol_type.as_ref()), (GroupState::Empty, ""));
    rig.reload();
    assert_eq!(rig.offset("g", "t"), Some(42));
    assert_eq!(rig.state("g"), GroupState::Empty);
}

#[test]
fn the_empty_group_id_may_commit() {
    let mut rig = Rig::new();
    rig.commit_offset("", "t", 1);
    assert_eq!(rig.offset("", "t"), Some(1));
}

#[test]
fn a_generation_of_a_group_that_does_not_exist_is_refused() {
    let request = OffsetCommit { member_id: "a".into(), generation: 3, ..committing("g", "t", 1) };
    assert_eq!(refused(&mut Rig::new(), request), GroupError::GroupIdNotFound { group_id: "g".into() });
}

#[test]
fn members_commit_under_their_generation_and_nobody_else_may() {
    let mut rig = Rig::prompt();
    let joined = rig.stable(&["a"]).remove(0);
    assert!(rig.ask(GroupRequest::CommitOffsets(as_member(&joined))).is_ok());
    assert_eq!(refused(&mut rig, committing("g", "t", 1)), unknown_member(""));
    let generation = |generation| OffsetCommit { generation, ..as_member(&joined) };
    for found in [-1, 0, 2] {
        assert_eq!(
            refused(&mut rig, generation(found)),
            GroupError::IllegalGeneration { expected: 1, found }
        );
    }
    let stranger = OffsetCommit { member_id: "x".into(), ..as_member(&joined) };
    assert_eq!(refused(&mut rig, stranger), unknown_member("x"));
    let instance = OffsetCommit { instance_id: Some("i".into()), ..as_member(&joined) };
    assert_eq!(refused(&mut rig, instance), unknown_member(&joined.member_id));
}

#[test]
fn an_empty_group_takes_commits_of_administrators_and_not_of_former_members() {
    let mut rig = Rig::prompt();
    let joined = rig.stable(&["a"]).remove(0);
    rig.leave(&joined.member_id, None).unwrap();
    rig.commit_offset("g", "t", 5);
    assert_eq!(refused(&mut rig, as_member(&joined)), unknown_member(&joined.member_id));
    let with_id_only = OffsetCommit { member_id: "x".into(), ..committing("g", "t", 6) };
    assert!(rig.ask(GroupRequest::CommitOffsets(with_id_only)).is_ok(), "its id does not matter then");
}

#[test]
fn members_may_commit_while_the_group_prepares_to_rebalance_but_not_while_it_completes() {
    let mut rig = Rig::prompt();
    let members = rig.stable(&["a", "b"]);
    let client = |joined: &Joined| if joined.member_id.starts_with('a') { "a" } else { "b" };
    let leader = rig.rejoin(&members[0].member_id, client(&members[0]));
    assert!(rig.ask(GroupRequest::CommitOffsets(as_member(&members[1]))).is_ok());
    rig.rejoin(&members[1].member_id, client(&members[1]));
    let joined = rig.joined(leader);
    assert_eq!(refused(&mut rig, as_member(&joined)), GroupError::RebalanceInProgress);
    let stale = as_member(&members[1]);
    assert_eq!(refused(&mut rig, stale), GroupError::IllegalGeneration { expected: 2, found: 1 });
}

#[test]
fn metadata_is_limited_in_utf_16_units_per_partition() {
    let mut rig = Rig::with(GroupConfig { offset_metadata_max_bytes: 4, ..GroupConfig::default() });
    let mut request = committing("g", "t", 1);
    let first = request.topics[0].partitions[0].clone();
    let texts = ["abcd", "abcde", "äöüß", "😀😀", "😀😀a"];
    request.topics[0].partitions = texts
        .iter()
        .zip(0..)
        .map(|(text, n)| CommitPartition {
            partition: PartitionIndex(n),
            metadata: Some((*text).into()),
            ..first.clone()
        })
        .collect();
    let Ok(GroupResponse::CommitOffsets(topics)) = rig.ask(GroupRequest::CommitOffsets(request)) else {
        panic!()
    };
    let results: Vec<_> = topics[0].partitions.iter().map(|(_, result)| result.clone()).collect();
    let too_large = Err(GroupError::OffsetMetadataTooLarge { len: 5, max: 4 });
    assert_eq!(results, [Ok(()), too_large.clone(), Ok(()), Ok(()), too_large]);
    assert_eq!(rig.shard().offset_count(), 3);
}

#[test]
fn what_is_stored_is_what_was_sent() {
    let mut rig = Rig::new();
    let topic_id = ottla_types::Uuid([7; 16]);
    let mut request = committing("g", "t", 9);
    request.topics[0].topic_id = topic_id;
    request.topics[0].partitions[0].leader_epoch = LeaderEpoch(3);
    request.topics[0].partitions[0].metadata = Some("note".into());
    let old = OffsetCommit { retention_ms: Some(60_000), ..committing("g", "old", 1) };
    rig.ask(GroupRequest::CommitOffsets(request)).unwrap();
    rig.ask(GroupRequest::CommitOffsets(old)).unwrap();
    rig.reload();
    let shard = rig.shard();
    let committed = shard.offsets.get("g", "t", PartitionIndex(0)).unwrap();
    let expected = CommittedOffset {
        offset: Offset(9),
        leader_epoch: LeaderEpoch(3),
        metadata: "note".into(),
        commit_timestamp_ms: START_MS,
        expire_timestamp_ms: None,
        topic_id,
        record_offset: Offset(0),
    };
    assert_eq!(committed, &expected);
    let old = shard.offsets.get("g", "old", PartitionIndex(0)).unwrap();
    assert_eq!(old.expire_timestamp_ms, Some(START_MS + 60_000));
    assert_eq!(shard.counters(), crate::Counters::default(), "loading is no committing");
}

#[test]
fn a_commit_that_cannot_be_written_leaves_the_former_offset() {
    let mut rig = Rig::new();
    rig.commit_offset("g", "t", 1);
    rig.log.refuse = Some(ottla_coordinator::Failure::NotEnoughReplicas);
    assert_eq!(refused(&mut rig, committing("g", "t", 2)), GroupError::CoordinatorNotAvailable);
    assert_eq!(rig.offset("g", "t"), Some(1));
}

#[test]
fn a_commit_is_answered_when_it_is_committed_or_given_up_after_five_seconds() {
    let mut rig = Rig::new();
    rig.log.stalled_at = Some(Offset(0));
    let first = rig.send(GroupRequest::CommitOffsets(committing("g", "t", 1)));
    let read = rig.send(GroupRequest::FetchOffsets(fetching("g", "t")));
    assert_eq!((rig.answer(first), rig.answer(read)), (None, None), "reads wait for what they saw");
    rig.advance(5_000);
    let timed_out = Some(Err(GroupError::CoordinatorNotAvailable));
    assert_eq!((rig.answer(first), rig.answer(read)), (timed_out.clone(), timed_out));
    let second = rig.send(GroupRequest::CommitOffsets(committing("g", "t", 2)));
    rig.commit();
    assert!(rig.answer(second).unwrap().is_ok());
    assert_eq!(rig.offset("g", "t"), Some(2));
}
