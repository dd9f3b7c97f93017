//! Starting and stopping a broker.
//!
//! ```text
//!  open log directories ─▶ register ─▶ metadata feed ─▶ unfenced ─▶ accept ─▶ ready
//!  stop accepting ─▶ controlled shutdown ─▶ close logs ─▶ clean shutdown marker
//! ```

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI32;
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwap;
use ottla_config::{BrokerConfig, Durability, Listener as ListenerSetting, Settings};
use ottla_env::{Clock, Disk, OnPanic, RealRng, SteadyClock};
use ottla_metadata::MetadataImage;
use ottla_network::{ClientOptions, Listener, ListenerHandle};
use ottla_server::{Dispatcher, ListenerKind, SocketServer};
use ottla_storage::{LogDir, LogDirOptions, OpenError, OpenReport, StorageError};
use ottla_telemetry::{LogLevels, Registry};
use ottla_types::{BrokerEpoch, ByteString, Uuid};
use tokio::sync::SetOnce;
use tokio::task::JoinHandle;

use crate::Broker;
use crate::api::API_TABLE;
use crate::controller_channel::{ControllerChannel, Controllers};
use crate::coordinators::GroupCoordinator;
use crate::effective_configs::EffectiveConfigs;
use crate::fetch_session::FetchSessions;
use crate::isr_changes;
use crate::lifecycle::{Identity, Life, RegisterError, Registration};
use crate::metadata_cache::MetadataCache;
use crate::metadata_feed::MetadataFeed;
use crate::metrics::BrokerCollector;
use crate::producer_ids::ProducerIds;
use crate::replica_fetcher::ReplicaFetchers;
use crate::replica_manager::ReplicaManager;
use crate::suspects::LostBrokers;

/// Sessions that are idle this long may be evicted from a full cache (`min.incremental.fetch.session.eviction.ms`).
const EVICT_SESSIONS_AFTER: Duration = Duration::from_secs(120);
/// How long connections may finish what they began when the broker stops.
const DRAIN: Duration = Duration::from_secs(2);

/// What a broker is built from.
pub struct BrokerOptions {
    /// What the process was started with.
    pub settings: Settings,
    /// The same, typed.
    pub config: BrokerConfig,
    /// The cluster that it belongs to.
    pub cluster_id: ByteString,
    /// Its way to the controllers.
    pub controllers: Arc<Controllers>,
    /// The file system of the log directories.
    pub disk: Arc<dyn Disk>,
    /// How many files the logs may keep open for appends; connections need descriptors too.
    pub appending_files: usize,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where it reports its metrics.
    pub registry: Arc<Registry>,
    /// What its listeners share.
    pub socket_server: Arc<SocketServer>,
    /// The levels of the process's loggers, if they may be changed.
    pub log_levels: Option<LogLevels>,
    /// Its listeners, bound: clients queue until it serves.
    pub listeners: Vec<(ListenerSetting, Listener)>,
}

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A log directory does not open.
    #[error(transparent)]
    LogDir(#[from] OpenError),
    /// The controllers do not take it.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}; raise the process limit (ulimit -u)")]
    Thread(#[from] std::io::Error),
    /// It cannot do what the metadata asks of it.
    #[error("{0}")]
    Metadata(String),
}

/// A running broker.
pub struct BrokerHandle {
    broker: Arc<Broker>,
    listeners: Vec<(ListenerSetting, ListenerHandle)>,
    tasks: Vec<JoinHandle<()>>,
    controlled_shutdown: bool,
    session: Duration,
    failure: Failure,
    _heartbeats: Heartbeats,
}

/// Why the broker must not run on.
type Failure = Arc<SetOnce<String>>;

/// Heartbeats outlive neither an orderly stop nor a broker that is dropped.
struct Heartbeats(Arc<Registration>);

impl Drop for Heartbeats {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl std::fmt::Debug for BrokerHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BrokerHandle").field("broker", &self.broker.node_id).finish_non_exhaustive()
    }
}

