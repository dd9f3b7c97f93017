//! The controller of one node.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ottla_config::Endpoint;
use ottla_consensus::{MemberState, Quorum, QuorumState, Role, RpcKind, StartError, Transport};
use ottla_env::{Clock, Disk, Monotonic, OnPanic, Rng};
use ottla_metadata::plan::Decision;
use ottla_metadata::{MetadataImage, Settings};
use ottla_telemetry::LogLevels;
use ottla_types::{ByteString, Bytes, NodeId, Offset};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::balancer::Balancer;
use crate::desk::{Desk, PlanContext};
use crate::feed::FeedEntry;
use crate::metadata_log::MetadataLog;
use crate::published::{MetadataStateMachine, Published};
use crate::sessions::Sessions;
use crate::voter_connections::VoterConnections;
use crate::{ControllerConfig, ControllerError, Failed};

/// The name of controller listeners where nobody has said another.
const DEFAULT_LISTENER: &str = "CONTROLLER";

/// How soon it is noticed at a start that the leader is heard.
const HEARD_WITHIN: Duration = Duration::from_millis(20);

/// Where a controller can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advertised {
    pub(crate) listener: ByteString,
    pub(crate) host: ByteString,
    pub(crate) port: u16,
}

/// The world outside of a controller.
pub struct ControllerDeps {
    /// Where the quorum's log is.
    pub disk: Arc<dyn Disk>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// For topic ids and placement.
    pub rng: Box<dyn Rng>,
    /// The way to the other voters.
    pub transport: Arc<dyn Transport>,
}

/// The controller of one node: a voter of the quorum that follows the metadata, and decides while it leads.
pub struct Controller {
    pub(crate) settings: Settings,
    pub(crate) sessions: Arc<Mutex<Sessions>>,
    pub(crate) voter_connections: Mutex<VoterConnections>,
    pub(crate) balancer: Arc<Mutex<Balancer>>,
    pub(crate) published: Arc<Published>,
    pub(crate) desk: Desk,
    pub(crate) log: Arc<dyn MetadataLog>,
    clock: Arc<dyn Clock>,
    node_id: NodeId,
    cluster_id: String,
    pub(crate) rebalance_interval: Option<Duration>,
    pub(crate) quorum_request_timeout: Duration,
    log_levels: Option<LogLevels>,
    advertised: OnceLock<Advertised>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Controller {
    /// Joins the quorum. Returns once the log of this node is read; a node that is the only voter leads then, otherwise
    /// [`Controller::wait_for_leader`] tells when somebody does.
    pub async fn start(config: ControllerConfig, deps: ControllerDeps) -> Result<Arc<Self>, StartError> {
        let published = Published::new();
        let machine = Box::new(MetadataStateMachine(Arc::clone(&published)));
        let quorum = Quorum::start(config.quorum.clone(), deps.disk, machine, deps.transport).await?;
        Ok(Self::on_log(config, Arc::new(quorum), published, deps.clock, deps.rng))
    }

    pub(crate) fn on_log(
        config: ControllerConfig,
        log: Arc<dyn MetadataLog>,
        published: Arc<Published>,
        clock: Arc<dyn Clock>,
        mut rng: Box<dyn Rng>,
    ) -> Arc<Self> {
        let (desk, clerk) = Desk::new(
            Arc::clone(&log),
            Arc::clone(&published),
            config.settings.clone(),
            Box::new(move || rng.next_u64()),
        );
        let controller = Arc::new(Self {
            settings: config.settings,
            balancer: Arc::default(),
            sessions: Arc::new(Mutex::new(Sessions::new(config.session_timeout))),
            voter_connections: Mutex::default(),
            published,
            desk,
            log,
            clock,
            node_id: config.quorum.node_id,
            cluster_id: config.quorum.cluster_id,
            rebalance_interval: config.leader_rebalance_interval,
            quorum_request_timeout: config.quorum_request_timeout,
            log_levels: config.log_levels,
            advertised: OnceLock::new(),
            tasks: Mutex::default(),
        });
        let office = Self::hold_office(Arc::downgrade(&controller), controller.log.states());
        let watched = [controller.watched("decisions", clerk), controller.watched("the office", office)];
        controller.tasks.lock().extend(watched);
        controller
    }

    /// Spawns what the active controller cannot be without: if it panics, this one is none.
    fn watched(&self, what: &'static str, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let published = Arc::clone(&self.published);
        tokio::spawn(async move {
            let _guard = OnPanic::new(|| {
                published.fail(format!("{what} of the active controller panicked; report it"));
            });
            task.await;
        })
    }

    /// The process's loggers.
    pub(crate) const fn log_levels(&self) -> Option<&LogLevels> {
        self.log_levels.as_ref()
    }

    /// `node.id`.
    pub const fn node_id(&self) -> NodeId {
        self.node_id
    }

    /// The cluster.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The committed metadata, as far as this node has applied it.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.published.image()
    }

    /// Tells the offset of each new image.
    pub fn subscribe(&self) -> watch::Receiver<Offset> {
        self.published.subscribe()
    }

    /// Where the quorum stands, as this node sees it.
    pub fn quorum_state(&self) -> QuorumState {
        self.log.state()
    }

    /// The same, with news about it.
    pub fn quorum_states(&self) -> watch::Receiver<QuorumState> {
        self.log.states()
    }

    /// Whether this node is the active controller.
    pub fn is_active(&self) -> bool {
        self.log.state().is_leader() && self.published.failure().is_none()
    }

    /// Why this node can no longer take part, if something failed.
    pub fn failure(&self) -> Option<String> {
        self.published.failure().map(str::to_owned).or_else(|| self.log.state().failure)
    }

