//! `cargo xtask ci` and `cargo xtask fix`.

use std::process::Command;

use crate::Failure;
use crate::kafka_jars::{run, workspace_root};

/// Runs what CI runs. It changes nothing in the tree.
pub(crate) fn ci() -> Result<(), Failure> {
    run(Command::new("bash").arg(".ci/run").current_dir(workspace_root()))
}

/// Formats the code and applies what the lints suggest, also to changes that are not committed yet.
pub(crate) fn fix() -> Result<(), Failure> {
    let run_cargo = |arguments: &[&str]| run(cargo().args(arguments).current_dir(workspace_root()));
    run_cargo(&["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"])?;
    run_cargo(&["fmt", "--all"])
}

/// The cargo that runs this program, or the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
