//! `ottla topic list`

use serde::Serialize;

use crate::args::Context;
use crate::error::Result;
use crate::output::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only topics whose name contains this
    #[arg(value_name = "TEXT")]
    containing: Option<String>,
    /// The platform's own topics too
    #[arg(long, short)]
    internal: bool,
}

#[derive(Serialize)]
struct Row {
    topic: String,
    id: String,
    partitions: usize,
    replicas: usize,
    internal: bool,
}

pub(crate) async fn run(context: &mut Context, args: &Args) -> Result<()> {
    let admin = context.admin().await?;
    let wanted = |name: &str| args.containing.as_deref().is_none_or(|text| name.contains(text));
    let rows: Vec<_> = admin
        .list_topics()
        .await?
        .into_iter()
        .filter(|t| (args.internal || !t.internal) && wanted(t.name.as_str()))
        .map(|t| Row {
            topic: t.name.to_string(),
            id: t.id.to_string(),
            partitions: t.partitions.len(),
            replicas: t.partitions.first().map_or(0, |p| p.replicas.len()),
            internal: t.internal,
        })
        .collect();
    context.out.show(&rows, |rows| {
        let cells = |r: &Row| [r.topic.clone(), r.partitions.to_string(), r.replicas.to_string()];
        table(["TOPIC", "#PARTITIONS", "#REPLICAS"], rows.iter().map(cells))
    })
}
