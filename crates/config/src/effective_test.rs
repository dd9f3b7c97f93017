use crate::effective::{ConfigEntry, ConfigLayers, ConfigSource};
use crate::settings::Settings;
use crate::validate::ConfigMap;

/// A broker started with `file`, and dynamic settings.
struct Broker {
    settings: Settings,
    broker: ConfigMap,
    cluster: ConfigMap,
    brokers: usize,
    elr: bool,
}

impl Broker {
    fn new(file: &str) -> Self {
        let none: [(String, String); 0] = [];
        let settings = Settings::load(Some(file), none, &[]).unwrap();
        Self { settings, broker: map(&[]), cluster: map(&[]), brokers: 1, elr: false }
    }

    fn layers(&self) -> ConfigLayers<'_> {
        ConfigLayers {
            settings: &self.settings,
            broker: &self.broker,
            cluster: &self.cluster,
            brokers: self.brokers,
            elr: self.elr,
        }
    }

    fn topic_entry(&self, key: &str, own: &[(&str, &str)]) -> ConfigEntry {
        self.layers().describe_topic(&map(own)).into_iter().find(|entry| entry.name == key).unwrap()
    }

    fn broker_entry(&self, key: &str) -> ConfigEntry {
        self.layers().describe_broker().into_iter().find(|entry| entry.name == key).unwrap()
    }
}

