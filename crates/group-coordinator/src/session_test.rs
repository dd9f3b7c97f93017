use crate::test_support::*;
use crate::{GroupConfig, GroupError, GroupRequest, GroupState, OffsetCommit};

#[test]
fn a_silent_member_is_removed_and_the_others_rebalance() {
    let mut rig = Rig::prompt();
    let members = rig.stable(&["a", "b"]);
    rig.advance(5_000);
    rig.heartbeat(&members[1]).unwrap();
    rig.advance(4_999);
    assert_eq!(rig.state("g"), GroupState::Stable);
    rig.advance(1);
    assert_eq!(rig.heartbeat(&members[0]), Err(unknown_member(&members[0].member_id)));
    assert_eq!(rig.heartbeat(&members[1]), Err(GroupError::RebalanceInProgress));
}

#[test]
fn when_the_last_member_falls_silent_the_group_is_empty_and_the_log_says_so() {
    let mut rig = Rig::prompt();
    rig.stable(&["a"]);
    rig.advance(i64::from(SESSION_MS));
    assert_eq!(rig.state("g"), GroupState::Empty);
    rig.reload();
    assert_eq!(rig.state("g"), GroupState::Empty);
    let id = rig.join("a");
    rig.advance(0);
    assert_eq!(rig.joined(id).generation, 3, "1 was its, 2 was nobody's");
}

#[test]
fn members_that_wait_for_us_need_no_heartbeats() {
    let mut rig = Rig::prompt();
    let members = rig.stable(&["a", "b"]);
    let client = if members[0].member_id.starts_with('a') { "a" } else { "b" };
    let parked = rig.rejoin(&members[0].member_id, client);
    for _ in 0..11 {
        rig.advance(5_000);
        rig.heartbeat(&members[1]).unwrap_err();
    }
    assert_eq!(rig.answer(parked), None, "longer than its session timeout, and still parked");
    assert_eq!(rig.describe("g").unwrap().members.len(), 2);
}

#[test]
fn a_member_that_ends_during_a_rebalance_lets_the_others_go_on() {
    let mut rig = Rig::prompt();
    let members = rig.stable(&["a", "b"]);
    let client = if members[0].member_id.starts_with('a') { "a" } else { "b" };
    let parked = rig.rejoin(&members[0].member_id, client);
    rig.advance(i64::from(SESSION_MS));
    let joined = rig.joined(parked);
    assert_eq!((joined.generation, joined.members.len()), (2, 1));
}

#[test]
fn an_offset_commit_renews_the_session() {
    let mut rig = Rig::prompt();
    let joined = rig.stable(&["a"]).remove(0);
    for offset in 0..5 {
        rig.advance(9_000);
        let request = OffsetCommit {
            member_id: joined.member_id.clone(),
            generation: 1,
            ..committing("g", "t", offset)
        };
        rig.ask(GroupRequest::CommitOffsets(request)).unwrap();
    }
    assert_eq!(rig.state("g"), GroupState::Stable);
}

#[test]
fn a_loaded_group_gives_its_members_new_sessions() {
    let mut rig = Rig::prompt();
    let joined = rig.stable(&["a"]).remove(0);
    rig.advance(9_000);
    rig.reload();
    rig.advance(9_000);
    assert_eq!(rig.heartbeat(&joined), Ok(()));
    rig.reload();
    rig.advance(10_000);
    assert_eq!(rig.state("g"), GroupState::Empty);
}

#[test]
fn members_that_could_not_reach_us_have_a_whole_session_again() {
    let mut rig = Rig::prompt();
    let joined = rig.stable(&["a"]).remove(0);
    rig.advance(9_000);
    rig.cut_off(i64::from(SESSION_MS) * 3);
    rig.advance(9_999);
    assert_eq!(rig.heartbeat(&joined), Ok(()));
    // But no more than one.
    rig.cut_off(1);
    rig.advance(i64::from(SESSION_MS));
    assert_eq!(rig.state("g"), GroupState::Empty);
}

