//! Classic groups: two members by raw protocol, and what becomes of groups.

use ottla_protocol::messages::delete_groups::DeleteGroupsRequest;
use ottla_protocol::messages::describe_groups::DescribeGroupsRequest;
use ottla_protocol::messages::heartbeat::HeartbeatRequest;
use ottla_protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use ottla_protocol::messages::leave_group::LeaveGroupRequest;
use ottla_protocol::messages::list_groups::ListGroupsRequest;
use ottla_protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use ottla_protocol::{ApiMessage, ByteString, Bytes, ErrorCode};
use ottla_testkit::{Member, NodeSpec, RawClient, TestNode, eventually};

pub(crate) fn start() -> (TestNode, RawClient) {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.wait_for_coordinator("g");
    (node, client)
}

fn join_request(version: i16, group: &str, member_id: &ByteString) -> JoinGroupRequest {
    let protocols = ["range", "roundrobin"].map(|name| JoinGroupRequestProtocol {
        name: name.into(),
        metadata: Bytes::from(format!("{name} of anybody")),
        ..Default::default()
    });
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: if version >= 1 { 10_000 } else { -1 },
        member_id: member_id.clone(),
        protocol_type: "consumer".into(),
        protocols: protocols.to_vec(),
        ..Default::default()
    }
}

/// Sends a join; from version 4 on it fetches the member's id first.
fn send_join(client: &mut RawClient, version: i16, group: &str, member_id: &mut ByteString) -> i32 {
    if version >= 4 && member_id.is_empty() {
        let response = client.call(version, &join_request(version, group, member_id));
        assert_eq!(response.error_code, ErrorCode::MEMBER_ID_REQUIRED, "version {version}");
        *member_id = response.member_id;
    }
    client.send(version, &join_request(version, group, member_id))
}

