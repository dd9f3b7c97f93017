//! What a request names many times is answered once.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use ottla_protocol::messages::describe_groups::DescribeGroupsRequest;
use ottla_protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use ottla_protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use ottla_testkit::TestNode;

#[test]
fn topics() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    let names = ["t", "none", "t", "none", "t"];
    let topics = names.map(|name| MetadataRequestTopic { name: Some(name.into()), ..Default::default() });
    let request = MetadataRequest { topics: Some(topics.into()), ..Default::default() };
    let answered = client.call(12, &request).topics;
    let names: Vec<_> = answered.iter().filter_map(|topic| topic.name.as_deref()).collect();
    assert_eq!(names, ["t", "none"]);
}

#[test]
fn groups_and_their_offsets() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    client.wait_for_coordinator("g");
    client.commit_offset("g", "t", 5);
    let groups = vec!["g".into(), "h".into(), "g".into()];
    let described = client.call(5, &DescribeGroupsRequest { groups, ..Default::default() }).groups;
    assert_eq!(described.len(), 2);

    let topic =
        OffsetFetchRequestTopics { name: "t".into(), partition_indexes: vec![0, 0, 0], ..Default::default() };
    let group = OffsetFetchRequestGroup {
        group_id: "g".into(),
        topics: Some(vec![topic.clone(), topic]),
        ..Default::default()
    };
    let request = OffsetFetchRequest { groups: vec![group.clone(), group], ..Default::default() };
    let answered = client.call(9, &request).groups;
    let [group] = answered.as_slice() else { panic!("{answered:?}") };
    let partitions: Vec<_> = group.topics.iter().flat_map(|topic| &topic.partitions).collect();
    let [partition] = partitions.as_slice() else { panic!("{partitions:?}") };
    assert_eq!(partition.committed_offset, 5);
}

#[test]
fn configs_and_no_more_groups_than_can_be_answered() {
    let node = TestNode::start();
    let mut client = node.client();
    let resource = |resource_type, name: String| DescribeConfigsResource {
        resource_type,
        resource_name: name.into(),
        configuration_keys: Some(vec!["consumer.session.timeout.ms".into()]),
        ..Default::default()
    };
    let mut describe =
        |resources| client.call(4, &DescribeConfigsRequest { resources, ..Default::default() }).results;
    assert_eq!(describe(vec![resource(4, "1".into()); 3]).len(), 1);
    let results = describe((0..=10_000).map(|n| resource(32, n.to_string())).collect());
    let refused: Vec<_> = results.iter().filter(|result| result.error_code != ErrorCode::NONE).collect();
    let [last] = refused.as_slice() else { panic!("{}", refused.len()) };
    assert_eq!((last.error_code, last.resource_name.as_ref()), (ErrorCode::INVALID_REQUEST, "10000"));
}
