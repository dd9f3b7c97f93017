//! `cargo xtask docs`: the pages of docs/reference that are generated from tables in the code.

use std::fs;

use crate::kafka_jars::workspace_root;
use crate::Failure;

/// Flags of the command.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail if a page is not up to date
    #[arg(long)]
    check: bool,
}

/// Path below the workspace and content of every generated page.
fn pages() -> Vec<(&'static str, String)> {
    vec![("docs/reference/configs.md", ottla_config::reference_page())]
}

/// Writes the pages, or tells whether they are up to date.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    for (path, content) in pages() {
        let full = workspace_root().join(path);
        if fs::read_to_string(&full).is_ok_and(|on_disk| on_disk == content) {
            continue;
        }
        if arguments.check {
            return Err(format!("{path} is not up to date: run `cargo xtask docs`").into());
        }
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&full, content)?;
    }
    Ok(())
}
