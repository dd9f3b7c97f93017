use super::*;
use crate::GroupConfig;
use crate::test_support::*;

fn refused(rig: &mut Rig, request: crate::GroupRequest) -> GroupError {
    rig.ask(request).unwrap_err()
}

#[test]
fn a_request_that_can_never_be_served_is_refused() {
    let mut rig = Rig::new();
    let session = |ms| edit(joining("a"), move |join| join.session_timeout_ms = ms);
    let cases = [
        (edit(joining("a"), |join| join.group_id = "".into()), GroupError::InvalidGroupId),
        (
            session(5_999),
            GroupError::InvalidSessionTimeout { session_timeout_ms: 5_999, min_ms: 6_000, max_ms: 1_800_000 },
        ),
        (
            session(1_800_001),
            GroupError::InvalidSessionTimeout {
                session_timeout_ms: 1_800_001,
                min_ms: 6_000,
                max_ms: 1_800_000,
            },
        ),
        (edit(joining("a"), |join| join.member_id = "x".into()), unknown_member("x")),
        (edit(joining("a"), |join| join.protocols.clear()), GroupError::InconsistentGroupProtocol),
        (edit(joining("a"), |join| join.protocol_type = "".into()), GroupError::InconsistentGroupProtocol),
    ];
    for (request, error) in cases {
        assert_eq!(refused(&mut rig, request), error);
    }
    let long = edit(joining("a"), |join| join.client_id = "x".repeat(40_000).into());
    assert!(matches!(refused(&mut rig, long), GroupError::Unwritable { .. }));
    assert!(rig.log.records.is_empty(), "no group came of it");
}

#[test]
fn the_first_rebalance_waits_for_more_members_and_is_extended_as_they_come() {
    let mut rig = Rig::new();
    let a = rig.join("a");
    rig.advance(2_999);
    let b = rig.join("b");
    rig.advance(1);
    assert_eq!(rig.answer(a), None, "b arrived: three more seconds");
    rig.advance(2_999);
    assert_eq!(rig.answer(a), None);
    rig.advance(1);
    let (a, b) = (rig.joined(a), rig.joined(b));
    assert_eq!((a.generation, b.generation), (1, 1));
    assert_eq!(a.leader, b.leader);
}

#[test]
fn the_first_rebalance_is_not_extended_beyond_the_rebalance_timeout() {
    let mut rig = Rig::new();
    let short = |client| edit(joining(client), |join| join.rebalance_timeout_ms = 4_000);
    let a = rig.send(short("a"));
    rig.advance(1_000);
    rig.send(short("b"));
    rig.advance(2_500);
    rig.send(short("c"));
    rig.advance(499);
    assert_eq!(rig.answer(a), None);
    rig.advance(1);
    assert_eq!(rig.joined(a).generation, 1);
}

