//! `ottla topic consume`

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ottla_client::{
    Bytes, Client, ClientError, Consumer, ConsumerConfig, ConsumerRecord, IsolationLevel, Offset,
    OffsetReset, OffsetSpec, PartitionIndex, TopicPartition,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::Context;
use crate::base64;
use crate::error::{CliError, Result};
use crate::position::Place;

const POLL: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The topic
    topic: String,
    /// Where to start: start, end, an offset, -1h, or @ and milliseconds since 1970 [default: start; with
    /// --group: where the group is, and for a new group the start]
    #[arg(long, short, allow_hyphen_values = true)]
    from: Option<Place>,
    /// Stop after so many records
    #[arg(long, short = 'n')]
    limit: Option<u64>,
    /// Stop at the end of the log as it is now
    #[arg(long, short = 'e')]
    until_end: bool,
    /// Read as a member of this group, and commit what was read
    #[arg(long, short)]
    group: Option<String>,
    /// Be a static member of that name: it keeps its partitions over a restart
    #[arg(long, requires = "group", value_name = "NAME")]
    instance: Option<String>,
    /// Only this partition
    #[arg(long, short, conflicts_with = "group")]
    partition: Option<i32>,
    /// Print the key before the value, a tab between them
    #[arg(long, short = 'k')]
    keys: bool,
    /// Do not show records of transactions that are open or were aborted
    #[arg(long)]
    read_committed: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: i64,
    key: Option<Value>,
    value: Option<Value>,
    headers: Vec<Value>,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let client = context.client().await?;
    let mut consumer = start(&client, &args).await?;
    let mut ends = if args.until_end { Some(ends(&client, &args).await?) } else { None };
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut unread = BTreeSet::new();
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    while left > 0 && !ends.as_mut().is_some_and(|ends| at_end(&consumer, ends)) {
        let polled = tokio::select! {
            polled = consumer.poll(POLL) => polled,
            _ = &mut interrupted => break,
        };
        for record in polled? {
            if left == 0 {
                // Given, but not printed: a group goes on at the first of these.
                if unread.insert(record.topic_partition().clone()) {
                    consumer.seek(record.topic_partition(), record.offset)?;
                }
                continue;
            }
            show(context, &args, &record)?;
            left -= 1;
        }
        context.out.finish()?;
    }
    Ok(consumer.close().await?)
}

async fn start(client: &Client, args: &Args) -> Result<Consumer> {
    let partitions = partitions(client, args).await?;
    let isolation_level =
        if args.read_committed { IsolationLevel::ReadCommitted } else { IsolationLevel::ReadUncommitted };
    let reset = match args.from {
        Some(Place::End) => OffsetReset::Latest,
        _ => OffsetReset::Earliest,
    };
    let config = ConsumerConfig {
        group_id: args.group.clone(),
        group_instance_id: args.instance.clone(),
        auto_offset_reset: reset,
        isolation_level,
        ..ConsumerConfig::default()
    };
    let mut consumer = client.consumer(config)?;
    if args.group.is_some() {
        if !matches!(args.from, None | Some(Place::Start | Place::End)) {
            let message = "with --group, --from is start or end; move a group with `ottla group seek`";
            return Err(CliError::Usage(message.to_owned()));
        }
        consumer.subscribe([args.topic.as_str()])?;
        return Ok(consumer);
    }
    consumer.assign(partitions.iter().cloned());
    for partition in &partitions {
        match args.from.unwrap_or(Place::Start).resolve() {
            Ok(offset) => consumer.seek(partition, offset)?,
            Err(spec) => consumer.seek_to(partition, spec)?,
        }
    }
    Ok(consumer)
}

async fn partitions(client: &Client, args: &Args) -> Result<Vec<TopicPartition>> {
    let topic = client.admin().describe_topic(args.topic.as_str()).await?;
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

async fn ends(client: &Client, args: &Args) -> Result<BTreeMap<TopicPartition, Offset>> {
    let partitions = partitions(client, args).await?;
    let ends = client.admin().list_offsets(partitions.into_iter().map(|p| (p, OffsetSpec::Latest))).await?;
    Ok(ends.into_iter().map(|(p, o)| (p, o.offset.unwrap_or(Offset::ZERO))).collect())
}

/// Forgets the partitions that have been read to their ends. In a group, those of other members are not
/// waited for, once this member has any.
fn at_end(consumer: &Consumer, ends: &mut BTreeMap<TopicPartition, Offset>) -> bool {
    ends.retain(|p, end| consumer.position(p).is_none_or(|at| at < *end));
    let assigned = consumer.assignment();
    !assigned.is_empty() && !assigned.iter().any(|p| ends.contains_key(p))
}

fn show(context: &mut Context, args: &Args, record: &ConsumerRecord) -> Result<()> {
    if context.out.is_json() {
        return context.out.json_line(&Row {
            topic: record.topic().as_str(),
            partition: record.partition().0,
            offset: record.offset.0,
            timestamp: record.timestamp,
            key: record.key.as_ref().map(json_text),
            value: record.value.as_ref().map(json_text),
            headers: record
                .headers
                .iter()
                .map(|h| json!({"key": h.key_str(), "value": h.value.as_ref().map(json_text)}))
                .collect(),
        });
    }
    if args.keys {
        context.out.raw(record.key.as_deref().unwrap_or(b"null"))?;
        context.out.raw(b"\t")?;
    }
    context.out.line(record.value.as_deref().unwrap_or(b"null"))
}

/// Text as a string, other bytes as `{"base64": …}`.
fn json_text(bytes: &Bytes) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => json!({"base64": base64::encode(bytes)}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_marked() {
        assert_eq!(json_text(&Bytes::from_static(b"a\"b")), json!("a\"b"));
        assert_eq!(json_text(&Bytes::from_static(&[0xff, 0])), json!({"base64": "/wA="}));
    }
}
