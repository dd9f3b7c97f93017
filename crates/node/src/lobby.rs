//! What a controller listener serves before the node knows which cluster it belongs to: voters that meet for the first
//! time ask each other. The lowest node id mints the cluster's id once every other voter has said that it knows none;
//! the others take it over. Nobody mints it where one voter knows it already.
//!
//! ```text
//!  voter 1: asks 2, 3 ── both know none ──▶ mints, forms the quorum
//!  voter 2: asks 1, 3 ── nobody knows ──▶ again ── 1 knows ──▶ takes part
//! ```

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ottla_config::{BrokerConfig, Listener as ListenerSetting};
use ottla_controller::Controller;
use ottla_network::{Call, ConnectionContext, Lease, Listener, ListenerHandle, Service};
use ottla_protocol::messages::describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
use ottla_server::{Dispatcher, ListenerKind, RequestContext};
use ottla_types::{Bytes, Uuid};
use tokio::time::Instant;

use crate::controllers::{self, Told};

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(50);
/// How often the log tells what is waited for.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// A node that does not know its cluster. It answers no ApiVersions: who asks a voter that way would take the answer for what the
/// controller serves later on the same connection.
pub(crate) struct Lobby;

ottla_server::apis! { Lobby;
    DescribeClusterRequest, lane Controller, listeners [controller], acl Describe Cluster => no_cluster_yet;
}

/// An empty cluster id: none is known here.
async fn no_cluster_yet(
    _: &Lobby,
    _: &RequestContext,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    DescribeClusterResponse {
        endpoint_type: request.endpoint_type,
        controller_id: -1,
        ..DescribeClusterResponse::default()
    }
}

/// The lobby until there is a controller, then that, also on connections that were there before.
pub(crate) struct Door {
    lobby: Dispatcher<Lobby>,
    controller: Arc<OnceLock<Arc<Dispatcher<Controller>>>>,
}

impl Door {
    fn new() -> Arc<Self> {
        let lobby = Dispatcher::new(Arc::new(Lobby), API_TABLE, ListenerKind::Controller);
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
    pub(crate) fn new(bound: Vec<(ListenerSetting, Listener)>) -> Self {
        Self { door: Door::new(), bound, serving: Vec::new() }
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
    let others: Vec<_> = config.quorum.voters.iter().filter(|voter| voter.id != me).collect();
    let is_lowest = others.iter().all(|voter| me < voter.id);
    let mut tell_at = Instant::now() + TELL_EVERY;
    loop {
        let mut silent = Vec::new();
        for voter in &others {
            match controllers::ask(&voter.endpoint.to_string()).await {
                Told::Cluster(id) => return id,
                Told::KnowsNone => {}
                Told::Nothing => silent.push(voter.id),
            }
        }
        if is_lowest && silent.is_empty() {
            let minted = Uuid::random().to_string();
            tracing::info!(cluster = minted, "no voter belongs to a cluster yet: this one forms it");
            return minted;
        }
        if Instant::now() >= tell_at {
            tell_at += TELL_EVERY;
            let silent = silent.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            tracing::warn!(
                "the metadata quorum is not formed yet: it takes every voter of controller.quorum.voters once; silent: {}",
                if silent.is_empty() {
                    "none, they wait for the one with the lowest node.id"
                } else {
                    &silent
                }
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
