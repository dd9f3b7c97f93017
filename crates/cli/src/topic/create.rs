//! `ottla topic create`

use ottla_client::{ErrorKind, NewTopic};
use serde::Serialize;

use crate::args::{Context, key_value};
use crate::error::{CliError, Result};
use crate::output::{or_dash, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names of the topics
    #[arg(required = true, value_name = "TOPIC")]
    names: Vec<String>,
    /// Partitions of each topic [default: num.partitions of the brokers]
    #[arg(long, short)]
    partitions: Option<i32>,
    /// Replicas of each partition [default: default.replication.factor of the brokers]
    #[arg(long, short, alias = "replication-factor")]
    replicas: Option<i16>,
    /// A setting, such as cleanup.policy=compact; may be repeated
    #[arg(long = "config", short, value_name = "KEY=VALUE", value_parser = key_value)]
    configs: Vec<(String, String)>,
    /// Leave topics alone that are there
    #[arg(long)]
    if_not_exists: bool,
    /// Only check whether the topics could be created
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Row {
    topic: String,
    id: Option<String>,
    partitions: Option<i32>,
    replicas: Option<i16>,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let admin = context.admin().await?;
    let mut rows = Vec::new();
    let total = args.names.len() as u64;
    let mut errors = Vec::new();
    for name in args.names {
        let topic = NewTopic {
            partitions: args.partitions,
            replication_factor: args.replicas,
            configs: args.configs.clone(),
            ..NewTopic::new(name.as_str())
        };
        let created =
            if args.dry_run { admin.validate_topic(topic).await } else { admin.create_topic(topic).await };
        match created {
            Ok(created) => rows.push(Row {
                topic: name,
                id: Some(created.id).filter(|id| !id.is_zero()).map(|id| id.to_string()),
                partitions: created.partitions,
                replicas: created.replication_factor,
            }),
            Err(e) if args.if_not_exists && e.kind() == ErrorKind::Exists => {
                context.out.note(&format!("topic {name} exists"));
            }
            Err(e) => errors.push(e),
        }
    }
    if !rows.is_empty() || context.out.is_json() {
        context.out.show(&rows, |rows| {
            let cells = |r: &Row| {
                [r.topic.clone(), or_dash(r.partitions), or_dash(r.replicas), or_dash(r.id.as_ref())]
            };
            table(["TOPIC", "#PARTITIONS", "#REPLICAS", "ID"], rows.iter().map(cells))
        })?;
    }
    CliError::all(context, errors, total, "topics")
}
