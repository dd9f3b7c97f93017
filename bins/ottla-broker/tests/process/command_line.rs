//! Arguments, configuration, exit codes and signals.

use std::fs;
use std::net::TcpListener;

use ottla_testkit::{RawClient, batch};

use crate::support::Home;

/// `node.id` as clients see it.
fn node_id(client: &mut RawClient) -> i32 {
    client.create_topic("t");
    client.topic("t").partitions[0].leader_id
}

#[test]
fn one_line_says_that_it_is_ready() {
    let home = Home::new();
    let process = home.start();
    let line = process.ready_line().to_owned();
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[0], "ready");
    let (plaintext, controller) = (process.listener("PLAINTEXT"), process.listener("CONTROLLER"));
    assert_eq!(words[1], format!("listeners=PLAINTEXT://{plaintext},CONTROLLER://{controller}"));
    assert!(words[2].starts_with("admin=http://127.0.0.1:"), "{line}");
    assert_eq!(words[3], "data=./ottla-data");
    assert!(home.dir.path().join("ottla-data/meta.properties").exists(), "formatted on start");
    process.terminate();
    let exited = process.wait();
    assert_eq!(exited.stdout.lines().count(), 1, "nothing else on standard output: {}", exited.stdout);
}

#[test]
fn sigterm_is_an_orderly_stop() {
    let home = Home::new();
    let process = home.start();
    let mut client = process.client();
    client.create_topic("t");
    client.produce("t", batch::one("v"));
    process.terminate();
    let exited = process.wait();
    assert_eq!(exited.code, Some(0), "{}", exited.stderr);
    client.wait_closed();
    assert!(home.dir.path().join("ottla-data/.kafka_cleanshutdown").exists());
    let process = home.start();
    assert_eq!(process.client().read_values("t", 0), ["v"]);
}

#[test]
fn settings_override_each_other_from_file_to_environment_to_flag() {
    let file = "node.id=5\nprocess.roles=broker,controller\ncontroller.listener.names=CONTROLLER\n\
                listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0\nlog.dirs=data\n";
    let of_file = Home::bare().config(file);
    assert_eq!(node_id(&mut of_file.start().client()), 5);
    let of_environment = Home::bare().config(file).variable("KAFKA_NODE_ID", "6");
    assert_eq!(node_id(&mut of_environment.start().client()), 6);
    let of_flag = Home::bare().config(file).variable("KAFKA_NODE_ID", "6").set("node.id=7");
    let process = of_flag.start();
    assert_eq!(node_id(&mut process.client()), 7);
    assert!(!process.ready_line().contains("admin="), "no admin port with a file that names none");
}

#[test]
fn what_is_wrong_with_a_setting_is_said_with_key_value_and_remedy() {
    let cases = [
        ("log.segment.bytes=many", &["log.segment.bytes", "many"][..]),
        ("num.partitions=0", &["num.partitions", "0", "at least 1"]),
        ("log.durability=sometimes", &["log.durability", "sometimes", "fsync"]),
        ("listeners=PLAINTEXT://nowhere", &["listeners", "nowhere"]),
        ("process.roles=leader", &["process.roles", "leader", "broker"]),
        ("listeners=PLAINTEXT://0.0.0.0:0", &["listeners", "0.0.0.0", "insecure=true"]),
        ("node.id", &["node.id", "key=value"]),
    ];
    for (setting, words) in cases {
        let exited = Home::bare().set(setting).refuses();
        assert_eq!(exited.code, Some(2), "{setting}: {}", exited.stderr);
        assert_eq!(exited.stdout, "", "{setting}");
        for word in words {
            assert!(exited.stderr.contains(word), "{setting}: no {word:?} in {:?}", exited.stderr);
        }
    }
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let exited = Home::bare().set("num.partitions=0").variable("KAFKA_LOG_DURABILITY", "never").refuses();
    assert_eq!(exited.code, Some(2));
    assert!(exited.stderr.contains("num.partitions=0") && exited.stderr.contains("log.durability=never"));
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let exited = Home::bare().argument("--no-such-flag").refuses();
    assert_eq!(exited.code, Some(2), "{}", exited.stderr);
    assert!(exited.stderr.contains("--no-such-flag"));
    let exited = Home::bare().argument("--config").argument("missing.properties").refuses();
    assert_eq!(exited.code, Some(2), "{}", exited.stderr);
    assert!(exited.stderr.contains("missing.properties"), "{}", exited.stderr);
}

