//! What the command line says.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ottla_client::{Admin, Client, ClientConfig};

use crate::error::{CliError, Result};
use crate::output::Output;
use crate::{cluster, config, group, storage, topic};

/// Look after a Kafka cluster: topics, groups, configurations, records.
#[derive(Debug, Parser)]
#[command(name = "ottla", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    noun: Noun,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// Brokers to start from, host:port, comma-separated
    #[arg(
        long,
        short = 'b',
        alias = "brokers",
        global = true,
        default_value = "127.0.0.1:9092",
        value_name = "HOST:PORT,..."
    )]
    pub(crate) bootstrap_server: String,
    /// How results are written
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// How long an operation may take with all retries, seconds
    #[arg(long, global = true, default_value_t = 15, value_name = "SECONDS")]
    pub(crate) timeout: u64,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables and plain lines
    #[default]
    Text,
    /// JSON: one value per command, or one per line where results stream
    Json,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Topics and their records
    #[command(subcommand)]
    Topic(topic::Command),
    /// Consumer groups, their offsets and lag
    #[command(subcommand)]
    Group(group::Command),
    /// The cluster itself
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// Configurations of topics, brokers and groups
    #[command(subcommand)]
    Config(config::Command),
    /// The files of a node that is stopped
    #[command(subcommand)]
    Storage(storage::Command),
}

/// What a command works with.
pub(crate) struct Context {
    pub(crate) common: Common,
    pub(crate) out: Output,
}

impl Context {
    /// Connects; fails at once if no broker answers.
    pub(crate) async fn client(&self) -> Result<Client> {
        self.client_that_waits(Duration::from_secs(self.common.timeout)).await
    }

    pub(crate) async fn admin(&self) -> Result<Admin> {
        Ok(self.client().await?.admin())
    }

    /// One that asks another broker when the first does not answer for a while.
    pub(crate) async fn impatient_admin(&self) -> Result<Admin> {
        let wait = Duration::from_secs(self.common.timeout) / 3;
        Ok(self.client_that_waits(wait).await?.admin())
    }

    /// So long for each answer.
    async fn client_that_waits(&self, request_timeout: Duration) -> Result<Client> {
        let timeout = Duration::from_secs(self.common.timeout);
        let config = ClientConfig {
            client_id: "ottla-cli".to_owned(),
            api_timeout: timeout,
            request_timeout,
            connect_timeout: timeout.min(Duration::from_secs(5)),
            allow_auto_create_topics: false,
            ..ClientConfig::new(&self.common.bootstrap_server)
        };
        Ok(Client::with(config).await?)
    }
}

impl Cli {
    /// Does what the command line says. Errors go to standard error.
    pub async fn run(self) -> ExitCode {
        let mut context = Context { out: Output::new(self.common.format), common: self.common };
        let result = match self.noun {
            Noun::Topic(command) => command.run(&mut context).await,
            Noun::Group(command) => command.run(&mut context).await,
            Noun::Cluster(command) => command.run(&mut context).await,
            Noun::Config(command) => command.run(&mut context).await,
            Noun::Storage(command) => command.run(&mut context),
        };
        let result = result.and_then(|()| context.out.finish());
        match result {
            Ok(()) => ExitCode::SUCCESS,
            // Whoever read the output has seen enough.
            Err(CliError::Output(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(e) => {
                context.out.note(&format!("error: {e}"));
                ExitCode::from(e.exit_code())
            }
        }
    }
}

/// `key=value`.
pub(crate) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, such as retention.ms=86400000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn common_options_may_stand_anywhere() {
        for args in ["ottla --format json topic list", "ottla topic list --format json"] {
            let cli = Cli::try_parse_from(args.split(' ')).unwrap();
            assert_eq!(cli.common.format, Format::Json);
            assert_eq!(cli.common.bootstrap_server, "127.0.0.1:9092");
        }
    }

    #[test]
    fn bad_usage_is_exit_code_2() {
        for args in [
            "ottla",
            "ottla topic",
            "ottla topic frob",
            "ottla topic create",
            "ottla --format xml topic list",
        ] {
            let error = Cli::try_parse_from(args.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{args}");
        }
    }
}
