//! Sets up logging: lines on standard error, levels per module.

use std::env;

use thiserror::Error;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::log_format::KafkaFormat;
use crate::log_levels::LogLevels;

/// The environment variable that sets levels.
const VARIABLE: &str = "OTTLA_LOG";
/// What is logged when nothing is set. openraft warns of every vote that an election overtakes; `ottla_consensus` says what
/// concerns an operator.
const DEFAULT: &str = "info,openraft=error";

/// Why logging cannot be set up.
#[derive(Debug, Error)]
pub enum LogError {
    /// The levels cannot be read.
    #[error(
        "log level '{levels}' ({origin}): {reason}; write a level (error, warn, info, debug, trace), or several such as 'info,ottla_storage=debug'"
    )]
    Levels {
        /// What was given.
        levels: String,
        /// Where.
        origin: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// It was set up before.
    #[error("logging is already set up in this process")]
    AlreadySet,
}

/// Logs to standard error from now on. Levels: the variable `OTTLA_LOG`, else `configured`, else INFO; they may be changed
/// later, those of `loggers` and others. Each line begins with `prefix`.
pub fn init_logs(configured: Option<&str>, loggers: &[&str], prefix: &str) -> Result<LogLevels, LogError> {
    let from_env = env::var(VARIABLE).ok().filter(|levels| !levels.is_empty());
    let (levels, origin) = match (&from_env, configured) {
        (Some(levels), _) => (levels.as_str(), VARIABLE),
        (None, Some(levels)) => (levels, "configuration"),
        (None, None) => (DEFAULT, "default"),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .event_format(KafkaFormat { prefix: prefix.to_owned() });
    let start = targets(levels, origin)?;
    let (filter, handle) = reload::Layer::new(start.clone());
    let subscriber = tracing_subscriber::registry().with(filter).with(lines);
    subscriber.try_init().map_err(|_| LogError::AlreadySet)?;
    Ok(LogLevels::new(&start, loggers, move |targets| {
        // Fails only when the subscriber is gone, which stays to the end of the process.
        let _ = handle.reload(targets);
    }))
}

fn targets(levels: &str, origin: &'static str) -> Result<Targets, LogError> {
    levels.parse().map_err(|error: tracing_subscriber::filter::ParseError| LogError::Levels {
        levels: levels.to_owned(),
        origin,
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn levels_are_set_per_module() {
        let targets = targets(DEFAULT, "default").unwrap();
        assert!(targets.would_enable("ottla_storage", &Level::INFO));
        assert!(!targets.would_enable("openraft::core", &Level::INFO));
    }

    #[test]
    fn a_bad_level_names_the_value_its_origin_and_the_remedy() {
        let message = targets("ottla=loud", VARIABLE).unwrap_err().to_string();
        assert!(
            message.contains("'ottla=loud' (OTTLA_LOG)") && message.contains("write a level"),
            "{message}"
        );
    }
}
