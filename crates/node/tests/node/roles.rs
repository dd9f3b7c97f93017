//! Broker and controller as nodes of their own: the same messages over TCP.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::create_topics::CreateTopicsRequest;
use ottla_protocol::messages::describe_cluster::DescribeClusterRequest;
use ottla_protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use ottla_testkit::{ACKS_ALL, NodeSpec, RawClient, TestNode, TopicSpec, batch, eventually};

use crate::configs::{BROKER, DEFAULT, STATIC_BROKER, config, describe};

fn controller() -> NodeSpec {
    NodeSpec::new()
        .set("process.roles", "controller")
        .set("node.id", "100")
        .set("listeners", "CONTROLLER://127.0.0.1:0")
}

fn broker_of(controller: &TestNode, id: i32) -> NodeSpec {
    NodeSpec::new()
        .set("process.roles", "broker")
        .set("node.id", &id.to_string())
        .set("listeners", "PLAINTEXT://127.0.0.1:0")
        .set("controller.quorum.bootstrap.servers", &controller.listener("CONTROLLER").to_string())
}

#[test]
fn a_broker_finds_its_cluster_through_the_controller() {
    let controller = controller().start();
    let spec = broker_of(&controller, 7);
    let broker = spec.start();
    let mut client = broker.client();
    client.create_topic("t");
    assert_eq!(client.produce("t", batch::one("v")), 0);
    assert_eq!(client.topic("t").partitions[0].leader_id, 7);
    let of_broker = client.call(1, &DescribeClusterRequest::default());
    let mut asks_controller = RawClient::connect(controller.listener("CONTROLLER"));
    let controllers = DescribeClusterRequest { endpoint_type: 2, ..Default::default() };
    let of_controller = asks_controller.call(1, &controllers);
    assert_eq!(of_broker.cluster_id, of_controller.cluster_id);
    assert_eq!(of_controller.controller_id, 100);
    broker.stop();
    let broker = spec.start();
    let mut client = broker.client();
    let id = client.topic("t").topic_id;
    client.wait_for_topic("t", id, 1);
    assert_eq!(client.read_values("t", 0), ["v"]);
}

#[test]
fn each_node_tells_its_own_settings_and_its_own_defaults_count() {
    let controller = controller().set("num.partitions", "3").set("log.segment.bytes", "1048576").start();
    let broker = broker_of(&controller, 7).set("num.partitions", "2").start();
    let mut client = broker.client();
    let topics = vec![TopicSpec::new("asked").partitions(-1).to_creatable()];
    let create = CreateTopicsRequest { topics, timeout_ms: 10_000, ..Default::default() };
    assert_eq!(client.call(7, &create).topics[0].error_code, ErrorCode::NONE);
    let named = MetadataRequestTopic { name: Some("named".into()), ..Default::default() };
    let request =
        MetadataRequest { topics: Some(vec![named]), allow_auto_topic_creation: true, ..Default::default() };
    client.call(12, &request);
    assert_eq!(client.topic("asked").partitions.len(), 3, "who creates topics takes the controller's");
    assert_eq!(client.topic("named").partitions.len(), 2, "who only names them, the broker's");

    let value = |client: &mut RawClient, id: &str| {
        let found = config(client, BROKER, id, "log.segment.bytes");
        (found.value.unwrap_or_default().to_string(), found.config_source)
    };
    assert_eq!(value(&mut client, "7"), ("1073741824".to_owned(), DEFAULT));
    let mut asks_controller = RawClient::connect(controller.listener("CONTROLLER"));
    assert_eq!(value(&mut asks_controller, "100"), ("1048576".to_owned(), STATIC_BROKER));
    assert_eq!(describe(&mut asks_controller, 4, BROKER, "7").error_code, ErrorCode::INVALID_REQUEST);
}

#[test]
fn a_controller_that_lost_only_its_log_does_not_begin_a_new_one() {
    let spec = controller();
    spec.start().stop();
    spec.start().stop();
    std::fs::remove_dir_all(spec.data().join("ottla-quorum")).unwrap();
    let error = spec.try_start().unwrap_err().to_string();
    assert!(error.contains("ottla-quorum is missing or empty"), "{error}");
}

