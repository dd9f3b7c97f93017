//! `ottla group`

mod delete;
mod describe;
mod lag;
mod list;
mod seek;

use clap::Subcommand;

use crate::args::Context;
use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List groups
    List(list::Args),
    /// Show a group's state, members and what they read
    Describe(describe::Args),
    /// Show how far a group is behind, per partition
    Lag(lag::Args),
    /// Move a group without members to other offsets
    Seek(seek::Args),
    /// Delete groups without members, and their offsets
    Delete(delete::Args),
}

impl Command {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::List(args) => list::run(context, &args).await,
            Self::Describe(args) => describe::run(context, &args).await,
            Self::Lag(args) => lag::run(context, &args).await,
            Self::Seek(args) => seek::run(context, &args).await,
            Self::Delete(args) => delete::run(context, args).await,
        }
    }
}
