//! `ottla group delete`

use crate::args::Context;
use crate::error::{CliError, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ids of the groups
    #[arg(required = true, value_name = "GROUP")]
    groups: Vec<String>,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let admin = context.admin().await?;
    let total = args.groups.len() as u64;
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for group in args.groups {
        match admin.delete_group(&group).await {
            Ok(()) => deleted.push(group),
            Err(e) => errors.push(e),
        }
    }
    context.out.show_names(&deleted, "deleted group")?;
    CliError::all(context, errors, total, "groups")
}
