use std::sync::{Arc, Mutex};

use tracing::Level;
use tracing_subscriber::filter::Targets;

use super::*;

/// Levels, and the filter that was put in force last.
fn levels(start: &str) -> (LogLevels, Arc<Mutex<Targets>>) {
    let start: Targets = start.parse().unwrap();
    let in_force = Arc::new(Mutex::new(start.clone()));
    let sink = Arc::clone(&in_force);
    let known = ["ottla_storage", "ottla_storage_import", "openraft"];
    (LogLevels::new(&start, &known, move |targets| *sink.lock().unwrap() = targets), in_force)
}

fn set(levels: &LogLevels, logger: &str, level: &str) {
    levels.change(&[(logger, Some(level.parse().unwrap()))]);
}

fn named(levels: &LogLevels, logger: &str) -> &'static str {
    levels.all()[logger].name()
}

#[test]
fn every_known_logger_is_listed_with_the_level_in_force() {
    let (levels, _) = levels("info,openraft=error");
    let all: Vec<String> =
        levels.all().iter().map(|(name, level)| format!("{name}={}", level.name())).collect();
    assert_eq!(all, ["openraft=ERROR", "ottla_storage=INFO", "ottla_storage_import=INFO", "root=INFO"]);
}

#[test]
fn a_level_holds_for_a_logger_and_what_is_in_it_alone() {
    let (levels, in_force) = levels("info");
    set(&levels, "ottla_storage", "DEBUG");
    let logs = |target: &str| in_force.lock().unwrap().would_enable(target, &Level::DEBUG);
    assert!(logs("ottla_storage") && logs("ottla_storage::log::append"));
    assert!(!logs("ottla_storage_import") && !logs("ottla_broker"));
    set(&levels, "ottla_storage::log", "WARN");
    assert!(!logs("ottla_storage::log::append") && logs("ottla_storage::dir"));
    levels.change(&[("ottla_storage", None)]);
    assert!(!logs("ottla_storage::dir"));
    assert_eq!(named(&levels, "ottla_storage::log"), "WARN");
}

#[test]
fn what_has_no_level_of_its_own_follows_the_root() {
    let (levels, in_force) = levels("info,openraft=error");
    set(&levels, ROOT_LOGGER, "TRACE");
    assert_eq!((named(&levels, "ottla_storage"), named(&levels, "openraft")), ("TRACE", "ERROR"));
    levels.change(&[("openraft", None)]);
    assert_eq!(named(&levels, "openraft"), "TRACE");
    levels.change(&[(ROOT_LOGGER, None)]);
    assert_eq!(named(&levels, ROOT_LOGGER), "TRACE", "the root cannot be without");
    set(&levels, ROOT_LOGGER, "FATAL");
    assert_eq!(named(&levels, ROOT_LOGGER), "FATAL");
    assert!(!in_force.lock().unwrap().would_enable("ottla_storage", &Level::ERROR));
}

#[test]
fn known_loggers_and_modules_in_them_exist() {
    let (levels, _) = levels("info,hyper=warn");
    for logger in [ROOT_LOGGER, "ottla_storage", "ottla_storage::log", "hyper"] {
        assert!(levels.exists(logger), "{logger}");
    }
    for logger in ["kafka.server.KafkaApis", "ottla_storag", "::", ""] {
        assert!(!levels.exists(logger), "{logger}");
    }
    for number in 0..MAX_OWN {
        set(&levels, &format!("ottla_storage::m{number}"), "INFO");
    }
    assert!(levels.exists("ottla_storage::m1") && !levels.exists("ottla_storage::log"), "no room for more");
    assert!("debug".parse::<LogLevel>().is_err(), "as in Kafka");
}
