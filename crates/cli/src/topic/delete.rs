//! `ottla topic delete`

use ottla_client::ErrorKind;

use crate::args::Context;
use crate::error::{CliError, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names of the topics
    #[arg(required = true, value_name = "TOPIC")]
    names: Vec<String>,
    /// Say nothing about topics that are not there
    #[arg(long)]
    if_exists: bool,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let admin = context.admin().await?;
    let total = args.names.len() as u64;
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for name in args.names {
        match admin.delete_topic(name.as_str()).await {
            Ok(()) => deleted.push(name),
            Err(e) if args.if_exists && e.kind() == ErrorKind::NotFound => {}
            Err(e) => errors.push(e),
        }
    }
    context.out.show_names(&deleted, "deleted topic")?;
    CliError::all(context, errors, total, "topics")
}
