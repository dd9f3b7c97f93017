//! `ottla group list`

use serde::Serialize;

use crate::args::Context;
use crate::error::Result;
use crate::output::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only groups whose id contains this
    #[arg(value_name = "TEXT")]
    containing: Option<String>,
}

#[derive(Serialize)]
struct Row {
    group: String,
    state: String,
    kind: String,
    protocol_type: String,
}

pub(crate) async fn run(context: &mut Context, args: &Args) -> Result<()> {
    let admin = context.admin().await?;
    let rows: Vec<_> = admin
        .list_groups()
        .await?
        .into_iter()
        .filter(|g| args.containing.as_deref().is_none_or(|text| g.id.contains(text)))
        .map(|g| Row { group: g.id, state: g.state, kind: g.kind, protocol_type: g.protocol_type })
        .collect();
    context.out.show(&rows, |rows| {
        let cells = |r: &Row| [r.group.clone(), r.state.clone(), r.kind.clone(), r.protocol_type.clone()];
        table(["GROUP", "STATE", "TYPE", "PROTOCOL"], rows.iter().map(cells))
    })
}
