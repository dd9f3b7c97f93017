//! Configs of topics and brokers: described, altered, in force.

use ottla_protocol::messages::alter_configs::{AlterConfigsRequest, AlterConfigsResource, AlterableConfig};
use ottla_protocol::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult,
};
use ottla_protocol::messages::incremental_alter_configs as incremental;
use ottla_protocol::{ApiMessage, ErrorCode};
use ottla_testkit::{ACKS_ALL, NodeSpec, RawClient, TestNode, TopicSpec, batch, eventually};

pub(crate) const TOPIC: i8 = 2;
pub(crate) const BROKER: i8 = 4;
// Config sources as Kafka numbers them.
const DYNAMIC_TOPIC: i8 = 1;
const DYNAMIC_BROKER: i8 = 2;
const DYNAMIC_DEFAULT_BROKER: i8 = 3;
pub(crate) const STATIC_BROKER: i8 = 4;
pub(crate) const DEFAULT: i8 = 5;
// Operations of IncrementalAlterConfigs.
pub(crate) const SET: i8 = 0;
pub(crate) const DELETE: i8 = 1;
pub(crate) const APPEND: i8 = 2;
pub(crate) const SUBTRACT: i8 = 3;

/// A node with Kafka's retention.
fn start() -> TestNode {
    NodeSpec::new().unset("log.retention.ms").start()
}

pub(crate) fn describe(client: &mut RawClient, version: i16, kind: i8, name: &str) -> DescribeConfigsResult {
    let resource = DescribeConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configuration_keys: None,
        ..Default::default()
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        include_documentation: version >= 3,
        ..Default::default()
    };
    client.call(version, &request).results.remove(0)
}

pub(crate) fn config(
    client: &mut RawClient,
    kind: i8,
    name: &str,
    key: &str,
) -> DescribeConfigsResourceResult {
    let result = describe(client, 4, kind, name);
    assert_eq!(result.error_code, ErrorCode::NONE, "{:?}", result.error_message);
    let found = result.configs.into_iter().find(|config| config.name == key);
    found.unwrap_or_else(|| panic!("{name} has no {key}"))
}

/// Value and source of a topic's config.
fn topic_config(client: &mut RawClient, topic: &str, key: &str) -> (String, i8) {
    let config = config(client, TOPIC, topic, key);
    (config.value.unwrap_or_default().to_string(), config.config_source)
}

pub(crate) fn alter(
    client: &mut RawClient,
    kind: i8,
    name: &str,
    changes: &[(i8, &str, Option<&str>)],
) -> ErrorCode {
    try_alter(client, 1, kind, name, changes, false).0
}

pub(crate) fn try_alter(
    client: &mut RawClient,
    version: i16,
    kind: i8,
    name: &str,
    changes: &[(i8, &str, Option<&str>)],
    validate_only: bool,
) -> (ErrorCode, String) {
    let config = |&(operation, name, value): &(i8, &str, Option<&str>)| incremental::AlterableConfig {
        name: name.into(),
        config_operation: operation,
        value: value.map(Into::into),
        ..Default::default()
    };
    let resource = incremental::AlterConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configs: changes.iter().map(config).collect(),
        ..Default::default()
    };
    let request = incremental::IncrementalAlterConfigsRequest {
        resources: vec![resource],
        validate_only,
        ..Default::default()
    };
    let answer = client.call(version, &request).responses.remove(0);
    (answer.error_code, answer.error_message.unwrap_or_default().to_string())
}

#[test]
fn every_version_of_describe_configs_lists_every_key() {
    let node = start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").config("segment.bytes", "5000000"));
    for version in DescribeConfigsRequest::VERSIONS {
        let result = describe(&mut client, version, TOPIC, "t");
        assert_eq!((result.error_code, result.resource_name.as_ref()), (ErrorCode::NONE, "t"));
        assert!(result.configs.len() >= 25, "version {version}: {}", result.configs.len());
        let find = |key: &str| result.configs.iter().find(|config| config.name == key).expect("a key");
        let segment = find("segment.bytes");
        assert_eq!(segment.value.as_deref(), Some("5000000"));
        assert_eq!(segment.config_source, DYNAMIC_TOPIC);
        let synonyms: Vec<(&str, &str, i8)> = (segment.synonyms.iter())
            .map(|one| (one.name.as_ref(), one.value.as_deref().unwrap_or_default(), one.source))
            .collect();
        let expected =
            [("segment.bytes", "5000000", DYNAMIC_TOPIC), ("log.segment.bytes", "1073741824", DEFAULT)];
        assert_eq!(synonyms, expected, "version {version}");
        assert_eq!(find("cleanup.policy").config_source, DEFAULT);
        if version >= 3 {
            assert!(
                result
                    .configs
                    .iter()
                    .all(|config| config.documentation.as_ref().is_some_and(|d| !d.is_empty()))
            );
            assert_eq!(segment.config_type, 3, "INT");
        }
        let broker = describe(&mut client, version, BROKER, "1");
        assert!(broker.configs.len() > 150, "version {version}: {}", broker.configs.len());
        let listeners = broker.configs.iter().find(|config| config.name == "listeners").expect("listeners");
        assert_eq!(listeners.config_source, STATIC_BROKER);
    }
}

