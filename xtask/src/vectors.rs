//! `cargo xtask vectors --refresh`: has Kafka's own classes author the bytes under `tests/vectors`, which
//! `cargo test -p ottla-protocol` reads and writes back without Java.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use ottla_protocol::registry::{ALL, Entry};
use ottla_protocol::schema::MessageKind;

use crate::Failure;
use crate::kafka_jars::{CEILING, COMPLETE, Release, workspace_root};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Author them all anew; needs Java 17 and Maven
    #[arg(long, required = true)]
    refresh: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    debug_assert!(arguments.refresh, "the only mode");
    let folder = workspace_root().join("tests/vectors");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let kafkas = || ALL.iter().filter(|entry| !is_private(entry));
    author(&CEILING, &folder, kafkas().filter(|entry| !needs_complete_release(entry)))?;
    author(&COMPLETE, &folder, kafkas().filter(|entry| needs_complete_release(entry)))
}

/// Ours, unknown to Kafka.
fn is_private(entry: &Entry) -> bool {
    matches!(entry.schema.kind, MessageKind::Request(key) | MessageKind::Response(key) if key.is_private())
}

/// Records of the metadata log and of internal topics, and two files, are not in the clients' jar.
fn needs_complete_release(entry: &Entry) -> bool {
    matches!(entry.schema.kind, MessageKind::Record(_))
        || ["ProducerSnapshot", "QuorumStateData"].contains(&entry.schema.name)
}

fn author<'a>(
    release: &Release,
    folder: &Path,
    entries: impl Iterator<Item = &'a Entry>,
) -> Result<(), Failure> {
    let mut java = Command::new("java")
        .args(["-cp", &release.class_path()?])
        .arg(workspace_root().join("xtask/java/Vectors.java"))
        .arg(folder)
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut names) = java.stdin.take() {
        for entry in entries {
            writeln!(names, "{}", entry.schema.name)?;
        }
    }
    let status = java.wait()?;
    if status.success() { Ok(()) } else { Err(format!("xtask/java/Vectors.java ended with {status}").into()) }
}