    /// Returns with the reason when this node can no longer take part: in the quorum, or in what it agrees on, as when that
    /// takes a newer build.
    pub async fn failed(&self) -> Failed {
        let mut states = self.log.states();
        let quorum = async {
            let failed = states.wait_for(|state| state.failure.is_some()).await;
            match failed.map(|state| state.failure.clone().unwrap_or_default()) {
                Ok(reason) => reason,
                // Shut down, which is no failure.
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            reason = self.published.failed() => Failed::Metadata(reason),
            reason = quorum => Failed::Quorum(reason),
        }
    }

    /// What this node lacks for its part in the quorum: it has failed, or knows no leader that is there.
    pub fn missing(&self) -> Option<String> {
        self.failure().or_else(|| self.log.missing_leader())
    }

    /// Returns once the quorum has a leader that serves, or this node has failed.
    pub async fn wait_for_leader(&self) {
        let mut states = self.log.states();
        let settled = |state: &QuorumState| {
            // After a start it may be one of long ago.
            let other_leads = state.leader.is_some_and(|id| id != self.node_id);
            let is_there = other_leads && self.log.missing_leader().is_none();
            state.is_leader() || is_there || state.role == Role::Stopped
        };
        // That a leader is heard is no news of the state. Where that ends, the quorum is gone, and nothing will come.
        while tokio::time::timeout(HEARD_WITHIN, states.wait_for(settled)).await.is_err() {}
    }

    /// Returns with the reason and the remedy when the quorum knows this node on another directory: it does not take
    /// part, and nothing is to be waited for.
    pub async fn forgotten(&self) -> String {
        self.log.forgotten().await
    }

    /// Has the voter that is furthest along lead in place of this node, if this one does; waits up to `limit` until it
    /// does. Whoever stops calls it first, while the others can still reach it.
    pub async fn hand_over(&self, limit: Duration) {
        let state = self.log.state();
        let others = state.voters.iter().filter(|voter| voter.id != self.node_id);
        let furthest =
            others.filter(|voter| voter.match_offset.is_some()).max_by_key(|voter| voter.match_offset);
        let Some(to) = furthest.map(|voter| voter.id).filter(|_| state.is_leader()) else { return };
        let mut states = self.log.states();
        let other_leads = |state: &QuorumState| state.leader.is_some_and(|leader| leader != self.node_id);
        let handing = async {
            self.log.transfer(to).await;
            states.wait_for(other_leads).await.is_ok()
        };
        if tokio::time::timeout(limit, handing).await.is_err() {
            tracing::warn!(%to, "no other voter took over leadership in time; the others elect one");
        }
    }

    /// Tells where the listener is that serves this controller, once it is bound: DescribeCluster and DescribeQuorum name it
    /// when the quorum itself does not know, as when this node is its only voter.
    pub fn advertise(&self, listener: &str, host: &str, port: u16) {
        // A second listener changes nothing: tools need one.
        let _ = self.advertised.set(Advertised { listener: listener.into(), host: host.into(), port });
    }

    /// The name of the listener that controllers use between them.
    pub(crate) fn controller_listener(&self) -> ByteString {
        self.advertised.get().map_or(ByteString::from_static(DEFAULT_LISTENER), |own| own.listener.clone())
    }

    /// Where the controller listener of a voter or observer is, as far as this node knows.
    pub(crate) fn endpoint_of(&self, voter: &MemberState) -> Option<Advertised> {
        if let Some(Endpoint { host, port }) = Endpoint::parse(&voter.endpoint) {
            return Some(Advertised { listener: self.controller_listener(), host: host.into(), port });
        }
        self.advertised.get().filter(|_| voter.id == self.node_id).cloned()
    }

    /// Stops deciding, and leaves the quorum. What is committed is on disk already.
    pub async fn shut_down(&self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
        self.log.shut_down().await;
    }

    /// Decides `plan` on the newest state, and returns its answer once what it decided is committed.
    pub(crate) async fn decide<T: Send + 'static>(
        &self,
        plan: impl FnOnce(PlanContext<'_>) -> Decision<T> + Send + 'static,
    ) -> Result<T, ControllerError> {
        self.desk.decide(plan).await
    }

    /// The wall clock, ms since 1970.
    pub(crate) fn wall_ms(&self) -> i64 {
        self.clock.wall_ms()
    }

    /// Now, for sessions.
    pub(crate) fn now(&self) -> Monotonic {
        self.clock.now()
    }

    /// Errors if this node is not the active controller.
    pub(crate) fn check_active(&self) -> Result<(), ControllerError> {
        let state = self.log.state();
        match self.published.failure() {
            Some(failure) => Err(ControllerError::Failed(failure.to_owned())),
            None if state.is_leader() => Ok(()),
            None => Err(ControllerError::NotActive { leader: state.leader }),
        }
    }

    /// Returns once it is sure that no other node is the active controller.
    pub(crate) async fn confirm_active(&self) -> Result<(), ControllerError> {
        let confirmed = self.log.confirm_leadership().await;
        confirmed.map_err(|_| ControllerError::NotActive { leader: None })
    }

    pub(crate) fn batches_after(&self, offset: Offset, max_bytes: usize) -> Option<Vec<FeedEntry>> {
        self.published.batches_after(offset, max_bytes)
    }

    pub(crate) async fn raft(&self, from: NodeId, kind: RpcKind, payload: Bytes) -> Bytes {
        self.log.handle_rpc(from, kind, payload).await
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }
}

impl std::fmt::Debug for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Controller")
            .field("node_id", &self.node_id)
            .field("state", &self.log.state())
            .finish_non_exhaustive()
    }
}
