use super::*;
use crate::test_support::*;

#[test]
fn a_stable_group_shows_everything() {
    let mut rig = Rig::prompt();
    let joined = rig.stable(&["a"]).remove(0);
    let expected = DescribedGroup {
        state: GroupState::Stable,
        protocol_type: "consumer".into(),
        protocol: "range".into(),
        members: vec![DescribedMember {
            member_id: joined.member_id,
            instance_id: None,
            client_id: "a".into(),
            client_host: "/127.0.0.1".into(),
            metadata: subscription(&["t"]),
            assignment: "a".into(),
        }],
    };
    assert_eq!(rig.describe("g"), Ok(expected.clone()));
    rig.reload();
    assert_eq!(rig.describe("g"), Ok(expected), "and so does the next coordinator");
}

#[test]
fn a_rebalancing_group_shows_its_members_without_metadata() {
    let mut rig = Rig::prompt();
    rig.stable(&["a"]);
    rig.join("b");
    let group = rig.describe("g").unwrap();
    assert_eq!((group.state, group.protocol.as_ref()), (GroupState::PreparingRebalance, ""));
    assert_eq!(group.members.len(), 2);
    assert!(group.members.iter().all(|member| member.metadata.is_empty()));
}

#[test]
fn a_group_that_does_not_exist_is_not_found() {
    let mut rig = Rig::new();
    assert_eq!(rig.describe("g"), Err(GroupError::GroupIdNotFound { group_id: "g".into() }));
}

#[test]
fn a_group_passes_through_its_states() {
    let mut rig = Rig::new();
    assert_eq!(rig.state("g"), GroupState::Dead);
    let id = rig.join("a");
    assert_eq!(rig.state("g"), GroupState::PreparingRebalance);
    rig.advance(3_000);
    assert_eq!(rig.state("g"), GroupState::CompletingRebalance);
    let joined = rig.joined(id);
    rig.sync(&joined, &[]);
    assert_eq!(rig.state("g"), GroupState::Stable);
    rig.leave(&joined.member_id, None).unwrap();
    assert_eq!(rig.state("g"), GroupState::Empty);
}
