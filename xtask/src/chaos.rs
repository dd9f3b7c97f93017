//! `cargo xtask chaos`: real nodes under partitions, pauses, kills and losses of power. Builds the nodes and the harness (`chaos`,
//! a workspace of its own), and starts it in namespaces of its own, which end with it: its network, mounts and processes too.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Failure;
use crate::ci::cargo;
use crate::kafka_jars::{run as run_command, target_dir, workspace_root};

/// New mounts, network and processes; all of them end when the process that was started ends.
const NAMESPACES: [&str; 6] = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// For how long faults happen, minutes
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// Only this fault, may be given several times; an unknown one has them all listed
    #[arg(long)]
    only: Vec<String>,
    /// What everything is drawn from; the time if none is given
    #[arg(long)]
    seed: Option<u64>,
    /// Nodes, each broker and controller, 3 to 5
    #[arg(long, default_value_t = 3)]
    nodes: i32,
    /// Records per second
    #[arg(long, default_value_t = 2000)]
    records_per_s: u32,
    /// A line of server.properties for all nodes
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Acknowledged records have to be lost: shows that a loss is found, with `--only power-loss --set log.durability=os`
    #[arg(long)]
    expect_loss: bool,
    /// Print the result as JSON too
    #[arg(long)]
    json: bool,
    /// Keep the nodes' logs and disks, also if all is well
    #[arg(long)]
    keep: bool,
}

impl Arguments {
    /// All faults, for so many minutes.
    pub(crate) fn of(minutes: f64) -> Self {
        Self {
            minutes,
            only: Vec::new(),
            seed: None,
            nodes: 3,
            records_per_s: 2000,
            settings: Vec::new(),
            expect_loss: false,
            json: false,
            keep: false,
        }
    }

    fn to_flags(&self, seed: u64) -> Vec<String> {
        let mut flags = vec![
            format!("--minutes={}", self.minutes),
            format!("--seed={seed}"),
            format!("--nodes={}", self.nodes),
            format!("--records-per-s={}", self.records_per_s),
        ];
        flags.extend(self.only.iter().map(|only| format!("--only={only}")));
        flags.extend(self.settings.iter().map(|setting| format!("--set={setting}")));
        let switches = [("--expect-loss", self.expect_loss), ("--json", self.json), ("--keep", self.keep)];
        flags.extend(switches.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned()));
        flags
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    check_rights()?;
    let root = workspace_root().canonicalize()?;
    let target = root.join("target/chaos");
    let release = ["build", "--release", "--locked", "--quiet"];
    run_command(cargo().args(release).args(["--bin", "ottla-broker"]).current_dir(&root))?;
    let harness =
        cargo().args(release).arg("--target-dir").arg(&target).current_dir(root.join("chaos")).status()?;
    if !harness.success() {
        return Err("the harness does not build".into());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = arguments.seed.unwrap_or(now.as_secs());
    let work = target.join(format!("run-{seed}"));
    if work.exists() {
        std::fs::remove_dir_all(&work)?;
    }
    let ended = isolated()
        .arg(target.join("release/ottla-chaos"))
        .arg("--binary")
        .arg(target_dir("").join("release/ottla-broker"))
        .arg("--work")
        .arg(&work)
        .args(arguments.to_flags(seed))
        .status()?;
    if !ended.success() {
        let place = work.display();
        return Err(format!(
            "the run with seed {seed} failed; its logs, and the disks as they were, are in {place}"
        )
        .into());
    }
    tidy(&work, arguments.keep)
}

fn tidy(work: &Path, keep: bool) -> Result<(), Failure> {
    if keep { Ok(()) } else { Ok(std::fs::remove_dir_all(work)?) }
}

/// A command in new namespaces; it is killed if this process dies.
fn isolated() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]).args(NAMESPACES);
    command
}

fn check_rights() -> Result<(), Failure> {
    let remedy =
        "run it as root on Linux, in a container with --privileged, with iproute2 and util-linux installed";
    let can = |arguments: &[&str]| {
        let tried = isolated().args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    if !can(&["true"]) {
        return Err(format!("namespaces may not be made here: {remedy}").into());
    }
    if !can(&["ip", "link", "set", "lo", "up"]) {
        return Err(format!("the network of a new namespace cannot be set up with ip: {remedy}").into());
    }
    let fuse = Path::new("/dev/fuse");
    if std::fs::OpenOptions::new().read(true).write(true).open(fuse).is_err() {
        return Err(format!(
            "{} cannot be opened, and disks that lose power are FUSE: {remedy}",
            fuse.display()
        )
        .into());
    }
    Ok(())
}
