use super::*;
use crate::test_support::*;
use crate::{GroupRequest, GroupResponse, GroupState, Protocol};

fn delete(rig: &mut Rig, group: &str, topics: &[&str]) -> Result<Vec<Result<(), GroupError>>, GroupError> {
    let topics = topics.iter().map(|topic| (TopicName::from(*topic), vec![PartitionIndex(0)])).collect();
    match rig.ask(GroupRequest::DeleteOffsets(OffsetDelete { group_id: group.into(), topics })) {
        Ok(GroupResponse::DeleteOffsets(topics)) => {
            Ok(topics.into_iter().flat_map(|topic| topic.partitions).map(|(_, result)| result).collect())
        }
        Err(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

#[test]
fn offsets_of_an_empty_group_are_deleted_whether_they_exist_or_not() {
    let mut rig = Rig::new();
    rig.commit_offset("g", "t", 1);
    rig.commit_offset("g", "u", 2);
    assert_eq!(delete(&mut rig, "g", &["t", "nothing"]), Ok(vec![Ok(()), Ok(())]));
    assert_eq!((rig.offset("g", "t"), rig.offset("g", "u")), (None, Some(2)));
    assert_eq!(rig.log.records.len(), 3, "no tombstone for nothing");
    rig.reload();
    assert_eq!((rig.offset("g", "t"), rig.offset("g", "u")), (None, Some(2)));
}

#[test]
fn a_consumer_group_keeps_what_it_subscribes_to() {
    let mut rig = Rig::prompt();
    rig.commit_offset("g", "t", 1);
    rig.commit_offset("g", "u", 2);
    rig.stable(&["a"]);
    let subscribed = Err(GroupError::GroupSubscribedToTopic { topic: "t".into() });
    assert_eq!(delete(&mut rig, "g", &["t", "u"]), Ok(vec![subscribed.clone(), Ok(())]));
    rig.reload();
    assert_eq!(delete(&mut rig, "g", &["t"]), Ok(vec![subscribed]), "the log knows the subscription");
}

#[test]
fn a_consumer_group_whose_metadata_cannot_be_read_may_subscribe_to_anything() {
    let mut rig = Rig::prompt();
    rig.commit_offset("g", "u", 2);
    let id = rig.send(edit(joining("a"), |join| {
        join.protocols = vec![Protocol { name: "range".into(), metadata: vec![0].into() }];
    }));
    rig.advance(0);
    let joined = rig.joined(id);
    rig.sync(&joined, &[]);
    let subscribed = Err(GroupError::GroupSubscribedToTopic { topic: "u".into() });
    assert_eq!(delete(&mut rig, "g", &["u"]), Ok(vec![subscribed]));
}

#[test]
fn other_groups_must_be_empty_and_exist() {
    let mut rig = Rig::prompt();
    assert_eq!(delete(&mut rig, "", &[]), Err(GroupError::InvalidGroupId));
    let not_found = GroupError::GroupIdNotFound { group_id: "g".into() };
    assert_eq!(delete(&mut rig, "g", &["t"]), Err(not_found));
    rig.commit_offset("g", "t", 1);
    rig.send(edit(joining("a"), |join| join.protocol_type = "connect".into()));
    let non_empty = GroupError::NonEmptyGroup { state: GroupState::PreparingRebalance };
    assert_eq!(delete(&mut rig, "g", &["t"]), Err(non_empty));
}
