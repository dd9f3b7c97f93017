//! Topics come, grow and go.

use ottla_protocol::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use ottla_protocol::messages::create_topics::{CreatableReplicaAssignment, CreateTopicsRequest};
use ottla_protocol::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use ottla_protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use ottla_protocol::{ApiMessage, ErrorCode, Uuid};
use ottla_testkit::{NodeSpec, RawClient, TestNode, TopicSpec, batch, eventually};

fn create(
    client: &mut RawClient,
    version: i16,
    topic: &TopicSpec<'_>,
    validate_only: bool,
) -> (ErrorCode, i32) {
    let request = CreateTopicsRequest {
        topics: vec![topic.to_creatable()],
        timeout_ms: 10_000,
        validate_only,
        ..Default::default()
    };
    let result = client.call(version, &request).topics.remove(0);
    (result.error_code, result.num_partitions)
}

#[test]
fn every_version_of_create_and_delete_topics() {
    let node = TestNode::start();
    let mut client = node.client();
    for version in CreateTopicsRequest::VERSIONS {
        let name = format!("created-{version}");
        let topic = TopicSpec::new(&name).partitions(2).config("retention.ms", "1000");
        let told = if version >= 5 { 2 } else { -1 };
        assert_eq!(create(&mut client, version, &topic, true), (ErrorCode::NONE, told), "version {version}");
        assert_eq!(client.topic(&name).error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "only validated");
        assert_eq!(create(&mut client, version, &topic, false), (ErrorCode::NONE, told));
        assert_eq!(create(&mut client, version, &topic, false).0, ErrorCode::TOPIC_ALREADY_EXISTS);
    }
    for version in DeleteTopicsRequest::VERSIONS {
        let name = format!("created-{}", version + 1);
        let request = DeleteTopicsRequest {
            topics: if version >= 6 {
                vec![DeleteTopicState { name: Some(name.as_str().into()), ..Default::default() }]
            } else {
                vec![]
            },
            topic_names: if version < 6 { vec![name.as_str().into()] } else { vec![] },
            timeout_ms: 10_000,
            ..Default::default()
        };
        let error = |client: &mut RawClient| client.call(version, &request).responses.remove(0).error_code;
        assert_eq!(error(&mut client), ErrorCode::NONE, "version {version}");
        assert_eq!(error(&mut client), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
}

#[test]
fn the_answer_to_a_creation_tells_what_was_created() {
    let node = TestNode::start();
    let mut client = node.client();
    let result = client.try_create(&TopicSpec::new("t").partitions(-1).config("cleanup.policy", "compact"));
    assert_eq!(
        (result.error_code, result.num_partitions, result.replication_factor),
        (ErrorCode::NONE, 1, 1)
    );
    assert!(!result.topic_id.is_zero());
    let configs = result.configs.expect("configs");
    let policy = configs.iter().find(|config| config.name == "cleanup.policy").expect("its policy");
    assert_eq!(policy.value.as_deref(), Some("compact"));
    assert!(configs.len() > 20, "all that apply, not only those given: {}", configs.len());
}

#[test]
fn topics_that_cannot_be_are_refused_with_a_reason() {
    let node = TestNode::start();
    let mut client = node.client();
    let mut error = |topic: TopicSpec<'_>| {
        let result = client.try_create(&topic);
        assert!(result.error_message.is_some_and(|message| !message.is_empty()), "{topic:?}");
        result.error_code
    };
    assert_eq!(error(TopicSpec::new("a/b")), ErrorCode::INVALID_TOPIC_EXCEPTION);
    assert_eq!(error(TopicSpec::new("..")), ErrorCode::INVALID_TOPIC_EXCEPTION);
    assert_eq!(error(TopicSpec::new("")), ErrorCode::INVALID_TOPIC_EXCEPTION);
    assert_eq!(error(TopicSpec::new(&"x".repeat(250))), ErrorCode::INVALID_TOPIC_EXCEPTION);
    assert_eq!(error(TopicSpec::new("t").partitions(0)), ErrorCode::INVALID_PARTITIONS);
    assert_eq!(error(TopicSpec::new("t").config("no.such.key", "1")), ErrorCode::INVALID_CONFIG);
    assert_eq!(error(TopicSpec::new("t").config("retention.ms", "soon")), ErrorCode::INVALID_CONFIG);
    let mut creatable = TopicSpec::new("t").to_creatable();
    creatable.replication_factor = 2;
    let mut refused = |creatable| {
        let request = CreateTopicsRequest { topics: vec![creatable], timeout_ms: 1000, ..Default::default() };
        client.call(7, &request).topics.remove(0).error_code
    };
    assert_eq!(refused(creatable.clone()), ErrorCode::INVALID_REPLICATION_FACTOR);
    let assigned = |broker| CreatableReplicaAssignment {
        partition_index: 0,
        broker_ids: vec![broker],
        ..Default::default()
    };
    (creatable.replication_factor, creatable.num_partitions) = (-1, -1);
    creatable.assignments = vec![assigned(77)];
    assert_eq!(refused(creatable.clone()), ErrorCode::INVALID_REPLICA_ASSIGNMENT);
    creatable.assignments = vec![assigned(1)];
    assert_eq!(refused(creatable), ErrorCode::NONE);
}

#[test]
fn the_same_topic_twice_in_a_request_is_refused() {
    let node = TestNode::start();
    let mut client = node.client();
    let topic = TopicSpec::new("t").to_creatable();
    let request =
        CreateTopicsRequest { topics: vec![topic.clone(), topic], timeout_ms: 1000, ..Default::default() };
    let errors: Vec<ErrorCode> = client.call(7, &request).topics.iter().map(|t| t.error_code).collect();
    assert!(errors.iter().all(|error| *error == ErrorCode::INVALID_REQUEST), "{errors:?}");
}

#[test]
fn partitions_can_be_added() {
    let node = TestNode::start();
    let mut client = node.client();
    let id = client.create_topic("t");
    client.produce("t", batch::one("kept"));
    for version in CreatePartitionsRequest::VERSIONS {
        let count = i32::from(version) + 2;
        let mut grow = |count, validate_only| {
            let topic =
                CreatePartitionsTopic { name: "t".into(), count, assignments: None, ..Default::default() };
            let request = CreatePartitionsRequest {
                topics: vec![topic],
                timeout_ms: 10_000,
                validate_only,
                ..Default::default()
            };
            client.call(version, &request).results.remove(0).error_code
        };
        assert_eq!(grow(count, true), ErrorCode::NONE);
        assert_eq!(grow(count, false), ErrorCode::NONE, "version {version}");
        assert_eq!(grow(count, false), ErrorCode::INVALID_PARTITIONS, "as many as there are");
        assert_eq!(grow(1, false), ErrorCode::INVALID_PARTITIONS, "fewer");
        client.wait_for_topic("t", id, count);
    }
    let last = client.try_produce("t", 4, ottla_testkit::ACKS_ALL, batch::one("new"));
    assert_eq!((last.error_code, last.base_offset), (ErrorCode::NONE, 0));
    assert_eq!(client.read_values("t", 0), ["kept"]);
}

#[test]
fn a_topic_of_an_old_name_is_a_new_topic() {
    let spec = NodeSpec::new();
    let node = spec.start();
    let mut client = node.client();
    let old = client.create_topic("t");
    client.produce("t", batch::one("old"));
    client.delete_topic("t");
    let new = client.create_topic("t");
    assert_ne!(new, old);
    assert_eq!(client.read_values("t", 0).len(), 0);
    assert_eq!(client.produce("t", batch::one("new")), 0);
    let topic = MetadataRequestTopic { name: None, topic_id: old, ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
    assert_eq!(client.call(12, &request).topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    drop(client);
    node.stop();
    let node = spec.start();
    let mut client = node.client();
    client.wait_for_topic("t", new, 1);
    assert_eq!(client.read_values("t", 0), ["new"]);
}

#[test]
fn a_topic_can_be_deleted_by_its_id() {
    let node = TestNode::start();
    let mut client = node.client();
    let id = client.create_topic("t");
    let mut delete = |name: Option<&str>, topic_id| {
        let topic = DeleteTopicState { name: name.map(Into::into), topic_id, ..Default::default() };
        let request = DeleteTopicsRequest { topics: vec![topic], timeout_ms: 5000, ..Default::default() };
        client.call(6, &request).responses.remove(0).error_code
    };
    assert_eq!(delete(None, Uuid::random()), ErrorCode::UNKNOWN_TOPIC_ID);
    assert_eq!(delete(Some("t"), id), ErrorCode::INVALID_REQUEST, "both a name and an id");
    assert_eq!(delete(None, id), ErrorCode::NONE);
    assert_eq!(delete(None, id), ErrorCode::UNKNOWN_TOPIC_ID);
}

#[test]
fn the_folder_of_a_deleted_topic_goes() {
    let spec = NodeSpec::new().set("file.delete.delay.ms", "0").set("log.segment.delete.delay.ms", "0");
    let node = spec.start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").partitions(3));
    for partition in 0..3 {
        client.try_produce("t", partition, ottla_testkit::ACKS_ALL, batch::one("v"));
    }
    assert_eq!(spec.folders_of("t"), ["t-0", "t-1", "t-2"]);
    client.delete_topic("t");
    eventually("the folders stay", || spec.folders_of("t").is_empty().then_some(()));
}

#[test]
fn asking_for_a_topic_creates_it_where_allowed() {
    let node = NodeSpec::new().set("num.partitions", "2").start();
    let mut client = node.client();
    let mut ask = |version, name: &str, allow| {
        let topic = MetadataRequestTopic { name: Some(name.into()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(vec![topic]),
            allow_auto_topic_creation: allow,
            ..Default::default()
        };
        let mut topic = client.call(version, &request).topics.remove(0);
        let leaders = topic.partitions.drain(..).filter(|partition| partition.leader_id == 1).count();
        (topic.error_code, leaders)
    };
    assert_eq!(ask(12, "t", false), (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, 0));
    assert_eq!(ask(12, "t", true), (ErrorCode::NONE, 2), "the answer waits for the leaders");
    assert_eq!(ask(0, "old", true), (ErrorCode::NONE, 2), "versions below 4 always allow it");
    assert_eq!(ask(12, "a b", true).0, ErrorCode::INVALID_TOPIC_EXCEPTION);
    assert_eq!(client.produce("t", batch::one("at once")), 0);
}

#[test]
fn auto_creation_can_be_switched_off() {
    let node = NodeSpec::new().set("auto.create.topics.enable", "false").start();
    let mut client = node.client();
    let topic = MetadataRequestTopic { name: Some("t".into()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
    assert_eq!(client.call(12, &request).topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[test]
fn many_topics_at_once() {
    let node = TestNode::start();
    let mut client = node.client();
    let names: Vec<String> = (0..200).map(|i| format!("t{i}")).collect();
    let topics = names.iter().map(|name| TopicSpec::new(name).partitions(3).to_creatable()).collect();
    let request = CreateTopicsRequest { topics, timeout_ms: 10_000, ..Default::default() };
    let (response, _) = client.timed(|client| client.call(7, &request));
    assert!(response.topics.iter().all(|topic| topic.error_code == ErrorCode::NONE));
    for result in &response.topics {
        client.wait_for_topic(&result.name, result.topic_id, 3);
    }
    for name in &names {
        assert_eq!(client.produce(name, batch::one(name)), 0);
    }
    assert_eq!(client.read_values("t199", 0), ["t199"]);
}