#[test]
fn help_and_version_are_no_errors() {
    for argument in ["--help", "--version"] {
        let exited = Home::bare().argument(argument).refuses();
        assert_eq!(exited.code, Some(0), "{argument}: {}", exited.stderr);
        assert!(exited.stdout.contains("ottla"), "{argument}: {}", exited.stdout);
    }
}

#[test]
fn what_fails_outside_of_the_configuration_is_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let exited =
        Home::new().set(&format!("listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:0")).refuses();
    assert_eq!(exited.code, Some(1), "{}", exited.stderr);
    assert!(exited.stderr.contains(&address), "{}", exited.stderr);

    let home = Home::new().set("log.dirs=in-the-way");
    fs::write(home.dir.path().join("in-the-way"), "a file").expect("a file");
    let exited = home.refuses();
    assert_eq!(exited.code, Some(1), "{}", exited.stderr);
    assert!(exited.stderr.contains("in-the-way"), "{}", exited.stderr);
}

#[test]
fn a_directory_of_another_node_is_not_touched() {
    let home = Home::new();
    home.start().kill();
    let exited = Home { arguments: home.arguments.clone(), ..home }.set("node.id=2").refuses();
    assert_eq!(exited.code, Some(1), "{}", exited.stderr);
    assert!(exited.stderr.contains("node.id=1") && exited.stderr.contains("node.id=2"), "{}", exited.stderr);
}

#[test]
fn a_second_process_does_not_take_the_directory() {
    let home = Home::new();
    let first = home.start();
    let exited = home.refuses();
    assert_eq!(exited.code, Some(1), "{}", exited.stderr);
    assert!(exited.stderr.contains("ottla-data"), "{}", exited.stderr);
    first.terminate();
    assert_eq!(first.wait().code, Some(0));
}

#[test]
fn unknown_settings_are_warned_about_with_the_nearest_name() {
    let process = Home::new().set("log.retention.hour=1").start();
    let stderr = process.kill().stderr;
    assert!(stderr.contains("log.retention.hour") && stderr.contains("log.retention.hours"), "{stderr}");
}

/// The keys and values of the `server.properties` that Kafka 4.3 comes with.
#[test]
fn kafkas_server_properties_is_accepted() {
    let text = "process.roles=broker,controller
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
log.dirs=kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
";
    // Only the ports are others: those may be in use here.
    let home = Home::bare()
        .config(text)
        .set("listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0")
        .set("advertised.listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://localhost:9093");
    let process = home.start();
    let mut client = process.client();
    client.create_topic("t");
    assert_eq!(client.produce("t", batch::one("v")), 0);
    let stderr = process.kill().stderr;
    assert!(!stderr.contains("unknown setting"), "{stderr}");
}

#[test]
fn start_to_ready_is_quick() {
    let home = Home::new();
    let best = (0..5)
        .map(|_| {
            let fresh = Home { dir: tempfile::TempDir::new().expect("a directory"), ..clone(&home) };
            fresh.start().start_to_ready()
        })
        .min();
    // The release binary is held to 150 ms elsewhere; this one is not optimized, and shares the machine.
    assert!(best < Some(std::time::Duration::from_millis(1500)), "{best:?}");
}

fn clone(home: &Home) -> Home {
    Home { arguments: home.arguments.clone(), environment: home.environment.clone(), ..Home::bare() }
}