#[test]
fn a_broker_that_no_controller_answers_is_not_ready() {
    let controller = controller().start();
    let broker = broker_of(&controller, 7).start();
    let (status, conditions) = broker.admin("/readyz");
    assert_eq!(status, 200, "{conditions}");
    controller.kill();
    let conditions = eventually("still ready", || {
        let (status, conditions) = broker.admin("/readyz");
        (status == 503).then_some(conditions)
    });
    assert!(conditions.contains("\"leader lease\":\"no controller has answered"), "{conditions}");
}

#[test]
fn a_broker_that_died_is_taken_again() {
    let controller = controller().start();
    let spec = broker_of(&controller, 7);
    let mut values = Vec::new();
    let mut id = Default::default();
    for round in 0..3 {
        let broker = spec.start();
        let mut client = broker.client();
        if round == 0 {
            id = client.create_topic("t");
        }
        client.wait_for_topic("t", id, 1);
        assert_eq!(client.read_values("t", 0), values);
        client.produce("t", batch::one(&round.to_string()));
        values.push(round.to_string());
        broker.kill();
    }
}

#[test]
fn a_broker_serves_while_the_controller_is_away() {
    let controller_spec = controller();
    let controller = controller_spec.start();
    let address = controller.listener("CONTROLLER");
    let broker = broker_of(&controller, 7).start();
    let mut client = broker.client();
    client.create_topic("t");
    client.produce("t", batch::one("before"));
    controller.kill();
    for i in 0..20 {
        assert_eq!(client.produce("t", batch::one("during")), 1 + i);
    }
    let controller = controller_spec.set("listeners", &format!("CONTROLLER://{address}")).start();
    eventually("no topic can be created", || {
        let error = client.try_create(&ottla_testkit::TopicSpec::new("u")).error_code;
        matches!(error, ErrorCode::NONE | ErrorCode::TOPIC_ALREADY_EXISTS).then_some(())
    });
    eventually("the new topic cannot be used", || {
        (client.try_produce("u", 0, ACKS_ALL, batch::one("after")).error_code == ErrorCode::NONE)
            .then_some(())
    });
    assert_eq!(client.produce("t", batch::one("after")), 21);
    controller.stop();
}

#[test]
fn a_second_broker_with_the_same_id_is_refused() {
    let controller = controller().start();
    let _first = broker_of(&controller, 7).start();
    let second = broker_of(&controller, 7).set("initial.broker.registration.timeout.ms", "1000");
    let error = second.try_start().expect_err("there is one").to_string();
    assert!(error.contains("broker 7") && error.contains("node.id"), "{error}");
}

#[test]
fn a_broker_without_a_controller_says_so() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let spec = NodeSpec::new()
        .set("process.roles", "broker")
        .set("listeners", "PLAINTEXT://127.0.0.1:0")
        .set("controller.quorum.bootstrap.servers", &nobody.to_string())
        .set("initial.broker.registration.timeout.ms", "1000");
    let error = spec.try_start().expect_err("nobody is there").to_string();
    assert!(error.contains("no controller") && error.contains("controller.quorum"), "{error}");
}

#[test]
fn topics_are_spread_over_brokers() {
    let controller = controller().start();
    let (first, second) = (broker_of(&controller, 1).start(), broker_of(&controller, 2).start());
    let mut client = first.client();
    let id = client.try_create(&ottla_testkit::TopicSpec::new("t").partitions(4)).topic_id;
    client.wait_for_metadata("t", id);
    second.client().wait_for_metadata("t", id);
    let leaders: Vec<i32> = client.topic("t").partitions.iter().map(|p| p.leader_id).collect();
    assert!(leaders.contains(&1) && leaders.contains(&2), "{leaders:?}");
    for partition in client.topic("t").partitions {
        let (leader, other) = if partition.leader_id == 1 { (&first, &second) } else { (&second, &first) };
        let index = partition.partition_index;
        let refused = other.client().try_produce("t", index, ACKS_ALL, batch::one("v"));
        assert_eq!(refused.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER);
        eventually("the leader does not lead", || {
            let produced = leader.client().try_produce("t", index, ACKS_ALL, batch::one("v"));
            (produced.error_code == ErrorCode::NONE).then_some(())
        });
    }
}
