//! Starting and stopping the parts of a node in the right order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ottla_broker::{Broker, BrokerHandle, BrokerOptions};
use ottla_config::{BrokerConfig, Endpoint, Listener as ListenerSetting, SecurityProtocol, Settings};
use ottla_consensus::QuorumConfig;
use ottla_controller::{API_TABLE, Controller, ControllerConfig, ControllerDeps};
use ottla_env::{Clock, Disk, RealRng};
use ottla_network::{BindError, Listener, ListenerHandle};
use ottla_server::{Dispatcher, ListenerKind, SocketServer};
use ottla_storage_import::{Bootstrap, ImportError};
use ottla_telemetry::{AdminError, AdminServer, Condition, Health, LogLevels, ProcessMetrics, Registry};
use ottla_types::{ByteString, Uuid};
use rustix::process::{Resource, getrlimit};
use tokio::task::JoinHandle;

use crate::IdentityError;
use crate::controllers;
use crate::identity;
use crate::lobby::{ControllerListeners, agree_on_cluster, find_cluster};
use crate::peers::Peers;
use crate::quorum::{self, Entry};
use crate::quorum_dir;
use crate::roll_call;
use crate::voter::OwnVoter;

const DRAIN: Duration = Duration::from_secs(1);
/// How long another voter may take to lead in this one's place.
const HAND_OVER: Duration = Duration::from_secs(1);

/// What a node is built from.
pub struct NodeOptions {
    /// What the process was started with.
    pub settings: Settings,
    /// The same, typed.
    pub config: BrokerConfig,
    /// The file system.
    pub disk: Arc<dyn Disk>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The levels of the process's loggers, if clients may change them.
    pub log_levels: Option<LogLevels>,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Whose the directories are is not clear.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The controllers did not say which cluster they are.
    #[error("no controller answered within {} s; check controller.quorum.voters or controller.quorum.bootstrap.servers, and that a controller runs", .0.as_secs())]
    NoController(Duration),
    /// The quorum has a voter of this id, on another directory.
    #[error("the metadata quorum does not take this node: {0}")]
    Forgotten(String),
    /// The controller failed before the node could serve.
    #[error(transparent)]
    Controller(#[from] ottla_controller::Failed),
    /// A listener is to be safer than this version can make it.
    #[error(
        "listener {name} is to speak {protocol}, which this version does not offer; use PLAINTEXT on a network that you trust (listeners, listener.security.protocol.map)"
    )]
    SecurityProtocol {
        /// The listener.
        name: String,
        /// What it is to speak.
        protocol: &'static str,
    },
    /// What was imported cannot be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The quorum does not start.
    #[error(transparent)]
    Quorum(#[from] ottla_consensus::StartError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The broker does not.
    #[error(transparent)]
    Broker(#[from] ottla_broker::StartError),
    /// The admin listener does not.
    #[error(transparent)]
    Admin(#[from] AdminError),
}

/// A running node.
pub struct Node {
    cluster_id: String,
    controller: Option<RunningController>,
    broker: Option<BrokerHandle>,
    /// Keeps the broker's routes to the controllers.
    routes: Option<Task>,
    admin: Option<AdminServer>,
    ready: Condition,
}

struct RunningController {
    controller: Arc<Controller>,
    dispatcher: Arc<Dispatcher<Controller>>,
    listeners: Vec<(String, ListenerHandle)>,
    /// Who it is to the quorum.
    own: Option<OwnVoter>,
    /// Tells the quorum.
    keeping_known: Option<Task>,
}

/// Ends with its owner.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("cluster_id", &self.cluster_id).finish_non_exhaustive()
    }
}

