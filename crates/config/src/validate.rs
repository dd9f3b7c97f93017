//! Judging the settings that a client wants to give a topic, broker, group or client metrics subscription (CreateTopics,
//! AlterConfigs, IncrementalAlterConfigs). Messages as Kafka's tools print them.

use std::collections::BTreeMap;

use crate::def::{ConfigDef, Scope};
use crate::effective::ConfigLayers;
use crate::table;
use crate::value::{InvalidValue, Syntax, Value};

/// The settings of one resource: key to value, as stored in the metadata log.
pub type ConfigMap = BTreeMap<String, String>;

/// Why settings are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigRejected {
    /// No such topic key.
    #[error("Unknown topic config name: {name}{}", hint(.nearest))]
    UnknownTopicKey {
        /// The key.
        name: String,
        /// The known key that was perhaps meant.
        nearest: Option<&'static str>,
    },
    /// No such group key.
    #[error("Unknown group config name: {name}{}", hint(.nearest))]
    UnknownGroupKey {
        /// The key.
        name: String,
        /// The known key that was perhaps meant.
        nearest: Option<&'static str>,
    },
    /// A group key below or above what brokers allow.
    #[error("{name} must be {relation} {bound}")]
    GroupBound {
        /// The key.
        name: &'static str,
        /// `less than or equal to`, and so on.
        relation: &'static str,
        /// The key whose value it must keep to.
        bound: &'static str,
    },
    /// No such key of client metrics subscriptions.
    #[error("Unknown client metrics configuration: {name}")]
    UnknownClientMetricsKey {
        /// The key.
        name: String,
    },
    /// Clients would push their metrics too often or too seldom.
    #[error("Invalid value {value} for interval.ms, interval must be between 100 and 3600000 (1 hour)")]
    PushInterval {
        /// What was given.
        value: String,
    },
    /// Broker keys that are fixed at start.
    #[error("Cannot update these configs dynamically: [{}]", names.join(", "))]
    ReadOnly {
        /// The keys.
        names: Vec<String>,
    },
    /// Broker keys that may only be set for one listener.
    #[error(
        "These security configs can be dynamically updated only per-listener using the listener prefix \
         (listener.name.<listener>.<key>): [{}]",
        names.join(", ")
    )]
    PerListenerOnly {
        /// The keys.
        names: Vec<String>,
    },
    /// Broker keys that may only be set for one broker.
    #[error(
        "Cannot update these configs at default cluster level, broker id must be specified: [{}]",
        names.join(", ")
    )]
    PerBrokerOnly {
        /// The keys.
        names: Vec<String>,
    },
    /// A value that its row does not allow.
    #[error(transparent)]
    Value(#[from] InvalidValue),
    /// Values that contradict each other, or are none.
    #[error("{0}")]
    Conflict(String),
}

/// Checks all settings that a topic is to have.
pub fn validate_topic(configs: &ConfigMap) -> Result<(), ConfigRejected> {
    for (name, value) in configs {
        let def = table::topic(name).ok_or_else(|| ConfigRejected::UnknownTopicKey {
            name: name.clone(),
            nearest: table::nearest(name, table::TOPIC.iter()),
        })?;
        def.parse(value, Syntax::Kafka)?;
    }
    let long = |name: &str| match table::topic(name)
        .and_then(|def| def.parse(configs.get(name).map(String::as_str).or(def.default)?, Syntax::Kafka).ok())
    {
        Some(Value::Whole(value)) => value,
        _ => 0,
    };
    let (min, max) = (long("min.compaction.lag.ms"), long("max.compaction.lag.ms"));
    if min > max {
        return Err(ConfigRejected::Conflict(format!(
            "conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})"
        )));
    }
    if configs.get("remote.storage.enable").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
        return Err(ConfigRejected::Conflict(
            "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote \
             log storage."
                .to_owned(),
        ));
    }
    Ok(())
}

/// Checks all dynamic settings that a broker (`per_broker`), or the cluster-wide default, is to have.
/// Keys that nobody knows are kept: a plug-in's, in Kafka.
/// In Kafka's order (`DynamicBrokerConfig.validateConfigs`), so that the first complaint is the same.
pub fn validate_broker(configs: &ConfigMap, per_broker: bool) -> Result<(), ConfigRejected> {
    let known = || configs.iter().filter_map(|(name, value)| Some((table::broker(name)?, name, value)));
    let names = |wrong: fn(&ConfigDef, &str) -> bool| {
        let names: Vec<_> =
            known().filter(|(def, name, _)| wrong(def, name)).map(|(_, name, _)| name.clone()).collect();
        (!names.is_empty()).then_some(names)
    };
    if let Some(names) = names(|def, _| def.scope == Scope::ReadOnly) {
        return Err(ConfigRejected::ReadOnly { names });
    }
    if let Some(names) = names(|def, name| def.scope == Scope::PerListener && name == def.name) {
        return Err(ConfigRejected::PerListenerOnly { names });
    }
    for (def, _, value) in known() {
        def.parse(value, Syntax::Kafka)?;
    }
    if let Some(names) = names(|def, _| def.scope != Scope::ClusterWide).filter(|_| !per_broker) {
        return Err(ConfigRejected::PerBrokerOnly { names });
    }
    Ok(())
}