impl Broker {
    /// Starts a broker; returns when it serves.
    pub async fn start(mut options: BrokerOptions) -> Result<BrokerHandle, StartError> {
        let listeners = std::mem::take(&mut options.listeners);
        let LogDirs { opened, unopened, previous_epoch } = open_log_dirs(&options)?;
        // Everything that ages goes by this.
        let known_ms = opened.iter().filter_map(|(dir, _)| dir.noted_time()).max();
        let clock = Arc::new(SteadyClock::new(Arc::clone(&options.clock), known_ms));
        options.clock = clock;
        let config = &options.config;
        let recovery_threads = usize::try_from(config.log.recovery_threads_per_data_dir).unwrap_or(1);
        let (node_id, clock) = (config.node.node_id, Arc::clone(&options.clock));
        let replicas = ReplicaManager::new(node_id, clock, opened, unopened, recovery_threads)?;
        replicas.cordon(&config.log.cordoned_dirs);
        let identity = Identity {
            node_id: config.node.node_id,
            cluster_id: options.cluster_id.clone(),
            incarnation_id: Uuid::random(),
            listeners: advertised(config, &listeners),
            rack: config.node.rack.as_deref().map(ByteString::from),
            directories: replicas.directory_ids(),
            previous_epoch,
        };
        let channel = |timeout_ms| channel(&options, timeout_ms);
        let (registration, metadata) =
            (Arc::new(Registration::default()), Arc::new(MetadataCache::default()));
        let register_within = millis(config.node.initial_registration_timeout_ms);
        let epoch = registration.register(&channel(register_within), &identity, register_within).await?;
        let syncs_first = config.log.durability == Durability::Fsync;
        replicas.note_broker_epoch(epoch, syncs_first);

        let session = millis(config.node.session_timeout_ms);
        let retention_every = millis(config.log.retention_check_interval_ms);
        let broker = Arc::new(assemble(&options, replicas, &registration, &metadata));
        broker.replicas.start_maintenance(retention_every)?;
        broker.replicas.configure_cleaner(&config.log.cleaner)?;
        let fetchers = Arc::new(ReplicaFetchers::new(config.replication.num_fetchers));
        let (groups, followed) = (Arc::clone(&broker.groups), Arc::clone(&fetchers));
        broker.replicas.on_role_change(Box::new(move |change| {
            followed.role_changed(&change);
            groups.role_changed(change);
        }));
        let feed = MetadataFeed {
            node_id: identity.node_id,
            cluster_id: identity.cluster_id.clone(),
            channel: channel(session),
            controllers: Arc::clone(&options.controllers),
            registration: Arc::clone(&registration),
            metadata: Arc::clone(&metadata),
        };
        let on_metadata: Arc<Self> = Arc::clone(&broker);
        let groups = Arc::clone(&broker.groups);
        let (assigning, registered) = (Arc::clone(broker.replicas.assignments()), Arc::clone(&registration));
        let to_controller = channel(session);
        let failure = Failure::default();
        let (lease, failed) = (Arc::clone(broker.replicas.lease()), Arc::clone(&failure));
        let feeding = {
            let registration = Arc::clone(&registration);
            // Others may lead what this broker takes for its own.
            let end = move |reason| {
                registration.leave();
                lease.end();
                // The first reason is the one that counts.
                let _ = failed.set(reason);
            };
            async move {
                let end = &end;
                let _guard = OnPanic::new(|| end("taking in the metadata panicked; report it".to_owned()));
                end(feed.run(on_metadata).await);
            }
        };
        let tasks = vec![
            tokio::spawn(feeding),
            tokio::spawn(async move { groups.run_timers().await }),
            tokio::spawn(async move { assigning.run(node_id, &to_controller, &registered).await }),
            tokio::spawn(fetchers.run(Arc::clone(&broker))),
            tokio::spawn(isr_changes::run(Arc::clone(&broker), channel(session))),
        ];
        let heartbeats = Arc::clone(&registration).run_heartbeats(Life {
            channel: channel(session),
            me: identity,
            metadata: Arc::clone(&metadata),
            replicas: Arc::downgrade(&broker.replicas),
            lease: Arc::clone(broker.replicas.lease()),
            clock: Arc::clone(&options.clock),
            syncs_first,
            interval: millis(config.node.heartbeat_interval_ms),
            own_session: session,
            told_session_ms: AtomicI32::new(0),
        });
        start_heartbeat_thread(heartbeats)?;
        let unfenced = async {
            registration.unfenced().await;
            // Clients are told of this broker and what it leads from the first answer on.
            let serves = |image: &MetadataImage| image.brokers.is_active(broker.node_id);
            while metadata.wait_for(session, serves).await.is_err() {
                tracing::warn!("the metadata does not show this broker as unfenced yet");
            }
        };
        tokio::select! {
            biased;
            reason = failure.wait() => return Err(StartError::Metadata(reason.clone())),
            () = unfenced => {}
        }
        // The controller unfences a broker that has all of the metadata.
        let replicas = Arc::clone(&broker.replicas);
        if tokio::task::spawn_blocking(move || replicas.set_strays_aside()).await.is_err() {
            tracing::error!("looking for stray partitions panicked; report it");
        }

        let dispatcher = Dispatcher::new(Arc::clone(&broker), API_TABLE, ListenerKind::Broker);
        let dispatcher = Arc::new(dispatcher);
        options.registry.add(Arc::clone(&dispatcher) as Arc<_>);
        options.registry.add(Arc::new(BrokerCollector(Arc::clone(&broker))));
        let serve = |(setting, listener): (ListenerSetting, Listener)| {
            let setting = ListenerSetting { port: listener.local_addr().port(), ..setting };
            (setting, listener.serve(Arc::clone(&dispatcher)))
        };
        Ok(BrokerHandle {
            listeners: listeners.into_iter().map(serve).collect(),
            broker,
            tasks,
            controlled_shutdown: config.node.controlled_shutdown_enable,
            session,
            failure,
            _heartbeats: Heartbeats(registration),
        })
    }
}

