//! Configs of what is neither topic nor broker: groups, client metrics subscriptions, loggers; and the list of all that have
//! configs.

use ottla_protocol::messages::alter_configs::{AlterConfigsRequest, AlterConfigsResource, AlterableConfig};
use ottla_protocol::messages::list_config_resources::ListConfigResourcesRequest;
use ottla_protocol::{ApiMessage, ErrorCode};
use ottla_telemetry::init_logs;
use ottla_testkit::{NodeSpec, RawClient, TestNode, eventually};
use tracing::Level;

use crate::configs::{
    APPEND, BROKER, DEFAULT, DELETE, SET, STATIC_BROKER, SUBTRACT, TOPIC, alter, config, describe, try_alter,
};

const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
// Config sources as Kafka numbers them.
const BROKER_LOGGER_CONFIG: i8 = 6;
const CLIENT_METRICS_CONFIG: i8 = 7;
const GROUP_CONFIG: i8 = 8;

/// Type and name of what is listed.
fn list(client: &mut RawClient, version: i16, types: &[i8]) -> Result<Vec<(i8, String)>, ErrorCode> {
    let request = ListConfigResourcesRequest { resource_types: types.to_vec(), ..Default::default() };
    let answer = client.call(version, &request);
    if answer.error_code != ErrorCode::NONE {
        return Err(answer.error_code);
    }
    let named =
        answer.config_resources.into_iter().map(|one| (one.resource_type, one.resource_name.to_string()));
    let mut named: Vec<_> = named.collect();
    named.sort();
    Ok(named)
}

fn value(client: &mut RawClient, kind: i8, name: &str, key: &str) -> (String, i8) {
    let found = config(client, kind, name, key);
    (found.value.unwrap_or_default().to_string(), found.config_source)
}

#[test]
fn what_has_configs_is_listed_by_type() {
    let node = TestNode::start();
    let mut client = node.client();
    client.create_topic("t");
    assert_eq!(list(&mut client, 0, &[]).unwrap(), [], "nobody subscribed");
    alter(&mut client, GROUP, "g", &[(SET, "consumer.session.timeout.ms", Some("50000"))]);
    alter(&mut client, CLIENT_METRICS, "cm", &[(SET, "metrics", Some("*"))]);
    let all = [(TOPIC, "t"), (BROKER, "1"), (BROKER_LOGGER, "1"), (CLIENT_METRICS, "cm"), (GROUP, "g")];
    let all = all.map(|(kind, name)| (kind, name.to_owned()));
    eventually("all are listed", || (list(&mut client, 1, &[]).unwrap() == all).then_some(()));
    assert_eq!(list(&mut client, 1, &[GROUP, TOPIC]).unwrap(), [all[0].clone(), all[4].clone()]);
    assert_eq!(list(&mut client, 0, &[]).unwrap(), [all[3].clone()], "version 0 knows no other");
    assert_eq!(list(&mut client, 1, &[TOPIC, 99]).unwrap_err(), ErrorCode::UNSUPPORTED_VERSION);
    alter(&mut client, GROUP, "g", &[(DELETE, "consumer.session.timeout.ms", None)]);
    eventually("nothing is set for the group", || {
        (list(&mut client, 1, &[GROUP]).unwrap().is_empty()).then_some(())
    });
}

