//! What is logged, per logger, and changing it while the process runs.
//!
//! A logger is a module path, such as `ottla_storage` or `ottla_broker::lifecycle`, or `root`, the parent of all. One without a
//! level of its own has that of the nearest of its parents that has one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_subscriber::filter::{LevelFilter, Targets};

/// The logger above all others.
pub const ROOT_LOGGER: &str = "root";

/// Levels of their own that are remembered.
const MAX_OWN: usize = 1000;
/// The longest name of a module that is remembered.
const MAX_NAME: usize = 256;

/// How much a logger logs, by Kafka's names (`LogLevelConfig`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLevel(LevelFilter);

/// Nothing here is fatal in Kafka's sense, so that this level is silence.
const NAMES: [(&str, LevelFilter); 6] = [
    ("DEBUG", LevelFilter::DEBUG),
    ("ERROR", LevelFilter::ERROR),
    ("FATAL", LevelFilter::OFF),
    ("INFO", LevelFilter::INFO),
    ("TRACE", LevelFilter::TRACE),
    ("WARN", LevelFilter::WARN),
];

impl LogLevel {
    /// All names, in their order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Kafka's name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, level)| *level == self.0).map_or("FATAL", |(name, _)| name)
    }
}

impl FromStr for LogLevel {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        NAMES.iter().find(|(name, _)| *name == text).map(|(_, level)| Self(*level)).ok_or(())
    }
}

/// The levels of all loggers of a process.
#[derive(Clone)]
pub struct LogLevels {
    /// Those that are listed whether or not they have a level of their own.
    known: Arc<BTreeSet<String>>,
    own: Arc<Mutex<BTreeMap<String, LevelFilter>>>,
    apply: Arc<dyn Fn(Targets) + Send + Sync>,
}

impl LogLevels {
    /// Those of `start`; `apply` puts others in force.
    pub(crate) fn new(
        start: &Targets,
        known: &[&str],
        apply: impl Fn(Targets) + Send + Sync + 'static,
    ) -> Self {
        let root = start.default_level().unwrap_or(LevelFilter::OFF);
        let own = start.iter().map(|(target, level)| (target.to_owned(), level));
        let own = own.chain([(ROOT_LOGGER.to_owned(), root)]).collect();
        let known = known.iter().map(|name| (*name).to_owned()).collect();
        Self { known: Arc::new(known), own: Arc::new(Mutex::new(own)), apply: Arc::new(apply) }
    }

    /// Every logger with the level in force.
    pub fn all(&self) -> BTreeMap<String, LogLevel> {
        let own = self.own();
        let names = own.keys().chain(&*self.known);
        names.map(|name| (name.clone(), LogLevel(effective(&own, name)))).collect()
    }

    /// Whether there is such a logger: one that is listed, or a module within, while there is room for its level.
    pub fn exists(&self, logger: &str) -> bool {
        let own = self.own();
        let is_listed =
            |name: &str| name == ROOT_LOGGER || self.known.contains(name) || own.contains_key(name);
        let has_room = own.len() < MAX_OWN && logger.len() <= MAX_NAME;
        is_listed(logger) || (has_room && parents(logger).any(is_listed))
    }

    /// Gives each logger its level, or leaves it to its parents; `root` has none and stays as it is.
    pub fn change(&self, changes: &[(&str, Option<LogLevel>)]) {
        let mut own = self.own();
        for (logger, level) in changes {
            match level {
                Some(level) => {
                    own.insert((*logger).to_owned(), level.0);
                }
                None if *logger == ROOT_LOGGER => {}
                None => {
                    own.remove(*logger);
                }
            }
        }
        // With the lock, so that of two changes the later is in force.
        (self.apply)(targets(&own, &self.known));
    }

    fn own(&self) -> MutexGuard<'_, BTreeMap<String, LevelFilter>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Debug for LogLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLevels").field("own", &self.own).finish_non_exhaustive()
    }
}

/// The filter for these levels. It goes by leading text, so that `ottla_storage` would also name `ottla_storage_import`, did
/// not every known logger have a line.
fn targets(own: &BTreeMap<String, LevelFilter>, known: &BTreeSet<String>) -> Targets {
    let lines = own.keys().chain(known).filter(|name| *name != ROOT_LOGGER);
    Targets::new()
        .with_default(effective(own, ROOT_LOGGER))
        .with_targets(lines.map(|name| (name.clone(), effective(own, name))))
}

fn effective(own: &BTreeMap<String, LevelFilter>, logger: &str) -> LevelFilter {
    let mut chain = std::iter::once(logger).chain(parents(logger)).chain([ROOT_LOGGER]);
    chain.find_map(|name| own.get(name)).copied().unwrap_or(LevelFilter::OFF)
}

/// The modules around `logger`, the innermost first.
fn parents(logger: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(logger.rsplit_once("::"), |(parent, _)| parent.rsplit_once("::"))
        .map(|(parent, _)| parent)
}

#[cfg(test)]
#[path = "log_levels_test.rs"]
mod log_levels_test;
