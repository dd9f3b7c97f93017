//! `ottla storage import`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ottla_env::{Disk, RealDisk};
use ottla_storage_import::{ImportOptions, Progress, Report, import};
use serde::Serialize;

use crate::args::Context;
use crate::error::{CliError, Result};
use crate::output::{Output, table};

pub(super) const ABOUT: &str = "\
Take over the data directories of a Kafka node that was stopped cleanly: topics with their ids, epochs, configs and records, \
groups with their offsets, the cluster's id, settings and producer ids.

The node has to be the only controller of its cluster (KRaft), and the only broker, or see --sole-replica. Kafka's directories \
are only read. What Ottla cannot keep is an error, or a warning in the result. Should the import be interrupted, repeat it. \
Once Ottla has run on the imported directory, do not start Kafka on the old one: there is no way back.";

const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Kafka's directories: all of log.dirs, and metadata.log.dir if it is another
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Where to: one directory for all, or one for each in the same order; created, or empty
    #[arg(long, default_value = "ottla-data", value_name = "DIR")]
    data_dir: Vec<PathBuf>,
    /// Link segments that get no more records instead of copying them: needs one file system, and Kafka's
    /// directory must not be used afterwards
    #[arg(long)]
    link: bool,
    /// Give up the replicas that other nodes have: this node's become the only ones
    #[arg(long)]
    sole_replica: bool,
    /// Check everything and show what would be imported; write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Imported {
    cluster: String,
    node: i32,
    dry_run: bool,
    directories: Vec<Directory>,
    topics: Vec<Topic>,
    configured_resources: usize,
    metadata_offset: i64,
    next_producer_id: i64,
    copied_bytes: u64,
    linked_bytes: u64,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Directory {
    from: String,
    to: String,
    id: String,
    logs: bool,
    metadata: bool,
}

#[derive(Serialize)]
struct Topic {
    topic: String,
    id: String,
    partitions: usize,
    partitions_with_files: usize,
    offsets: i64,
    bytes: u64,
}

pub(crate) fn run(context: &mut Context, args: Args) -> Result<()> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let options = ImportOptions {
        sources: args.dirs.iter().map(|dir| absolute(dir)).collect::<Result<_>>()?,
        targets: args.data_dir.iter().map(|dir| absolute(dir)).collect::<Result<_>>()?,
        link: args.link,
        sole_replica: args.sole_replica,
        dry_run: args.dry_run,
    };
    let mut shown = Instant::now();
    let mut show = |progress: Progress| {
        if shown.elapsed() >= EVERY {
            shown = Instant::now();
            note_progress(&context.out, progress);
        }
    };
    let report = import(&disk, &options, &mut show).map_err(|e| CliError::Import(Box::new(e)))?;
    for warning in &report.warnings {
        context.out.note(&format!("warning: {warning}"));
    }
    context.out.show(&Imported::from(report), text)
}

/// So that it can be compared with others, and says where it is when it is printed.
fn absolute(dir: &Path) -> Result<PathBuf> {
    let resolved = std::fs::canonicalize(dir).or_else(|_| std::path::absolute(dir));
    resolved.map_err(|e| CliError::Usage(format!("{}: {e}", dir.display())))
}

fn note_progress(out: &Output, progress: Progress) {
    let Progress { partitions, all_partitions, bytes, all_bytes } = progress;
    let mib = |bytes: u64| bytes >> 20;
    out.note(&format!(
        "{partitions} of {all_partitions} partitions, {} of {} MiB",
        mib(bytes),
        mib(all_bytes)
    ));
}

impl From<Report> for Imported {
    fn from(report: Report) -> Self {
        let directories = report.directories.into_iter().map(|dir| Directory {
            from: dir.from.display().to_string(),
            to: dir.to.display().to_string(),
            id: dir.id.to_string(),
            logs: dir.logs,
            metadata: dir.metadata,
        });
        let topics = report.topics.into_iter().map(|topic| Topic {
            topic: topic.name.to_string(),
            id: topic.id.to_string(),
            partitions: topic.partitions,
            partitions_with_files: topic.with_files,
            offsets: topic.offsets,
            bytes: topic.bytes,
        });
        Self {
            cluster: report.cluster_id,
            node: report.node_id.0,
            dry_run: report.dry_run,
            directories: directories.collect(),
            topics: topics.collect(),
            configured_resources: report.configured,
            metadata_offset: report.metadata_offset.0,
            next_producer_id: report.next_producer_id.0,
            copied_bytes: report.copied_bytes,
            linked_bytes: report.linked_bytes,
            warnings: report.warnings,
        }
    }
}

fn text(done: &Imported) -> String {
    let directories = table(
        ["FROM", "TO", "DIRECTORY-ID"],
        done.directories.iter().map(|d| [d.from.clone(), d.to.clone(), d.id.clone()]),
    );
    let cells = |t: &Topic| {
        let partitions = format!("{}/{}", t.partitions_with_files, t.partitions);
        [t.topic.clone(), t.id.clone(), partitions, t.offsets.to_string(), t.bytes.to_string()]
    };
    let topics = table(["TOPIC", "ID", "#WITH-FILES", "#OFFSETS", "#BYTES"], done.topics.iter().map(cells));
    let what = if done.dry_run { "nothing is written (--dry-run)" } else { "imported" };
    format!(
        "cluster {}\nnode {}\n\n{directories}\n{topics}\n{what}: {} topics, {} bytes copied, {} linked, {} warnings\n{}",
        done.cluster,
        done.node,
        done.topics.len(),
        done.copied_bytes,
        done.linked_bytes,
        done.warnings.len(),
        next_step(done)
    )
}

/// How to start a node on it.
fn next_step(done: &Imported) -> String {
    if done.dry_run {
        return String::new();
    }
    let logs = done.directories.iter().filter(|dir| dir.logs);
    let mut dirs: Vec<&str> = logs.map(|dir| dir.to.as_str()).collect();
    dirs.dedup();
    let metadata = done.directories.iter().find(|dir| dir.metadata).map(|dir| dir.to.as_str());
    let metadata = metadata.filter(|dir| dirs.first() != Some(dir));
    let metadata = metadata.map_or_else(String::new, |dir| format!(" --set metadata.log.dir={dir}"));
    format!("start: ottla-broker --set node.id={} --set log.dirs={}{metadata}\n", done.node, dirs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(to: &str, logs: bool, metadata: bool) -> Directory {
        Directory { from: "/kafka".into(), to: to.into(), id: "id".into(), logs, metadata }
    }

    fn imported(directories: Vec<Directory>) -> Imported {
        Imported {
            cluster: "c".into(),
            node: 7,
            dry_run: false,
            directories,
            topics: Vec::new(),
            configured_resources: 0,
            metadata_offset: 1,
            next_producer_id: 0,
            copied_bytes: 0,
            linked_bytes: 0,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn the_result_says_how_to_start_a_node_on_it() {
        let one = imported(vec![directory("/a", true, true), directory("/a", true, false)]);
        assert_eq!(next_step(&one), "start: ottla-broker --set node.id=7 --set log.dirs=/a\n");
        let apart =
            vec![directory("/a", true, false), directory("/b", true, false), directory("/m", false, true)];
        assert_eq!(
            next_step(&imported(apart)),
            "start: ottla-broker --set node.id=7 --set log.dirs=/a,/b --set metadata.log.dir=/m\n"
        );
        assert_eq!(next_step(&Imported { dry_run: true, ..one }), "");
    }
}