#[test]
fn a_client_metrics_subscription_is_described_altered_and_kept() {
    let spec = NodeSpec::new();
    let node = spec.start();
    let mut client = node.client();
    assert_eq!(value(&mut client, CLIENT_METRICS, "cm", "interval.ms"), ("300000".to_owned(), DEFAULT));
    let changes = [
        (SET, "interval.ms", Some("6000")),
        (APPEND, "metrics", Some("org.apache.kafka.producer.")),
        (SET, "match", Some("client_software_name=apache-kafka-java")),
    ];
    assert_eq!(alter(&mut client, CLIENT_METRICS, "cm", &changes), ErrorCode::NONE);
    let set = ("org.apache.kafka.producer.".to_owned(), CLIENT_METRICS_CONFIG);
    eventually("altered", || (value(&mut client, CLIENT_METRICS, "cm", "metrics") == set).then_some(()));
    let interval = config(&mut client, CLIENT_METRICS, "cm", "interval.ms");
    assert_eq!((interval.read_only, interval.config_type), (false, 3));
    assert_eq!(interval.synonyms.len(), 1, "none but its own value");
    node.stop();
    let node = spec.start();
    let mut client = node.client();
    assert_eq!(value(&mut client, CLIENT_METRICS, "cm", "interval.ms").0, "6000");
    let keys: Vec<String> = (describe(&mut client, 4, CLIENT_METRICS, "cm").configs.iter())
        .map(|config| config.name.to_string())
        .collect();
    assert_eq!(keys, ["interval.ms", "match", "metrics"]);
}

#[test]
fn a_subscription_that_makes_no_sense_is_refused_as_kafka_does() {
    let node = TestNode::start();
    let mut client = node.client();
    let mut refused = |name: &str, key: &str, value: &str| {
        try_alter(&mut client, 1, CLIENT_METRICS, name, &[(SET, key, Some(value))], false)
    };
    let (error, message) = refused("cm", "interval.ms", "10");
    assert_eq!(error, ErrorCode::INVALID_REQUEST);
    assert_eq!(
        message,
        "Invalid value 10 for interval.ms, interval must be between 100 and 3600000 (1 hour)"
    );
    let (error, message) = refused("cm", "foo", "a");
    assert_eq!((error, &*message), (ErrorCode::INVALID_REQUEST, "Unknown client metrics configuration: foo"));
    let (error, message) = refused("cm", "match", "client_idd=b");
    assert_eq!(
        (error, &*message),
        (ErrorCode::INVALID_CONFIG, "Illegal client matching pattern: client_idd=b")
    );
    let (error, message) = refused("", "metrics", "*");
    assert_eq!((error, &*message), (ErrorCode::INVALID_REQUEST, "Subscription name can't be empty"));
    assert_eq!(describe(&mut client, 4, CLIENT_METRICS, "").error_code, ErrorCode::INVALID_REQUEST);
}

#[test]
fn a_group_has_the_brokers_defaults_and_keeps_to_their_bounds() {
    let node = NodeSpec::new().set("group.streams.heartbeat.interval.ms", "6000").start();
    let mut client = node.client();
    let heartbeat = config(&mut client, GROUP, "g", "streams.heartbeat.interval.ms");
    assert_eq!((heartbeat.value.as_deref(), heartbeat.config_source), (Some("6000"), STATIC_BROKER));
    let bounded =
        try_alter(&mut client, 1, GROUP, "g", &[(SET, "streams.session.timeout.ms", Some("1"))], false);
    assert_eq!(bounded.0, ErrorCode::INVALID_CONFIG);
    assert_eq!(
        bounded.1,
        "streams.session.timeout.ms must be greater than or equal to group.streams.min.session.timeout.ms"
    );
    let changes = [(SET, "streams.session.timeout.ms", Some("50000"))];
    assert_eq!(alter(&mut client, GROUP, "g", &changes), ErrorCode::NONE);
    let set = ("50000".to_owned(), GROUP_CONFIG);
    eventually("altered", || {
        (value(&mut client, GROUP, "g", "streams.session.timeout.ms") == set).then_some(())
    });
}