#[test]
fn the_leader_learns_all_members_and_the_others_do_not() {
    let mut rig = Rig::new();
    let (a, b) = (rig.join("a"), rig.join("b"));
    rig.advance(6_000);
    let (a, b) = (rig.joined(a), rig.joined(b));
    let (leader, follower) = if a.leader == a.member_id { (a, b) } else { (b, a) };
    assert_eq!(leader.members.len(), 2);
    assert_eq!(leader.members[0].metadata, subscription(&["t"]));
    assert!(follower.members.is_empty());
    assert_eq!(follower.leader, leader.member_id);
    assert_eq!(leader.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(leader.protocol.as_deref(), Some("range"));
    assert!(!leader.skip_assignment);
}

#[test]
fn member_ids_are_the_client_id_and_a_random_uuid() {
    let mut rig = Rig::prompt();
    let id = rig.send(edit(joining("my-client"), |join| join.random = [0xff; 16]));
    rig.advance(0);
    assert_eq!(rig.joined(id).member_id, "my-client-ffffffff-ffff-4fff-bfff-ffffffffffff");
}

#[test]
fn a_new_dynamic_member_joins_in_two_steps_from_version_4_on() {
    let mut rig = Rig::prompt();
    let first = edit(joining("a"), |join| join.member_id_required = true);
    let GroupError::MemberIdRequired { member_id } = refused(&mut rig, first.clone()) else { panic!() };
    assert_eq!(rig.state("g"), GroupState::Empty);
    assert_eq!(rig.log.records.len(), 1, "the group exists from now on");
    let second = rig.send(edit(first, |join| join.member_id = member_id.clone()));
    rig.advance(0);
    assert_eq!(rig.joined(second).member_id, member_id);
}

#[test]
fn a_pending_member_that_does_not_join_in_its_session_timeout_is_forgotten() {
    let mut rig = Rig::prompt();
    let first = edit(joining("a"), |join| join.member_id_required = true);
    let GroupError::MemberIdRequired { member_id } = refused(&mut rig, first.clone()) else { panic!() };
    rig.advance(i64::from(SESSION_MS));
    let second = edit(first, |join| join.member_id = member_id.clone());
    assert_eq!(refused(&mut rig, second), unknown_member(&member_id));
}

#[test]
fn a_rebalance_waits_for_a_pending_member() {
    let mut rig = Rig::prompt();
    let leader = rig.stable(&["a"]).remove(0);
    let first = edit(joining("b"), |join| join.member_id_required = true);
    let GroupError::MemberIdRequired { member_id } = refused(&mut rig, first.clone()) else { panic!() };
    let a = rig.rejoin(&leader.member_id, "a");
    assert_eq!(rig.answer(a), None);
    let b = rig.send(edit(first, |join| join.member_id = member_id));
    assert_eq!((rig.joined(a).generation, rig.joined(b).generation), (2, 2));
}

#[test]
fn protocols_must_fit_those_of_the_other_members() {
    let mut rig = Rig::prompt();
    rig.stable(&["a"]);
    let with = |protocol_type: &str, name: &str| {
        let (protocol_type, name) = (protocol_type.to_owned(), name.to_owned());
        edit(joining("b"), move |join| {
            join.protocol_type = protocol_type.into();
            join.protocols = vec![Protocol { name: name.into(), metadata: Bytes::new() }];
        })
    };
    assert_eq!(refused(&mut rig, with("connect", "range")), GroupError::InconsistentGroupProtocol);
    assert_eq!(refused(&mut rig, with("consumer", "sticky")), GroupError::InconsistentGroupProtocol);
    rig.send(with("consumer", "roundrobin"));
    assert_eq!(rig.state("g"), GroupState::PreparingRebalance);
}

#[test]
fn the_protocol_that_all_support_and_most_prefer_is_chosen() {
    let cases: &[(&[&[&str]], &str)] = &[
        (&[&["range", "sticky"], &["range", "sticky"]], "range"),
        (&[&["range", "sticky"], &["sticky"]], "sticky"),
        (&[&["range", "sticky"], &["sticky", "range"], &["sticky", "range"]], "sticky"),
        (&[&["sticky", "range"], &["range", "sticky"]], "range"),
    ];
    for (members, expected) in cases {
        let mut rig = Rig::prompt();
        let mut last = None;
        for (n, names) in members.iter().enumerate() {
            let protocols =
                names.iter().map(|name| Protocol { name: (*name).into(), metadata: Bytes::new() });
            let protocols = protocols.collect();
            last = Some(rig.send(edit(joining(&format!("c{n}")), |join| join.protocols = protocols)));
        }
        rig.advance(0);
        let joined = rig.joined(last.unwrap());
        assert_eq!(joined.protocol.as_deref(), Some(*expected), "{members:?}");
    }
}

#[test]
fn metadata_of_other_protocol_types_is_opaque() {
    let mut rig = Rig::prompt();
    let connect = |version: u8| {
        edit(joining("worker"), move |join| {
            join.protocol_type = "connect".into();
            join.protocols =
                vec![Protocol { name: "sessioned".into(), metadata: Bytes::from(vec![0xff, version]) }];
        })
    };
    let id = rig.send(connect(7));
    rig.advance(0);
    let joined = rig.joined(id);
    assert_eq!(joined.members[0].metadata, Bytes::from_static(&[0xff, 7]));
    assert_eq!(joined.protocol_type.as_deref(), Some("connect"));
}

#[test]
fn a_follower_that_joins_again_unchanged_is_told_of_the_generation_and_nothing_moves() {
    let mut rig = Rig::prompt();
    let members = rig.stable(&["a", "b"]);
    let follower = &members[1];
    let client = if follower.member_id.starts_with('a') { "a" } else { "b" };
    let id = rig.rejoin(&follower.member_id, client);
    let joined = rig.joined(id);
    assert_eq!((joined.generation, &joined.leader), (1, &members[0].member_id));
    assert!(joined.members.is_empty());
    assert_eq!(rig.state("g"), GroupState::Stable);
}

#[test]
fn a_stable_group_rebalances_when_its_leader_joins_or_a_member_has_changed() {
    for is_leader in [true, false] {
        let mut rig = Rig::prompt();
        let members = rig.stable(&["a", "b"]);
        let member = &members[usize::from(!is_leader)];
        let client = if member.member_id.starts_with('a') { "a" } else { "b" };
        let request = edit(joining(client), |join| {
            join.member_id = member.member_id.clone();
            if !is_leader {
                join.protocols.pop();
            }
        });
        let id = rig.send(request);
        assert_eq!(rig.state("g"), GroupState::PreparingRebalance);
        assert_eq!(rig.answer(id), None);
        assert_eq!(rig.heartbeat(&members[0]), Err(GroupError::RebalanceInProgress));
    }
}

#[test]
fn during_the_assignment_an_unchanged_member_is_answered_and_a_changed_one_begins_anew() {
    let mut rig = Rig::prompt();
    let (a, b) = (rig.join("a"), rig.join("b"));
    rig.advance(0);
    let (a, b) = (rig.joined(a), rig.joined(b));
    let (leader, client) = if a.leader == a.member_id { (&a, "a") } else { (&b, "b") };
    let again = rig.rejoin(&leader.member_id, client);
    assert_eq!(rig.joined(again).members.len(), 2, "the leader learns the members again");
    let changed = edit(joining(client), |join| {
        join.member_id = leader.member_id.clone();
        join.protocols.pop();
    });
    let changed = rig.send(changed);
    assert_eq!(rig.answer(changed), None);
    assert_eq!(rig.state("g"), GroupState::PreparingRebalance);
}

#[test]
fn members_that_do_not_join_again_in_their_rebalance_timeout_are_dropped() {
    let mut rig = Rig::prompt();
    let members = rig.stable(&["a", "b"]);
    let (leader, follower) = (&members[0], &members[1]);
    let client = if follower.member_id.starts_with('a') { "a" } else { "b" };
    let changed = edit(joining(client), |join| {
        join.member_id = follower.member_id.clone();
        join.protocols.pop();
    });
    let id = rig.send(changed);
    for _ in 0..11 {
        rig.advance(i64::from(REBALANCE_MS) / 12);
        assert_eq!(rig.heartbeat(leader), Err(GroupError::RebalanceInProgress));
    }
    rig.advance(i64::from(REBALANCE_MS) / 12);
    let joined = rig.joined(id);
    assert_eq!((joined.generation, &joined.leader), (2, &follower.member_id));
    assert_eq!(rig.heartbeat(leader), Err(unknown_member(&leader.member_id)));
}

#[test]
fn a_request_sent_again_supersedes_the_one_that_is_parked() {
    let mut rig = Rig::prompt();
    let members = rig.stable(&["a", "b"]);
    let client = if members[0].member_id.starts_with('a') { "a" } else { "b" };
    let first = rig.rejoin(&members[0].member_id, client);
    let second = rig.rejoin(&members[0].member_id, client);
    assert_eq!(rig.answer(first), Some(Err(GroupError::RebalanceInProgress)));
    assert_eq!(rig.answer(second), None);
}

#[test]
fn a_full_group_turns_new_members_away() {
    let config = GroupConfig { max_size: 1, initial_rebalance_delay_ms: 0, ..GroupConfig::default() };
    let mut rig = Rig::with(config);
    let full = GroupError::GroupMaxSizeReached { max_size: 1 };
    let a = rig.join("a");
    assert_eq!(refused(&mut rig, joining("b")), full, "while it is forming");
    rig.advance(0);
    let a = rig.joined(a);
    assert_eq!(refused(&mut rig, joining("b")), full, "while it waits for the assignment");
    rig.sync(&a, &[]);
    assert_eq!(refused(&mut rig, joining("b")), full, "when it is stable");
    let again = rig.rejoin(&a.member_id, "a");
    assert_eq!(rig.joined(again).generation, 2, "its own member may");
}

#[test]
fn a_group_that_is_loaded_over_its_maximum_drops_those_who_join_last() {
    let mut rig = Rig::prompt();
    let members = rig.stable(&["a", "b"]);
    rig.config.max_size = 1;
    rig.reload();
    assert_eq!(rig.state("g"), GroupState::PreparingRebalance);
    let client = |joined: &Joined| if joined.member_id.starts_with('a') { "a" } else { "b" };
    rig.rejoin(&members[0].member_id, client(&members[0]));
    let late = edit(joining(client(&members[1])), |join| join.member_id = members[1].member_id.clone());
    assert_eq!(refused(&mut rig, late), GroupError::GroupMaxSizeReached { max_size: 1 });
}

#[test]
fn a_parked_new_member_is_given_up_after_five_minutes_unless_the_group_forms() {
    let mut rig = Rig::prompt();
    let leader = rig.stable(&["a"]).remove(0);
    let slow = edit(joining("b"), |join| join.rebalance_timeout_ms = 600_000);
    let b = rig.send(slow);
    for _ in 0..59 {
        rig.advance(5_000);
        assert_eq!(rig.heartbeat(&leader), Err(GroupError::RebalanceInProgress));
        assert_eq!(rig.answer(b), None);
    }
    rig.advance(5_000);
    assert_eq!(rig.answer(b), Some(Err(unknown_member(""))), "it is to join again, if it is still there");
}

#[test]
fn version_0_has_no_rebalance_timeout_and_uses_the_session_timeout() {
    let mut rig = Rig::prompt();
    let old = |client| edit(joining(client), |join| join.rebalance_timeout_ms = -1);
    let a = rig.send(old("a"));
    rig.advance(0);
    let a = rig.joined(a);
    rig.sync(&a, &[]);
    let b = rig.send(old("b"));
    rig.advance(i64::from(SESSION_MS) - 1);
    assert_eq!(rig.answer(b), None);
    rig.advance(1);
    assert_eq!(rig.joined(b).generation, 2);
}

#[test]
fn a_group_that_cannot_be_written_does_not_come_into_being() {
    let mut rig = Rig::prompt();
    rig.log.refuse = Some(ottla_coordinator::Failure::NotEnoughReplicas);
    let id = rig.join("a");
    assert_eq!(rig.answer(id), Some(Err(GroupError::CoordinatorNotAvailable)));
    rig.log.refuse = None;
    rig.advance(1_000_000);
    assert_eq!(rig.state("g"), GroupState::Dead);
    assert!(rig.log.records.is_empty());
    let id = rig.join("a");
    rig.advance(0);
    assert_eq!(rig.joined(id).generation, 1);
}

#[test]
fn two_members_may_ask_for_an_id_where_one_may_join() {
    let config = GroupConfig { max_size: 1, initial_rebalance_delay_ms: 0, ..GroupConfig::default() };
    let mut rig = Rig::with(config);
    let first = |client| edit(joining(client), |join| join.member_id_required = true);
    let ids = ["a", "b"].map(|client| match refused(&mut rig, first(client)) {
        GroupError::MemberIdRequired { member_id } => member_id,
        other => panic!("{other:?}"),
    });
    let a = rig.send(edit(first("a"), |join| join.member_id = ids[0].clone()));
    let second = edit(first("b"), |join| join.member_id = ids[1].clone());
    assert_eq!(refused(&mut rig, second), GroupError::GroupMaxSizeReached { max_size: 1 });
    rig.advance(0);
    assert_eq!(rig.joined(a).generation, 1, "and nobody waits for the other");
}

#[test]
fn a_member_does_not_keep_the_frame_of_its_request() {
    let mut rig = Rig::prompt();
    let frame = Bytes::from(vec![b'x'; 100_000]);
    let name = |at: usize| ByteString::try_from(frame.slice(at..at + 3)).unwrap();
    let join = edit(joining("a"), |join| {
        join.group_id = name(10);
        join.client_id = name(20);
        join.protocols = vec![Protocol { name: name(30), metadata: frame.slice(40..50) }];
    });
    let joined = rig.send(join);
    rig.advance(0);
    drop(rig.joined(joined));
    assert!(frame.is_unique(), "the group has copies of what it keeps");
}