#[test]
fn only_the_keys_asked_for_are_described() {
    let node = start();
    let mut client = node.client();
    client.create_topic("t");
    let resource = DescribeConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configuration_keys: Some(vec!["retention.ms".into(), "no.such.key".into()]),
        ..Default::default()
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    let result = client.call(4, &request).results.remove(0);
    assert_eq!(result.configs.len(), 1);
    assert_eq!(result.configs[0].synonyms.len(), 0, "nobody asked");
}

#[test]
fn what_cannot_be_described_is_refused() {
    let node = start();
    let mut client = node.client();
    let mut error = |kind, name: &str| describe(&mut client, 4, kind, name).error_code;
    assert_eq!(error(TOPIC, "none"), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(error(TOPIC, "a b"), ErrorCode::INVALID_TOPIC_EXCEPTION);
    assert_eq!(error(BROKER, "7"), ErrorCode::INVALID_REQUEST);
    assert_eq!(error(BROKER, "x"), ErrorCode::INVALID_REQUEST);
    assert_eq!(error(99, "x"), ErrorCode::INVALID_REQUEST);
}

#[test]
fn topic_configs_are_set_appended_subtracted_and_deleted() {
    let node = start();
    let mut client = node.client();
    client.create_topic("t");
    let wait = |client: &mut RawClient, key: &str, value: &str, source| {
        eventually(&format!("{key}={value}"), || {
            (topic_config(client, "t", key) == (value.to_owned(), source)).then_some(())
        });
    };
    assert_eq!(alter(&mut client, TOPIC, "t", &[(SET, "retention.ms", Some("7"))]), ErrorCode::NONE);
    wait(&mut client, "retention.ms", "7", DYNAMIC_TOPIC);
    assert_eq!(
        alter(&mut client, TOPIC, "t", &[(APPEND, "cleanup.policy", Some("compact"))]),
        ErrorCode::NONE
    );
    wait(&mut client, "cleanup.policy", "delete,compact", DYNAMIC_TOPIC);
    assert_eq!(
        alter(&mut client, TOPIC, "t", &[(SUBTRACT, "cleanup.policy", Some("delete"))]),
        ErrorCode::NONE
    );
    wait(&mut client, "cleanup.policy", "compact", DYNAMIC_TOPIC);
    let both = [(DELETE, "cleanup.policy", None), (DELETE, "retention.ms", None)];
    assert_eq!(alter(&mut client, TOPIC, "t", &both), ErrorCode::NONE);
    wait(&mut client, "cleanup.policy", "delete", DEFAULT);
    assert_eq!(topic_config(&mut client, "t", "retention.ms"), ("604800000".to_owned(), DEFAULT));
}

#[test]
fn alter_configs_replaces_all_of_them() {
    let node = start();
    let mut client = node.client();
    client.create(&TopicSpec::new("t").config("retention.ms", "5000"));
    for version in AlterConfigsRequest::VERSIONS {
        let value = (1_000_000 + i32::from(version)).to_string();
        let config = AlterableConfig {
            name: "max.message.bytes".into(),
            value: Some(value.as_str().into()),
            ..Default::default()
        };
        let resource = AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: "t".into(),
            configs: vec![config],
            ..Default::default()
        };
        let request = AlterConfigsRequest { resources: vec![resource], ..Default::default() };
        let answer = client.call(version, &request).responses.remove(0);
        assert_eq!(answer.error_code, ErrorCode::NONE, "version {version}: {answer:?}");
        eventually("altered", || {
            (topic_config(&mut client, "t", "max.message.bytes").0 == value).then_some(())
        });
        assert_eq!(topic_config(&mut client, "t", "retention.ms").1, DEFAULT, "what was not named is gone");
    }
}