#[test]
fn the_levels_of_loggers_change_while_the_broker_runs() {
    let levels =
        init_logs(Some("off"), &["ottla_broker", "ottla_network"], "").expect("no other test sets up logs");
    let node = NodeSpec::new().log_levels(levels).start();
    let mut client = node.client();
    let is_debug = || tracing::enabled!(target: "ottla_network::connection", Level::DEBUG);
    let level = |client: &mut RawClient, logger: &str| value(client, BROKER_LOGGER, "1", logger);
    let set = |client: &mut RawClient, validate_only| {
        let changes = [(SET, "ottla_network", Some("DEBUG"))];
        try_alter(client, 1, BROKER_LOGGER, "1", &changes, validate_only).0
    };
    let before = level(&mut client, "root");
    assert_eq!(before.1, BROKER_LOGGER_CONFIG);
    assert_eq!(set(&mut client, true), ErrorCode::NONE);
    assert_eq!(level(&mut client, "ottla_network"), before, "nothing but asked");
    assert_eq!(set(&mut client, false), ErrorCode::NONE);
    assert_eq!(level(&mut client, "ottla_network").0, "DEBUG");
    assert_eq!(level(&mut client, "ottla_broker"), before);
    assert!(is_debug());
    assert_eq!(alter(&mut client, BROKER_LOGGER, "1", &[(DELETE, "ottla_network", None)]), ErrorCode::NONE);
    assert_eq!(level(&mut client, "ottla_network"), before);

    let mut refused = |name: &str, change: (i8, &str, Option<&str>)| {
        try_alter(&mut client, 1, BROKER_LOGGER, name, &[change], false)
    };
    let invalid = |message: &str| (ErrorCode::INVALID_REQUEST, message.to_owned());
    assert_eq!(
        refused("2", (SET, "root", Some("INFO"))),
        invalid("Unexpected node id. Expected 1, but received 2")
    );
    assert_eq!(
        refused("x", (SET, "root", Some("INFO"))),
        invalid("Node id must be an integer, but it is: x")
    );
    assert_eq!(
        refused("1", (DELETE, "root", None)),
        invalid("Removing the log level of the root logger is not allowed")
    );
    for (operation, name) in [(APPEND, "APPEND"), (SUBTRACT, "SUBTRACT")] {
        let message = format!("{name} operation is not allowed for the BROKER_LOGGER resource");
        assert_eq!(refused("1", (operation, "root", Some("INFO"))), invalid(&message));
    }
    let (error, message) = refused("1", (SET, "root", Some("LOUD")));
    assert_eq!(error, ErrorCode::INVALID_CONFIG);
    assert!(message.ends_with("Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN"), "{message}");
    let (error, message) = refused("1", (SET, "kafka.server.KafkaApis", Some("INFO")));
    let unknown = "Logger kafka.server.KafkaApis does not exist!";
    assert_eq!((error, &*message), (ErrorCode::INVALID_CONFIG, unknown));
    assert_eq!(describe(&mut client, 4, BROKER_LOGGER, "2").error_code, ErrorCode::INVALID_REQUEST);
}

#[test]
fn the_old_way_of_altering_knows_no_loggers() {
    let node = TestNode::start();
    let config = AlterableConfig { name: "root".into(), value: Some("INFO".into()), ..Default::default() };
    let resource = AlterConfigsResource {
        resource_type: BROKER_LOGGER,
        resource_name: "1".into(),
        configs: vec![config],
        ..Default::default()
    };
    let request = AlterConfigsRequest { resources: vec![resource], ..Default::default() };
    let answer = node.client().call(*AlterConfigsRequest::VERSIONS.end(), &request).responses.remove(0);
    assert_eq!(answer.error_code, ErrorCode::INVALID_REQUEST);
    assert_eq!(answer.error_message.as_deref(), Some("Unknown resource type 8"));
}

#[test]
fn a_raised_limit_of_connections_lets_in_who_waits() {
    let node = NodeSpec::new().set("max.connections", "1").start();
    let mut first = node.client();
    first.create_topic("t");
    let mut second = node.client();
    let request = ListConfigResourcesRequest::default();
    let sent = second.send(1, &request);
    assert!(second.is_silent(), "one is all there may be");
    assert_eq!(alter(&mut first, BROKER, "1", &[(SET, "max.connections", Some("2"))]), ErrorCode::NONE);
    let answer = second.receive::<ListConfigResourcesRequest>(1, sent);
    assert!(answer.config_resources.iter().any(|resource| resource.resource_name == "t"));
}
