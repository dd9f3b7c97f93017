//! Which value counts, and why: the layers behind DescribeConfigs (KIP-226).
//!
//! ```text
//! topic key:   topic's own → broker's dynamic → cluster's dynamic → broker's static → default
//! broker key:                broker's dynamic → cluster's dynamic → broker's static → default
//! ```
//! `min.insync.replicas` is the exception while eligible leader replicas are on: controllers and leaders have to count alike
//! (KIP-966), so what a broker has for itself does not count: `ConfigLayers::is_common`.

use crate::def::{ConfigDef, Scope, ValueType};
use crate::settings::Settings;
use crate::table;
use crate::topic_config::TopicConfig;
use crate::unit::Unit;
use crate::validate::ConfigMap;
use crate::value::{Syntax, Value};

/// Where a value came from (`DescribeConfigsResponse.ConfigSource`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigSource {
    /// Set for the topic.
    DynamicTopic,
    /// Set at run time for this broker.
    DynamicBroker,
    /// Set at run time for all brokers.
    DynamicDefaultBroker,
    /// Given at start.
    StaticBroker,
    /// The table's default.
    Default,
    /// Set for the client metrics subscription.
    ClientMetrics,
    /// Set for the group.
    Group,
}

impl ConfigSource {
    /// The number that stands for this source in DescribeConfigs responses.
    pub const fn code(self) -> i8 {
        match self {
            Self::DynamicTopic => 1,
            Self::DynamicBroker => 2,
            Self::DynamicDefaultBroker => 3,
            Self::StaticBroker => 4,
            Self::Default => 5,
            Self::ClientMetrics => 7,
            Self::Group => 8,
        }
    }
}

/// One line of a DescribeConfigs response.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigEntry {
    /// The key.
    pub name: String,
    /// The effective value; `None` where it is unset or secret.
    pub value: Option<String>,
    /// Where the value came from.
    pub source: ConfigSource,
    /// Whether AlterConfigs would refuse the key.
    pub read_only: bool,
    /// Whether the value is withheld.
    pub sensitive: bool,
    /// All values that are set for the key or those that supply its default; the one that counts first.
    pub synonyms: Vec<Synonym>,
    /// The value's type.
    pub value_type: ValueType,
    /// What the key is for.
    pub documentation: &'static str,
}

/// A value set for a key, at one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// The key under which it was set.
    pub name: String,
    /// The value; `None` where secret.
    pub value: Option<String>,
    /// The layer.
    pub source: ConfigSource,
}

/// All layers of one broker's settings, as they stand.
#[derive(Clone, Copy, Debug)]
pub struct ConfigLayers<'a> {
    /// What the process was started with.
    pub settings: &'a Settings,
    /// Dynamic settings of this broker.
    pub broker: &'a ConfigMap,
    /// Dynamic settings of all brokers.
    pub cluster: &'a ConfigMap,
    /// How many brokers the cluster has; three or more change the defaults of replication.
    pub brokers: usize,
    /// Whether eligible leader replicas are on.
    pub elr: bool,
}

/// The key that has one value for all brokers while eligible leader replicas are on.
pub const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

