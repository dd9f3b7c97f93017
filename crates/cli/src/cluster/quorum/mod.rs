//! `ottla cluster quorum`

mod add;
mod describe;
mod remove;

use clap::Subcommand;

use crate::args::Context;
use crate::error::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Without one: who votes, who follows, and how far each is
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Give a vote to a controller that follows
    Add(add::Args),
    /// Take the vote from a controller, whether it lives or not
    Remove(remove::Args),
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    match args.change {
        None => describe::run(context).await,
        Some(Change::Add(args)) => add::run(context, args).await,
        Some(Change::Remove(args)) => remove::run(context, args).await,
    }
}
