use ottla_types::Uuid;

use super::*;
use crate::test_support::*;
use crate::{CommitTopic, GroupRequest, GroupResponse};

const OLD: TopicId = Uuid([1; 16]);
const NEW: TopicId = Uuid([2; 16]);

fn delete(rig: &mut Rig, topic: &str, topic_id: TopicId) {
    let request = GroupRequest::TopicsDeleted(vec![DeletedTopic { topic: topic.into(), topic_id }]);
    assert_eq!(rig.ask(request), Ok(GroupResponse::TopicsDeleted));
    rig.advance(0);
}

fn commit(rig: &mut Rig, group: &str, topic: &str, topic_id: TopicId) {
    let mut request = committing(group, topic, 1);
    request.topics[0].topic_id = topic_id;
    rig.ask(GroupRequest::CommitOffsets(request)).unwrap();
}

#[test]
fn offsets_in_the_topic_go_in_every_group() {
    let mut rig = Rig::new();
    commit(&mut rig, "g", "t", OLD);
    commit(&mut rig, "g", "u", OLD);
    commit(&mut rig, "h", "t", TopicId::ZERO);
    delete(&mut rig, "t", OLD);
    assert_eq!((rig.offset("g", "t"), rig.offset("h", "t"), rig.offset("g", "u")), (None, None, Some(1)));
    rig.reload();
    assert_eq!(rig.shard().offset_count(), 1);
}

#[test]
fn offsets_in_a_new_topic_of_the_same_name_stay() {
    let mut rig = Rig::new();
    commit(&mut rig, "g", "t", NEW);
    delete(&mut rig, "t", OLD);
    assert_eq!(rig.offset("g", "t"), Some(1));
}

#[test]
fn it_is_done_in_batches_and_again_after_a_failure() {
    let mut rig = Rig::new();
    let mut request = committing("g", "t", 1);
    let partition = request.topics[0].partitions[0].clone();
    let partitions = (0..40_000).map(|n| crate::CommitPartition { partition: n.into(), ..partition.clone() });
    request.topics = vec![CommitTopic { partitions: partitions.collect(), ..request.topics[0].clone() }];
    rig.ask(GroupRequest::CommitOffsets(request)).unwrap();
    rig.log.refuse = Some(ottla_coordinator::Failure::NotEnoughReplicas);
    delete(&mut rig, "t", OLD);
    assert_eq!(rig.shard().offset_count(), 40_000);
    rig.log.refuse = None;
    rig.advance(600_000);
    assert_eq!(rig.shard().offset_count(), 0);
    assert_eq!(rig.log.records.len(), 80_000, "each offset and its tombstone");
}