#[test]
fn changes_that_make_no_sense_are_refused_with_a_reason() {
    let node = start();
    let mut client = node.client();
    client.create_topic("t");
    let mut refused = |kind, name: &str, changes: &[(i8, &str, Option<&str>)]| {
        let (error, message) = try_alter(&mut client, 1, kind, name, changes, false);
        assert!(!message.is_empty(), "{error:?} without a message");
        error
    };
    assert_eq!(refused(TOPIC, "t", &[(SET, "retention.ms", Some("x"))]), ErrorCode::INVALID_CONFIG);
    assert_eq!(refused(TOPIC, "t", &[(SET, "no.such", Some("x"))]), ErrorCode::INVALID_CONFIG);
    assert_eq!(refused(TOPIC, "t", &[(APPEND, "retention.ms", Some("1"))]), ErrorCode::INVALID_CONFIG);
    assert_eq!(refused(TOPIC, "t", &[(9, "retention.ms", Some("1"))]), ErrorCode::INVALID_REQUEST);
    let twice = [(SET, "retention.ms", Some("1")), (SET, "retention.ms", Some("2"))];
    assert_eq!(refused(TOPIC, "t", &twice), ErrorCode::INVALID_REQUEST);
    assert_eq!(
        refused(TOPIC, "none", &[(SET, "retention.ms", Some("1"))]),
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
    assert_eq!(refused(BROKER, "1", &[(SET, "log.dirs", Some("/tmp"))]), ErrorCode::INVALID_REQUEST);
    assert_eq!(topic_config(&mut client, "t", "retention.ms").1, DEFAULT, "nothing came through");
}

#[test]
fn validation_alone_changes_nothing() {
    let node = start();
    let mut client = node.client();
    client.create_topic("t");
    for version in incremental::IncrementalAlterConfigsRequest::VERSIONS {
        let ok = [(SET, "retention.ms", Some("7"))];
        assert_eq!(try_alter(&mut client, version, TOPIC, "t", &ok, true).0, ErrorCode::NONE);
        let bad = [(SET, "retention.ms", Some("x"))];
        assert_eq!(try_alter(&mut client, version, TOPIC, "t", &bad, true).0, ErrorCode::INVALID_CONFIG);
    }
    // A change that is in force proves that what came before it would be, too.
    assert_eq!(alter(&mut client, TOPIC, "t", &[(SET, "segment.ms", Some("9999"))]), ErrorCode::NONE);
    eventually("altered", || (topic_config(&mut client, "t", "segment.ms").0 == "9999").then_some(()));
    assert_eq!(topic_config(&mut client, "t", "retention.ms").1, DEFAULT);
}

#[test]
fn a_changed_topic_config_is_obeyed_at_once() {
    let node = start();
    let mut client = node.client();
    client.create_topic("t");
    let big = batch::values(["x".repeat(500)]);
    client.produce("t", big.clone());
    alter(&mut client, TOPIC, "t", &[(SET, "max.message.bytes", Some("100"))]);
    eventually("too large", || {
        (client.try_produce("t", 0, ACKS_ALL, big.clone()).error_code == ErrorCode::MESSAGE_TOO_LARGE)
            .then_some(())
    });
    alter(&mut client, TOPIC, "t", &[(DELETE, "max.message.bytes", None)]);
    eventually("taken again", || {
        (client.try_produce("t", 0, ACKS_ALL, big.clone()).error_code == ErrorCode::NONE).then_some(())
    });
}

#[test]
fn broker_configs_come_from_the_node_or_for_all_of_them() {
    let node = NodeSpec::new().set("log.retention.ms", "111").start();
    let mut client = node.client();
    client.create_topic("t");
    let value = |client: &mut RawClient| {
        let config = config(client, BROKER, "1", "log.retention.ms");
        (config.value.unwrap_or_default().to_string(), config.config_source)
    };
    assert_eq!(value(&mut client), ("111".to_owned(), STATIC_BROKER));
    assert_eq!(topic_config(&mut client, "t", "retention.ms"), ("111".to_owned(), STATIC_BROKER));
    assert_eq!(alter(&mut client, BROKER, "", &[(SET, "log.retention.ms", Some("222"))]), ErrorCode::NONE);
    eventually("for all", || {
        (value(&mut client) == ("222".to_owned(), DYNAMIC_DEFAULT_BROKER)).then_some(())
    });
    assert_eq!(alter(&mut client, BROKER, "1", &[(SET, "log.retention.ms", Some("333"))]), ErrorCode::NONE);
    eventually("for one", || (value(&mut client) == ("333".to_owned(), DYNAMIC_BROKER)).then_some(()));
    let synonyms = config(&mut client, BROKER, "1", "log.retention.ms").synonyms;
    let sources: Vec<i8> = synonyms.iter().map(|synonym| synonym.source).collect();
    assert_eq!(sources[..3], [DYNAMIC_BROKER, DYNAMIC_DEFAULT_BROKER, STATIC_BROKER]);
    assert_eq!(topic_config(&mut client, "t", "retention.ms"), ("333".to_owned(), DYNAMIC_BROKER));
    assert_eq!(alter(&mut client, BROKER, "1", &[(DELETE, "log.retention.ms", None)]), ErrorCode::NONE);
    assert_eq!(alter(&mut client, BROKER, "", &[(DELETE, "log.retention.ms", None)]), ErrorCode::NONE);
    eventually("as started", || (value(&mut client) == ("111".to_owned(), STATIC_BROKER)).then_some(()));
}
