//! `ottla cluster`

mod balance;
mod drain;
mod health;
mod info;
mod quorum;

use clap::Subcommand;

use crate::args::Context;
use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the cluster's id, brokers and features
    Info,
    /// Tell what is wrong with the cluster and what to do; exit code 1 if anything is
    Health(health::Args),
    /// Show who votes and follows in the metadata quorum, and how far each is; add or remove voters
    Quorum(quorum::Args),
    /// Show what the balancer moves and why; pause or resume it (Ottla clusters only)
    Balance(balance::Args),
    /// Empty a broker: its replicas move elsewhere (Ottla clusters only)
    Drain(drain::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Info => info::run(context).await,
            Self::Health(args) => health::run(context, &args).await,
            Self::Quorum(args) => quorum::run(context, args).await,
            Self::Balance(args) => balance::run(context, args).await,
            Self::Drain(args) => drain::run(context, args).await,
        }
    }
}