impl Node {
    /// Starts everything that the configuration asks for; returns when it serves.
    pub async fn start(options: NodeOptions) -> Result<Self, NodeError> {
        check_listeners(&options.config)?;
        let registry = Registry::new();
        let health = Health::new();
        let ready = health.condition("node", "starting");
        let socket_server = Arc::new(SocketServer::new(&options.config.socket, &registry));
        registry.add(Arc::new(ProcessMetrics::new()));
        let admin = match &options.config.node.admin_listener {
            Some(at) => {
                let address = format!("{}:{}", at.host, at.port);
                Some(AdminServer::start(&address, Arc::clone(&registry), Arc::clone(&health)).await?)
            }
            None => None,
        };
        let config = &options.config;
        // Before a directory is touched: a port that is taken is often a node that runs already.
        let for_controller =
            bind(&socket_server, config.node.is_controller, &config.listeners.controller).await?;
        let for_broker = bind(&socket_server, config.node.is_broker, &config.listeners.broker).await?;
        let mut for_controller = ControllerListeners::new(for_controller, &config.quorum.voters);
        let entry = Entry::of(config, &for_controller.bound()).await;
        let cluster_id = cluster_id(&options, entry, &mut for_controller).await?;
        let mut controller = if options.config.node.is_controller {
            Some(start_controller(&options, entry, &cluster_id, for_controller, &registry, &health).await?)
        } else {
            None
        };
        let mut routes = None;
        let broker = if options.config.node.is_broker {
            let local = controller.as_ref().map(|running| &running.dispatcher);
            let controllers = controllers::routes(&options.config, local);
            let known = controller.as_ref().map(|running| Arc::clone(&running.controller));
            let following = controllers::keep_routes(Arc::clone(&controllers), known);
            routes = Some(Task(tokio::spawn(following)));
            let start = Broker::start(BrokerOptions {
                settings: options.settings,
                config: options.config,
                cluster_id: ByteString::from(cluster_id.as_str()),
                controllers,
                disk: options.disk,
                appending_files: appending_files(),
                clock: options.clock,
                registry,
                socket_server,
                log_levels: options.log_levels,
                listeners: for_broker,
            });
            let broker = start.await?;
            health.probe("log directories", broker.failed_directories());
            health.probe("leader lease", broker.missing_lease());
            Some(broker)
        } else {
            None
        };
        // Not before it is known that nobody else uses the directories.
        if let Some(running) = &mut controller
            && let Some(own) = running.own.take()
        {
            let keeping = tokio::spawn(own.keep_known(Arc::clone(&running.controller)));
            running.keeping_known = Some(Task(keeping));
        }
        ready.ready();
        Ok(Self { cluster_id, controller, broker, routes, admin, ready })
    }

    /// The cluster that the node belongs to.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Every listener with the address that it is bound to.
    pub fn listeners(&self) -> Vec<(String, SocketAddr)> {
        let broker = self.broker.iter().flat_map(BrokerHandle::listeners);
        let broker = broker.map(|(listener, address)| (listener.name.clone(), address));
        let controller = self.controller.iter().flat_map(|running| &running.listeners);
        let controller = controller.map(|(name, handle)| (name.clone(), handle.local_addr()));
        broker.chain(controller).collect()
    }

    /// The admin listener's address.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(AdminServer::local_addr)
    }

    /// How many logs a stop has closed so far; `None` before it closes any. Asked from anywhere, at any time.
    pub fn closed_logs(&self) -> impl Fn() -> Option<u64> + Send + Sync + use<> {
        let closed = self.broker.as_ref().map(BrokerHandle::closed_logs);
        move || closed.as_ref().and_then(|closed| closed())
    }

    /// Returns with the reason when the node cannot go on: its part of the metadata quorum has failed, or every log directory, or
    /// its broker.
    pub async fn failed(&self) -> String {
        let quorum = async {
            match &self.controller {
                Some(running) => running.controller.failed().await.to_string(),
                None => std::future::pending().await,
            }
        };
        let directories = async {
            match &self.broker {
                Some(broker) => format!(
                    "no log directory is left: {}; check the devices, then start again",
                    broker.all_directories_failed().await
                ),
                None => std::future::pending().await,
            }
        };
        let broker = async {
            match &self.broker {
                Some(broker) => broker.failed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            reason = quorum => reason,
            reason = directories => reason,
            reason = broker => reason,
        }
    }

    /// Stops in an orderly way: the broker leaves, then the controller.
    pub async fn stop(self) {
        self.ready.not_ready("stopping");
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
        drop(self.routes);
        if let Some(running) = self.controller {
            drop(running.keeping_known);
            // While it can still be reached: the others need not wait for an election.
            running.controller.hand_over(HAND_OVER).await;
            for (_, listener) in running.listeners {
                listener.stop(DRAIN).await;
            }
            running.controller.shut_down().await;
        }
    }
}

/// Without TLS and SASL, a listener that asks for them must not serve: its clients would be neither hidden nor known.
fn check_listeners(config: &BrokerConfig) -> Result<(), NodeError> {
    let mut listeners = config.listeners.broker.iter().chain(&config.listeners.controller);
    match listeners.find(|listener| listener.protocol != SecurityProtocol::Plaintext) {
        None => Ok(()),
        Some(listener) => Err(NodeError::SecurityProtocol {
            name: listener.name.clone(),
            protocol: listener.protocol.name(),
        }),
    }
}

async fn bind(
    socket_server: &SocketServer,
    has_role: bool,
    settings: &[ListenerSetting],
) -> Result<Vec<(ListenerSetting, Listener)>, BindError> {
    let mut bound = Vec::new();
    for setting in settings.iter().filter(|_| has_role) {
        bound.push((setting.clone(), Listener::bind(socket_server.listener(setting)).await?));
    }
    Ok(bound)
}

async fn cluster_id(
    options: &NodeOptions,
    entry: Entry,
    listeners: &mut ControllerListeners,
) -> Result<String, NodeError> {
    let config = &options.config;
    if let Some(known) = identity::known_cluster(options.disk.as_ref(), config)? {
        return Ok(known);
    }
    if config.node.is_controller {
        return Ok(match entry {
            Entry::Joins => find_cluster(config, listeners).await,
            Entry::Named if config.quorum.voters.len() > 1 => agree_on_cluster(config, listeners).await,
            Entry::Named | Entry::Alone => Uuid::random().to_string(),
        });
    }
    let wait = Duration::from_millis(u64::try_from(config.node.initial_registration_timeout_ms).unwrap_or(0));
    controllers::ask_cluster_id(config, wait).await.ok_or(NodeError::NoController(wait))
}