impl ConfigLayers<'_> {
    /// The effective value of a broker key, its coarser units included (`log.retention.ms` of a node that
    /// was given `log.retention.hours`). `None` for unset and unknown keys.
    pub fn broker_value(&self, name: &str) -> Option<String> {
        let def = table::broker(name)?;
        let chain = std::iter::once(name).chain(def.synonyms.iter().copied());
        self.first_set(chain.clone(), name)
            .or_else(|| chain.into_iter().find_map(|key| convert(&self.default_of(key)?, key, name)))
    }

    /// The effective value of a key of a topic that has the settings `own`.
    pub fn topic_value(&self, name: &str, own: &ConfigMap) -> Option<String> {
        let def = table::topic(name)?;
        own.get(name).cloned().or_else(|| self.first_set(def.synonyms.iter().copied(), name)).or_else(|| {
            match name {
                MIN_INSYNC_REPLICAS => self.default_of(name),
                _ => def.default.map(str::to_owned),
            }
        })
    }

    /// The typed settings of a topic that has the settings `own`.
    pub fn topic_config(&self, own: &ConfigMap) -> TopicConfig {
        TopicConfig::from_values(|name| self.topic_value(name, own))
    }

    /// The effective value of a key of a group that has the settings `own`.
    pub fn group_value(&self, name: &str, own: &ConfigMap) -> Option<String> {
        let def = table::group(name)?;
        own.get(name)
            .cloned()
            .or_else(|| self.first_set(def.synonyms.iter().copied(), name))
            .or_else(|| def.default.map(str::to_owned))
    }

    /// All keys of a topic that has the settings `own`.
    pub fn describe_topic(&self, own: &ConfigMap) -> Vec<ConfigEntry> {
        let describe = |def: &'static ConfigDef| {
            let value = self.topic_value(def.name, own);
            self.describe_derived(def, value, own.get(def.name), ConfigSource::DynamicTopic)
        };
        table::TOPIC.iter().filter(|def| shown(def, own)).map(describe).collect()
    }

    /// All keys of a group that has the settings `own`.
    pub fn describe_group(&self, own: &ConfigMap) -> Vec<ConfigEntry> {
        let describe = |def: &'static ConfigDef| {
            let value = self.group_value(def.name, own);
            self.describe_derived(def, value, own.get(def.name), ConfigSource::Group)
        };
        table::GROUP.iter().filter(|def| shown(def, own)).map(describe).collect()
    }

    /// All keys of a client metrics subscription that has the settings `own`.
    pub fn describe_client_metrics(&self, own: &ConfigMap) -> Vec<ConfigEntry> {
        let describe = |def: &'static ConfigDef| {
            let set = own.get(def.name);
            let value = set.cloned().or_else(|| def.default.map(str::to_owned));
            self.describe_derived(def, value, set, ConfigSource::ClientMetrics)
        };
        table::CLIENT_METRICS.iter().map(describe).collect()
    }

    /// All keys of this broker: the table's, those of single listeners, and unknown ones that were set.
    pub fn describe_broker(&self) -> Vec<ConfigEntry> {
        let mut entries: Vec<_> = table::broker_defs()
            .filter(|def| !def.internal || self.is_set(def.name))
            .map(|def| self.describe_broker_key(def.name, Some(def)))
            .collect();
        let given = self.settings.iter().map(|(key, _)| key);
        let mut others: Vec<&str> = given
            .chain(self.cluster.keys().map(String::as_str))
            .chain(self.broker.keys().map(String::as_str))
            .filter(|key| table::broker(key).is_none_or(|def| def.name != *key))
            .collect();
        others.sort_unstable();
        others.dedup();
        entries.extend(others.into_iter().map(|key| self.describe_broker_key(key, table::broker(key))));
        entries
    }

    /// The dynamic settings of all brokers: what describing the broker resource with an empty name shows.
    pub fn describe_cluster_default(&self) -> Vec<ConfigEntry> {
        let describe = |(key, value): (&String, &String)| {
            let def = table::broker(key);
            let sensitive = def.is_none_or(ConfigDef::is_sensitive);
            let value = (!sensitive).then(|| value.clone());
            let source = ConfigSource::DynamicDefaultBroker;
            let synonym = Synonym { name: key.clone(), value: value.clone(), source };
            entry(key, def, value, source, sensitive, vec![synonym])
        };
        self.cluster.iter().map(describe).collect()
    }

    /// A topic's, group's or subscription's key: its own value first, then what the broker keys say.
    fn describe_derived(
        &self,
        def: &'static ConfigDef,
        value: Option<String>,
        own: Option<&String>,
        own_source: ConfigSource,
    ) -> ConfigEntry {
        let mut synonyms = match def.synonyms.first() {
            Some(first) => self.broker_synonyms(first, def.synonyms, false),
            // As in Kafka, a group's key is its own synonym where no broker key is, a topic's is not.
            None if own_source == ConfigSource::Group => {
                let (name, source) = (def.name.to_owned(), ConfigSource::Default);
                vec![Synonym { name, value: def.default.map(str::to_owned), source }]
            }
            None => Vec::new(),
        };
        if own.is_some() {
            let name = def.name.to_owned();
            synonyms.insert(0, Synonym { name, value: value.clone(), source: own_source });
        }
        let source = synonyms.first().map_or(ConfigSource::Default, |synonym| synonym.source);
        let mut entry = entry(def.name, Some(def), value, source, false, synonyms);
        entry.read_only = false;
        entry
    }

    fn describe_broker_key(&self, name: &str, def: Option<&'static ConfigDef>) -> ConfigEntry {
        // Of a key that nobody knows nobody knows either whether it is a secret.
        let sensitive = def.is_none_or(ConfigDef::is_sensitive);
        let keys: Vec<&str> = match def {
            Some(def) if def.name == name => {
                std::iter::once(name).chain(def.synonyms.iter().copied()).collect()
            }
            Some(def) => vec![name, def.name],
            None => vec![name],
        };
        let synonyms = self.broker_synonyms(name, &keys, sensitive);
        let source = synonyms.first().map_or(ConfigSource::Default, |synonym| synonym.source);
        let value = match def {
            // Not its coarser units: Kafka shows `log.retention.ms` as unset where only hours are given.
            Some(def) if def.name == name => {
                self.first_set(std::iter::once(name), name).or_else(|| self.default_of(name))
            }
            _ => self.first_set(std::iter::once(name), name),
        };
        entry(name, def, value.filter(|_| !sensitive), source, sensitive, synonyms)
    }

    /// Everything set for `keys`, layer by layer. As in Kafka, nothing that stands before the first entry
    /// of `name` itself is listed.
    fn broker_synonyms(&self, name: &str, keys: &[&str], sensitive: bool) -> Vec<Synonym> {
        type Layer<'l> = (ConfigSource, &'l dyn Fn(&str) -> Option<String>);
        let layers: [Layer<'_>; 4] = [
            (ConfigSource::DynamicBroker, &|key| self.own(key).cloned()),
            (ConfigSource::DynamicDefaultBroker, &|key| self.cluster.get(key).cloned()),
            (ConfigSource::StaticBroker, &|key| self.given(key).map(str::to_owned)),
            (ConfigSource::Default, &|key| self.default_of(key)),
        ];
        let mut synonyms = Vec::new();
        for (source, value_of) in layers {
            synonyms.extend(keys.iter().filter_map(|key| {
                let value = value_of(key)?;
                Some(Synonym { name: (*key).to_owned(), value: (!sensitive).then_some(value), source })
            }));
        }
        synonyms.into_iter().skip_while(|synonym| synonym.name != name).collect()
    }

    /// The first of `keys` that is set anywhere, in the unit of `target`.
    fn first_set<'k>(&self, keys: impl IntoIterator<Item = &'k str>, target: &str) -> Option<String> {
        keys.into_iter().find_map(|key| {
            let dynamic = self.own(key).or_else(|| self.cluster.get(key)).map(String::as_str);
            convert(dynamic.or_else(|| self.given(key))?, key, target)
        })
    }

    /// The broker's dynamic value of `key`, if that counts.
    fn own(&self, key: &str) -> Option<&String> {
        self.broker.get(key).filter(|_| !self.is_common(key))
    }

    /// What the process was started with for `key`, if that may count. Where all have to count alike and nothing is set for
    /// all, more than the default is harmless: who waits for more replicas acknowledges nothing that others do not count on.
    fn given(&self, key: &str) -> Option<&str> {
        let whole = |value: &str| value.trim().parse::<i64>().ok();
        let least = || self.default_of(key).as_deref().and_then(whole);
        self.settings
            .get(key)
            .filter(|value| !self.is_common(key) || self.cluster.contains_key(key) || whole(value) >= least())
    }

    /// Whether all brokers have to have the same value of `key`.
    fn is_common(&self, key: &str) -> bool {
        self.elr && key == MIN_INSYNC_REPLICAS
    }

    fn is_set(&self, key: &str) -> bool {
        self.first_set(std::iter::once(key), key).is_some()
    }

    /// The default of a broker key. Where nothing is said about replication, three brokers keep three
    /// copies, two of them in sync; internal topics need not have more copies than there are brokers.
    fn default_of(&self, key: &str) -> Option<String> {
        let default = table::broker(key).filter(|def| def.name == key)?.default?;
        Some(match key {
            "default.replication.factor" if self.brokers >= 3 => "3".to_owned(),
            MIN_INSYNC_REPLICAS if self.brokers >= 3 => "2".to_owned(),
            "offsets.topic.replication.factor" | "transaction.state.log.replication.factor" => {
                self.brokers.clamp(1, 3).to_string()
            }
            "transaction.state.log.min.isr" if self.brokers < 3 => "1".to_owned(),
            _ => default.to_owned(),
        })
    }
}

