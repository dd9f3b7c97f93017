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
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).current_dir(workspace_root());
        run(&mut cargo)
    };
    cargo(&["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"])?;
    cargo(&["fmt", "--all"])
}