async fn start_controller(
    options: &NodeOptions,
    entry: Entry,
    cluster_id: &str,
    listeners: ControllerListeners,
    registry: &Registry,
    health: &Health,
) -> Result<RunningController, NodeError> {
    let config = &options.config;
    let directory_id = identity::metadata_directory(options.disk.as_ref(), config, cluster_id)?;
    let data_dir = quorum_dir::open(options.disk.as_ref(), &config.log.metadata_dir)?;
    let endpoint = quorum::own_endpoint(config, &listeners.bound());
    // Voters that are named find each other by their names.
    let servers = config.quorum.bootstrap_servers.iter().filter(|_| entry != Entry::Named);
    let quorum = QuorumConfig {
        voters: quorum::founders(config, entry, &endpoint),
        bootstrap: servers.map(Endpoint::to_string).collect(),
        endpoint: endpoint.clone(),
        initial_state: Bootstrap::read(options.disk.as_ref(), &config.log.metadata_dir)?,
        data_in: identity::directory_with_partitions(options.disk.as_ref(), config)?,
        ..QuorumConfig::standalone(config.node.node_id, directory_id, cluster_id, data_dir)
    };
    let settings = ottla_metadata::Settings::new(Arc::new(options.settings.clone()));
    let controller_config = ControllerConfig {
        session_timeout: Duration::from_millis(u64::try_from(config.node.session_timeout_ms).unwrap_or(0)),
        log_levels: options.log_levels.clone(),
        ..ControllerConfig::new(quorum, settings)
    };
    let deps = ControllerDeps {
        disk: Arc::clone(&options.disk),
        clock: Arc::clone(&options.clock),
        rng: Box::new(RealRng::default()),
        transport: Arc::new(Peers::new(config.node.node_id, directory_id, &config.quorum.voters)),
    };
    let controller = Controller::start(controller_config, deps).await?;
    let probed = Arc::clone(&controller);
    health.probe("metadata quorum", move || probed.missing());
    // From now on the quorum knows it, and more.
    Bootstrap::remove(options.disk.as_ref(), &config.log.metadata_dir)?;
    let dispatcher = Arc::new(Dispatcher::new(Arc::clone(&controller), API_TABLE, ListenerKind::Controller));
    registry.add(Arc::clone(&dispatcher) as Arc<_>);
    registry.add(Arc::clone(&controller) as Arc<_>);
    // Before there is a leader: the voters need each other to find one.
    let mut serving = Vec::new();
    for (setting, handle) in listeners.serve(&dispatcher) {
        controller.advertise(&setting.name, &setting.host, handle.local_addr().port());
        serving.push((setting.name, handle));
    }
    tokio::select! {
        biased;
        failed = controller.failed() => return Err(failed.into()),
        // One that joins waits until it is let in.
        reason = controller.forgotten(), if entry != Entry::Joins => return Err(NodeError::Forgotten(reason)),
        never = roll_call::keep_telling(config, &controller), if entry == Entry::Named => match never {},
        () = controller.wait_for_leader() => {}
    }
    let listener = serving.first().map(|(name, _)| name.clone());
    let own = listener.zip(Endpoint::parse(&endpoint)).map(|(listener, endpoint)| OwnVoter {
        id: config.node.node_id,
        directory_id,
        listener,
        endpoint,
        joins: config.quorum.auto_join_enable,
    });
    Ok(RunningController { controller, dispatcher, listeners: serving, own, keeping_known: None })
}

/// Half of the descriptors that this process may have; the rest is for connections and what is read.
fn appending_files() -> usize {
    const NO_LIMIT: u64 = 1 << 20;
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(NO_LIMIT);
    usize::try_from(limit / 2).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_asks_for_protection_does_not_serve_without() {
        let check = |listeners: &str| {
            let set = [format!("listeners={listeners}"), "inter.broker.listener.name=A".to_owned()];
            let map = "listener.security.protocol.map=A:PLAINTEXT,B:SASL_SSL,CONTROLLER:PLAINTEXT".to_owned();
            let set: Vec<String> = set.into_iter().chain([map]).collect();
            let settings = Settings::load(None, std::iter::empty(), &set).unwrap();
            check_listeners(&BrokerConfig::from_settings(&settings).unwrap()).map_err(|e| e.to_string())
        };
        check("A://127.0.0.1:1,CONTROLLER://127.0.0.1:2").unwrap();
        let refused = check("A://127.0.0.1:1,B://127.0.0.1:3,CONTROLLER://127.0.0.1:2").unwrap_err();
        assert!(refused.contains("listener B is to speak SASL_SSL"), "{refused}");
    }
}
