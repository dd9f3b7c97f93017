use super::*;
use crate::test_support::*;
use crate::{GroupRequest, GroupResponse, GroupState};

fn delete(rig: &mut Rig, groups: &[&str]) -> Vec<Result<(), GroupError>> {
    let group_ids = groups.iter().map(|group| GroupId::from(*group)).collect();
    match rig.ask(GroupRequest::Delete(DeleteGroups { group_ids })) {
        Ok(GroupResponse::Delete(results)) => results.into_iter().map(|(_, result)| result).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_group_goes_with_its_offsets() {
    let mut rig = Rig::prompt();
    rig.commit_offset("g", "t", 1);
    rig.commit_offset("g", "u", 2);
    rig.commit_offset("kept", "t", 3);
    assert_eq!(delete(&mut rig, &["g"]), [Ok(())]);
    assert_eq!(rig.state("g"), GroupState::Dead);
    assert_eq!((rig.offset("g", "t"), rig.offset("kept", "t")), (None, Some(3)));
    assert_eq!(rig.shard().counters().offset_deletions, 2);
    rig.reload();
    assert_eq!(rig.state("g"), GroupState::Dead);
    assert_eq!(rig.shard().offset_count(), 1);
}

#[test]
fn groups_with_members_and_groups_that_do_not_exist_are_refused_each_for_itself() {
    let mut rig = Rig::prompt();
    rig.stable(&["a"]);
    rig.commit_offset("empty", "t", 1);
    let results = delete(&mut rig, &["g", "empty", "nobody"]);
    let expected = [
        Err(GroupError::NonEmptyGroup { state: GroupState::Stable }),
        Ok(()),
        Err(GroupError::GroupIdNotFound { group_id: "nobody".into() }),
    ];
    assert_eq!(results, expected);
}

#[test]
fn a_group_may_come_back_and_begins_anew() {
    let mut rig = Rig::prompt();
    let joined = rig.stable(&["a"]).remove(0);
    rig.leave(&joined.member_id, None).unwrap();
    assert_eq!(delete(&mut rig, &["g"]), [Ok(())]);
    let id = rig.join("a");
    rig.advance(0);
    assert_eq!(rig.joined(id).generation, 1);
}

#[test]
fn a_pending_member_of_a_deleted_group_must_begin_anew() {
    let mut rig = Rig::prompt();
    let first = edit(joining("a"), |join| join.member_id_required = true);
    let Err(GroupError::MemberIdRequired { member_id }) = rig.ask(first.clone()) else { panic!() };
    assert_eq!(delete(&mut rig, &["g"]), [Ok(())]);
    let second = edit(first, |join| join.member_id = member_id.clone());
    assert_eq!(rig.ask(second), Err(unknown_member(&member_id)));
    rig.advance(i64::from(SESSION_MS));
    assert_eq!(rig.state("g"), GroupState::Dead);
}

#[test]
fn a_deletion_that_cannot_be_written_deletes_nothing() {
    let mut rig = Rig::new();
    rig.commit_offset("g", "t", 1);
    rig.log.refuse = Some(ottla_coordinator::Failure::NotEnoughReplicas);
    let request = GroupRequest::Delete(DeleteGroups { group_ids: vec!["g".into()] });
    assert_eq!(rig.ask(request), Err(GroupError::CoordinatorNotAvailable));
    assert_eq!((rig.offset("g", "t"), rig.state("g")), (Some(1), GroupState::Empty));
}

#[test]
fn a_group_whose_only_offset_is_in_an_open_transaction_goes_with_it() {
    use ottla_coordinator::TransactionResult;
    use ottla_types::{Offset, ProducerId};

    let mut rig = Rig::new();
    let mut committed = Rig::new();
    committed.commit_offset("g", "t", 1);
    rig.hosted.load(Offset(0), Some(ProducerId(1)), &committed.log.records[0]).unwrap();
    assert_eq!(rig.state("g"), GroupState::Empty);
    assert_eq!(delete(&mut rig, &["g"]), [Ok(())]);
    rig.hosted.transaction_end(ProducerId(1), TransactionResult::Commit);
    assert_eq!((rig.offset("g", "t"), rig.state("g")), (None, GroupState::Dead));
}
