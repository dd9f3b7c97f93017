//! The way from this node to the controllers, and the cluster's id if only they know it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ottla_broker::{ControllerRoute, Controllers};
use ottla_config::BrokerConfig;
use ottla_controller::Controller;
use ottla_network::{ClientOptions, Connection, ConnectionOptions, serve_in_memory};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_cluster::DescribeClusterRequest;
use ottla_server::Dispatcher;
use ottla_types::NodeId;

/// The name that connections within the process show.
const IN_MEMORY: &str = "CONTROLLER";
const ASK_WITHIN: Duration = Duration::from_secs(1);
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// DescribeCluster's endpoint type for controllers (KIP-919).
const CONTROLLERS: i8 = 2;

/// The routes of this node's broker: in memory to a controller of the same process, else over TCP.
pub(crate) fn routes(config: &BrokerConfig, local: Option<&Arc<Dispatcher<Controller>>>) -> Arc<Controllers> {
    let mut routes = Vec::new();
    if let Some(dispatcher) = local {
        // What it carries was admitted where it came in.
        let (dispatcher, connection) = (Arc::clone(dispatcher), ConnectionOptions::default());
        let open = move || serve_in_memory(Arc::clone(&dispatcher), IN_MEMORY.into(), connection.clone());
        routes.push((Some(config.node.node_id), ControllerRoute::InMemory(Arc::new(open))));
    }
    let mut named = BTreeSet::new();
    for voter in &config.quorum.voters {
        let id = NodeId(voter.id);
        if local.is_none() || id != config.node.node_id {
            let (host, port) = (voter.endpoint.host.clone(), voter.endpoint.port);
            named.insert((host.clone(), port));
            routes.push((Some(id), ControllerRoute::Tcp { host, port }));
        }
    }
    if local.is_none() {
        for server in &config.quorum.bootstrap_servers {
            if named.insert((server.host.clone(), server.port)) {
                let route = ControllerRoute::Tcp { host: server.host.clone(), port: server.port };
                routes.push((None, route));
            }
        }
    }
    Controllers::new(routes)
}

/// Asks the controllers which cluster they are, trying each for `wait` in all.
pub(crate) async fn ask_cluster_id(config: &BrokerConfig, wait: Duration) -> Option<String> {
    let voters = config.quorum.voters.iter().map(|voter| &voter.endpoint);
    let addresses: Vec<String> = voters
        .chain(&config.quorum.bootstrap_servers)
        .map(|endpoint| format!("{}:{}", endpoint.host, endpoint.port))
        .collect();
    let asking = async {
        loop {
            for address in &addresses {
                if let Told::Cluster(cluster_id) = ask(address).await {
                    return cluster_id;
                }
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    };
    tokio::time::timeout(wait, asking).await.ok()
}

/// What a controller says of its cluster.
#[derive(Debug)]
pub(crate) enum Told {
    /// It belongs to this one.
    Cluster(String),
    /// It does not know of any yet.
    KnowsNone,
    /// It does not answer.
    Nothing,
}

pub(crate) async fn ask(address: &str) -> Told {
    let Ok(connection) = Connection::connect(address, ASK_WITHIN, ClientOptions::default()).await else {
        return Told::Nothing;
    };
    let request = DescribeClusterRequest { endpoint_type: CONTROLLERS, ..Default::default() };
    match connection.request(&request, 1, ASK_WITHIN).await {
        Ok(response) if response.error_code != ErrorCode::NONE => Told::Nothing,
        Ok(response) if response.cluster_id.is_empty() => Told::KnowsNone,
        Ok(response) => Told::Cluster(response.cluster_id.to_string()),
        Err(_) => Told::Nothing,
    }
}
