//! Judging the settings that a client wants to give a topic, broker or group (CreateTopics, AlterConfigs,
//! IncrementalAlterConfigs). Messages as Kafka's tools print them; the caller's error is INVALID_CONFIG.

use std::collections::BTreeMap;

use crate::def::{ConfigDef, Scope};
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
    /// Values that contradict each other.
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

/// Checks all settings that a group is to have.
pub fn validate_group(configs: &ConfigMap) -> Result<(), ConfigRejected> {
    for (name, value) in configs {
        let def: &ConfigDef = table::group(name).ok_or_else(|| ConfigRejected::UnknownGroupKey {
            name: name.clone(),
            nearest: table::nearest(name, table::GROUP.iter()),
        })?;
        def.parse(value, Syntax::Kafka)?;
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

    #[test]
    fn group_keys_are_known() {
        assert!(validate_group(&map(&[("share.isolation.level", "read_committed")])).is_ok());
        assert!(validate_group(&map(&[("share.isolation.level", "serializable")])).is_err());
        assert!(validate_group(&map(&[("retention.ms", "1")])).is_err());
    }
}
