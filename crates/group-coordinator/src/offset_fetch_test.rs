use ottla_coordinator::{KeyValueRecord, TransactionResult};
use ottla_types::{LeaderEpoch, Offset, ProducerId, Uuid};

use super::*;
use crate::test_support::*;
use crate::{GroupRequest, GroupResponse};

fn fetch(rig: &mut Rig, request: OffsetFetch) -> Vec<FetchedTopic> {
    match rig.ask(GroupRequest::FetchOffsets(request)) {
        Ok(GroupResponse::FetchOffsets(topics)) => topics,
        other => panic!("{other:?}"),
    }
}

/// The offset of partition 0 of the first topic.
fn offset(topics: &[FetchedTopic]) -> Result<Option<i64>, GroupError> {
    let result = topics[0].partitions[0].result.clone();
    result.map(|committed| committed.map(|committed| committed.offset.get()))
}

#[test]
fn a_group_or_partition_without_offset_is_no_error() {
    let mut rig = Rig::new();
    assert_eq!(offset(&fetch(&mut rig, fetching("nobody", "t"))), Ok(None));
    rig.commit_offset("g", "t", 5);
    assert_eq!(offset(&fetch(&mut rig, fetching("g", "t"))), Ok(Some(5)));
    assert_eq!(offset(&fetch(&mut rig, fetching("g", "other"))), Ok(None));
    let mut request = fetching("g", "t");
    request.topics.as_mut().unwrap()[0].partitions = vec![PartitionIndex(1), PartitionIndex(0)];
    let partitions = &fetch(&mut rig, request)[0].partitions;
    assert_eq!(partitions[0].result, Ok(None));
    assert_eq!(partitions[1].result.as_ref().unwrap().as_ref().unwrap().offset, Offset(5));
}

#[test]
fn all_offsets_are_those_that_exist() {
    let mut rig = Rig::new();
    let all = |group: &str| OffsetFetch { group_id: group.into(), ..OffsetFetch::default() };
    assert_eq!(fetch(&mut rig, all("g")), []);
    rig.commit_offset("g", "u", 2);
    rig.commit_offset("g", "t", 1);
    rig.commit_offset("other", "v", 3);
    let topics = fetch(&mut rig, all("g"));
    let names: Vec<_> = topics.iter().map(|topic| topic.topic.as_str()).collect();
    assert_eq!(names, ["t", "u"]);
    assert_eq!(offset(&topics), Ok(Some(1)));
}

#[test]
fn an_offset_of_a_deleted_topic_is_not_the_new_topics() {
    let mut rig = Rig::new();
    let mut request = committing("g", "t", 5);
    request.topics[0].topic_id = Uuid([1; 16]);
    rig.ask(GroupRequest::CommitOffsets(request)).unwrap();
    for (id, expected) in [(Uuid([1; 16]), Some(5)), (Uuid([2; 16]), None), (Uuid::ZERO, Some(5))] {
        let mut request = fetching("g", "t");
        request.topics.as_mut().unwrap()[0].topic_id = id;
        assert_eq!(offset(&fetch(&mut rig, request)), Ok(expected), "{id}");
    }
    rig.commit_offset("g", "t", 6);
    let mut request = fetching("g", "t");
    request.topics.as_mut().unwrap()[0].topic_id = Uuid([2; 16]);
    assert_eq!(offset(&fetch(&mut rig, request)), Ok(Some(6)), "committed without an id");
}

/// What a transactional producer's commit of `offset` looks like in the log.
fn transactional(offset: i64) -> KeyValueRecord {
    let committed = CommittedOffset {
        offset: Offset(offset),
        leader_epoch: LeaderEpoch::NONE,
        metadata: "".into(),
        commit_timestamp_ms: START_MS,
        expire_timestamp_ms: None,
        topic_id: TopicId::ZERO,
        record_offset: Offset::NONE,
    };
    crate::records::offset_commit(&"g".into(), &partition("t"), &committed).unwrap()
}

#[test]
fn an_offset_that_a_transaction_may_change_is_unstable_until_it_ends() {
    for (result, expected) in [(TransactionResult::Commit, 9), (TransactionResult::Abort, 5)] {
        let mut rig = Rig::new();
        rig.commit_offset("g", "t", 5);
        rig.hosted.load(Offset(1), Some(ProducerId(3)), &transactional(9)).unwrap();
        let stable = || OffsetFetch { require_stable: true, ..fetching("g", "t") };
        assert_eq!(offset(&fetch(&mut rig, fetching("g", "t"))), Ok(Some(5)));
        assert_eq!(offset(&fetch(&mut rig, stable())), Err(GroupError::UnstableOffsetCommit));
        let all = OffsetFetch { topics: None, ..stable() };
        assert_eq!(offset(&fetch(&mut rig, all)), Err(GroupError::UnstableOffsetCommit));
        rig.hosted.transaction_end(ProducerId(3), result);
        assert_eq!(offset(&fetch(&mut rig, stable())), Ok(Some(expected)));
    }
}
