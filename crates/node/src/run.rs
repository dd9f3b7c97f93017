//! The life of a binary: arguments, configuration, node, signals, exit code.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser};
use ottla_config::{BrokerConfig, ConfigErrors, Notice, Settings};
use ottla_env::{RealClock, RealDisk};
use ottla_telemetry::{LogLevels, init_logs};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use crate::{Node, NodeError, NodeOptions, dev_nodes};

/// What a binary is without a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defaults {
    /// `ottla-broker`: broker and controller.
    Broker,
    /// `ottla-controller`: controller only.
    Controller,
}

/// Whose logs have a level of their own to set: the crates that a node is made of, as far as they log, and the one that is known
/// to say too much.
const LOGGERS: &[&str] = &[
    "openraft",
    "ottla_broker",
    "ottla_consensus",
    "ottla_controller",
    "ottla_metastore",
    "ottla_network",
    "ottla_node",
    "ottla_server",
    "ottla_storage",
    "ottla_telemetry",
];

/// How long an orderly stop that closes logs may go without closing one: up to a segment of each may have to be synced. All before
/// has limits of its own.
const STALLED_AFTER: Duration = Duration::from_secs(300);
/// How often a stop tells how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// How long what goes on after that is waited for.
const LEFTOVERS: Duration = Duration::from_secs(1);

impl Defaults {
    const fn program(self) -> &'static str {
        match self {
            Self::Broker => "ottla-broker",
            Self::Controller => "ottla-controller",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::Broker => {
                "A node of an Ottla cluster. Without arguments: one node that is its own cluster, on 127.0.0.1."
            }
            Self::Controller => {
                "A controller of an Ottla cluster, which keeps its metadata and serves no clients. Without arguments: alone \
                 on 127.0.0.1:9093."
            }
        }
    }
}

/// Exit code for wrong usage or configuration; clap uses the same.
const USAGE: u8 = 2;

#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// A Kafka server.properties
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Overrides one setting; may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Runs a cluster of so many nodes on loopback, for development: data in ./ottla-data/1 and so on (ottla-broker only)
    #[arg(long, value_name = "COUNT", conflicts_with = "config", value_parser = clap::value_parser!(u16).range(1..=i64::from(dev_nodes::MOST)))]
    dev_nodes: Option<u16>,
    /// The first of these nodes' ports; the others are above it
    #[arg(long, value_name = "PORT", default_value_t = 9092, requires = "dev_nodes", value_parser = clap::value_parser!(u16).range(1..=60_000))]
    dev_port: u16,
    /// Begins each line of the log: several nodes may write to one terminal
    #[arg(long, value_name = "TEXT", default_value = "", hide = true)]
    log_prefix: String,
}

fn command(defaults: Defaults) -> clap::Command {
    Arguments::command().name(defaults.program()).about(defaults.about())
}

/// Runs a node until it is told to stop. Exit codes: 0 after a clean stop, 1 on failure, 2 on wrong usage or
/// configuration.
pub fn run(defaults: Defaults) -> ExitCode {
    let arguments = match Arguments::from_arg_matches(&command(defaults).get_matches()) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    match (arguments.dev_nodes, defaults) {
        (Some(count), Defaults::Broker) => return dev_nodes::run(count, arguments.dev_port, &arguments.set),
        (Some(_), Defaults::Controller) => {
            return complain(
                USAGE,
                "--dev-nodes: a controller alone serves no client; run ottla-broker --dev-nodes",
            );
        }
        (None, _) => {}
    }
    let (settings, config) = match load(defaults, &arguments) {
        Ok(loaded) => loaded,
        Err(message) => return complain(USAGE, &message),
    };
    let log_levels = match init_logs(settings.get("log.level"), LOGGERS, &arguments.log_prefix) {
        Ok(levels) => levels,
        Err(error) => return complain(USAGE, &error.to_string()),
    };
    report(&settings, &config);
    raise_descriptor_limit();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return complain(
                1,
                &format!("cannot start the runtime: {error}; raise the process limit (ulimit -u)"),
            );
        }
    };
    let code = runtime.block_on(serve(settings, config, log_levels));
    // What still waits for a disk does not hold up the end.
    runtime.shutdown_timeout(LEFTOVERS);
    code
}

fn load(defaults: Defaults, arguments: &Arguments) -> Result<(Settings, BrokerConfig), String> {
    let text = match &arguments.config {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            Some(read.map_err(|error| {
                format!("cannot read --config {}: {error}; check the path", path.display())
            })?)
        }
        None => None,
    };
    let environment = std::env::vars();
    let load = match defaults {
        Defaults::Broker => Settings::load(text.as_deref(), environment, &arguments.set),
        Defaults::Controller => Settings::load_controller(text.as_deref(), environment, &arguments.set),
    };
    let typed = load.and_then(|settings| {
        let config = BrokerConfig::from_settings(&settings)?;
        Ok((settings, config))
    });
    typed.map_err(|errors: ConfigErrors| errors.to_string())
}