fn entry(
    name: &str,
    def: Option<&'static ConfigDef>,
    value: Option<String>,
    source: ConfigSource,
    sensitive: bool,
    synonyms: Vec<Synonym>,
) -> ConfigEntry {
    ConfigEntry {
        name: name.to_owned(),
        value,
        source,
        read_only: def.is_none_or(|def| def.scope == Scope::ReadOnly),
        sensitive,
        synonyms,
        value_type: def.map_or(ValueType::String, |def| def.value_type),
        documentation: def.map_or("", |def| def.doc),
    }
}

/// Internal keys show only where they are set.
fn shown(def: &ConfigDef, own: &ConfigMap) -> bool {
    !def.internal || own.contains_key(def.name)
}

/// `value` of the key `from` in the unit of the key `to`; negative is "without limit" in every unit.
fn convert(value: &str, from: &str, to: &str) -> Option<String> {
    match (Unit::of(from), Unit::of(to)) {
        (Some(from_unit), Some(to_unit)) if from_unit != to_unit => {
            let parsed = table::broker(from)?.parse(value, Syntax::WithUnits).ok()?;
            let Value::Whole(number) = parsed else { return None };
            let per = from_unit.milliseconds()? / to_unit.milliseconds()?.max(1);
            Some(if number < 0 { -1 } else { number.saturating_mul(per) }.to_string())
        }
        _ => Some(value.to_owned()),
    }
}

#[cfg(test)]
#[path = "effective_test.rs"]
mod effective_test;
