//! `ottla topic`

mod alter;
mod consume;
mod create;
mod delete;
mod describe;
mod list;
mod produce;

use clap::Subcommand;

use crate::args::Context;
use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create topics
    Create(create::Args),
    /// List topics
    List(list::Args),
    /// Show a topic's partitions, offsets and settings
    Describe(describe::Args),
    /// Delete topics and all their records
    Delete(delete::Args),
    /// Add partitions, change settings
    Alter(alter::Args),
    /// Send the lines of standard input as records
    Produce(produce::Args),
    /// Print records as they come
    Consume(consume::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Create(args) => create::run(context, args).await,
            Self::List(args) => list::run(context, &args).await,
            Self::Describe(args) => describe::run(context, args).await,
            Self::Delete(args) => delete::run(context, args).await,
            Self::Alter(args) => alter::run(context, args).await,
            Self::Produce(args) => produce::run(context, args).await,
            Self::Consume(args) => consume::run(context, args).await,
        }
    }
}
