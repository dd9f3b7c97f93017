//! What a node says about itself and its cluster.

use ottla_protocol::messages::api_versions::ApiVersionsRequest;
use ottla_protocol::messages::describe_cluster::DescribeClusterRequest;
use ottla_protocol::messages::describe_quorum::{self, DescribeQuorumRequest};
use ottla_protocol::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, TopicRequest,
};
use ottla_protocol::messages::elect_leaders::ElectLeadersRequest;
use ottla_protocol::messages::find_coordinator::FindCoordinatorRequest;
use ottla_protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use ottla_protocol::messages::unregister_broker::UnregisterBrokerRequest;
use ottla_protocol::messages::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};
use ottla_protocol::{ApiKey, ApiMessage, ErrorCode};
use ottla_testkit::{RawClient, TestNode, TopicSpec, eventually};

/// The APIs of clients with the ranges that clients are told: key, first, last version.
const ADVERTISED: [(i16, i16, i16); 36] = [
    (0, 0, 13),
    (1, 4, 18),
    (2, 1, 11),
    (3, 0, 13),
    (8, 2, 10),
    (9, 1, 10),
    (10, 0, 6),
    (11, 0, 9),
    (12, 0, 4),
    (13, 0, 5),
    (14, 0, 5),
    (15, 0, 6),
    (16, 0, 5),
    (18, 0, 5),
    (19, 2, 7),
    (20, 1, 6),
    (21, 0, 2),
    (22, 0, 5),
    (23, 2, 4),
    (32, 1, 4),
    (33, 0, 2),
    (34, 1, 2),
    (35, 1, 5),
    (37, 0, 3),
    (42, 0, 3),
    (43, 0, 2),
    (44, 0, 1),
    (45, 0, 1),
    (46, 0, 0),
    (47, 0, 0),
    (55, 0, 2),
    (57, 0, 2),
    (60, 0, 2),
    (64, 0, 0),
    (74, 0, 1),
    (75, 0, 0),
];

#[test]
fn every_version_of_api_versions_tells_the_same_ranges() {
    let node = TestNode::start();
    for version in ApiVersionsRequest::VERSIONS {
        let request = ApiVersionsRequest {
            client_software_name: "testkit".into(),
            client_software_version: "1".into(),
            ..Default::default()
        };
        let response = node.client().call(version, &request);
        assert_eq!(response.error_code, ErrorCode::NONE, "version {version}");
        let mut told: Vec<(i16, i16, i16)> =
            response.api_keys.iter().map(|api| (api.api_key, api.min_version, api.max_version)).collect();
        told.sort_unstable();
        assert_eq!(told, ADVERTISED, "version {version}");
        if version >= 3 {
            let metadata = response.finalized_features.iter().find(|f| f.name == "metadata.version");
            assert!(metadata.is_some(), "{:?}", response.finalized_features);
        }
    }
}

#[test]
fn a_client_of_the_future_is_told_in_version_0() {
    let node = TestNode::start();
    let mut client = node.client();
    // Header of a version that nobody knows yet, flexible as they all are.
    let header = [0, 18, 0, 99, 0, 0, 0, 7, 0, 1, b'c', 0];
    client.send_frame(&[&header[..], &[2, b'n', 2, b'v', 0]].concat());
    let frame = client.read_frame().unwrap().expect("an answer");
    assert_eq!(frame[..4], [0, 0, 0, 7], "correlation id");
    assert_eq!(frame[4..6], ErrorCode::UNSUPPORTED_VERSION.0.to_be_bytes());
    let request = ApiVersionsRequest {
        client_software_name: "n".into(),
        client_software_version: "1".into(),
        ..Default::default()
    };
    let again = client.send(3, &request);
    client.receive::<ApiVersionsRequest>(3, again);
}

#[test]
fn software_names_that_break_the_rules_are_refused() {
    let node = TestNode::start();
    for (name, version) in [("", "1"), ("a b", "1"), ("-a", "1"), ("a", ""), ("a", "1/2")] {
        let request = ApiVersionsRequest {
            client_software_name: name.into(),
            client_software_version: version.into(),
            ..Default::default()
        };
        let error = node.client().call(3, &request).error_code;
        assert_eq!(error, ErrorCode::INVALID_REQUEST, "{name:?} {version:?}");
    }
}

fn metadata(client: &mut RawClient, version: i16, names: Option<&[&str]>) -> MetadataResponse {
    let topic = |name: &&str| MetadataRequestTopic { name: Some((*name).into()), ..Default::default() };
    let request = MetadataRequest {
        topics: names.map(|names| names.iter().map(topic).collect()),
        allow_auto_topic_creation: true,
        ..Default::default()
    };
    client.call(version, &request)
}

