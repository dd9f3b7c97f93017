//! `ottla storage dump`

use std::path::{Path, PathBuf};

use ottla_env::RealDisk;
use ottla_records::{BatchView, Record, RecordsError};
use ottla_storage::inspect::{self, Item};
use serde_json::{Value, json};

use crate::args::Context;
use crate::error::{CliError, Result};
use crate::output::Output;

pub(super) const ABOUT: &str = "\
Show what is in files of a partition's folder, as Kafka's DumpLogSegments does: batches of a .log with their checksums, entries of \
an .index or .timeindex, producers of a .snapshot. Files are only read; those of a running node may change meanwhile.";

/// How large the records of one batch may become.
const MAX_DECOMPRESSED: usize = 256 << 20;

/// What is told of one thing, in order.
type Fields = Vec<(&'static str, Value)>;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files to show
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Show the records of each batch too
    #[arg(long, short)]
    records: bool,
}

pub(crate) fn run(context: &mut Context, args: Args) -> Result<()> {
    let (mut bad, out) = (0_u64, &mut context.out);
    for file in &args.files {
        if !out.is_json() {
            out.line(format!("{}", file.display()).as_bytes())?;
        }
        let mut shown = Ok(());
        let mut show = |item: Item| {
            shown = show(out, file, &item, args.records, &mut bad);
            shown.is_ok()
        };
        inspect::dump(&RealDisk, file, &mut show)?;
        shown?;
    }
    out.finish()?;
    if bad == 0 { Ok(()) } else { Err(CliError::Damaged(bad)) }
}

fn show(out: &mut Output, file: &Path, item: &Item, records: bool, bad: &mut u64) -> Result<()> {
    let mut fields = match item {
        Item::Batch(position, view) => {
            let crc_holds = view.check_crc().is_ok();
            *bad += u64::from(!crc_holds);
            vec![
                ("position", json!(position)),
                ("base_offset", json!(view.base_offset.0)),
                ("last_offset", json!(view.last_offset().0)),
                ("records", json!(view.records_count)),
                ("size", json!(view.size())),
                ("codec", json!(view.attributes.codec().map_or("?", |codec| codec.name()))),
                ("leader_epoch", json!(view.partition_leader_epoch.0)),
                ("producer_id", json!(view.producer_id.0)),
                ("producer_epoch", json!(view.producer_epoch.0)),
                ("base_sequence", json!(view.base_sequence)),
                ("transactional", json!(view.attributes.is_transactional())),
                ("control", json!(view.attributes.is_control())),
                ("max_timestamp", json!(view.max_timestamp)),
                ("crc_holds", json!(crc_holds)),
            ]
        }
        Item::Offset(offset, position) => vec![("offset", json!(offset.0)), ("position", json!(position))],
        Item::Timestamp(timestamp, offset) => {
            vec![("timestamp", json!(timestamp)), ("offset", json!(offset.0))]
        }
        Item::Producer(entry) => vec![
            ("producer_id", json!(entry.id.0)),
            ("producer_epoch", json!(entry.epoch.0)),
            ("last_sequence", json!(entry.last_sequence)),
            ("last_offset", json!(entry.last_offset.0)),
            ("last_timestamp", json!(entry.last_timestamp)),
            ("open_transaction_from", json!(entry.txn_first_offset.map(|offset| offset.0))),
        ],
        Item::Bad(position, reason) => {
            *bad += 1;
            vec![("position", json!(position)), ("bad", json!(reason))]
        }
    };
    let inside = match item {
        Item::Batch(_, view) if records => records_of(view, bad),
        _ => Vec::new(),
    };
    if out.is_json() {
        fields.push(("file", json!(file.display().to_string())));
        if records && !inside.is_empty() {
            let objects: Vec<Value> = inside.into_iter().map(object).collect();
            fields.push(("batch", objects.into()));
        }
        return out.json_line(&object(fields));
    }
    out.line(format!("  {}", words(&fields)).as_bytes())?;
    inside.iter().try_for_each(|record| out.line(format!("    {}", words(record)).as_bytes()))
}

fn records_of(view: &BatchView, bad: &mut u64) -> Vec<Fields> {
    let text = |bytes: &Option<ottla_client::Bytes>| {
        bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let mut fault = |error: RecordsError| {
        *bad += 1;
        vec![("bad", json!(error.to_string()))]
    };
    let all = match view.records(MAX_DECOMPRESSED) {
        Ok(all) => all,
        Err(error) => return vec![fault(error)],
    };
    let fields = |record: Record| {
        vec![
            ("offset", json!(record.offset.0)),
            ("timestamp", json!(record.timestamp)),
            ("key", json!(text(&record.key))),
            ("value", json!(text(&record.value))),
            ("headers", json!(record.headers.len())),
        ]
    };
    all.map(|record| record.map_or_else(&mut fault, fields)).collect()
}

/// `a: 1 b: x`, as DumpLogSegments has it.
fn words(fields: &Fields) -> String {
    let pairs = fields.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    });
    pairs.collect::<Vec<_>>().join(" ")
}

fn object(fields: Fields) -> Value {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
