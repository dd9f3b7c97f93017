//! `ottla config`

mod alter;
mod describe;

use clap::{Subcommand, ValueEnum};
use ottla_client::{ConfigResource, NodeId};

use crate::args::Context;
use crate::error::{CliError, Result};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the settings of a topic, broker or group
    Describe(describe::Args),
    /// Change the settings of a topic, broker or group
    Alter(alter::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Describe(args) => describe::run(context, &args).await,
            Self::Alter(args) => alter::run(context, args).await,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// A topic, by name
    Topic,
    /// A broker, by id; without one the default of all brokers
    Broker,
    /// A group, by id
    Group,
}

/// Whose settings.
#[derive(Debug, clap::Args)]
struct Subject {
    /// Whose settings
    #[arg(value_enum)]
    kind: Kind,
    /// Its name or id
    name: Option<String>,
}

impl Subject {
    fn resource(&self) -> Result<ConfigResource> {
        let usage = |message: &str| CliError::Usage(message.to_owned());
        match (self.kind, &self.name) {
            (Kind::Topic, Some(name)) => Ok(ConfigResource::Topic(name.as_str().into())),
            (Kind::Group, Some(id)) => Ok(ConfigResource::Group(id.clone())),
            (Kind::Broker, None) => Ok(ConfigResource::Broker(None)),
            (Kind::Broker, Some(id)) => match id.parse() {
                Ok(id) => Ok(ConfigResource::Broker(Some(NodeId(id)))),
                Err(_) => {
                    Err(usage("a broker is named by its id, a number; `ottla cluster info` lists them"))
                }
            },
            (Kind::Topic, None) => Err(usage("which topic? `ottla topic list` lists them")),
            (Kind::Group, None) => Err(usage("which group? `ottla group list` lists them")),
        }
    }
}