#[test]
fn every_version_of_metadata_names_brokers_and_leaders() {
    let node = TestNode::start();
    let mut client = node.client();
    let id = client.create(&TopicSpec::new("t").partitions(3));
    client.create_topic("u");
    for version in MetadataRequest::VERSIONS {
        let response = metadata(&mut client, version, Some(&["t"]));
        let [broker] = response.brokers.as_slice() else { panic!("{:?}", response.brokers) };
        assert_eq!((broker.node_id, broker.host.as_ref()), (1, "127.0.0.1"), "version {version}");
        assert_eq!(broker.port, i32::from(node.address().port()));
        let [topic] = response.topics.as_slice() else { panic!("{:?}", response.topics) };
        assert_eq!((topic.error_code, topic.name.as_deref()), (ErrorCode::NONE, Some("t")));
        assert_eq!(topic.partitions.len(), 3);
        for partition in &topic.partitions {
            assert_eq!((partition.leader_id, &partition.isr_nodes[..]), (1, &[1][..]));
            assert_eq!(partition.replica_nodes[..], [1]);
            assert_eq!(partition.leader_epoch >= 0, version >= 7);
        }
        assert_eq!(response.controller_id, if version >= 1 { 1 } else { -1 });
        assert_eq!(response.cluster_id.is_some(), version >= 2);
        assert_eq!(topic.topic_id, if version >= 10 { id } else { Default::default() });

        let all = metadata(&mut client, version, if version == 0 { Some(&[]) } else { None });
        let names: Vec<&str> = all.topics.iter().filter_map(|topic| topic.name.as_deref()).collect();
        assert_eq!(names, ["t", "u"], "all topics, version {version}");
        if version >= 1 {
            assert_eq!(metadata(&mut client, version, Some(&[])).topics.len(), 0, "no topics");
        }
    }
    let by_id = MetadataRequestTopic { name: None, topic_id: id, ..Default::default() };
    for version in 12..=13 {
        let request = MetadataRequest { topics: Some(vec![by_id.clone()]), ..Default::default() };
        let topic = client.call(version, &request).topics.remove(0);
        assert_eq!((topic.error_code, topic.name.as_deref()), (ErrorCode::NONE, Some("t")));
    }
}

#[test]
fn operations_are_told_to_those_who_ask() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    let request = MetadataRequest {
        topics: None,
        include_topic_authorized_operations: true,
        include_cluster_authorized_operations: true,
        ..Default::default()
    };
    let response = client.call(8, &request);
    assert_eq!(response.topics[0].topic_authorized_operations, 0b1101_1111_1000);
    assert_eq!(response.cluster_authorized_operations, 0b1_1111_1010_0000);
    assert_eq!(metadata(&mut client, 8, None).topics[0].topic_authorized_operations, i32::MIN);
}

#[test]
fn describe_cluster_names_the_brokers() {
    let node = TestNode::start();
    let mut client = node.client();
    for version in DescribeClusterRequest::VERSIONS {
        let response = client.call(version, &DescribeClusterRequest::default());
        assert_eq!((response.error_code, response.controller_id), (ErrorCode::NONE, 1), "version {version}");
        assert_eq!(response.cluster_id.len(), 22);
        let [broker] = response.brokers.as_slice() else { panic!("{:?}", response.brokers) };
        assert_eq!((broker.broker_id, broker.port), (1, i32::from(node.address().port())));
    }
    let controllers = DescribeClusterRequest { endpoint_type: 2, ..Default::default() };
    assert_eq!(client.call(1, &controllers).error_code, ErrorCode::MISMATCHED_ENDPOINT_TYPE);
    let nonsense = DescribeClusterRequest { endpoint_type: 9, ..Default::default() };
    assert_eq!(client.call(1, &nonsense).error_code, ErrorCode::UNSUPPORTED_ENDPOINT_TYPE);
    let mut controller = RawClient::connect(node.listener("CONTROLLER"));
    assert_eq!(controller.call(1, &controllers).error_code, ErrorCode::NONE);
}

