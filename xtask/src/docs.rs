//! `cargo xtask docs`: the pages of docs/reference that are generated from tables in the code.
//!
//! `docs/reference/metrics.md` is not here: it is what a scrape of a running broker shows, see `cargo xtask readme`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use ottla_protocol::ApiKey;
use ottla_server::apis_page;

use crate::kafka_jars::workspace_root;
use crate::{Failure, fuzz};

/// Flags of the command.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail if a page is not up to date
    #[arg(long)]
    check: bool,
}

/// Writes the pages, or tells whether they are up to date.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    for (path, content) in pages()? {
        if is_fresh(path, &content) {
            continue;
        }
        if arguments.check {
            return Err(format!("{path} is not up to date: run `cargo xtask docs`").into());
        }
        write_page(path, &content)?;
    }
    Ok(())
}

/// Writes a page below the workspace.
pub(crate) fn write_page(path: &str, content: &str) -> Result<(), Failure> {
    let full = workspace_root().join(path);
    if let Some(folder) = full.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(&full, content)?)
}

/// Whether the page on disk is `content`.
pub(crate) fn is_fresh(path: &str, content: &str) -> bool {
    fs::read_to_string(workspace_root().join(path)).is_ok_and(|on_disk| on_disk == content)
}

/// Path below the workspace and content of every generated page.
fn pages() -> Result<Vec<(&'static str, String)>, Failure> {
    Ok(vec![
        ("docs/reference/configs.md", ottla_config::reference_page()),
        ("docs/reference/apis.md", apis()),
        ("docs/reference/fuzzing.md", fuzz::page()?),
    ])
}

const APIS: &str = "\
# APIs

<!-- Written by `cargo xtask docs` from the `apis!` tables; edit the rows there. -->

Every API that Kafka 4.4 has, and which of them a node answers. What ApiVersions tells is in the column *versions*, unless
it says otherwise. The lane is the part of the process that answers: the connection itself, the metadata image of the
node, its logs, a coordinator's shard, or the active controller, to which a broker forwards. The permission is what will be
asked of the principal once there are ACLs; *per resource* means that the handler asks about each resource of the request.

";

fn apis() -> String {
    let broker = ottla_broker::api::API_TABLE;
    let controller = ottla_controller::API_TABLE;
    let mut page = String::from(APIS);
    page.push_str(&apis_page("Broker listeners", broker));
    page.push('\n');
    page.push_str(&apis_page("Controller listeners", controller));
    page.push_str(
        "\nThose from 10000 on are Ottla's own, between its nodes and for its tools. The tables are in `crates/broker/src/api/mod.rs` and \
         `crates/controller/src/apis.rs`.\n\n## Not answered yet\n\n| key | API |\n|---:|---|\n",
    );
    let served: BTreeSet<ApiKey> =
        broker.iter().map(|row| row.key).chain(controller.iter().map(|row| row.key)).collect();
    for key in ApiKey::all().filter(|key| !served.contains(key)) {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| {} | {} |", key.code(), key.name());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_pages_are_up_to_date() {
        for (path, content) in pages().unwrap() {
            assert!(is_fresh(path, &content), "{path} is not up to date: run `cargo xtask docs`");
        }
    }

    #[test]
    fn the_page_of_apis_has_all_91_of_kafka() {
        let page = apis();
        for key in ApiKey::all() {
            assert!(page.contains(&format!("| {} | {} |", key.code(), key.name())), "{key} is missing");
        }
        assert_eq!(ApiKey::all().filter(|key| !key.is_private()).count(), 91);
    }
}
