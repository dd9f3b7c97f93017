use ottla_coordinator::Failure;
use ottla_types::Bytes;

use super::*;
use crate::test_support::*;
use crate::{GroupRequest, Heartbeat, Protocol, SyncGroup};

/// A stable group of one static member `i`, assigned `x`.
fn stable_static() -> (Rig, Joined) {
    let mut rig = Rig::prompt();
    let id = rig.send(joining_static("i", 1));
    rig.advance(0);
    let joined = rig.joined(id);
    let sync = rig.sync(&joined, &[(&joined.member_id, "x")]);
    rig.answer(sync).unwrap().unwrap();
    (rig, joined)
}

fn assignment(rig: &mut Rig, joined: &Joined) -> Bytes {
    let sync = rig.sync(joined, &[]);
    match rig.answer(sync) {
        Some(Ok(GroupResponse::Sync(synced))) => synced.assignment,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_static_member_needs_no_second_step_and_its_id_begins_with_the_instance_id() {
    let mut rig = Rig::prompt();
    let id = rig.send(edit(joining_static("i", 1), |join| join.member_id_required = true));
    rig.advance(0);
    assert!(rig.joined(id).member_id.starts_with("i-01010101-"));
}

#[test]
fn a_restarted_leader_takes_over_in_place_and_keeps_its_assignment() {
    let (mut rig, old) = stable_static();
    let id = rig.send(joining_static("i", 2));
    let new = rig.joined(id);
    assert_ne!(new.member_id, old.member_id);
    assert_eq!(new.generation, old.generation);
    assert_eq!(new.leader, new.member_id);
    assert!(new.skip_assignment);
    assert_eq!(new.members.len(), 1);
    assert_eq!(rig.state("g"), GroupState::Stable);
    assert_eq!(assignment(&mut rig, &new), "x");
}

#[test]
fn a_client_that_does_not_know_skip_assignment_is_told_of_the_old_leader() {
    let (mut rig, old) = stable_static();
    let id = rig.send(edit(joining_static("i", 2), |join| join.can_skip_assignment = false));
    let new = rig.joined(id);
    assert_eq!(new.leader, old.member_id);
    assert!(!new.skip_assignment);
    assert!(new.members.is_empty());
}

#[test]
fn the_former_process_is_fenced_wherever_it_names_its_instance() {
    let (mut rig, old) = stable_static();
    rig.send(joining_static("i", 2));
    let fenced = GroupError::FencedInstanceId { instance_id: "i".into() };
    let instance_id = Some("i".into());
    let requests = [
        GroupRequest::Heartbeat(Heartbeat {
            group_id: "g".into(),
            member_id: old.member_id.clone(),
            instance_id: instance_id.clone(),
            generation: 1,
        }),
        GroupRequest::Sync(SyncGroup {
            group_id: "g".into(),
            member_id: old.member_id.clone(),
            instance_id: instance_id.clone(),
            generation: 1,
            ..SyncGroup::default()
        }),
        edit(joining_static("i", 1), |join| join.member_id = old.member_id.clone()),
        GroupRequest::CommitOffsets(crate::OffsetCommit {
            member_id: old.member_id.clone(),
            instance_id,
            generation: 1,
            ..committing("g", "t", 1)
        }),
    ];
    for request in requests {
        assert_eq!(rig.ask(request), Err(fenced.clone()));
    }
    assert_eq!(rig.leave(&old.member_id, Some("i")), Err(fenced));
    assert_eq!(rig.heartbeat(&old), Err(unknown_member(&old.member_id)), "without its instance id");
}

#[test]
fn parked_requests_of_the_former_process_are_fenced() {
    let fenced = GroupError::FencedInstanceId { instance_id: "i".into() };
    let mut rig = Rig::new();
    let join = rig.send(joining_static("i", 1));
    rig.send(joining_static("i", 2));
    assert_eq!(rig.answer(join), Some(Err(fenced.clone())));

    let mut rig = Rig::prompt();
    let (a, i) = (rig.join("a"), rig.send(joining_static("i", 1)));
    rig.advance(0);
    let (a, i) = (rig.joined(a), rig.joined(i));
    assert_eq!(i.leader, a.member_id);
    let sync = rig.sync(&i, &[]);
    rig.send(joining_static("i", 2));
    assert_eq!(rig.answer(sync), Some(Err(fenced)));
    assert_eq!(rig.state("g"), GroupState::PreparingRebalance, "the leader was told the old id");
}

#[test]
fn a_restart_that_changes_the_chosen_protocol_rebalances() {
    let (mut rig, _) = stable_static();
    let id = rig.send(edit(joining_static("i", 2), |join| {
        join.protocols = vec![Protocol { name: "range".into(), metadata: Bytes::new() }];
    }));
    assert_eq!(rig.joined(id).generation, 1, "range stays");
    let id = rig.send(edit(joining_static("i", 3), |join| {
        join.protocols = vec![
            Protocol { name: "roundrobin".into(), metadata: Bytes::new() },
            Protocol { name: "range".into(), metadata: Bytes::new() },
        ];
    }));
    assert_eq!(rig.joined(id).generation, 2, "it prefers another now");
}

#[test]
fn a_new_static_member_rebalances_and_static_members_outlive_the_join_phase() {
    let (mut rig, old) = stable_static();
    let other = rig.send(joining_static("j", 7));
    assert_eq!(rig.state("g"), GroupState::PreparingRebalance);
    for _ in 0..11 {
        rig.advance(5_000);
        assert_eq!(rig.heartbeat(&old), Err(GroupError::RebalanceInProgress));
    }
    rig.advance(5_000);
    let joined = rig.joined(other);
    assert_eq!(joined.leader, joined.member_id, "the leader did not join in time");
    assert_eq!(joined.members.len(), 2, "i may come back");
}

#[test]
fn without_any_joined_member_the_rebalance_waits_for_static_ones_until_their_sessions_end() {
    let (mut rig, old) = stable_static();
    let join = edit(joining_static("j", 7), |join| join.session_timeout_ms = 6_000);
    let j = rig.send(join);
    assert_eq!(rig.leave("", Some("j")), Ok(()));
    assert_eq!(rig.answer(j), Some(Err(unknown_member(""))));
    assert_eq!(rig.state("g"), GroupState::PreparingRebalance);
    for _ in 0..30 {
        rig.advance(5_000);
        assert_eq!(rig.heartbeat(&old), Err(GroupError::RebalanceInProgress));
    }
    rig.advance(i64::from(SESSION_MS));
    assert_eq!(rig.state("g"), GroupState::Empty);
}

#[test]
fn the_new_id_is_in_the_log_before_it_is_told() {
    let (mut rig, _) = stable_static();
    rig.log.stalled_at = Some(rig.log.records.len().try_into().map(ottla_types::Offset).unwrap());
    let id = rig.send(joining_static("i", 2));
    assert_eq!(rig.answer(id), None);
    rig.commit();
    let new = rig.joined(id);
    rig.reload();
    assert_eq!(rig.heartbeat(&new), Ok(()));
    assert_eq!(assignment(&mut rig, &new), "x");
}

#[test]
fn a_takeover_that_cannot_be_written_does_not_happen() {
    let (mut rig, old) = stable_static();
    rig.log.refuse = Some(Failure::NotEnoughReplicas);
    let id = rig.send(joining_static("i", 2));
    assert_eq!(rig.answer(id), Some(Err(GroupError::CoordinatorNotAvailable)));
    rig.log.refuse = None;
    assert_eq!(rig.heartbeat(&old), Ok(()));
    assert_eq!(assignment(&mut rig, &old), "x");
    assert_eq!(rig.describe("g").unwrap().members.len(), 1);
    rig.advance(i64::from(SESSION_MS));
    assert_eq!(rig.state("g"), GroupState::Empty, "its session runs again");
}

#[test]
fn a_static_member_that_misses_a_rebalance_is_removed_when_it_does_not_sync_either() {
    let (mut rig, old) = stable_static();
    let j = rig.send(joining_static("j", 7));
    let keep_alive = |rig: &mut Rig, joined: &[&Joined]| {
        for _ in 0..12 {
            for joined in joined {
                let _ = rig.heartbeat(joined);
            }
            rig.advance(i64::from(REBALANCE_MS) / 12);
        }
    };
    keep_alive(&mut rig, &[&old]);
    let joined = rig.joined(j);
    rig.sync(&joined, &[]);
    assert_eq!(rig.state("g"), GroupState::Stable);
    let in_new_generation = Joined { generation: 2, ..old };
    keep_alive(&mut rig, &[&joined, &in_new_generation]);
    assert_eq!(rig.state("g"), GroupState::PreparingRebalance);
    let members = rig.describe("g").unwrap().members;
    assert_eq!(members.len(), 1);
    assert_eq!(members[0].instance_id.as_deref(), Some("j"));
}
