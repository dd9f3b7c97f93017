use crate::settings::{Notice, Settings, Source};

const NONE: [(String, String); 0] = [];

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn file(text: &str) -> Settings {
    Settings::load(Some(text), NONE, &[]).unwrap()
}

fn refused(text: &str) -> String {
    Settings::load(Some(text), NONE, &[]).unwrap_err().to_string()
}

/// The keys of the `config/server.properties` that Apache Kafka 4.3 ships, and its values.
const KAFKA_SERVER_PROPERTIES: &str = "\
# Comments are skipped.
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=2
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
#log.flush.interval.messages=10000
#log.flush.interval.ms=1000
log.retention.hours=168
#log.retention.bytes=1073741824
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
";

#[test]
fn kafkas_own_file_is_taken_without_a_warning() {
    let settings = file(KAFKA_SERVER_PROPERTIES);
    let warnings: Vec<Notice> =
        settings.notices().into_iter().filter(|n| matches!(n, Notice::UnknownKey { .. })).collect();
    assert_eq!(warnings, vec![]);
    assert_eq!(settings.get("socket.request.max.bytes"), Some("104857600"));
    assert_eq!(settings.get("admin.listener"), None, "no admin port unless the file says so");
    crate::BrokerConfig::from_settings(&settings).unwrap();
}

#[test]
fn later_sources_win() {
    let environment =
        variables(&[("KAFKA_NUM_PARTITIONS", "3"), ("KAFKA_LOG_DIRS", "/data"), ("PATH", "/bin")]);
    let flags = ["num.partitions=4".to_owned()];
    let settings =
        Settings::load(Some("num.partitions=2\nlog.dirs=/file\nbroker.rack=a"), environment, &flags).unwrap();
    let of = |key| settings.setting(key).map(|s| (s.value.as_str(), s.source)).unwrap();
    assert_eq!(of("num.partitions"), ("4", Source::CommandLine));
    assert_eq!(of("log.dirs"), ("/data", Source::Environment));
    assert_eq!(of("broker.rack"), ("a", Source::File));
}

#[test]
fn variables_are_spelt_as_in_kafkas_container_image() {
    let names = variables(&[
        ("KAFKA_LISTENER_NAME_A__B_SSL_CLIENT_AUTH", "none"),
        ("KAFKA_SOME___THING", "x"),
        ("KAFKA_HEAP_OPTS", "-Xmx1g"),
        ("KAFKA_JMX_PORT", "9999"),
    ]);
    let settings = Settings::load(Some(""), names, &[]).unwrap();
    let keys: Vec<_> = settings.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["listener.name.a_b.ssl.client.auth", "some-thing"]);
}

#[test]
fn without_a_file_the_node_is_complete_and_on_loopback() {
    let settings = Settings::load(None, NONE, &[]).unwrap();
    assert_eq!(settings.get("admin.listener"), Some("127.0.0.1:9644"));
    assert_eq!(settings.get("log.dirs"), Some("./ottla-data"));
}

#[test]
fn a_bad_value_names_key_value_and_range() {
    assert_eq!(
        refused("num.partitions=0"),
        "num.partitions=0 (from the configuration file): Value must be at least 1; allowed: [1,...]"
    );
    assert_eq!(
        refused("compression.type=rar"),
        "compression.type=rar (from the configuration file): String must be one of: uncompressed, zstd, lz4, \
         snappy, gzip, producer; allowed: [uncompressed, zstd, lz4, snappy, gzip, producer]"
    );
}

#[test]
fn all_bad_values_are_reported_at_once() {
    assert_eq!(refused("num.partitions=0\nlog.roll.hours=x\n").lines().count(), 2);
    assert!(
        Settings::load(None, NONE, &["num.partitions".to_owned()]).unwrap_err().to_string().contains("--set")
    );
    assert!(refused("a=\\u00").contains("line 1"));
}

#[test]
fn units_become_plain_numbers() {
    let settings = file("log.retention.ms=7d\nlog.segment.bytes=64MiB");
    assert_eq!(settings.get("log.retention.ms"), Some("604800000"));
    assert_eq!(settings.get("log.segment.bytes"), Some("67108864"));
}

#[test]
fn unknown_keys_warn_with_their_nearest_neighbour() {
    let settings = file("log.retention.hour=5\nzookeeper.connect=zk:2181\nnum.io.threads=8");
    let notices: Vec<_> = settings.notices().iter().map(ToString::to_string).collect();
    assert_eq!(
        notices,
        [
            "unknown setting log.retention.hour (from the configuration file) is ignored; did you mean \
             log.retention.hours?",
            "setting num.io.threads is accepted and has no effect here",
            "unknown setting zookeeper.connect (from the configuration file) is ignored",
        ]
    );
}