fn map(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn synonyms(entry: &ConfigEntry) -> Vec<String> {
    let text = |s: &crate::effective::Synonym| {
        format!("{:?}:{}={}", s.source, s.name, s.value.as_deref().unwrap_or("-"))
    };
    entry.synonyms.iter().map(text).collect()
}

#[test]
fn a_topics_own_value_counts_first() {
    let mut broker = Broker::new("log.retention.ms=1000");
    broker.cluster = map(&[("log.retention.ms", "2000")]);
    broker.broker = map(&[("log.retention.ms", "3000")]);
    let entry = broker.topic_entry("retention.ms", &[("retention.ms", "4000")]);
    assert_eq!((entry.value.as_deref(), entry.source), (Some("4000"), ConfigSource::DynamicTopic));
    assert_eq!(
        synonyms(&entry),
        [
            "DynamicTopic:retention.ms=4000",
            "DynamicBroker:log.retention.ms=3000",
            "DynamicDefaultBroker:log.retention.ms=2000",
            "StaticBroker:log.retention.ms=1000",
            "Default:log.retention.hours=168",
        ]
    );
    let inherited = broker.topic_entry("retention.ms", &[]);
    assert_eq!((inherited.value.as_deref(), inherited.source), (Some("3000"), ConfigSource::DynamicBroker));
}

#[test]
fn coarser_units_supply_the_value() {
    let broker = Broker::new("log.retention.hours=2\nlog.roll.hours=1");
    assert_eq!(broker.layers().topic_config(&map(&[])).retention_ms, 7_200_000);
    assert_eq!(broker.layers().topic_config(&map(&[])).segment_ms, 3_600_000);
    assert_eq!(broker.layers().broker_value("log.retention.ms").as_deref(), Some("7200000"));
    let forever = Broker::new("log.retention.hours=-1");
    assert_eq!(forever.layers().topic_config(&map(&[])).retention_ms, -1);
    let both = Broker::new("log.retention.hours=2\nlog.retention.minutes=5");
    assert_eq!(both.layers().topic_config(&map(&[])).retention_ms, 300_000, "the finer unit counts");
}

#[test]
fn without_any_setting_the_default_counts() {
    let broker = Broker::new("");
    let entry = broker.topic_entry("retention.ms", &[]);
    assert_eq!((entry.value.as_deref(), entry.source), (Some("604800000"), ConfigSource::Default));
    assert_eq!(synonyms(&entry), Vec::<String>::new(), "as in Kafka: the key's own synonym has no default");
    let bytes = broker.topic_entry("segment.bytes", &[]);
    assert_eq!(synonyms(&bytes), ["Default:log.segment.bytes=1073741824"]);
    assert!(!bytes.read_only && !bytes.documentation.is_empty());
}

#[test]
fn replication_defaults_follow_the_size_of_the_cluster() {
    let mut broker = Broker::new("");
    assert_eq!(broker.layers().broker_value("default.replication.factor").as_deref(), Some("1"));
    assert_eq!(broker.layers().broker_value("offsets.topic.replication.factor").as_deref(), Some("1"));
    broker.brokers = 3;
    assert_eq!(broker.layers().broker_value("default.replication.factor").as_deref(), Some("3"));
    assert_eq!(broker.layers().topic_config(&map(&[])).min_insync_replicas, 2);
    let mut explicit = Broker::new("min.insync.replicas=1");
    explicit.brokers = 5;
    assert_eq!(explicit.layers().topic_config(&map(&[])).min_insync_replicas, 1);
}

/// The controller counts by what is the same for all; a leader that counted less would acknowledge what an eligible leader
/// replica lacks.
#[test]
fn with_eligible_leader_replicas_no_broker_has_a_min_isr_of_its_own() {
    let mut broker = Broker::new("min.insync.replicas=1");
    (broker.brokers, broker.elr) = (3, true);
    broker.broker = map(&[("min.insync.replicas", "1")]);
    let min_isr = |broker: &Broker| broker.layers().topic_config(&map(&[])).min_insync_replicas;
    assert_eq!(min_isr(&broker), 2, "the default of three brokers");
    assert_eq!(broker.topic_entry("min.insync.replicas", &[]).source, ConfigSource::Default);
    broker.cluster = map(&[("min.insync.replicas", "3")]);
    assert_eq!(min_isr(&broker), 3);
    let entry = broker.topic_entry("min.insync.replicas", &[]);
    assert_eq!((entry.value.as_deref(), entry.source), (Some("3"), ConfigSource::DynamicDefaultBroker));
    assert_eq!(broker.layers().topic_config(&map(&[("min.insync.replicas", "2")])).min_insync_replicas, 2);
    let mut more = Broker::new("min.insync.replicas=4");
    (more.brokers, more.elr) = (3, true);
    assert_eq!(min_isr(&more), 4, "nobody counts on less while nothing is set for all");
    more.cluster = broker.cluster;
    assert_eq!(min_isr(&more), 3);
}

#[test]
fn secrets_and_unknown_keys_are_withheld() {
    let broker = Broker::new("ssl.key.password=hunter2\nmy.plugin.token=hunter3\nnode.id=7");
    for key in ["ssl.key.password", "my.plugin.token"] {
        let entry = broker.broker_entry(key);
        assert!(entry.sensitive && entry.value.is_none(), "{key}");
        assert!(!synonyms(&entry).concat().contains("hunter"), "{key}");
    }
    let id = broker.broker_entry("node.id");
    assert_eq!((id.value.as_deref(), id.source, id.read_only), (Some("7"), ConfigSource::StaticBroker, true));
}

#[test]
fn the_cluster_default_shows_only_what_was_altered() {
    let mut broker = Broker::new("log.retention.ms=1");
    assert_eq!(broker.layers().describe_cluster_default(), vec![]);
    broker.cluster = map(&[("log.retention.ms", "5")]);
    let entries = broker.layers().describe_cluster_default();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].source, ConfigSource::DynamicDefaultBroker);
}

#[test]
fn a_groups_keys_fall_back_to_the_brokers() {
    let broker = Broker::new("group.share.session.timeout.ms=50000");
    let none = map(&[]);
    assert_eq!(broker.layers().group_value("share.session.timeout.ms", &none).as_deref(), Some("50000"));
    let own = map(&[("share.session.timeout.ms", "46000")]);
    let entries = broker.layers().describe_group(&own);
    let entry = entries.iter().find(|entry| entry.name == "share.session.timeout.ms").unwrap();
    assert_eq!((entry.value.as_deref(), entry.source), (Some("46000"), ConfigSource::Group));
}