impl BrokerHandle {
    /// The listeners with the ports that they are bound to.
    pub fn listeners(&self) -> impl Iterator<Item = (&ListenerSetting, SocketAddr)> {
        self.listeners.iter().map(|(setting, handle)| (setting, handle.local_addr()))
    }

    /// The log directories that failed, and why; nothing while all of them serve. Asked from anywhere, at any time.
    pub fn failed_directories(&self) -> impl Fn() -> Option<String> + Send + Sync + use<> {
        let broker = Arc::clone(&self.broker);
        move || {
            let failed = broker.replicas.offline_directories();
            (!failed.is_empty()).then(|| failed.join("; "))
        }
    }

    /// Why this broker answers no client for what it leads; nothing while it does. Asked from anywhere, at any time.
    pub fn missing_lease(&self) -> impl Fn() -> Option<String> + Send + Sync + use<> {
        let broker = Arc::clone(&self.broker);
        move || {
            let reason = if broker.registration.is_fenced() {
                "the controller has fenced this broker"
            } else {
                "no controller has answered this broker's heartbeats for too long"
            };
            (!broker.has_lease()).then(|| reason.to_owned())
        }
    }

    /// Returns with the reasons when every log directory has failed.
    pub async fn all_directories_failed(&self) -> String {
        self.broker.replicas.all_directories_failed().await;
        self.broker.replicas.offline_directories().join("; ")
    }

    /// Returns with the reason when the broker must not run on: it was interrupted while it did what the metadata asks of it.
    pub async fn failed(&self) -> String {
        self.failure.wait().await.clone()
    }

    /// How many logs a stop has closed so far; `None` before it closes any. Asked from anywhere, at any time.
    pub fn closed_logs(&self) -> impl Fn() -> Option<u64> + Send + Sync + use<> {
        let broker = Arc::clone(&self.broker);
        move || broker.replicas.closed_logs()
    }

    /// Stops in an orderly way: leaderships move away, connections end, logs are closed.
    pub async fn stop(self) {
        if self.controlled_shutdown {
            self.broker.registration.controlled_shutdown(self.session).await;
        }
        for (_, listener) in self.listeners {
            listener.stop(DRAIN).await;
        }
        self.broker.registration.leave();
        for task in self.tasks {
            task.abort();
            // A change of the metadata that is being applied goes on; logs are closed after it (`ReplicaManager::changing`).
            let _ = task.await;
        }
        let epoch = self.broker.registration.broker_epoch();
        let broker = Arc::clone(&self.broker);
        let closed = tokio::task::spawn_blocking(move || broker.replicas.close(epoch)).await;
        if closed.is_err() {
            tracing::error!("closing the logs panicked; they are recovered at the next start");
        }
    }
}

/// The directories of `log.dirs`.
struct LogDirs {
    opened: Vec<(LogDir, OpenReport)>,
    /// Those that cannot be read or written, and why.
    unopened: Vec<(PathBuf, String)>,
    previous_epoch: BrokerEpoch,
}

