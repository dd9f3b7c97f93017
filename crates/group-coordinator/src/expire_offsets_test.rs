use ottla_coordinator::Failure;

use crate::test_support::*;
use crate::{GroupConfig, GroupRequest, GroupState, OffsetCommit};

const RETENTION_MS: i64 = 3_600_000;
const CHECK_MS: i64 = 600_000;

fn rig() -> Rig {
    Rig::with(GroupConfig {
        initial_rebalance_delay_ms: 0,
        offsets_retention_ms: RETENTION_MS,
        max_session_timeout_ms: i32::MAX,
        ..GroupConfig::default()
    })
}

/// A stable group of one member that does not expire in these tests.
fn with_member(rig: &mut Rig, protocol_type: &str) -> crate::Joined {
    let id = rig.send(edit(joining("a"), |join| {
        join.session_timeout_ms = i32::MAX;
        join.protocol_type = protocol_type.into();
    }));
    rig.advance(0);
    let joined = rig.joined(id);
    rig.sync(&joined, &[]);
    joined
}

#[test]
fn offsets_of_a_simple_group_expire_after_their_commit_and_the_group_with_the_last() {
    let mut rig = rig();
    rig.commit_offset("simple", "t", 1);
    rig.advance(CHECK_MS);
    rig.commit_offset("simple", "u", 2);
    rig.advance(RETENTION_MS - CHECK_MS);
    assert_eq!((rig.offset("simple", "t"), rig.offset("simple", "u")), (None, Some(2)));
    assert_eq!(rig.state("simple"), GroupState::Empty);
    rig.advance(CHECK_MS);
    assert_eq!(rig.offset("simple", "u"), None);
    assert_eq!(rig.state("simple"), GroupState::Dead);
    assert_eq!(rig.shard().counters().offset_expirations, 2);
    rig.reload();
    assert_eq!(rig.state("simple"), GroupState::Dead);
}

#[test]
fn offsets_of_an_empty_group_expire_after_its_last_member_left() {
    let mut rig = rig();
    rig.commit_offset("g", "t", 1);
    let joined = with_member(&mut rig, "consumer");
    rig.advance(RETENTION_MS * 3);
    rig.leave(&joined.member_id, None).unwrap();
    rig.advance(RETENTION_MS - 1);
    assert_eq!(rig.offset("g", "t"), Some(1));
    rig.advance(CHECK_MS);
    assert_eq!((rig.offset("g", "t"), rig.state("g")), (None, GroupState::Dead));
}

#[test]
fn a_stable_consumer_group_loses_only_offsets_of_topics_it_does_not_subscribe_to() {
    let mut rig = rig();
    rig.commit_offset("g", "t", 1);
    rig.commit_offset("g", "u", 2);
    with_member(&mut rig, "consumer");
    rig.advance(RETENTION_MS * 3);
    assert_eq!((rig.offset("g", "t"), rig.offset("g", "u")), (Some(1), None));
    assert_eq!(rig.state("g"), GroupState::Stable);
}

#[test]
fn a_group_of_another_protocol_keeps_its_offsets_while_it_has_members() {
    let mut rig = rig();
    rig.commit_offset("g", "u", 2);
    with_member(&mut rig, "connect");
    rig.advance(RETENTION_MS * 3);
    assert_eq!(rig.offset("g", "u"), Some(2));
}

#[test]
fn an_expiry_that_the_client_chose_goes_first() {
    let mut rig = rig();
    let short = OffsetCommit { retention_ms: Some(CHECK_MS), ..committing("g", "short", 1) };
    let long = OffsetCommit { retention_ms: Some(RETENTION_MS * 2), ..committing("g", "long", 2) };
    rig.ask(GroupRequest::CommitOffsets(short)).unwrap();
    rig.ask(GroupRequest::CommitOffsets(long)).unwrap();
    rig.advance(CHECK_MS);
    assert_eq!(rig.offset("g", "short"), None);
    rig.advance(RETENTION_MS * 2 - CHECK_MS - 1);
    assert_eq!(rig.offset("g", "long"), Some(2));
    rig.advance(CHECK_MS);
    assert_eq!(rig.offset("g", "long"), None);
}

#[test]
fn a_group_without_offsets_and_members_goes_at_the_next_check() {
    let mut rig = rig();
    let joined = with_member(&mut rig, "consumer");
    rig.leave(&joined.member_id, None).unwrap();
    assert_eq!(rig.state("g"), GroupState::Empty);
    rig.advance(CHECK_MS);
    assert_eq!(rig.state("g"), GroupState::Dead);
}

#[test]
fn a_group_that_a_pending_member_is_about_to_join_stays() {
    let mut rig = rig();
    rig.advance(CHECK_MS - 1);
    let first = edit(joining("a"), |join| join.member_id_required = true);
    rig.ask(first).unwrap_err();
    rig.advance(1);
    assert_eq!(rig.state("g"), GroupState::Empty);
}

#[test]
fn many_offsets_expire_in_batches_of_bounded_size() {
    let mut rig = rig();
    let mut request = committing("g", "t", 1);
    let name = "x".repeat(200);
    request.topics = (0..2_000)
        .map(|n| crate::CommitTopic { topic: format!("{name}{n}").into(), ..request.topics[0].clone() })
        .collect();
    rig.ask(GroupRequest::CommitOffsets(request)).unwrap();
    rig.advance(RETENTION_MS);
    assert_eq!(rig.shard().offset_count(), 0);
    assert_eq!(rig.state("g"), GroupState::Dead);
    assert_eq!(rig.log.records.len(), 4_001, "each offset, its tombstone, and the group's");
}

#[test]
fn what_cannot_be_written_expires_later() {
    let mut rig = rig();
    rig.commit_offset("g", "t", 1);
    rig.log.refuse = Some(Failure::NotEnoughReplicas);
    rig.advance(RETENTION_MS);
    assert_eq!(rig.offset("g", "t"), Some(1));
    rig.log.refuse = None;
    rig.advance(CHECK_MS);
    assert_eq!(rig.offset("g", "t"), None);
}
