//! What a node was started with: built-in values < file < `KAFKA_*` environment < `--set`.

use std::collections::BTreeMap;
use std::fmt;

use crate::def::Status;
use crate::properties::{self, PropertiesError};
use crate::table;
use crate::value::{InvalidValue, Syntax};

/// A node's static settings. Values are normalized: sizes and durations with units are plain numbers here.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: BTreeMap<String, Setting>,
}

/// One setting and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its value.
    pub value: String,
    /// Where it was given last.
    pub source: Source,
}

/// Where a setting came from, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Ottla's values for a start without a file.
    BuiltIn,
    /// The file of `--config`.
    File,
    /// A `KAFKA_*` variable.
    Environment,
    /// `--set key=value`.
    CommandLine,
}

/// Settings that a node cannot start with. Displays one line for each of the reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// One reason why a node cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is not a `.properties` file.
    #[error("configuration file: {0}")]
    File(#[from] PropertiesError),
    /// `--set` without `=`.
    #[error("--set {0:?}: expected key=value")]
    Set(String),
    /// A value that its row does not allow.
    #[error("{}={} ({origin}): {}; allowed: {}", .invalid.name, .invalid.value, .invalid.reason, .invalid.allowed)]
    Value {
        /// What is wrong.
        invalid: InvalidValue,
        /// Where it was given.
        origin: Source,
    },
    /// Values that are each allowed but do not fit together, with the remedy.
    #[error("{name}={value}: {reason}")]
    Conflict {
        /// The key to change.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// Something worth a line in the log at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Warning: nobody knows this key.
    UnknownKey {
        /// The key.
        name: String,
        /// Where it was given.
        source: Source,
        /// The known key that was perhaps meant.
        nearest: Option<&'static str>,
    },
    /// Information: the key is one of Kafka's, and does nothing here.
    NoEffect {
        /// The key.
        name: String,
    },
}

/// Environment variables of Kafka's container images that are not settings.
const NOT_SETTINGS: [&str; 14] = [
    "KAFKA_VERSION",
    "KAFKA_HOME",
    "KAFKA_OPTS",
    "KAFKA_HEAP_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_DEBUG",
];

/// What a node without a configuration file runs with.
const WITHOUT_FILE: [(&str, &str); 7] = [
    ("node.id", "1"),
    ("process.roles", "broker,controller"),
    ("listeners", "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"),
    ("controller.listener.names", "CONTROLLER"),
    ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
    ("log.dirs", "./ottla-data"),
    ("admin.listener", "127.0.0.1:9644"),
];

/// What differs on a node that is only a controller, with or without a file.
const CONTROLLER_ONLY: [(&str, &str); 2] =
    [("process.roles", "controller"), ("listeners", "CONTROLLER://127.0.0.1:9093")];

impl Settings {
    /// Layers the text of a `server.properties`, environment variables (all of the process; only `KAFKA_*`
    /// are looked at) and `key=value` flags. Every value is checked; all that is wrong is reported at once.
    pub fn load(
        file: Option<&str>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[String],
    ) -> Result<Self, ConfigErrors> {
        Self::layer(&[], file, environment, flags)
    }

    /// The same for a node that is only a controller unless something says otherwise.
    pub fn load_controller(
        file: Option<&str>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[String],
    ) -> Result<Self, ConfigErrors> {
        Self::layer(&CONTROLLER_ONLY, file, environment, flags)
    }

    fn layer(
        built_in: &[(&str, &str)],
        file: Option<&str>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[String],
    ) -> Result<Self, ConfigErrors> {
        let mut settings = Self::default();
        let mut errors = Vec::new();
        if file.is_none() {
            settings.put_all(&mut errors, Source::BuiltIn, WITHOUT_FILE);
        }
        settings.put_all(&mut errors, Source::BuiltIn, built_in.iter().copied());
        match file.map(properties::parse).transpose() {
            Ok(pairs) => settings.put_all(&mut errors, Source::File, pairs.unwrap_or_default()),
            Err(error) => errors.push(error.into()),
        }
        let variables = environment.into_iter().filter_map(|(name, value)| Some((key_of(&name)?, value)));
        settings.put_all(&mut errors, Source::Environment, variables);
        for flag in flags {
            match flag.split_once('=') {
                Some((key, value)) => settings.put(&mut errors, Source::CommandLine, key.trim(), value),
                None => errors.push(ConfigError::Set(flag.clone())),
            }
        }
        settings.copy_to_weaker("broker.id", "node.id");
        settings.copy_to_weaker("node.id", "broker.id");
        if errors.is_empty() { Ok(settings) } else { Err(ConfigErrors(errors)) }
    }

    /// The value of `key`, if it was set.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|setting| setting.value.as_str())
    }

    /// The value of `key` and where it came from, if it was set.
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.values.get(key)
    }

    /// All that was set, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.values.iter().map(|(key, setting)| (key.as_str(), setting))
    }

    /// Unknown keys, and keys without effect.
    pub fn notices(&self) -> Vec<Notice> {
        let notice = |(name, setting): (&str, &Setting)| match table::broker(name) {
            None if is_for_plugin(name) => None,
            None => Some(Notice::UnknownKey {
                name: name.to_owned(),
                source: setting.source,
                nearest: table::nearest(name, table::broker_defs()),
            }),
            Some(def) if def.status == Status::Accepted => Some(Notice::NoEffect { name: name.to_owned() }),
            Some(_) => None,
        };
        self.iter().filter_map(notice).collect()
    }

    /// `broker.id` and `node.id` are one, except that −1 means an unset `broker.id`.
    fn copy_to_weaker(&mut self, from: &str, to: &str) {
        let Some(setting) = self.values.get(from).filter(|setting| setting.value != "-1") else { return };
        if self.values.get(to).is_none_or(|other| other.source < setting.source || other.value == "-1") {
            self.values.insert(to.to_owned(), setting.clone());
        }
    }

    fn put_all<K: AsRef<str>, V: AsRef<str>>(
        &mut self,
        errors: &mut Vec<ConfigError>,
        source: Source,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) {
        for (key, value) in pairs {
            self.put(errors, source, key.as_ref(), value.as_ref());
        }
    }

    fn put(&mut self, errors: &mut Vec<ConfigError>, source: Source, key: &str, value: &str) {
        let normalized = match table::broker(key) {
            None => Ok(value.to_owned()),
            Some(def) => def.normalize(value, Syntax::WithUnits),
        };
        match normalized {
            Ok(value) => {
                self.values.insert(key.to_owned(), Setting { value, source });
            }
            Err(invalid) => errors.push(ConfigError::Value { invalid, origin: source }),
        }
    }
}

/// The key that a variable sets: `KAFKA_LOG_DIRS` is `log.dirs`; `__` stands for `_` and `___` for `-`, as in
/// Kafka's container image.
fn key_of(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("KAFKA_").filter(|_| !NOT_SETTINGS.contains(&variable))?;
    let dashed = rest.to_lowercase().replace("___", "-").replace("__", "\u{0}").replace('_', ".");
    Some(dashed.replace('\u{0}', "_"))
}

/// Keys that Kafka hands to plug-ins under their own prefix.
fn is_for_plugin(key: &str) -> bool {
    key.starts_with("rsm.config.") || key.starts_with("rlmm.config.") || key.starts_with("listener.name.")
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuiltIn => "built in",
            Self::File => "from the configuration file",
            Self::Environment => "from the environment",
            Self::CommandLine => "from --set",
        })
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { name, source, nearest } => {
                let name = if name.is_empty() { "\"\"" } else { name };
                write!(f, "unknown setting {name} ({source}) is ignored")?;
                nearest.map_or(Ok(()), |nearest| write!(f, "; did you mean {nearest}?"))
            }
            Self::NoEffect { name } => write!(f, "setting {name} is accepted and has no effect here"),
        }
    }
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod settings_test;
