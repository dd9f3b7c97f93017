//! What a controller listener serves before the node knows which cluster it belongs to: voters that meet for the first
//! time ask each other. The lowest node id mints the cluster's id once every other voter has said that it knows none;
//! the others take it over. Nobody mints it where one voter knows it already, or is configured with other voters.
//!
//! ```text
//!  voter 1: asks 2, 3 ── both know none ──▶ mints, forms the quorum
//!  voter 2: asks 1, 3 ── nobody knows ──▶ again ── 1 knows ──▶ takes part
//! ```

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ottla_config::{BrokerConfig, Listener as ListenerSetting, Voter};
use ottla_controller::Controller;
use ottla_network::{Call, ConnectionContext, Lease, Listener, ListenerHandle, Service};
use ottla_protocol::messages::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};
use ottla_server::{Dispatcher, ListenerKind, RequestContext};
use ottla_types::{Bytes, Uuid};
use tokio::time::Instant;

use crate::controllers::{self, Told};
use crate::roll_call::RollCall;

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(50);
/// How often the log tells what is waited for.
pub(crate) const TELL_EVERY: Duration = Duration::from_secs(10);

/// A node that does not know its cluster, but the voters that it was configured with. It answers no ApiVersions: who asks a voter that
/// way would take the answer for what the controller serves later on the same connection.
pub(crate) struct Lobby {
    voters: Vec<Voter>,
}

ottla_server::apis! { Lobby;
    DescribeClusterRequest, lane Controller, listeners [controller], acl Describe Cluster => no_cluster_yet;
}

/// An empty cluster id: none is known here. The voters are told, so that others see whether theirs are the same.
async fn no_cluster_yet(
    lobby: &Lobby,
    _: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    DescribeClusterResponse {
        endpoint_type: request.endpoint_type,
        controller_id: -1,
        brokers: lobby.voters.iter().map(described).collect(),
        ..DescribeClusterResponse::default()
    }
}

fn described(voter: &Voter) -> DescribeClusterBroker {
    DescribeClusterBroker {
        broker_id: voter.id,
        host: voter.endpoint.host.as_str().into(),
        port: voter.endpoint.port.into(),
        ..DescribeClusterBroker::default()
    }
}

/// The lobby until there is a controller, then that, also on connections that were there before.
pub(crate) struct Door {
    lobby: Dispatcher<Lobby>,
    controller: Arc<OnceLock<Arc<Dispatcher<Controller>>>>,
}

impl Door {
    fn new(voters: &[Voter]) -> Arc<Self> {
        let lobby = Arc::new(Lobby { voters: voters.to_vec() });
        let lobby = Dispatcher::new(lobby, API_TABLE, ListenerKind::Controller);
        Arc::new(Self { lobby, controller: Arc::default() })
    }
}

impl Service for Door {
    type Session = Visit;

    fn open(&self, connection: &Arc<ConnectionContext>) -> Self::Session {
        let session = self.lobby.open(connection);
        Visit { session, connection_id: connection.id, controller: Arc::clone(&self.controller) }
    }

    fn call(&self, visit: &mut Self::Session, frame: Bytes, lease: &mut Lease) -> Call {
        match self.controller.get() {
            Some(controller) => controller.call(&mut visit.session, frame, lease),
            None => self.lobby.call(&mut visit.session, frame, lease),
        }
    }
}

/// One connection; the controller is told when it ends.
pub(crate) struct Visit {
    session: <Dispatcher<Controller> as Service>::Session,
    connection_id: u64,
    controller: Arc<OnceLock<Arc<Dispatcher<Controller>>>>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(controller) = self.controller.get() {
            controller.host().connection_ended(self.connection_id);
        }
    }
}

/// The controller's listeners: clients queue until they are opened.
pub(crate) struct ControllerListeners {
    door: Arc<Door>,
    bound: Vec<(ListenerSetting, Listener)>,
    serving: Vec<(ListenerSetting, ListenerHandle)>,
}

impl ControllerListeners {
    /// `voters` are those of the configuration.
    pub(crate) fn new(bound: Vec<(ListenerSetting, Listener)>, voters: &[Voter]) -> Self {
        Self { door: Door::new(voters), bound, serving: Vec::new() }
    }

    /// The listeners, with the ports that they are bound to.
    pub(crate) fn bound(&self) -> Vec<(ListenerSetting, u16)> {
        let bound = self.bound.iter().map(|(setting, at)| (setting, at.local_addr()));
        let serving = self.serving.iter().map(|(setting, at)| (setting, at.local_addr()));
        bound.chain(serving).map(|(setting, at)| (setting.clone(), at.port())).collect()
    }

    fn open(&mut self) {
        for (setting, listener) in self.bound.drain(..) {
            self.serving.push((setting, listener.serve(Arc::clone(&self.door))));
        }
    }

