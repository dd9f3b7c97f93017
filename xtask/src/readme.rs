//! `cargo xtask readme`: runs the commands that README.md shows, and checks that they print what it shows.
//!
//! A fenced block marked `console` is a session: `$ ` begins a command, `> ` goes on with it, the rest is output. All run in
//! one temporary directory, in the order of the page. The one that starts `ottla-broker` stays in the background once it
//! has printed its `ready` line. What differs from run to run does not count: see [`session::matches`].
//!
//! A scrape of the same node is the source of docs/reference/metrics.md.

mod metrics;
mod node;
mod session;

use std::fs;
use std::path::Path;
use std::process::Command;

use self::node::{Node, Ports};
use self::session::Step;
use crate::Failure;
use crate::ci::cargo;
use crate::docs::{is_fresh, write_page};
use crate::kafka_jars::{run as run_command, workspace_root};

/// Flags of the command.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write what the commands print into README.md, and the metrics of the node into docs/reference/metrics.md
    #[arg(long)]
    update: bool,
    /// Take the binaries in target/release as they are
    #[arg(long)]
    no_build: bool,
}

const PAGE: &str = "README.md";
const METRICS: &str = "docs/reference/metrics.md";
/// The command that stays in the background.
const BROKER: &str = "cargo run --release --bin ottla-broker";
/// What one command may take, seconds.
const LIMIT: &str = "180";

/// Runs the page; an error names the command and both outputs.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let root = workspace_root().canonicalize()?;
    if !arguments.no_build {
        let mut build = cargo();
        build.args(["build", "--release", "--quiet", "--bin", "ottla-broker", "--bin", "ottla"]);
        run_command(build.current_dir(&root))?;
    }
    let page = fs::read_to_string(root.join(PAGE))?;
    let folder = tempfile::Builder::new().prefix("ottla-readme-").tempdir()?;
    let ports = Ports::find()?;
    node::put_ottla_on_path(folder.path(), &ports)?;
    let mut broker = None;
    let mut shown = Vec::new();
    for step in session::steps(&page) {
        tell(&format!("$ {}", step.command.lines().next().unwrap_or_default()));
        let printed = if step.command.starts_with(BROKER) {
            broker = Some(Node::start(folder.path(), &ports)?);
            broker.as_mut().map_or_else(String::new, Node::take_output)
        } else {
            execute(&step, folder.path(), &ports)?
        };
        let printed = ports.as_in_the_page(&printed.replace(&folder.path().display().to_string(), "."));
        if !arguments.update && !session::matches(&step.output, &printed) {
            let Step { command, output, .. } = &step;
            return Err(format!(
                "README.md shows for\n$ {command}\n{output}\nbut it printed\n{printed}\nMend what is wrong; \
                 `cargo xtask readme --update` writes the new output into the page."
            )
            .into());
        }
        shown.push((step, printed));
    }
    if broker.is_none() {
        return Err(format!("no block of README.md runs `{BROKER}`").into());
    }
    let families = metrics::page(&node::scrape(&ports)?);
    if arguments.update {
        fs::write(root.join(PAGE), session::with_outputs(&page, &shown))?;
        write_page(METRICS, &families)?;
    } else if !is_fresh(METRICS, &families) {
        return Err(format!(
            "{METRICS} is not what the node exports: run `cargo xtask readme --update`\n{families}"
        )
        .into());
    }
    tell(&format!("{} commands print what README.md shows", shown.len()));
    Ok(())
}

/// Runs a command that must succeed, as a terminal would show it.
fn execute(step: &Step, folder: &Path, ports: &Ports) -> Result<String, Failure> {
    let mut shell = Command::new("timeout");
    shell.args([LIMIT, "bash", "-c"]).arg(format!("exec 2>&1\n{}", ports.as_found(&step.command)));
    let path = std::env::var("PATH").unwrap_or_default();
    shell.env("PATH", format!("{}:{path}", folder.join("bin").display())).current_dir(folder);
    let done = shell.output().map_err(|error| format!("cannot run bash: {error}"))?;
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(printed);
    }
    Err(format!("README.md, line {}: $ {}\n{printed}\nended with {}", step.line, step.command, done.status)
        .into())
}

#[expect(clippy::print_stderr, reason = "progress of a command for people")]
fn tell(line: &str) {
    eprintln!("{line}");
}