/// Connections and segments take descriptors; the soft limit of a shell is often 1024 although far more are allowed.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!("cannot raise the limit of open files: {error}");
    }
}

/// What a start has to say about its configuration.
fn report(settings: &Settings, config: &BrokerConfig) {
    for notice in settings.notices() {
        match notice {
            Notice::UnknownKey { .. } => tracing::warn!("{notice}"),
            Notice::NoEffect { .. } => tracing::info!("{notice}"),
        }
    }
    for listener in &config.listeners.exposed {
        tracing::warn!(
            "listener {} on {}:{} takes anybody who can reach it: it has no authentication",
            listener.name,
            listener.host,
            listener.port
        );
    }
}

async fn serve(settings: Settings, config: BrokerConfig, log_levels: LogLevels) -> ExitCode {
    let dirs = config.log.dirs.clone();
    let (mut terminate, mut interrupt) =
        match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
            (Err(error), _) | (_, Err(error)) => {
                return complain(1, &format!("cannot listen for signals: {error}"));
            }
        };
    let options = NodeOptions {
        settings,
        config,
        disk: Arc::new(RealDisk),
        clock: Arc::new(RealClock::default()),
        log_levels: Some(log_levels),
    };
    let node = tokio::select! {
        biased;
        _ = terminate.recv() => return ExitCode::SUCCESS,
        _ = interrupt.recv() => return ExitCode::SUCCESS,
        started = Node::start(options) => match started {
            Ok(node) => node,
            Err(error @ NodeError::SecurityProtocol { .. }) => return complain(USAGE, &error.to_string()),
            Err(error) => return complain(1, &error.to_string()),
        },
    };
    announce(&node, &dirs);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        reason = node.failed() => {
            // Nothing can be decided any more, not even an orderly stop; the next start recovers.
            return complain(1, &reason);
        }
    }
    tracing::info!("stopping; a second signal stops at once");
    let closed_logs = node.closed_logs();
    tokio::select! {
        () = node.stop() => ExitCode::SUCCESS,
        () = stalled(closed_logs) => complain(
            1,
            &format!(
                "the stop has made no progress for {} s: check the devices; the next start recovers",
                STALLED_AFTER.as_secs()
            ),
        ),
        _ = terminate.recv() => ExitCode::FAILURE,
        _ = interrupt.recv() => ExitCode::FAILURE,
    }
}

/// Returns when `closed`, once there is one, has not grown for too long.
async fn stalled(closed: impl Fn() -> Option<u64>) {
    let (mut last, mut since) = (closed(), Instant::now());
    while last.is_none() || since.elapsed() < STALLED_AFTER {
        tokio::time::sleep(PROGRESS_EVERY).await;
        let now = closed();
        if now != last {
            tracing::info!("stopping: {} logs closed so far", now.unwrap_or(0));
            (last, since) = (now, Instant::now());
        }
    }
}

/// The one line on standard output: the node serves.
fn announce(node: &Node, dirs: &[PathBuf]) {
    let listeners: Vec<String> =
        node.listeners().into_iter().map(|(name, address)| format!("{name}://{address}")).collect();
    let admin = node.admin().map_or_else(String::new, |address| format!(" admin=http://{address}"));
    let dirs: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    let mut out = std::io::stdout().lock();
    // A parent that closed our standard output does not want to know.
    let _ = writeln!(out, "ready listeners={}{admin} data={}", listeners.join(","), dirs.join(","));
    let _ = out.flush();
}

#[expect(clippy::print_stderr, reason = "the process ends with this message, before or without a log")]
fn complain(code: u8, message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Crates that log, and are in no node.
    const NOT_IN_A_NODE: [&str; 1] = ["client"];

    #[test]
    fn each_binary_says_what_it_is() {
        for (defaults, name, about) in [
            (Defaults::Broker, "ottla-broker ", "one node that is its own cluster"),
            (Defaults::Controller, "ottla-controller ", "serves no clients"),
        ] {
            let mut command = command(defaults);
            assert!(command.render_version().starts_with(name), "{}", command.render_version());
            assert!(command.render_help().to_string().contains(about));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_may_take_as_long_as_it_closes_logs() {
        let begin = Instant::now();
        // A minute until it closes logs, then one each 50 s for ten minutes.
        let closed = || begin.elapsed().as_secs().checked_sub(60).map(|closing| closing.min(600) / 50);
        stalled(closed).await;
        let took = begin.elapsed();
        assert!((Duration::from_secs(960)..Duration::from_secs(980)).contains(&took), "{took:?}");
    }

    #[test]
    fn every_crate_that_logs_is_a_logger() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut logging: Vec<String> = std::fs::read_dir(crates)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                let manifest = std::fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
                manifest.contains("\ntracing.workspace")
            })
            .filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
            .filter(|name| !NOT_IN_A_NODE.contains(&name.as_str()))
            .map(|name| format!("ottla_{}", name.replace('-', "_")))
            .chain(["openraft".to_owned()])
            .collect();
        logging.sort();
        assert_eq!(logging, LOGGERS);
    }
}