#[test]
fn describe_topic_partitions_comes_in_pages() {
    let node = TestNode::start();
    let mut client = node.client();
    for name in ["a", "b", "c"] {
        client.create(&TopicSpec::new(name).partitions(5));
    }
    let mut cursor = None;
    let mut pages: Vec<Vec<(String, i32)>> = Vec::new();
    loop {
        let request = DescribeTopicPartitionsRequest {
            topics: ["c", "a", "b"]
                .map(|name| TopicRequest { name: name.into(), ..Default::default() })
                .to_vec(),
            response_partition_limit: 4,
            cursor,
            ..Default::default()
        };
        let response = client.call(0, &request);
        let mut page = Vec::new();
        for topic in &response.topics {
            assert_eq!(topic.error_code, ErrorCode::NONE);
            let name = topic.name.as_deref().unwrap();
            page.extend(topic.partitions.iter().map(|p| (name.to_owned(), p.partition_index)));
        }
        pages.push(page);
        match response.next_cursor {
            None => break,
            Some(next) => {
                cursor = Some(Cursor {
                    topic_name: next.topic_name,
                    partition_index: next.partition_index,
                    ..Default::default()
                });
            }
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 4, 3]);
    let expected: Vec<(String, i32)> =
        ["a", "b", "c"].iter().flat_map(|name| (0..5).map(|i| ((*name).to_owned(), i))).collect();
    assert_eq!(pages.concat(), expected, "in order of topic and partition");

    let unknown = DescribeTopicPartitionsRequest {
        topics: vec![TopicRequest { name: "none".into(), ..Default::default() }],
        ..Default::default()
    };
    let response = client.call(0, &unknown);
    assert_eq!(response.topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let everything = client.call(0, &DescribeTopicPartitionsRequest::default());
    assert_eq!(everything.topics.len(), 3);
}

#[test]
fn every_version_of_find_coordinator_finds_this_node() {
    let node = TestNode::start();
    let mut client = node.client();
    for version in FindCoordinatorRequest::VERSIONS {
        let request = FindCoordinatorRequest {
            key: if version < 4 { "g".into() } else { Default::default() },
            coordinator_keys: if version >= 4 { vec!["g".into(), "h".into()] } else { vec![] },
            ..Default::default()
        };
        // The first to ask has the internal topic created.
        let found = eventually("no coordinator", || {
            let response = client.call(version, &request);
            let found: Vec<(ErrorCode, i32, i32)> = if version < 4 {
                vec![(response.error_code, response.node_id, response.port)]
            } else {
                response.coordinators.iter().map(|c| (c.error_code, c.node_id, c.port)).collect()
            };
            (found[0].0 != ErrorCode::COORDINATOR_NOT_AVAILABLE).then_some(found)
        });
        let here = (ErrorCode::NONE, 1, i32::from(node.address().port()));
        assert_eq!(found, vec![here; if version >= 4 { 2 } else { 1 }], "version {version}");
    }
    let transactions =
        FindCoordinatorRequest { key_type: 1, coordinator_keys: vec!["t".into()], ..Default::default() };
    let found = client.call(4, &transactions).coordinators.remove(0);
    assert_ne!(found.error_code, ErrorCode::NONE, "there are no transactions yet");
}

#[test]
fn apis_of_controllers_are_not_served_to_clients_and_the_other_way_round() {
    let node = TestNode::start();
    let mut client = node.client();
    let key = ApiKey::BROKER_HEARTBEAT.code().to_be_bytes();
    client.send_frame(&[&key[..], &[0, 1, 0, 0, 0, 1, 0xff, 0xff, 0]].concat());
    assert_eq!(client.wait_closed(), b"");
    let mut controller = RawClient::connect(node.listener("CONTROLLER"));
    controller.send_frame(&[0, 0, 0, 9, 0, 0, 0, 1, 0xff, 0xff, 0]);
    assert_eq!(controller.wait_closed(), b"", "no produce on the controller's listener");
}

#[test]
fn health_and_metrics_are_served() {
    let node = TestNode::start();
    node.client().create_topic("t");
    assert_eq!(node.admin("/livez").0, 200);
    assert_eq!(node.admin("/readyz").0, 200);
    assert_eq!(node.admin("/nothing").0, 404);
    assert!(node.metric("kafka_server_replicamanager_leadercount") >= 1.0);
    assert!(node.metric("process_resident_memory_bytes") > 1e6);
    let mut client = node.client();
    // Answered, so it was accepted: a connection that only the system knows is not counted yet.
    client.create_topic("u");
    assert!(node.metric("kafka_server_socket_server_metrics_connection_count") >= 1.0);
    let (_, metrics) = node.admin("/metrics");
    for listener in ["PLAINTEXT", "CONTROLLER"] {
        let series = format!("kafka_server_socket_server_metrics_request_total{{listener=\"{listener}\"}} ");
        assert!(metrics.contains(&series), "{metrics}");
    }
    drop(client);
}

#[test]
fn the_quorum_and_elections_are_asked_of_any_broker() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    let partition = describe_quorum::PartitionData { partition_index: 0, ..Default::default() };
    let topic = describe_quorum::TopicData {
        topic_name: "__cluster_metadata".into(),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = DescribeQuorumRequest { topics: vec![topic], ..Default::default() };
    for version in 0..=2 {
        let quorum = client.call(version, &request);
        let partition = &quorum.topics[0].partitions[0];
        assert_eq!((partition.leader_id, partition.current_voters.len()), (1, 1));
        let voter = &partition.current_voters[0];
        assert!(partition.high_watermark > 0 && (version == 0 || voter.last_fetch_timestamp > 0));
        assert_eq!(quorum.nodes.len(), usize::from(version >= 2));
    }

    let all = ElectLeadersRequest { topic_partitions: None, timeout_ms: 1000, ..Default::default() };
    assert_eq!(client.call(2, &all).error_code, ErrorCode::NONE);
    let unknown = UnregisterBrokerRequest { broker_id: 7, ..Default::default() };
    assert_eq!(client.call(0, &unknown).error_code, ErrorCode::BROKER_ID_NOT_REGISTERED);
    let unknown = FeatureUpdateKey {
        feature: "no.such.feature".into(),
        max_version_level: 1,
        upgrade_type: 1,
        ..Default::default()
    };
    let unknown = UpdateFeaturesRequest { feature_updates: vec![unknown], ..Default::default() };
    assert_eq!(client.call(2, &unknown).error_code, ErrorCode::INVALID_UPDATE_VERSION);
}
