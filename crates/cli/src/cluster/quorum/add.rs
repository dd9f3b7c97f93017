//! `ottla cluster quorum add`

use std::str::FromStr;

use ottla_client::{DirectoryId, NodeId, QuorumEndpoint};
use serde::Serialize;

use crate::args::Context;
use crate::error::{CliError, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The controller's node id
    #[arg(value_name = "NODE")]
    node: i32,
    /// The directory that it keeps the metadata log in; needed if the cluster does not tell
    #[arg(long, value_name = "ID")]
    directory: Option<DirectoryId>,
    /// Where it is reached; needed if the cluster does not tell
    #[arg(long, value_name = "LISTENER://HOST:PORT", value_parser = endpoint)]
    endpoint: Vec<QuorumEndpoint>,
}

#[derive(Serialize)]
struct Added {
    node: i32,
    directory: String,
    voters: Vec<i32>,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let admin = context.admin().await?;
    let id = NodeId(args.node);
    let quorum = admin.describe_quorum().await?;
    let followers = || quorum.observers.iter().filter(|observer| observer.id == id);
    let follower = followers().find(|one| args.directory.is_none_or(|id| one.directory_id == Some(id)));
    let directory = args.directory.or_else(|| follower?.directory_id);
    let Some(directory) = directory else {
        return Err(CliError::Blocked(match quorum.voters.iter().any(|voter| voter.id == id) {
            true => format!("node {id} votes already; `ottla cluster quorum` shows who does"),
            false => format!(
                "node {id} does not follow the metadata quorum: start its controller with controller.quorum.bootstrap.servers, or name its --directory"
            ),
        }));
    };
    let known = || follower.map(|one| one.endpoints.clone()).unwrap_or_default();
    let endpoints = if args.endpoint.is_empty() { known() } else { args.endpoint };
    if endpoints.is_empty() {
        return Err(CliError::Usage(format!(
            "the cluster does not tell where node {id} is reached; say it with --endpoint CONTROLLER://HOST:PORT"
        )));
    }
    admin.add_voter(id, directory, &endpoints).await?;
    let voters = admin.describe_quorum().await?.voters.iter().map(|voter| voter.id.0).collect();
    let added = Added { node: id.0, directory: directory.to_string(), voters };
    context.out.show(&added, |added| format!("node {id} votes, one of {}", added.voters.len()))
}

/// `CONTROLLER://host:9093`; IPv6 addresses in brackets.
fn endpoint(text: &str) -> Result<QuorumEndpoint, String> {
    let parse = || {
        let (listener, address) = text.split_once("://")?;
        let (host, port) = address.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = u16::from_str(port).ok()?;
        let named = !listener.is_empty() && !host.is_empty();
        named.then(|| QuorumEndpoint { listener: listener.to_owned(), host: host.to_owned(), port })
    };
    parse().ok_or_else(|| "expected LISTENER://HOST:PORT, such as CONTROLLER://10.0.0.4:9093".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_written_as_in_listeners() {
        let expected = |host: &str| QuorumEndpoint { listener: "C".into(), host: host.into(), port: 9093 };
        assert_eq!(endpoint("C://a.b:9093"), Ok(expected("a.b")));
        assert_eq!(endpoint("C://[::1]:9093"), Ok(expected("::1")));
        for bad in ["C", "C://a", "://a:1", "C://:1", "C://a:x", "C://a:70000"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }
}