/// Opens what can be opened; one is enough (KIP-112).
fn open_log_dirs(options: &BrokerOptions) -> Result<LogDirs, OpenError> {
    let (mut opened, mut unopened, mut last_error) = (Vec::new(), Vec::new(), None);
    for path in &options.config.log.dirs {
        let how = LogDirOptions {
            appending_files: options.appending_files / options.config.log.dirs.len().max(1),
            ..LogDirOptions::new(options.cluster_id.to_string(), options.config.node.node_id)
        };
        let (dir, report) = match LogDir::open(Arc::clone(&options.disk), path, &how) {
            Ok(opened) => opened,
            Err(error @ OpenError::Storage(StorageError::Io { .. })) => {
                tracing::error!("log directory {} is offline, the others serve: {error}", path.display());
                unopened.push((path.clone(), error.to_string()));
                last_error = Some(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        opened.push((dir, report));
    }
    match last_error {
        Some(error) if opened.is_empty() => Err(error),
        _ => {
            let previous_epoch = previous_epoch(opened.iter().map(|(_, report)| report));
            Ok(LogDirs { opened, unopened, previous_epoch })
        }
    }
}

/// The incarnation that had these directories last, if what it acknowledged is in them: it stopped in order, or synced first. One
/// that another incarnation had is a copy, or was away meanwhile. What was in directories that are not here, the controller
/// knows; an empty one stands for none.
pub fn previous_epoch<'a>(reports: impl Iterator<Item = &'a OpenReport>) -> BrokerEpoch {
    let epochs = reports
        .filter(|report| !report.formatted)
        .map(|report| report.clean_shutdown.or(report.noted_epoch).unwrap_or(BrokerEpoch::NONE));
    let agreed = epochs.reduce(|one, other| if one == other { one } else { BrokerEpoch::NONE });
    agreed.unwrap_or(BrokerEpoch::NONE)
}

/// What clients are told, with the ports that the system chose and a name where none was given.
fn advertised(config: &BrokerConfig, bound: &[(ListenerSetting, Listener)]) -> Vec<ListenerSetting> {
    // Those of controllers may be advertised too, and are not the broker's.
    let is_own = |listener: &&ListenerSetting| !config.listeners.controller_names.contains(&listener.name);
    let mut advertised: Vec<_> = config.listeners.advertised.iter().filter(is_own).cloned().collect();
    for listener in &mut advertised {
        let bound = bound.iter().find(|(setting, _)| setting.name == listener.name);
        if listener.port == 0
            && let Some((_, bound)) = bound
        {
            listener.port = bound.local_addr().port();
        }
        if listener.host.is_empty() || listener.is_unspecified() {
            listener.host = host_name();
        }
    }
    advertised
}

fn host_name() -> String {
    let name = rustix::system::uname();
    name.nodename().to_str().map_or_else(|_| "localhost".to_owned(), str::to_owned)
}

fn channel(options: &BrokerOptions, timeout: Duration) -> ControllerChannel {
    let client = ClientOptions {
        client_id: Some(ByteString::from(format!("broker-{}", options.config.node.node_id))),
        ..ClientOptions::default()
    };
    ControllerChannel::new(Arc::clone(&options.controllers), client, timeout)
}

fn assemble(
    options: &BrokerOptions,
    replicas: Arc<ReplicaManager>,
    registration: &Arc<Registration>,
    metadata: &Arc<MetadataCache>,
) -> Broker {
    let config = &options.config;
    let slots = usize::try_from(config.replication.fetch_session_cache_slots).unwrap_or(0);
    Broker {
        node_id: config.node.node_id,
        cluster_id: options.cluster_id.clone(),
        clock: Arc::clone(&options.clock),
        config: ArcSwap::from_pointee(config.clone()),
        configs: EffectiveConfigs::new(config.node.node_id, options.settings.clone()),
        metadata: Arc::clone(metadata),
        replicas,
        groups: Arc::new(GroupCoordinator::new(Arc::clone(&options.clock), config)),
        controller: channel(options, millis(config.node.request_timeout_ms)),
        registration: Arc::clone(registration),
        fetch_sessions: FetchSessions::new(slots, EVICT_SESSIONS_AFTER, Box::new(RealRng::default())),
        producer_ids: ProducerIds::new(config.node.node_id),
        lost_brokers: LostBrokers::default(),
        log_levels: options.log_levels.clone(),
        socket_server: Arc::clone(&options.socket_server),
    }
}

/// Heartbeats run on a thread of their own: nothing that the other threads do can make this broker look dead.
fn start_heartbeat_thread(
    heartbeats: impl Future<Output = ()> + Send + 'static,
) -> Result<(), std::io::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("heartbeat".into()).spawn(move || runtime.block_on(heartbeats))?;
    Ok(())
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
