use ottla_coordinator::Failure;

use super::*;
use crate::test_support::*;
use crate::{GroupRequest, Joined};

/// A group of `a` and `b` that waits for the assignment; the leader first.
fn completing(rig: &mut Rig) -> (Joined, Joined) {
    let (a, b) = (rig.join("a"), rig.join("b"));
    rig.advance(0);
    let (a, b) = (rig.joined(a), rig.joined(b));
    if a.leader == a.member_id { (a, b) } else { (b, a) }
}

fn assigned(rig: &mut Rig, id: RequestId) -> Bytes {
    match rig.answer(id) {
        Some(Ok(GroupResponse::Sync(synced))) => synced.assignment,
        other => panic!("{other:?}"),
    }
}

#[test]
fn followers_wait_for_the_leader_and_everyone_gets_their_own() {
    let mut rig = Rig::prompt();
    let (leader, follower) = completing(&mut rig);
    let parked = rig.sync(&follower, &[]);
    assert_eq!(rig.answer(parked), None);
    let own = rig.sync(&leader, &[(&leader.member_id, "x"), (&follower.member_id, "y")]);
    assert_eq!(assigned(&mut rig, own), "x");
    assert_eq!(assigned(&mut rig, parked), "y");
    assert_eq!(rig.state("g"), GroupState::Stable);
    let again = rig.sync(&follower, &[]);
    assert_eq!(assigned(&mut rig, again), "y", "as often as it asks");
    assert_eq!(rig.shard().counters().completed_rebalances, 1);
}

#[test]
fn the_answer_names_protocol_type_and_protocol() {
    let mut rig = Rig::prompt();
    let (leader, _) = completing(&mut rig);
    let id = rig.sync(&leader, &[]);
    let Some(Ok(GroupResponse::Sync(synced))) = rig.answer(id) else { panic!() };
    assert_eq!(synced.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(synced.protocol.as_deref(), Some("range"));
}

#[test]
fn members_that_the_leader_forgot_are_assigned_nothing_and_strangers_are_ignored() {
    let mut rig = Rig::prompt();
    let (leader, follower) = completing(&mut rig);
    rig.sync(&leader, &[(&"stranger".into(), "z")]);
    let id = rig.sync(&follower, &[]);
    assert_eq!(assigned(&mut rig, id), "");
}

#[test]
fn who_may_not_sync_is_told_why() {
    let mut rig = Rig::prompt();
    let (leader, _) = completing(&mut rig);
    let good = SyncGroup {
        group_id: "g".into(),
        member_id: leader.member_id.clone(),
        generation: 1,
        ..SyncGroup::default()
    };
    let inconsistent = GroupError::InconsistentGroupProtocol;
    let cases = [
        (SyncGroup { group_id: "".into(), ..good.clone() }, GroupError::InvalidGroupId),
        (SyncGroup { group_id: "other".into(), ..good.clone() }, unknown_member(&leader.member_id)),
        (SyncGroup { member_id: "x".into(), ..good.clone() }, unknown_member("x")),
        (SyncGroup { instance_id: Some("i".into()), ..good.clone() }, unknown_member(&leader.member_id)),
        (
            SyncGroup { generation: 2, ..good.clone() },
            GroupError::IllegalGeneration { expected: 1, found: 2 },
        ),
        (SyncGroup { protocol_type: Some("connect".into()), ..good.clone() }, inconsistent.clone()),
        (SyncGroup { protocol: Some("sticky".into()), ..good.clone() }, inconsistent),
    ];
    for (request, error) in cases {
        assert_eq!(rig.ask(GroupRequest::Sync(request)), Err(error));
    }
    let named =
        SyncGroup { protocol_type: Some("consumer".into()), protocol: Some("range".into()), ..good.clone() };
    assert!(rig.ask(GroupRequest::Sync(named)).is_ok());
    rig.join("c");
    assert_eq!(rig.ask(GroupRequest::Sync(good)), Err(GroupError::RebalanceInProgress));
}

#[test]
fn a_rebalance_sends_those_who_wait_for_the_assignment_away() {
    let mut rig = Rig::prompt();
    let (_, follower) = completing(&mut rig);
    let parked = rig.sync(&follower, &[]);
    rig.join("c");
    assert_eq!(rig.answer(parked), Some(Err(GroupError::RebalanceInProgress)));
}

#[test]
fn members_that_do_not_sync_in_time_are_removed() {
    for leader_syncs in [true, false] {
        let mut rig = Rig::prompt();
        let (leader, follower) = completing(&mut rig);
        let (present, absent) = if leader_syncs { (&leader, &follower) } else { (&follower, &leader) };
        let parked = rig.sync(present, &[]);
        for _ in 0..12 {
            rig.advance(i64::from(REBALANCE_MS) / 12);
            let _ = (rig.heartbeat(present), rig.heartbeat(absent));
        }
        assert_eq!(rig.state("g"), GroupState::PreparingRebalance);
        assert_eq!(rig.heartbeat(absent), Err(unknown_member(&absent.member_id)));
        assert_eq!(rig.heartbeat(present), Err(GroupError::RebalanceInProgress));
        assert_eq!(rig.answer(parked).unwrap().is_ok(), leader_syncs);
    }
}

#[test]
fn nobody_is_removed_when_all_have_synced() {
    let mut rig = Rig::prompt();
    let members = rig.stable(&["a", "b"]);
    for _ in 0..30 {
        rig.advance(5_000);
        assert!(members.iter().all(|joined| rig.heartbeat(joined).is_ok()));
    }
}

#[test]
fn the_assignment_is_committed_before_anyone_gets_it() {
    let mut rig = Rig::prompt();
    let (leader, follower) = completing(&mut rig);
    rig.log.stalled_at = Some(rig.log.records.len().try_into().map(ottla_types::Offset).unwrap());
    let parked = rig.sync(&follower, &[]);
    let own = rig.sync(&leader, &[(&follower.member_id, "y")]);
    assert_eq!((rig.answer(own), rig.answer(parked)), (None, None));
    assert_eq!(rig.heartbeat(&leader), Ok(()), "heartbeats do not wait");
    rig.commit();
    assert_eq!(assigned(&mut rig, parked), "y");
    rig.reload();
    assert_eq!(rig.state("g"), GroupState::Stable);
    let again = rig.sync(&follower, &[]);
    assert_eq!(assigned(&mut rig, again), "y", "the next coordinator knows it too");
}

#[test]
fn an_assignment_that_cannot_be_written_is_refused_to_all_and_they_join_again() {
    for (failure, error) in [
        (Failure::NotEnoughReplicas, GroupError::CoordinatorNotAvailable),
        (Failure::NotLeader, GroupError::NotCoordinator),
        (Failure::RecordTooLarge { len: 9 }, GroupError::RecordTooLarge { len: 9 }),
    ] {
        let mut rig = Rig::prompt();
        let (leader, follower) = completing(&mut rig);
        let parked = rig.sync(&follower, &[]);
        rig.log.refuse = Some(failure);
        let own = rig.sync(&leader, &[(&follower.member_id, "y")]);
        assert_eq!(rig.answer(own), Some(Err(error.clone())));
        assert_eq!(rig.answer(parked), Some(Err(error)));
        rig.log.refuse = None;
        assert_eq!(rig.heartbeat(&follower), Err(GroupError::RebalanceInProgress));
        let client = |joined: &Joined| if joined.member_id.starts_with('a') { "a" } else { "b" };
        rig.rejoin(&leader.member_id, client(&leader));
        let id = rig.rejoin(&follower.member_id, client(&follower));
        assert_eq!(rig.joined(id).generation, 2);
    }
}
