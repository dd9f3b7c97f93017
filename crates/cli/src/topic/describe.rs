//! `ottla topic describe`

use std::collections::BTreeMap;

use ottla_client::{ConfigResource, ConfigSource, Offset, OffsetSpec, PartitionInfo, TopicPartition};
use serde::Serialize;

use crate::args::Context;
use crate::error::Result;
use crate::output::{list, or_dash, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The topic
    topic: String,
}

#[derive(Serialize)]
struct Description {
    topic: String,
    id: String,
    internal: bool,
    partitions: Vec<Row>,
    /// Settings that differ from their defaults.
    configs: BTreeMap<String, Option<String>>,
}

#[derive(Serialize)]
struct Row {
    partition: i32,
    leader: Option<i32>,
    leader_epoch: i32,
    replicas: Vec<i32>,
    isr: Vec<i32>,
    offline: Vec<i32>,
    start: Option<i64>,
    end: Option<i64>,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let admin = context.admin().await?;
    let topic = admin.describe_topic(args.topic.as_str()).await?;
    // Partitions without a leader cannot be asked.
    let led: Vec<_> = topic
        .partitions
        .iter()
        .filter(|p| p.leader.is_some())
        .map(|p| TopicPartition::new(topic.name.clone(), p.index))
        .collect();
    let starts = admin.list_offsets(led.iter().cloned().map(|p| (p, OffsetSpec::Earliest))).await?;
    let ends = admin.list_offsets(led.into_iter().map(|p| (p, OffsetSpec::Latest))).await?;
    let row = |p: &PartitionInfo| {
        let at = TopicPartition::new(topic.name.clone(), p.index);
        let ids = |nodes: &[ottla_client::NodeId]| nodes.iter().map(|n| n.0).collect();
        Row {
            partition: p.index.0,
            leader: p.leader.map(|n| n.0),
            leader_epoch: p.leader_epoch.0,
            replicas: ids(&p.replicas),
            isr: ids(&p.isr),
            offline: ids(&p.offline),
            start: starts.get(&at).and_then(|o| o.offset).map(Offset::get),
            end: ends.get(&at).and_then(|o| o.offset).map(Offset::get),
        }
    };
    let configs = admin.describe_configs(&ConfigResource::Topic(topic.name.clone())).await?;
    let description = Description {
        topic: topic.name.to_string(),
        id: topic.id.to_string(),
        internal: topic.internal,
        partitions: topic.partitions.iter().map(row).collect(),
        configs: configs
            .into_iter()
            .filter(|c| c.source != ConfigSource::Default)
            .map(|c| (c.name, c.value))
            .collect(),
    };
    context.out.show(&description, text)
}

fn text(d: &Description) -> String {
    let configs: String = d
        .configs
        .iter()
        .map(|(name, value)| format!("  {name}={}\n", value.as_deref().unwrap_or("-")))
        .collect();
    let configs = if configs.is_empty() { String::new() } else { format!("settings\n{configs}") };
    let partitions = table(
        ["#PARTITION", "#LEADER", "#EPOCH", "REPLICAS", "ISR", "OFFLINE", "#START", "#END"],
        d.partitions.iter().map(|r| {
            [
                r.partition.to_string(),
                or_dash(r.leader),
                r.leader_epoch.to_string(),
                list(&r.replicas),
                list(&r.isr),
                if r.offline.is_empty() { "-".to_owned() } else { list(&r.offline) },
                or_dash(r.start),
                or_dash(r.end),
            ]
        }),
    );
    format!("topic {}\nid {}\n{configs}\n{partitions}", d.topic, d.id)
}
