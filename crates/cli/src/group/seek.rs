//! `ottla group seek`

use std::collections::BTreeMap;

use ottla_client::{Admin, ClientError, CommittedOffset, Offset, OffsetSpec, PartitionIndex, TopicPartition};
use serde::Serialize;

use crate::args::Context;
use crate::error::{CliError, Result};
use crate::output::{or_dash, table};
use crate::position::Place;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The group; it must have no members
    group: String,
    /// Where to: start, end, an offset, -1h, or @ and milliseconds since 1970
    #[arg(long, allow_hyphen_values = true)]
    to: Place,
    /// Only this topic; needed for topics that the group has not committed yet
    #[arg(long, short)]
    topic: Option<String>,
    /// Only this partition of --topic
    #[arg(long, short, requires = "topic")]
    partition: Option<i32>,
    /// Only show what would be committed
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Row {
    topic: String,
    partition: i32,
    from: Option<i64>,
    to: i64,
}

pub(crate) async fn run(context: &mut Context, args: &Args) -> Result<()> {
    let admin = context.admin().await?;
    let committed = admin.group_offsets(&args.group).await?;
    let partitions = partitions(&admin, args, &committed).await?;
    let targets = targets(&admin, args.to, &partitions).await?;
    if !args.dry_run {
        let offsets = targets.iter().map(|(p, o)| (p.clone(), CommittedOffset::from(*o))).collect();
        admin.alter_group_offsets(&args.group, &offsets).await?;
    }
    let rows: Vec<_> = targets
        .into_iter()
        .map(|(p, to)| Row {
            from: committed.get(&p).map(|c| c.offset.0),
            topic: p.topic.to_string(),
            partition: p.partition.0,
            to: to.0,
        })
        .collect();
    context.out.show(&rows, |rows| {
        let cells = |r: &Row| [r.topic.clone(), r.partition.to_string(), or_dash(r.from), r.to.to_string()];
        table(["TOPIC", "#PARTITION", "#FROM", "#TO"], rows.iter().map(cells))
    })
}

async fn partitions(
    admin: &Admin,
    args: &Args,
    committed: &BTreeMap<TopicPartition, CommittedOffset>,
) -> Result<Vec<TopicPartition>> {
    let Some(name) = &args.topic else {
        if committed.is_empty() {
            let group = args.group.clone();
            let message = format!("group {group} has committed nothing yet; say which topic with --topic");
            return Err(CliError::Usage(message));
        }
        return Ok(committed.keys().cloned().collect());
    };
    let topic = admin.describe_topic(name.as_str()).await?;
    match args.partition.map(PartitionIndex) {
        None => Ok(topic.topic_partitions().collect()),
        Some(wanted) if topic.partition(wanted).is_some() => {
            Ok(vec![TopicPartition::new(topic.name.clone(), wanted)])
        }
        Some(partition) => {
            let (topic, count) = (topic.name.clone(), topic.partitions.len());
            Err(ClientError::UnknownPartition { topic, partition, count }.into())
        }
    }
}

/// Offsets stay within the log; a time after the last record is the end.
async fn targets(
    admin: &Admin,
    to: Place,
    partitions: &[TopicPartition],
) -> Result<BTreeMap<TopicPartition, Offset>> {
    let look_up = async |spec| -> Result<BTreeMap<TopicPartition, Option<Offset>>> {
        let found = admin.list_offsets(partitions.iter().cloned().map(|p| (p, spec))).await?;
        Ok(found.into_iter().map(|(p, o)| (p, o.offset)).collect())
    };
    let ends = look_up(OffsetSpec::Latest).await?;
    let end = |p: &TopicPartition| ends.get(p).copied().flatten().unwrap_or(Offset::ZERO);
    let found = match to.resolve() {
        Ok(offset) => {
            let starts = look_up(OffsetSpec::Earliest).await?;
            let start = |p: &TopicPartition| starts.get(p).copied().flatten().unwrap_or(Offset::ZERO);
            partitions.iter().map(|p| (p.clone(), Some(offset.max(start(p)).min(end(p))))).collect()
        }
        Err(OffsetSpec::Latest) => ends.clone(),
        Err(spec) => look_up(spec).await?,
    };
    Ok(found
        .into_iter()
        .map(|(p, offset)| {
            let offset = offset.unwrap_or_else(|| end(&p));
            (p, offset)
        })
        .collect())
}
