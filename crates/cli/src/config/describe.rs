//! `ottla config describe`

use ottla_client::{ConfigEntry, ConfigSource};
use serde::Serialize;

use super::Subject;
use crate::args::Context;
use crate::error::Result;
use crate::output::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    subject: Subject,
    /// Settings that have their default values too
    #[arg(long, short)]
    all: bool,
    /// Only settings whose name contains this
    #[arg(long, short, value_name = "TEXT")]
    name_contains: Option<String>,
    /// What each setting does
    #[arg(long, short)]
    docs: bool,
}

#[derive(Serialize)]
struct Row {
    name: String,
    value: Option<String>,
    source: &'static str,
    read_only: bool,
    sensitive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    documentation: Option<String>,
}

pub(crate) async fn run(context: &mut Context, args: &Args) -> Result<()> {
    let resource = args.subject.resource()?;
    let entries = context.admin().await?.describe_configs(&resource).await?;
    let wanted = |e: &ConfigEntry| {
        let named = args.name_contains.as_deref().is_none_or(|text| e.name.contains(text));
        named && (args.all || args.name_contains.is_some() || e.source != ConfigSource::Default)
    };
    let rows: Vec<_> = entries
        .into_iter()
        .filter(wanted)
        .map(|e| Row {
            name: e.name,
            value: e.value,
            source: e.source.name(),
            read_only: e.read_only,
            sensitive: e.sensitive,
            documentation: e.documentation.filter(|_| args.docs),
        })
        .collect();
    if rows.is_empty() && !context.out.is_json() {
        context.out.note("every setting has its default value; --all shows them");
        return Ok(());
    }
    context.out.show(&rows, |rows| text(rows, args.docs))
}

fn text(rows: &[Row], docs: bool) -> String {
    if docs {
        let one = |r: &Row| {
            let doc = r.documentation.as_deref().unwrap_or("-");
            format!("{}={}  ({})\n    {doc}\n", r.name, value(r), r.source)
        };
        return rows.iter().map(one).collect();
    }
    table(["NAME", "VALUE", "SOURCE"], rows.iter().map(|r| [r.name.clone(), value(r), r.source.to_owned()]))
}

fn value(row: &Row) -> String {
    match (&row.value, row.sensitive) {
        (_, true) => "(secret)".to_owned(),
        (Some(value), _) => value.clone(),
        (None, _) => "-".to_owned(),
    }
}
