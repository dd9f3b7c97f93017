//! `ottla storage`

mod dump;
mod import;

use clap::Subcommand;

use crate::args::Context;
use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take over the data directories of a Kafka node that was stopped cleanly
    #[command(long_about = import::ABOUT)]
    Import(import::Args),
    /// Show what is in files of a partition's folder
    #[command(long_about = dump::ABOUT)]
    Dump(dump::Args),
}

impl Command {
    pub(crate) fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Import(args) => import::run(context, args),
            Self::Dump(args) => dump::run(context, args),
        }
    }
}