/// Checks all settings that a group is to have. Bounds and defaults are those of `brokers`.
pub fn validate_group(configs: &ConfigMap, brokers: &ConfigLayers<'_>) -> Result<(), ConfigRejected> {
    for (name, value) in configs {
        let def: &ConfigDef = table::group(name).ok_or_else(|| ConfigRejected::UnknownGroupKey {
            name: name.clone(),
            nearest: table::nearest(name, table::GROUP.iter()),
        })?;
        def.parse(value, Syntax::Kafka)?;
    }
    let whole = |value: Option<String>| value.and_then(|value| value.trim().parse::<i64>().ok());
    let out_of_bounds = |name, relation, bound| Err(ConfigRejected::GroupBound { name, relation, bound });
    for def in table::GROUP.iter().filter(|def| configs.contains_key(def.name)) {
        let Some(value) = whole(brokers.group_value(def.name, configs)) else { continue };
        let bound = |key: &str| whole(brokers.broker_value(key));
        if let Some(key) = def.at_least_key.filter(|key| bound(key).is_some_and(|least| value < least)) {
            return out_of_bounds(def.name, "greater than or equal to", key);
        }
        if let Some(key) = def.at_most_key.filter(|key| bound(key).is_some_and(|most| value > most)) {
            return out_of_bounds(def.name, "less than or equal to", key);
        }
    }
    for (session, heartbeat) in [
        ("consumer.session.timeout.ms", "consumer.heartbeat.interval.ms"),
        ("share.session.timeout.ms", "share.heartbeat.interval.ms"),
        ("streams.session.timeout.ms", "streams.heartbeat.interval.ms"),
    ] {
        let value = |name| whole(brokers.group_value(name, configs));
        if value(session) <= value(heartbeat) {
            return out_of_bounds(session, "greater than", heartbeat);
        }
    }
    Ok(())
}

/// Checks all settings that a client metrics subscription is to have.
pub fn validate_client_metrics(configs: &ConfigMap) -> Result<(), ConfigRejected> {
    for (name, value) in configs {
        let def = table::client_metrics(name)
            .ok_or_else(|| ConfigRejected::UnknownClientMetricsKey { name: name.clone() })?;
        match (def.parse(value, Syntax::Kafka), name.as_str()) {
            (Ok(Value::List(values)), _) if values.iter().any(String::is_empty) => {
                return Err(ConfigRejected::Conflict(format!(
                    "Configuration '{name}' values must not be empty."
                )));
            }
            (Ok(_), _) => {}
            // Its row says all there is to say.
            (Err(invalid), "match") => return Err(ConfigRejected::Conflict(invalid.reason)),
            (Err(_), "interval.ms") if value.trim().parse::<i32>().is_ok() => {
                return Err(ConfigRejected::PushInterval { value: value.trim().to_owned() });
            }
            (Err(invalid), _) => return Err(invalid.into()),
        }
    }
    Ok(())
}