#[test]
fn a_rebalance_waits_for_members_that_could_not_reach_us() {
    let mut rig = Rig::prompt();
    let mut members = rig.stable(&["a", "b"]);
    let nearly_too_late = |rig: &mut Rig, members: [&crate::Joined; 2]| {
        rig.cut_off(i64::from(REBALANCE_MS));
        for _ in 0..7 {
            rig.advance(8_000);
            for joined in members {
                let _ = rig.heartbeat(joined);
            }
        }
    };
    let name = |joined: &crate::Joined| if joined.member_id.starts_with('a') { "a" } else { "b" };
    let (leader, late) = (members.remove(0), members.remove(0));
    let first = rig.rejoin(&leader.member_id, name(&leader));
    nearly_too_late(&mut rig, [&leader, &late]);
    assert_eq!(rig.answer(first), None, "the join phase has its whole time again");
    let second = rig.rejoin(&late.member_id, name(&late));
    let (leader, late) = (rig.joined(first), rig.joined(second));
    assert_eq!((leader.generation, leader.members.len()), (2, 2));

    let waiting = rig.sync(&leader, &[]);
    rig.answer(waiting).unwrap().unwrap();
    nearly_too_late(&mut rig, [&leader, &late]);
    assert!(rig.heartbeat(&late).is_ok(), "it may still send its SyncGroup");
    rig.advance(4_000);
    assert_eq!(rig.heartbeat(&late), Err(unknown_member(&late.member_id)), "but not for ever");
}

#[test]
fn a_rebalance_that_a_failover_interrupts_is_forgotten_with_its_parked_requests() {
    let mut rig = Rig::prompt();
    let leader = rig.stable(&["a"]).remove(0);
    let b = rig.join("b");
    let a = rig.rejoin(&leader.member_id, "a");
    let joined = rig.joined(a);
    rig.joined(b);
    let sync = rig.join("c");
    rig.reload();
    assert_eq!(rig.answer(sync), Some(Err(GroupError::NotCoordinator)));
    assert_eq!(rig.state("g"), GroupState::Stable, "generation 1 is what the log knows");
    assert_eq!(rig.heartbeat(&leader), Ok(()));
    assert_eq!(rig.heartbeat(&joined), Err(GroupError::IllegalGeneration { expected: 1, found: 2 }));
}

#[test]
fn a_heartbeat_names_what_is_wrong() {
    let mut rig = Rig::prompt();
    let joined = rig.stable(&["a"]).remove(0);
    let stale = crate::Joined { generation: 0, ..joined.clone() };
    assert_eq!(rig.heartbeat(&stale), Err(GroupError::IllegalGeneration { expected: 1, found: 0 }));
    let stranger = crate::Joined { member_id: "x".into(), ..joined };
    assert_eq!(rig.heartbeat(&stranger), Err(unknown_member("x")));
    let heartbeat = |group: &str| {
        GroupRequest::Heartbeat(crate::Heartbeat { group_id: group.into(), ..crate::Heartbeat::default() })
    };
    assert_eq!(rig.ask(heartbeat("")), Err(GroupError::InvalidGroupId));
    assert_eq!(rig.ask(heartbeat("other")), Err(unknown_member("")));
}

#[test]
fn a_member_awaiting_the_assignment_may_send_heartbeats() {
    let mut rig = Rig::prompt();
    let id = rig.join("a");
    rig.advance(0);
    let joined = rig.joined(id);
    assert_eq!(rig.heartbeat(&joined), Ok(()));
}

#[test]
fn a_pending_member_that_ends_does_not_cut_the_initial_delay_short() {
    let mut rig =
        Rig::with(GroupConfig { initial_rebalance_delay_ms: 3 * SESSION_MS, ..GroupConfig::default() });
    let parked = rig.join("a");
    let pending = rig.send(edit(joining("b"), |join| join.member_id_required = true));
    assert!(matches!(rig.answer(pending), Some(Err(GroupError::MemberIdRequired { .. }))));
    rig.advance(i64::from(SESSION_MS));
    assert_eq!(rig.answer(parked), None, "others may still come");
    rig.advance(i64::from(REBALANCE_MS));
    assert_eq!(rig.joined(parked).generation, 1);
}