fn sync_request(
    version: i16,
    group: &str,
    generation: i32,
    member: &ByteString,
    assignments: &[(&ByteString, &'static str)],
) -> SyncGroupRequest {
    let assignment = |(member, assignment): &(&ByteString, &'static str)| SyncGroupRequestAssignment {
        member_id: (*member).clone(),
        assignment: Bytes::from_static(assignment.as_bytes()),
        ..Default::default()
    };
    SyncGroupRequest {
        group_id: group.into(),
        generation_id: generation,
        member_id: member.clone(),
        protocol_type: (version >= 5).then(|| "consumer".into()),
        protocol_name: (version >= 5).then(|| "range".into()),
        assignments: assignments.iter().map(assignment).collect(),
        ..Default::default()
    }
}

#[test]
fn two_members_share_a_group_in_every_version() {
    let (node, mut admin) = start();
    for version in JoinGroupRequest::VERSIONS {
        let group = format!("g{version}");
        admin.wait_for_coordinator(&group);
        let (sync_version, beat_version) = ((version / 2).min(5), (version / 2).min(4));
        let (mut a, mut b) = (node.client(), node.client());
        let (mut a_id, mut b_id) = (ByteString::new(), ByteString::new());

        let alone = send_join(&mut a, version, &group, &mut a_id);
        let alone = a.receive::<JoinGroupRequest>(version, alone);
        assert_eq!((alone.error_code, alone.generation_id), (ErrorCode::NONE, 1), "version {version}");
        assert_eq!((&alone.leader, alone.members.len()), (&alone.member_id, 1));
        a_id = alone.member_id;
        let sync = sync_request(sync_version, &group, 1, &a_id, &[(&a_id, "everything")]);
        assert_eq!(a.call(sync_version, &sync).assignment, "everything");

        let b_joins = send_join(&mut b, version, &group, &mut b_id);
        let beat = |generation, member: &ByteString| HeartbeatRequest {
            group_id: group.as_str().into(),
            generation_id: generation,
            member_id: member.clone(),
            ..Default::default()
        };
        eventually("the first member is not told", || {
            let error = a.call(beat_version, &beat(1, &a_id)).error_code;
            (error == ErrorCode::REBALANCE_IN_PROGRESS).then_some(())
        });
        let a_joins = send_join(&mut a, version, &group, &mut a_id);
        let a_joined = a.receive::<JoinGroupRequest>(version, a_joins);
        let b_joined = b.receive::<JoinGroupRequest>(version, b_joins);
        b_id = b_joined.member_id.clone();
        for joined in [&a_joined, &b_joined] {
            assert_eq!((joined.error_code, joined.generation_id), (ErrorCode::NONE, 2), "version {version}");
            assert_eq!(joined.protocol_name.as_deref(), Some("range"));
            assert_eq!(joined.leader, a_id);
            assert_eq!(joined.protocol_type.as_deref(), if version >= 7 { Some("consumer") } else { None });
        }
        let mut members: Vec<&ByteString> = a_joined.members.iter().map(|m| &m.member_id).collect();
        members.sort();
        let mut expected = [&a_id, &b_id];
        expected.sort();
        assert_eq!(members, expected, "the leader is told who is there");
        assert!(a_joined.members.iter().all(|member| member.metadata == "range of anybody"));
        assert_eq!(b_joined.members.len(), 0, "others are not");

        let waits = b.send(sync_version, &sync_request(sync_version, &group, 2, &b_id, &[]));
        let brings = sync_request(sync_version, &group, 2, &a_id, &[(&a_id, "for a"), (&b_id, "for b")]);
        let a_synced = a.call(sync_version, &brings);
        let b_synced = b.receive::<SyncGroupRequest>(sync_version, waits);
        assert_eq!((a_synced.error_code, &a_synced.assignment[..]), (ErrorCode::NONE, &b"for a"[..]));
        assert_eq!((b_synced.error_code, &b_synced.assignment[..]), (ErrorCode::NONE, &b"for b"[..]));
        assert_eq!(a.call(beat_version, &beat(2, &a_id)).error_code, ErrorCode::NONE);
        assert_eq!(b.call(beat_version, &beat(1, &b_id)).error_code, ErrorCode::ILLEGAL_GENERATION);
        assert_eq!(b.call(beat_version, &beat(2, &"x".into())).error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    }
}

#[test]
fn every_version_of_leave_group_makes_the_others_rebalance() {
    let (node, mut admin) = start();
    for version in LeaveGroupRequest::VERSIONS {
        let group = format!("g{version}");
        admin.wait_for_coordinator(&group);
        let (mut a, mut b) = two_members(&node, &group);
        let request = LeaveGroupRequest {
            group_id: group.as_str().into(),
            member_id: if version < 3 { b.id.clone() } else { ByteString::new() },
            members: if version < 3 {
                vec![]
            } else {
                vec![ottla_protocol::messages::leave_group::MemberIdentity {
                    member_id: b.id.clone(),
                    ..Default::default()
                }]
            },
            ..Default::default()
        };
        let left = b.client.call(version, &request);
        assert_eq!(left.error_code, ErrorCode::NONE, "version {version}");
        assert!(left.members.iter().all(|member| member.error_code == ErrorCode::NONE));
        assert_eq!(a.heartbeat(), ErrorCode::REBALANCE_IN_PROGRESS);
        let alone = a.join();
        assert_eq!((alone.generation_id, alone.members.len()), (3, 1));
        assert_eq!(b.heartbeat(), ErrorCode::UNKNOWN_MEMBER_ID);
    }
}

/// Two stable members in generation 2; the first is the leader.
fn two_members(node: &TestNode, group: &str) -> (Member, Member) {
    let (mut a, mut b) = (Member::new(node.client(), group), Member::new(node.client(), group));
    a.join();
    a.sync(&[]);
    let b_joins = b.send_join();
    eventually("no rebalance", || (a.heartbeat() == ErrorCode::REBALANCE_IN_PROGRESS).then_some(()));
    let a_joins = a.send_join();
    a.receive_join(a_joins);
    b.receive_join(b_joins);
    let waits = b.send_sync(&[]);
    let (a_id, b_id) = (a.id.clone(), b.id.clone());
    a.sync(&[(&a_id, "a"), (&b_id, "b")]);
    assert_eq!(b.receive_sync(waits).assignment, "b");
    assert_eq!((a.generation, b.generation), (2, 2));
    (a, b)
}

#[test]
fn a_silent_member_is_removed_after_its_session() {
    let node = NodeSpec::new().set("group.min.session.timeout.ms", "100").start();
    let mut client = node.client();
    client.wait_for_coordinator("g");
    let mut lost = Member::new(node.client(), "g").session_timeout_ms(300);
    lost.join();
    lost.sync(&[]);
    drop(lost);
    // Its place is free when its session has ended: the next member is alone.
    eventually("the member stays", || {
        let request = DescribeGroupsRequest { groups: vec!["g".into()], ..Default::default() };
        (client.call(5, &request).groups[0].members.is_empty()).then_some(())
    });
    let mut next = Member::new(node.client(), "g");
    assert_eq!(next.join().members.len(), 1);
}

#[test]
fn a_static_member_comes_back_without_a_rebalance() {
    let (node, _admin) = start();
    let mut member = Member::new(node.client(), "g").instance("one");
    assert_eq!(member.join().generation_id, 1);
    let id = member.id.clone();
    member.sync(&[(&id, "mine")]);
    let mut back = Member::new(node.client(), "g").instance("one");
    let joined = back.join();
    assert_eq!(joined.generation_id, 1, "no new generation");
    assert_ne!(back.id, member.id);
    assert_eq!(back.sync(&[]).assignment, "mine");
    assert_eq!(member.heartbeat(), ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(back.heartbeat(), ErrorCode::NONE);
}

#[test]
fn joins_that_cannot_be_are_refused() {
    let (node, mut client) = start();
    let mut member = Member::new(node.client(), "g");
    member.join();
    let mut error = |change: &dyn Fn(&mut JoinGroupRequest)| {
        let mut request = join_request(3, "g", &ByteString::new());
        change(&mut request);
        client.call(3, &request).error_code
    };
    assert_eq!(error(&|request| request.group_id = "".into()), ErrorCode::INVALID_GROUP_ID);
    assert_eq!(error(&|request| request.session_timeout_ms = 1), ErrorCode::INVALID_SESSION_TIMEOUT);
    assert_eq!(error(&|request| request.session_timeout_ms = i32::MAX), ErrorCode::INVALID_SESSION_TIMEOUT);
    assert_eq!(
        error(&|request| request.protocol_type = "connect".into()),
        ErrorCode::INCONSISTENT_GROUP_PROTOCOL
    );
    assert_eq!(error(&|request| request.protocols.clear()), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(error(&|request| request.member_id = "unknown".into()), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn groups_are_described_and_listed() {
    let (node, mut client) = start();
    let (a, _b) = two_members(&node, "g");
    assert_eq!(client.commit_offset("simple", "t", 1), ErrorCode::NONE);
    for version in DescribeGroupsRequest::VERSIONS {
        let request = DescribeGroupsRequest { groups: vec!["g".into(), "none".into()], ..Default::default() };
        let groups = client.call(version, &request).groups;
        assert_eq!((groups[0].group_id.as_ref(), groups[0].group_state.as_ref()), ("g", "Stable"));
        assert_eq!(
            (groups[0].protocol_type.as_ref(), groups[0].protocol_data.as_ref()),
            ("consumer", "range")
        );
        let member = groups[0].members.iter().find(|member| member.member_id == a.id).expect("a member");
        assert_eq!((member.client_id.as_ref(), member.client_host.as_ref()), ("testkit", "/127.0.0.1"));
        assert_eq!(
            (&member.member_metadata[..], &member.member_assignment[..]),
            (&b"subscription"[..], &b"a"[..])
        );
        assert_eq!(groups[1].group_state, "Dead");
        let error = if version >= 6 { ErrorCode::GROUP_ID_NOT_FOUND } else { ErrorCode::NONE };
        assert_eq!(groups[1].error_code, error, "version {version}");
    }
    for version in ListGroupsRequest::VERSIONS {
        let mut list = |states: &[&str], types: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect();
            let request = ListGroupsRequest {
                states_filter: texts(states),
                types_filter: texts(types),
                ..Default::default()
            };
            let response = client.call(version, &request);
            assert_eq!(response.error_code, ErrorCode::NONE, "version {version}");
            let mut names: Vec<String> = response
                .groups
                .iter()
                .map(|group| format!("{}:{}", group.group_id, group.group_state))
                .collect();
            names.sort();
            names
        };
        match version {
            0..=3 => assert_eq!(list(&[], &[]), ["g:", "simple:"]),
            _ => {
                assert_eq!(list(&[], &[]), ["g:Stable", "simple:Empty"]);
                assert_eq!(list(&["Stable"], &[]), ["g:Stable"]);
                assert_eq!(list(&["Dead"], &[]).len(), 0);
            }
        }
        if version >= 5 {
            assert_eq!(list(&[], &["classic"]).len(), 2);
            assert_eq!(list(&[], &["share"]).len(), 0);
        }
    }
}

#[test]
fn groups_without_members_can_be_deleted() {
    let (node, mut client) = start();
    for version in DeleteGroupsRequest::VERSIONS {
        assert_eq!(client.commit_offset("g", "t", 5), ErrorCode::NONE);
        let mut member = Member::new(node.client(), "busy");
        member.join();
        let names = vec!["g".into(), "busy".into(), "none".into()];
        let results =
            client.call(version, &DeleteGroupsRequest { groups_names: names, ..Default::default() }).results;
        let mut errors: Vec<(&str, ErrorCode)> =
            results.iter().map(|result| (result.group_id.as_ref(), result.error_code)).collect();
        errors.sort();
        let expected = [
            ("busy", ErrorCode::NON_EMPTY_GROUP),
            ("g", ErrorCode::NONE),
            ("none", ErrorCode::GROUP_ID_NOT_FOUND),
        ];
        assert_eq!(errors, expected, "version {version}");
        assert_eq!(client.committed_offset("g", "t"), -1);
        assert_eq!(member.leave(), ErrorCode::NONE);
    }
}

#[test]
fn a_group_keeps_its_generation_over_a_restart() {
    let spec = NodeSpec::new();
    let node = spec.start();
    let mut client = node.client();
    client.create_topic("t");
    client.wait_for_coordinator("g");
    let (mut a, b) = two_members(&node, "g");
    assert_eq!(a.commit("t", 42), ErrorCode::NONE);
    node.kill();
    let node = spec.start();
    let mut client = node.client();
    client.wait_for_coordinator("g");
    assert_eq!(client.committed_offset("g", "t"), 42);
    for mut member in [a, b] {
        member.client = node.client();
        assert_eq!(member.heartbeat(), ErrorCode::NONE, "members that did not notice go on");
    }
}
