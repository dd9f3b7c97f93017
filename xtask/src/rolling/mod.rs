//! `cargo xtask rolling`: three nodes under load are restarted one by one onto a build with a newer format of the metadata, back
//! again, and once more for good. No client may see an error that does not pass, and nothing acknowledged may be lost.
//!
//! ```text
//!  old old old ─▶ next ─▶ old ─▶ next ─▶ finalized: level 31 ─▶ restarted once more ─▶ an old one is refused
//! ```
//! The newer build is the same code with the feature `next-metadata-version`: a level above the latest, with another version
//! of a metadata record and of two private APIs.

mod load;
mod nodes;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use self::load::Load;
use self::nodes::{Nodes, refused};
use crate::Failure;
use crate::ci::cargo;
use crate::kafka_jars::{run as run_command, target_dir, workspace_root};

/// What the feature adds.
const NEXT_LEVEL: i16 = 31;
const FEATURE: &str = "next-metadata-version";
/// What a build says that does not support the finalized level.
const TOO_OLD: &str =
    "the cluster is at level 31 of metadata.version, but this build supports 17 to 30: run a newer one";

#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Two binaries that are there already, old and next, rather than building them
    #[arg(long, num_args = 2, value_names = ["OLD", "NEXT"])]
    binaries: Vec<PathBuf>,
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let work = tempfile::tempdir()?;
    let began = Instant::now();
    let [old, next] = match arguments.binaries.as_slice() {
        [old, next] => [old.canonicalize()?, next.canonicalize()?],
        _ => [
            build(&[], &work.path().join("old"))?,
            build(&["--features", FEATURE], &work.path().join("next"))?,
        ],
    };
    println!("both builds are there after {:.0?}", began.elapsed());
    let began = Instant::now();
    let told = roll(&old, &next, work.path())?;
    println!("{told}\nwithin {:.0?}", began.elapsed());
    Ok(())
}

/// The broker with these arguments of cargo, as `target`: the next build takes its place.
fn build(arguments: &[&str], target: &Path) -> Result<PathBuf, Failure> {
    let root = workspace_root();
    let package = ["build", "--locked", "--quiet", "--package", "ottla-broker-bin"];
    run_command(cargo().args(package).args(arguments).current_dir(&root))?;
    run_command(Command::new("cp").arg(target_dir("").join("debug/ottla-broker")).arg(target))?;
    Ok(target.to_owned())
}

#[expect(clippy::print_stdout, reason = "what it is doing")]
fn roll(old: &Path, next: &Path, work: &Path) -> Result<String, Failure> {
    let mut nodes = Nodes::start(old, work)?;
    let load = Load::start(nodes.bootstrap())?;
    println!("onto the next build, and back before its format is finalized");
    nodes.restart_each(next)?;
    nodes.restart_each(old)?;
    println!("onto the next build again");
    for id in nodes.ids() {
        match nodes.finalize(NEXT_LEVEL)? {
            Some(reason) if reason.contains("only supports versions 17-30") => {}
            other => return Err(format!("node {id} is of the old build, but the answer is {other:?}").into()),
        }
        nodes.restart(id, next)?;
    }
    if let Some(refused) = nodes.finalize(NEXT_LEVEL)? {
        return Err(format!("level {NEXT_LEVEL} is refused although all nodes support it: {refused}").into());
    }
    println!("finalized: level {NEXT_LEVEL}");
    nodes.restart_each(next)?;
    let id = nodes.stop_one()?;
    refused(&nodes.home(id), old, TOO_OLD)?;
    refused(&nodes.broker_alone(work)?, old, TOO_OLD)?;
    println!("the old build is refused");
    nodes.restart(id, next)?;
    load.stop_and_check()
}
