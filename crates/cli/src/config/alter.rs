//! `ottla config alter`

use ottla_client::ConfigChange;

use super::Subject;
use crate::args::{Context, key_value};
use crate::error::{CliError, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    subject: Subject,
    /// Give a setting a value; may be repeated
    #[arg(long, short, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Put a setting back to its default; may be repeated
    #[arg(long, short, value_name = "KEY")]
    delete: Vec<String>,
    /// Add to a list; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    append: Vec<(String, String)>,
    /// Remove from a list; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    subtract: Vec<(String, String)>,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let resource = args.subject.resource()?;
    let mut changes: Vec<_> = args.set.into_iter().map(|(k, v)| ConfigChange::Set(k, v)).collect();
    changes.extend(args.delete.into_iter().map(ConfigChange::Delete));
    changes.extend(args.append.into_iter().map(|(k, v)| ConfigChange::Append(k, v)));
    changes.extend(args.subtract.into_iter().map(|(k, v)| ConfigChange::Subtract(k, v)));
    if changes.is_empty() {
        let message = "nothing to change; give --set, --delete, --append or --subtract";
        return Err(CliError::Usage(message.to_owned()));
    }
    context.admin().await?.alter_configs(&resource, &changes).await?;
    context.out.show_names(&[resource.to_string()], "altered")
}
