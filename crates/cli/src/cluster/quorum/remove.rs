//! `ottla cluster quorum remove`

use ottla_client::{DirectoryId, NodeId};
use serde::Serialize;

use crate::args::Context;
use crate::error::{CliError, Result};
use crate::output::list;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The controller's node id
    #[arg(value_name = "NODE")]
    node: i32,
    /// The directory that it keeps the metadata log in; by default what the cluster tells
    #[arg(long, value_name = "ID")]
    directory: Option<DirectoryId>,
}

#[derive(Serialize)]
struct Removed {
    node: i32,
    directory: String,
    voters: Vec<i32>,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let admin = context.admin().await?;
    let id = NodeId(args.node);
    let quorum = admin.describe_quorum().await?;
    let Some(voter) = quorum.voters.iter().find(|voter| voter.id == id) else {
        let voters = list(quorum.voters.iter().map(|voter| voter.id));
        return Err(CliError::Blocked(format!("node {id} does not vote; nodes {voters} do")));
    };
    let Some(directory) = args.directory.or(voter.directory_id) else {
        return Err(CliError::Usage(format!(
            "the cluster does not tell the directory of node {id}: say it with --directory"
        )));
    };
    admin.remove_voter(id, directory).await?;
    // The leader that was asked may have been the one that is removed.
    let left = quorum.voters.iter().map(|voter| voter.id.0).filter(|other| *other != id.0).collect();
    let removed = Removed { node: id.0, directory: directory.to_string(), voters: left };
    context
        .out
        .show(&removed, |removed| format!("node {id} votes no more; nodes {} do", list(&removed.voters)))
}
