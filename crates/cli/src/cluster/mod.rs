//! `ottla cluster`

mod balance;
mod drain;
mod info;

use clap::Subcommand;

use crate::args::Context;
use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the cluster's id, brokers and features
    Info,
    /// Show what the balancer moves and why; pause or resume it (Ottla clusters only)
    Balance(balance::Args),
    /// Empty a broker: its replicas move elsewhere (Ottla clusters only)
    Drain(drain::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Info => info::run(context).await,
            Self::Balance(args) => balance::run(context, args).await,
            Self::Drain(args) => drain::run(context, args).await,
        }
    }
}
