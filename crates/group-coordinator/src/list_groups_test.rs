use super::*;
use crate::test_support::*;
use crate::{GroupRequest, GroupResponse};

fn list(rig: &mut Rig, states: &[&str], types: &[&str]) -> Vec<ListedGroup> {
    let texts = |texts: &[&str]| texts.iter().map(|text| ByteString::from(*text)).collect();
    let request = ListGroups { states_filter: texts(states), types_filter: texts(types) };
    match rig.ask(GroupRequest::List(request)) {
        Ok(GroupResponse::List(groups)) => groups,
        other => panic!("{other:?}"),
    }
}

#[test]
fn filters_choose_by_state_and_type_and_ignore_case() {
    let mut rig = Rig::prompt();
    rig.stable(&["a"]);
    rig.commit_offset("simple", "t", 1);
    let cases: &[(&[&str], &[&str], &[&str])] = &[
        (&[], &[], &["g", "simple"]),
        (&["Stable"], &[], &["g"]),
        (&["stable", " EMPTY "], &[], &["g", "simple"]),
        (&["Dead"], &[], &[]),
        (&["nonsense"], &[], &[]),
        (&[], &["classic"], &["g", "simple"]),
        (&[], &["Classic", "share"], &["g", "simple"]),
        (&[], &["consumer"], &[]),
        (&["Empty"], &["classic"], &["simple"]),
    ];
    for (states, types, expected) in cases {
        let groups = list(&mut rig, states, types);
        let ids: Vec<_> = groups.iter().map(|group| group.group_id.as_ref() as &str).collect();
        assert_eq!(&ids, expected, "{states:?} {types:?}");
    }
}

#[test]
fn a_listed_group_shows_protocol_type_state_and_type() {
    let mut rig = Rig::prompt();
    rig.stable(&["a"]);
    rig.commit_offset("simple", "t", 1);
    let listed = |group: &str, protocol_type: &str, state| ListedGroup {
        group_id: group.into(),
        protocol_type: protocol_type.into(),
        state,
        group_type: "classic",
    };
    assert_eq!(
        list(&mut rig, &[], &[]),
        [listed("g", "consumer", GroupState::Stable), listed("simple", "", GroupState::Empty)]
    );
}
