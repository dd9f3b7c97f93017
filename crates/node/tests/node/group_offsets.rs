//! Offsets of classic groups: committed, fetched, deleted.

use ottla_protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use ottla_protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use ottla_protocol::{ApiMessage, ByteString, ErrorCode, Uuid};
use ottla_testkit::{Member, RawClient, TestNode, TopicSpec, eventually};

use crate::groups::start;

#[test]
fn offsets_are_committed_and_fetched_in_every_version() {
    let (_node, mut client) = start();
    let id = client.topic("t").topic_id;
    for version in OffsetCommitRequest::VERSIONS {
        let partition = OffsetCommitRequestPartition {
            partition_index: 0,
            committed_offset: 100 + i64::from(version),
            committed_leader_epoch: if version >= 6 { 3 } else { -1 },
            committed_metadata: Some("note".into()),
            ..Default::default()
        };
        let topic = OffsetCommitRequestTopic {
            name: if version < 10 { "t".into() } else { ByteString::new() },
            topic_id: if version >= 10 { id } else { Uuid::ZERO },
            partitions: vec![partition],
            ..Default::default()
        };
        let request = OffsetCommitRequest { group_id: "g".into(), topics: vec![topic], ..Default::default() };
        let answer = client.call(version, &request).topics.remove(0);
        assert_eq!(answer.partitions[0].error_code, ErrorCode::NONE, "version {version}");
        assert_eq!(client.committed_offset("g", "t"), 100 + i64::from(version));
    }
    for version in OffsetFetchRequest::VERSIONS {
        for named in [true, false] {
            if !named && version < 2 {
                continue;
            }
            let (offset, epoch, metadata) = fetch_committed(&mut client, version, named.then_some(("t", id)));
            assert_eq!((offset, metadata.as_deref()), (110, Some("note")), "version {version}");
            assert_eq!(epoch, if version >= 5 { 3 } else { -1 }, "version {version}");
        }
    }
}

/// Offset, leader epoch and metadata of partition 0 of `topic`, or of all that the group has committed.
fn fetch_committed(
    client: &mut RawClient,
    version: i16,
    topic: Option<(&str, Uuid)>,
) -> (i64, i32, Option<ByteString>) {
    if version < 8 {
        let named = |(name, _): (&str, Uuid)| OffsetFetchRequestTopic {
            name: name.into(),
            partition_indexes: vec![0],
            ..Default::default()
        };
        let topics = topic.map(|topic| vec![named(topic)]);
        let request = OffsetFetchRequest { group_id: "g".into(), topics, ..Default::default() };
        let mut response = client.call(version, &request);
        assert_eq!((response.error_code, response.topics.len()), (ErrorCode::NONE, 1));
        let partition = response.topics.remove(0).partitions.remove(0);
        return (partition.committed_offset, partition.committed_leader_epoch, partition.metadata);
    }
    let named = |(name, topic_id): (&str, Uuid)| OffsetFetchRequestTopics {
        name: if version < 10 { name.into() } else { ByteString::new() },
        topic_id: if version >= 10 { topic_id } else { Uuid::ZERO },
        partition_indexes: vec![0],
        ..Default::default()
    };
    let group = OffsetFetchRequestGroup {
        group_id: "g".into(),
        topics: topic.map(|topic| vec![named(topic)]),
        ..Default::default()
    };
    let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    let mut group = client.call(version, &request).groups.remove(0);
    assert_eq!((group.error_code, group.topics.len()), (ErrorCode::NONE, 1), "version {version}");
    let partition = group.topics.remove(0).partitions.remove(0);
    (partition.committed_offset, partition.committed_leader_epoch, partition.metadata)
}

#[test]
fn commits_of_others_than_the_members_are_refused() {
    let (node, mut client) = start();
    let mut member = Member::new(node.client(), "g");
    member.join();
    let id = member.id.clone();
    member.sync(&[(&id, "mine")]);
    assert_eq!(member.commit("t", 5), ErrorCode::NONE);
    assert_eq!(client.commit_offset("g", "t", 9), ErrorCode::UNKNOWN_MEMBER_ID);
    member.generation = 7;
    assert_eq!(member.commit("t", 9), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(client.committed_offset("g", "t"), 5);
    assert_eq!(client.commit_offset("g", "none", 9), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[test]
fn offsets_of_groups_and_topics_that_are_not_there_are_minus_one() {
    let (_node, mut client) = start();
    assert_eq!(client.committed_offset("g", "t"), -1);
    assert_eq!(client.committed_offset("g", "none"), -1);
}

#[test]
fn offsets_go_with_their_topic() {
    let (_node, mut client) = start();
    assert_eq!(client.commit_offset("g", "t", 5), ErrorCode::NONE);
    client.delete_topic("t");
    eventually("the offset stays", || (client.committed_offset("g", "t") == -1).then_some(()));
    client.create_topic("t");
    assert_eq!(client.committed_offset("g", "t"), -1, "a new topic of the name has none");
}

#[test]
fn single_offsets_can_be_deleted() {
    let (_node, mut client) = start();
    client.commit_offset("g", "t", 5);
    let mut delete = |group: &str, topic: &str| {
        let topic = OffsetDeleteRequestTopic {
            name: topic.into(),
            partitions: [5, 0].map(|index| OffsetDeleteRequestPartition { partition_index: index }).to_vec(),
        };
        let request = OffsetDeleteRequest { group_id: group.into(), topics: vec![topic] };
        let response = client.call(0, &request);
        let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
        let mut results: Vec<_> =
            partitions.map(|partition| (partition.partition_index, partition.error_code)).collect();
        results.sort_by_key(|(index, _)| *index);
        (response.error_code, results)
    };
    let missing = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(delete("none", "t").0, ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(delete("g", "none"), (ErrorCode::NONE, vec![(0, missing), (5, missing)]));
    assert_eq!(
        delete("g", "t"),
        (ErrorCode::NONE, vec![(0, ErrorCode::NONE), (5, missing)]),
        "it has one partition"
    );
    assert_eq!(client.committed_offset("g", "t"), -1);
}

#[test]
fn offsets_of_partitions_that_are_not_there_are_refused() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(2));
    client.wait_for_coordinator("g");
    let partition = |partition_index| OffsetCommitRequestPartition {
        partition_index,
        committed_offset: 5,
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: "t".into(),
        partitions: vec![partition(1), partition(2), partition(-1)],
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    };
    let mut answered = client.call(9, &request).topics;
    assert_eq!(answered.len(), 1);
    let answered = answered.remove(0).partitions;
    let answered: Vec<_> =
        answered.iter().map(|answer| (answer.partition_index, answer.error_code)).collect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(answered, [(1, ErrorCode::NONE), (2, unknown), (-1, unknown)]);
}
