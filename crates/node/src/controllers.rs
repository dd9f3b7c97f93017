//! The way from this node to the controllers, and the cluster's id if only they know it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ottla_broker::{ControllerRoute, Controllers, KnownController};
use ottla_config::{BrokerConfig, Endpoint};
use ottla_controller::Controller;
use ottla_network::{ClientOptions, Connection, ConnectionOptions, serve_in_memory};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
use ottla_server::Dispatcher;
use ottla_types::NodeId;

/// The name that connections within the process show.
const IN_MEMORY: &str = "CONTROLLER";
const ASK_WITHIN: Duration = Duration::from_secs(1);
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// How often a broker without a controller looks which controllers there are.
const LOOK_EVERY: Duration = Duration::from_secs(10);
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

/// Keeps the routes those to the voters of the quorum, which may come and go: as a controller of this process knows them, or
/// as the controllers say.
pub(crate) async fn keep_routes(routes: Arc<Controllers>, local: Option<Arc<Controller>>) {
    let Some(local) = local else {
        loop {
            for address in routes.addresses() {
                let asked = describe(&address).await;
                // One that waits for its cluster knows only what it was configured with.
                let asked = asked.filter(|cluster| !cluster.cluster_id.is_empty());
                if let Some(voters) = asked.map(known_controllers).filter(|voters| !voters.is_empty()) {
                    routes.learn(&voters);
                    break;
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let mut states = local.quorum_states();
    let mut last = Vec::new();
    loop {
        let voters: Vec<KnownController> = {
            let state = states.borrow_and_update();
            let voters = state.voters.iter().filter_map(|voter| {
                let Endpoint { host, port } = Endpoint::parse(&voter.endpoint)?;
                Some(KnownController { id: voter.id, host, port })
            });
            voters.collect()
        };
        if voters != last {
            routes.learn(&voters);
            last = voters;
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

fn known_controllers(cluster: DescribeClusterResponse) -> Vec<KnownController> {
    let known = cluster.brokers.into_iter().filter_map(|controller| {
        let port = u16::try_from(controller.port).ok()?;
        Some(KnownController { id: NodeId(controller.broker_id), host: controller.host.to_string(), port })
    });
    known.collect()
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
                if let Told::Cluster(cluster_id, _) = ask(address).await {
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
    /// It belongs to this one, which has these voters.
    Cluster(String, Vec<i32>),
    /// It does not know of any yet, and is configured with these voters.
    KnowsNone(Vec<i32>),
    /// It does not answer.
    Nothing,
}

pub(crate) async fn ask(address: &str) -> Told {
    let Some(cluster) = describe(address).await else { return Told::Nothing };
    let voters = cluster.brokers.iter().map(|voter| voter.broker_id).collect();
    match cluster.cluster_id.is_empty() {
        true => Told::KnowsNone(voters),
        false => Told::Cluster(cluster.cluster_id.to_string(), voters),
    }
}

async fn describe(address: &str) -> Option<DescribeClusterResponse> {
    let connection = Connection::connect(address, ASK_WITHIN, ClientOptions::default()).await.ok()?;
    let request = DescribeClusterRequest { endpoint_type: CONTROLLERS, ..Default::default() };
    let response = connection.request(&request, 1, ASK_WITHIN).await.ok()?;
    (response.error_code == ErrorCode::NONE).then_some(response)
}
