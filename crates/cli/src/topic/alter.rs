//! `ottla topic alter`

use ottla_client::{ConfigChange, ConfigResource};

use crate::args::{Context, key_value};
use crate::error::{CliError, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The topic
    topic: String,
    /// Raise the partitions to this many; keys move to other partitions by that
    #[arg(long, short)]
    partitions: Option<i32>,
    /// Change a setting; may be repeated
    #[arg(long = "config", short, value_name = "KEY=VALUE", value_parser = key_value)]
    configs: Vec<(String, String)>,
    /// Put a setting back to its default; may be repeated
    #[arg(long = "delete-config", value_name = "KEY")]
    delete_configs: Vec<String>,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let mut changes: Vec<_> = args.configs.into_iter().map(|(k, v)| ConfigChange::Set(k, v)).collect();
    changes.extend(args.delete_configs.into_iter().map(ConfigChange::Delete));
    if changes.is_empty() && args.partitions.is_none() {
        let message = "nothing to change; give --partitions, --config or --delete-config";
        return Err(CliError::Usage(message.to_owned()));
    }
    let admin = context.admin().await?;
    if !changes.is_empty() {
        admin.alter_configs(&ConfigResource::Topic(args.topic.as_str().into()), &changes).await?;
    }
    if let Some(partitions) = args.partitions {
        admin.set_partitions(args.topic.as_str(), partitions).await?;
    }
    context.out.show_names(&[args.topic], "altered topic")
}
