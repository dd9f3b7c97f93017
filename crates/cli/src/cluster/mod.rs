//! `ottla cluster`

mod info;

use clap::Subcommand;

use crate::args::Context;
use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the cluster's id, brokers and features
    Info,
}

impl Command {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Info => info::run(context).await,
        }
    }
}