fn hint(nearest: &Option<&'static str>) -> String {
    nearest.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> ConfigMap {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn refused(configs: &[(&str, &str)]) -> String {
        validate_topic(&map(configs)).unwrap_err().to_string()
    }

    #[test]
    fn a_topics_settings_are_judged_as_kafka_does() {
        validate_topic(&map(&[("retention.ms", "-1"), ("cleanup.policy", "compact,delete")])).unwrap();
        assert_eq!(
            refused(&[("retention.ms", "week")]),
            "Invalid value week for configuration retention.ms: Not a number of type LONG"
        );
        assert_eq!(
            refused(&[("retention.mss", "1")]),
            "Unknown topic config name: retention.mss (did you mean retention.ms?)"
        );
        assert!(
            refused(&[("min.compaction.lag.ms", "5"), ("max.compaction.lag.ms", "4")]).contains("conflict")
        );
        assert!(refused(&[("remote.storage.enable", "true")]).contains("Tiered Storage"));
    }

    #[test]
    fn read_only_broker_keys_cannot_be_altered() {
        assert!(validate_broker(&map(&[("node.id", "2")]), true).is_err());
        assert!(validate_broker(&map(&[("ssl.client.auth", "none")]), true).is_ok());
        assert!(validate_broker(&map(&[("ssl.client.auth", "none")]), false).is_err());
        assert!(validate_broker(&map(&[("log.retention.ms", "5")]), false).is_ok());
        assert!(validate_broker(&map(&[("my.plugin.key", "5")]), false).is_ok());
    }

    #[test]
    fn a_refusal_names_all_keys_as_kafka_does() {
        let refused = |keys: &[(&str, &str)], per| validate_broker(&map(keys), per).unwrap_err().to_string();
        let fixed = [("node.id", "2"), ("process.roles", "broker"), ("log.retention.ms", "5")];
        assert_eq!(
            refused(&fixed, true),
            "Cannot update these configs dynamically: [node.id, process.roles]"
        );
        let plain = refused(&[("ssl.truststore.type", "PKCS12")], true);
        assert!(plain.starts_with("These security configs can be dynamically updated only per-listener"));
        assert!(plain.ends_with("[ssl.truststore.type]"));
        let of_listener = [("listener.name.internal.ssl.truststore.type", "PKCS12")];
        assert!(validate_broker(&map(&of_listener), true).is_ok());
        assert_eq!(
            refused(&of_listener, false),
            "Cannot update these configs at default cluster level, broker id must be specified: \
             [listener.name.internal.ssl.truststore.type]"
        );
    }

    /// Judges the settings of a group on a broker that was started with `file`.
    fn group(file: &str, configs: &[(&str, &str)]) -> Result<(), String> {
        let none: [(String, String); 0] = [];
        let settings = crate::Settings::load(Some(file), none, &[]).unwrap();
        let (broker, cluster) = (ConfigMap::new(), ConfigMap::new());
        let layers =
            ConfigLayers { settings: &settings, broker: &broker, cluster: &cluster, brokers: 1, elr: false };
        validate_group(&map(configs), &layers).map_err(|error| error.to_string())
    }

    #[test]
    fn group_keys_are_known() {
        group("", &[("share.isolation.level", "read_committed")]).unwrap();
        group("", &[("share.isolation.level", "serializable")]).unwrap_err();
        assert_eq!(group("", &[("foo", "1")]).unwrap_err(), "Unknown group config name: foo");
    }

    #[test]
    fn brokers_bound_what_a_group_may_have() {
        group("", &[("consumer.session.timeout.ms", "50000")]).unwrap();
        assert_eq!(
            group("", &[("streams.session.timeout.ms", "1")]).unwrap_err(),
            "streams.session.timeout.ms must be greater than or equal to group.streams.min.session.timeout.ms"
        );
        assert_eq!(
            group("", &[("streams.num.standby.replicas", "3")]).unwrap_err(),
            "streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas"
        );
        let file = "group.consumer.max.heartbeat.interval.ms=70000";
        assert_eq!(
            group(file, &[("consumer.heartbeat.interval.ms", "45000")]).unwrap_err(),
            "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms"
        );
        let both = [("consumer.heartbeat.interval.ms", "45000"), ("consumer.session.timeout.ms", "46000")];
        group(file, &both).unwrap();
    }

    #[test]
    fn every_bound_of_a_group_key_is_a_broker_key_of_its_type() {
        for def in table::GROUP {
            for key in [def.at_least_key, def.at_most_key].into_iter().flatten() {
                let bound = table::broker(key).filter(|bound| bound.name == key);
                assert_eq!(bound.map(|bound| bound.value_type), Some(def.value_type), "{}: {key}", def.name);
            }
        }
    }

    #[test]
    fn client_metrics_are_judged_as_kafka_does() {
        let judge = |key, value| validate_client_metrics(&map(&[(key, value)])).map_err(|e| e.to_string());
        judge("metrics", "org.apache.kafka.producer.,*").unwrap();
        judge("metrics", "").unwrap();
        judge("match", "client_software_name=.*java, client_software_version=11\\.1.*").unwrap();
        judge("interval.ms", "100").unwrap();
        assert_eq!(
            judge("interval.ms", "10").unwrap_err(),
            "Invalid value 10 for interval.ms, interval must be between 100 and 3600000 (1 hour)"
        );
        assert_eq!(
            judge("interval.ms", "x").unwrap_err(),
            "Invalid value x for configuration interval.ms: Not a number of type INT"
        );
        for pattern in ["client_idd=b", "client_id", "client_id=", "client_id=a=b", "client_id=(", "=a"] {
            let message = format!("Illegal client matching pattern: {pattern}");
            assert_eq!(judge("match", pattern).unwrap_err(), message);
        }
        assert_eq!(judge("foo", "a").unwrap_err(), "Unknown client metrics configuration: foo");
        assert_eq!(
            judge("metrics", "a,,b").unwrap_err(),
            "Configuration 'metrics' values must not be empty."
        );
    }
}
