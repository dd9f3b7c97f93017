use super::*;
use crate::test_support::*;
use crate::{GroupRequest, GroupResponse};

#[test]
fn a_member_that_leaves_makes_the_others_rebalance() {
    let mut rig = Rig::prompt();
    let members = rig.stable(&["a", "b"]);
    assert_eq!(rig.leave(&members[0].member_id, None), Ok(()));
    assert_eq!(rig.state("g"), GroupState::PreparingRebalance);
    assert_eq!(rig.heartbeat(&members[1]), Err(GroupError::RebalanceInProgress));
    assert_eq!(rig.leave(&members[1].member_id, None), Ok(()));
    assert_eq!(rig.state("g"), GroupState::Empty);
}

#[test]
fn a_group_that_nobody_is_in_anymore_is_empty_in_the_log() {
    let mut rig = Rig::prompt();
    let joined = rig.stable(&["a"]).remove(0);
    rig.leave(&joined.member_id, None).unwrap();
    rig.reload();
    let group = rig.describe("g").unwrap();
    assert_eq!((group.state, group.protocol_type.as_ref()), (GroupState::Empty, "consumer"));
}

#[test]
fn strangers_and_strange_groups_are_unknown() {
    let mut rig = Rig::prompt();
    assert_eq!(rig.leave("x", None), Err(unknown_member("x")), "no such group");
    rig.stable(&["a"]);
    assert_eq!(rig.leave("x", None), Err(unknown_member("x")));
    assert_eq!(rig.leave("", Some("i")), Err(unknown_member("")));
    assert_eq!(rig.leave("", None), Err(unknown_member("")));
    assert_eq!(rig.state("g"), GroupState::Stable);
    let request = LeaveGroup::default();
    assert_eq!(rig.ask(GroupRequest::Leave(request)), Err(GroupError::InvalidGroupId));
}

#[test]
fn an_administrator_removes_static_members_by_instance_id() {
    let mut rig = Rig::prompt();
    let (i, j) = (rig.send(joining_static("i", 1)), rig.send(joining_static("j", 2)));
    rig.advance(0);
    let (i, j) = (rig.joined(i), rig.joined(j));
    let by_instance =
        |instance: &str| LeavingMember { member_id: MemberId::new(), instance_id: Some(instance.into()) };
    let request = LeaveGroup {
        group_id: "g".into(),
        members: vec![by_instance("i"), by_instance("nobody"), by_instance("j")],
    };
    let Ok(GroupResponse::Leave(left)) = rig.ask(GroupRequest::Leave(request)) else { panic!() };
    let results: Vec<_> = left.into_iter().map(|member| member.result).collect();
    assert_eq!(results, [Ok(()), Err(unknown_member("")), Ok(())]);
    assert_eq!(rig.state("g"), GroupState::Empty);
    assert!(rig.heartbeat(&i).is_err() && rig.heartbeat(&j).is_err());
}

#[test]
fn a_static_member_leaves_only_under_its_own_ids() {
    let mut rig = Rig::prompt();
    let id = rig.send(joining_static("i", 1));
    rig.advance(0);
    let joined = rig.joined(id);
    let fenced = GroupError::FencedInstanceId { instance_id: "i".into() };
    assert_eq!(rig.leave("x", Some("i")), Err(fenced));
    assert_eq!(rig.leave(&joined.member_id, Some("j")), Err(unknown_member(&joined.member_id)));
    assert_eq!(rig.leave(&joined.member_id, Some("i")), Ok(()));
}

#[test]
fn a_pending_member_may_leave_and_the_rebalance_goes_on() {
    let mut rig = Rig::prompt();
    let leader = rig.stable(&["a"]).remove(0);
    let first = edit(joining("b"), |join| join.member_id_required = true);
    let Err(GroupError::MemberIdRequired { member_id }) = rig.ask(first) else { panic!() };
    let a = rig.rejoin(&leader.member_id, "a");
    assert_eq!(rig.answer(a), None);
    assert_eq!(rig.leave(&member_id, None), Ok(()));
    assert_eq!(rig.joined(a).generation, 2);
}

#[test]
fn parked_requests_of_a_member_that_is_removed_are_answered() {
    let mut rig = Rig::prompt();
    let (a, i) = (rig.join("a"), rig.send(joining_static("i", 1)));
    rig.advance(0);
    let (_, i) = (rig.joined(a), rig.joined(i));
    let sync = rig.sync(&i, &[]);
    assert_eq!(rig.leave("", Some("i")), Ok(()));
    assert_eq!(rig.answer(sync), Some(Err(unknown_member(""))));
    let join = rig.send(joining_static("i", 2));
    assert_eq!(rig.leave("", Some("i")), Ok(()));
    assert_eq!(rig.answer(join), Some(Err(unknown_member(""))));
}

#[test]
fn members_may_leave_though_the_log_does_not_take_it() {
    let mut rig = Rig::prompt();
    let joined = rig.stable(&["a"]).remove(0);
    rig.log.refuse = Some(ottla_coordinator::Failure::NotEnoughReplicas);
    let error = rig.leave(&joined.member_id, None).unwrap_err();
    assert_eq!(error, GroupError::CoordinatorNotAvailable);
    rig.log.refuse = None;
    assert_eq!(rig.state("g"), GroupState::Empty);
    rig.reload();
    assert_eq!(rig.state("g"), GroupState::Stable, "the log knows its last generation only");
    rig.advance(i64::from(SESSION_MS));
    assert_eq!(rig.state("g"), GroupState::Empty);
}