    /// From now on `controller` serves.
    pub(crate) fn serve(
        mut self,
        controller: &Arc<Dispatcher<Controller>>,
    ) -> Vec<(ListenerSetting, ListenerHandle)> {
        // It is set once, since this takes `self`.
        let _ = self.door.controller.set(Arc::clone(controller));
        self.open();
        self.serving
    }
}

/// The id of the cluster that a voter without one forms with the others, or finds with them. Waits for as long as
/// that takes.
pub(crate) async fn agree_on_cluster(config: &BrokerConfig, listeners: &mut ControllerListeners) -> String {
    listeners.open();
    let me = config.node.node_id.0;
    let is_lowest = config.quorum.voters.iter().all(|voter| me <= voter.id);
    let mut tell_at = Instant::now() + TELL_EVERY;
    loop {
        let mut called = RollCall::new(config);
        for voter in called.others(config) {
            let told = controllers::ask(&voter.endpoint.to_string()).await;
            if let Told::Cluster(id, _) = told {
                return id;
            }
            called.note(voter.id, &told);
        }
        if is_lowest && called.is_complete() {
            let minted = Uuid::random().to_string();
            tracing::info!(cluster = minted, "no voter belongs to a cluster yet: this one forms it");
            return minted;
        }
        if Instant::now() >= tell_at {
            tell_at += TELL_EVERY;
            tracing::warn!(
                "the metadata quorum is not formed yet, which takes every voter of controller.quorum.voters once: {called}"
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The id of the cluster that the controllers of `controller.quorum.bootstrap.servers` belong to. Waits for as long as that
/// takes.
pub(crate) async fn find_cluster(config: &BrokerConfig, listeners: &mut ControllerListeners) -> String {
    listeners.open();
    loop {
        if let Some(id) = controllers::ask_cluster_id(config, TELL_EVERY).await {
            return id;
        }
        let servers: Vec<_> = config.quorum.bootstrap_servers.iter().map(ToString::to_string).collect();
        tracing::warn!(
            "no controller of controller.quorum.bootstrap.servers ({}) knows a cluster: have one node name just itself \
             there, which forms one that the others join, or set controller.quorum.voters on all",
            servers.join(", ")
        );
    }
}

#[cfg(test)]
mod tests {
    use ottla_config::Settings;
    use ottla_server::SocketServer;
    use ottla_telemetry::Registry;

    use super::*;

    fn config(id: i32, voters: &str) -> BrokerConfig {
        let set = [
            "process.roles=controller".to_owned(),
            format!("node.id={id}"),
            "listeners=CONTROLLER://127.0.0.1:0".to_owned(),
            "insecure=true".to_owned(),
            format!("controller.quorum.voters={voters}"),
        ];
        let settings = Settings::load(None, std::iter::empty(), &set).unwrap();
        BrokerConfig::from_settings(&settings).unwrap()
    }

    /// The lobby of node 1, and its port.
    async fn lobby(voters: &str) -> (ControllerListeners, u16) {
        let config = config(1, voters);
        let sockets = SocketServer::new(&config.socket, &Registry::new());
        let setting = config.listeners.controller[0].clone();
        let listener = Listener::bind(sockets.listener(&setting)).await.unwrap();
        let mut listeners = ControllerListeners::new(vec![(setting, listener)], &config.quorum.voters);
        listeners.open();
        let port = listeners.bound()[0].1;
        (listeners, port)
    }

    #[tokio::test]
    async fn voters_that_name_the_same_are_complete() {
        let (_same, same) = lobby("2@127.0.0.1:1,1@127.0.0.1:1").await;
        let waiting = config(2, &format!("1@127.0.0.1:{same},2@127.0.0.1:1"));
        assert!(RollCall::of(&waiting).await.is_complete());
    }

    // Nobody listens on port 1.
    #[tokio::test]
    async fn who_waits_names_the_voters_that_are_silent_and_those_that_have_other_voters() {
        let (_same, same) = lobby("1@127.0.0.1:1,2@127.0.0.1:1,3@127.0.0.1:1").await;
        let waiting = config(2, &format!("1@127.0.0.1:{same},2@127.0.0.1:1,3@127.0.0.1:1"));
        let called = RollCall::of(&waiting).await;
        assert!(!called.is_complete());
        assert_eq!(called.to_string(), "voter 3 does not answer");

        let (_other, other) = lobby("1@127.0.0.1:1,3@127.0.0.1:1").await;
        let waiting = config(2, &format!("1@127.0.0.1:{other},2@127.0.0.1:1"));
        let called = RollCall::of(&waiting).await;
        assert!(!called.is_complete());
        assert_eq!(
            called.to_string(),
            "voter 1 has the voters 1, 3, but controller.quorum.voters of this node names 1, 2: make them the same on all \
             nodes"
        );
    }
}
