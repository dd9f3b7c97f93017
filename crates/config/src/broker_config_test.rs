use std::path::PathBuf;

use crate::broker_config::{BrokerConfig, Durability};
use crate::settings::Settings;

const NONE: [(String, String); 0] = [];

fn from_file(text: &str) -> BrokerConfig {
    BrokerConfig::from_settings(&Settings::load(Some(text), NONE, &[]).unwrap()).unwrap()
}

fn refused(text: &str) -> String {
    BrokerConfig::from_settings(&Settings::load(Some(text), NONE, &[]).unwrap()).unwrap_err().to_string()
}

fn with_flags(flags: &[&str]) -> Result<BrokerConfig, String> {
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    BrokerConfig::from_settings(&Settings::load(None, NONE, &flags).unwrap()).map_err(|e| e.to_string())
}

#[test]
fn without_anything_one_node_has_both_roles_on_loopback() {
    let config = with_flags(&[]).unwrap();
    assert!(config.node.is_broker && config.node.is_controller);
    assert_eq!(config.node.node_id.0, 1);
    assert_eq!(config.listeners.broker[0].to_string(), "PLAINTEXT://127.0.0.1:9092");
    assert_eq!(config.listeners.controller[0].to_string(), "CONTROLLER://127.0.0.1:9093");
    assert_eq!(config.listeners.advertised, config.listeners.broker);
    assert_eq!(config.log.dirs, [PathBuf::from("./ottla-data")]);
    assert_eq!(config.log.durability, Durability::Fsync);
    assert_eq!(config.node.admin_listener.unwrap().port, 9644);
    assert!(config.listeners.exposed.is_empty());
    assert_eq!(config.offsets.topic_replication_factor, 1);
    assert_eq!(config.offsets.retention_ms, 604_800_000);
}

#[test]
fn an_empty_file_is_a_node_on_loopback_without_admin_port() {
    let config = from_file("");
    assert_eq!(config.listeners.broker[0].host, "127.0.0.1");
    assert_eq!(config.node.admin_listener, None);
    assert_eq!(config.log.dirs, [PathBuf::from("/tmp/kafka-logs")]);
}

#[test]
fn a_wide_bind_from_a_file_starts_and_is_listed() {
    let config = from_file("listeners=PLAINTEXT://:9092,CONTROLLER://localhost:9093");
    assert_eq!(config.listeners.exposed.len(), 1);
    assert!(from_file("listeners=PLAINTEXT://:9092\ninsecure=true").listeners.exposed.is_empty());
}

#[test]
fn a_wide_bind_from_a_flag_needs_a_second_flag() {
    let error = with_flags(&["listeners=PLAINTEXT://0.0.0.0:9092"]).unwrap_err();
    assert!(error.contains("insecure=true"), "{error}");
    with_flags(&["listeners=PLAINTEXT://0.0.0.0:9092", "insecure=true"]).unwrap();
}

#[test]
fn listener_names_are_resolved() {
    let config = from_file(
        "listeners=INTERNAL://127.0.0.1:1,EXTERNAL://127.0.0.1:2,CTRL://127.0.0.1:3\n\
         listener.security.protocol.map=INTERNAL:PLAINTEXT,EXTERNAL:SASL_SSL,CTRL:PLAINTEXT\n\
         controller.listener.names=CTRL\ninter.broker.listener.name=INTERNAL\n\
         advertised.listeners=INTERNAL://10.0.0.1:1,EXTERNAL://kafka.example:2",
    );
    assert_eq!(config.listeners.inter_broker_name, "INTERNAL");
    assert_eq!(config.listeners.controller[0].name, "CTRL");
    assert_eq!(config.listeners.advertised[1].host, "kafka.example");
}

#[test]
fn contradictions_name_the_key_and_the_remedy() {
    for (file, said) in [
        ("process.roles=", "process.roles"),
        ("broker.id=1\nzookeeper.connect=zk:2181", "process.roles, node.id and controller.quorum.voters"),
        ("process.roles=broker", "controller.quorum.bootstrap.servers"),
        (
            "node.id=3\ncontroller.quorum.voters=1@a:1,2@b:1\nlisteners=CONTROLLER://:1,PLAINTEXT://:2",
            "3@host:port",
        ),
        ("listeners=EXTERNAL://:9092", "listener.security.protocol.map"),
        ("listeners=PLAINTEXT://:9092,CONTROLLER://:9092", "share port 9092"),
        ("listeners=PLAINTEXT://:9092\nadvertised.listeners=SSL://a:1", "SSL is not in listeners"),
        (
            "listeners=PLAINTEXT://:9092\nadvertised.listeners=PLAINTEXT://0.0.0.0:9092",
            "clients cannot connect",
        ),
        ("listeners=PLAINTEXT://:9092\ninter.broker.listener.name=X", "inter.broker.listener.name=X"),
        ("log.dirs=a,a", "is there twice"),
        ("group.min.session.timeout.ms=9\ngroup.max.session.timeout.ms=8", "group.max.session.timeout.ms"),
        ("queued.max.request.bytes=10", "socket.request.max.bytes"),
        ("broker.session.timeout.ms=300", "broker.heartbeat.interval.ms"),
        ("replica.selector.class=com.example.Mine", "Java classes are not loaded"),
    ] {
        let error = refused(file);
        assert!(error.contains(said), "{file:?} gives {error:?}");
    }
}

#[test]
fn broker_id_stands_in_for_node_id() {
    assert_eq!(from_file("broker.id=7").node.node_id.0, 7);
    assert_eq!(from_file("broker.id=7\nnode.id=8").node.node_id.0, 8);
    assert_eq!(from_file("broker.id=-1\nnode.id=8").node.node_id.0, 8);
    assert_eq!(with_flags(&["broker.id=7"]).unwrap().node.node_id.0, 7);
}

#[test]
fn a_controller_alone_has_no_broker_listener() {
    let config = from_file("process.roles=controller\nlisteners=CONTROLLER://127.0.0.1:9093");
    assert!(config.listeners.broker.is_empty());
    let settings = Settings::load_controller(None, NONE, &[]).unwrap();
    let config = BrokerConfig::from_settings(&settings).unwrap();
    assert!(config.node.is_controller && !config.node.is_broker);
}
