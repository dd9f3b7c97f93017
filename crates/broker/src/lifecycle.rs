//! A broker's life in the cluster: registers, is unfenced by its heartbeats, and leaves in an orderly way.
//!
//! ```text
//!  register ──▶ epoch, fenced ──▶ metadata up to the registration ──▶ heartbeat ──▶ unfenced: serves
//!                                                                        │
//!                  stop: heartbeats that want to shut down ◀─────────────┘
//! ```
//!
//! Heartbeats have a thread, a runtime and a connection of their own, so that nothing else in the process can hold them
//! up.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use ottla_config::Listener;
use ottla_env::Clock;
use ottla_metadata::image::{SUPPORTED_FEATURES, UnsupportedLevel, check_supported};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::broker_heartbeat::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};
use ottla_protocol::messages::broker_registration::{self, BrokerRegistrationRequest};
use ottla_replication::LeaderLease;
use ottla_types::{BrokerEpoch, ByteString, DirectoryId, NodeId, Uuid};
use tokio::sync::{Notify, watch};

use crate::controller_channel::{ChannelError, ControllerChannel};
use crate::metadata_cache::MetadataCache;
use crate::replica_manager::ReplicaManager;

/// Between two tries to register.
const REGISTER_AGAIN: Duration = Duration::from_millis(50);
/// Between two heartbeats while no controller answers.
const HEARTBEAT_AGAIN: Duration = Duration::from_millis(50);
/// How long a controller that refuses may take to tell why.
const ASK_WITHIN: Duration = Duration::from_secs(1);
/// A lease that does not end is looked at so often.
const LOOK_AT_LEASE: Duration = Duration::from_secs(60);

/// What a broker says of itself when it registers.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) node_id: NodeId,
    pub(crate) cluster_id: ByteString,
    pub(crate) incarnation_id: Uuid,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) rack: Option<ByteString>,
    pub(crate) directories: Vec<DirectoryId>,
    /// The incarnation whose acknowledged records the directories have, as they say.
    pub(crate) previous_epoch: BrokerEpoch,
}

/// The broker's standing with the controller.
#[derive(Debug)]
pub(crate) struct Registration {
    epoch: AtomicI64,
    fenced: watch::Sender<bool>,
    wants_shutdown: AtomicBool,
    may_shut_down: watch::Sender<bool>,
    heartbeat_now: Notify,
    /// Ends the heartbeats: this broker has left.
    left: AtomicBool,
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            epoch: AtomicI64::new(-1),
            fenced: watch::Sender::new(true),
            wants_shutdown: AtomicBool::new(false),
            may_shut_down: watch::Sender::new(false),
            heartbeat_now: Notify::new(),
            left: AtomicBool::new(false),
        }
    }
}

/// Why the controller does not take this broker.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Another broker runs under this id.
    #[error("broker {0} is registered by another process that is alive; stop it, or set another node.id")]
    Duplicate(NodeId),
    /// The controllers belong to another cluster.
    #[error("the controllers do not belong to cluster {0}; check controller.quorum.voters and log.dirs")]
    OtherCluster(ByteString),
    /// The cluster works at a level of a feature that this build does not know.
    #[error("the controller does not take this broker: {0}")]
    Level(UnsupportedLevel),
    /// The controller refused for another reason.
    #[error("the controller refused the registration: {0:?}")]
    Refused(ErrorCode),
    /// No controller answered.
    #[error("no controller answered within {} s; check controller.quorum.voters, and that a controller runs", .0.as_secs())]
    TimedOut(Duration),
}

impl Registration {
    /// The epoch of the current registration; −1 before.
    pub(crate) fn broker_epoch(&self) -> BrokerEpoch {
        BrokerEpoch(self.epoch.load(Ordering::Acquire))
    }

    /// Whether the controller has fenced this broker.
    pub(crate) fn is_fenced(&self) -> bool {
        *self.fenced.borrow()
    }

    /// Heartbeats do not wait for their interval: something changed that the controller should know.
    pub(crate) fn heartbeat_now(&self) {
        self.heartbeat_now.notify_one();
    }

    /// Waits until the controller has unfenced this broker.
    pub(crate) async fn unfenced(&self) {
        // The sender lives in `self`.
        let _ = self.fenced.subscribe().wait_for(|fenced| !fenced).await;
    }

    /// Asks the controller to move leaderships away, and waits until it has, or for `wait`.
    pub(crate) async fn controlled_shutdown(&self, wait: Duration) {
        self.wants_shutdown.store(true, Ordering::Release);
        self.heartbeat_now();
        let mut may = self.may_shut_down.subscribe();
        if tokio::time::timeout(wait, may.wait_for(|may| *may)).await.is_err() {
            tracing::warn!(
                "the controller did not agree to the shutdown within {} s; stopping anyway",
                wait.as_secs()
            );
        }
    }

    /// Ends the heartbeats for good.
    pub(crate) fn leave(&self) {
        self.left.store(true, Ordering::Release);
        self.heartbeat_now();
    }

    /// Registers, trying for `wait`.
    pub(crate) async fn register(
        &self,
        channel: &ControllerChannel,
        me: &Identity,
        wait: Duration,
    ) -> Result<BrokerEpoch, RegisterError> {
        let deadline = tokio::time::Instant::now() + wait;
        let request = request(me);
        loop {
            match channel.send_once(&request, wait.min(Duration::from_secs(5))).await {
                Ok(response) => match response.error_code {
                    ErrorCode::NONE => {
                        self.epoch.store(response.broker_epoch, Ordering::Release);
                        return Ok(BrokerEpoch(response.broker_epoch));
                    }
                    ErrorCode::NOT_CONTROLLER => channel.not_controller(),
                    // The old process may be dying: its session ends soon.
                    ErrorCode::DUPLICATE_BROKER_REGISTRATION if tokio::time::Instant::now() < deadline => {}
                    ErrorCode::DUPLICATE_BROKER_REGISTRATION => {
                        return Err(RegisterError::Duplicate(me.node_id));
                    }
                    ErrorCode::INCONSISTENT_CLUSTER_ID => {
                        return Err(RegisterError::OtherCluster(me.cluster_id.clone()));
                    }
                    error => return Err(refusal(channel, error).await),
                },
                Err(ChannelError::NoController) => return Err(RegisterError::TimedOut(Duration::ZERO)),
                Err(error) => tracing::debug!("registration: {error}"),
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(RegisterError::TimedOut(wait));
            }
            tokio::time::sleep(REGISTER_AGAIN).await;
        }
    }

    /// Sends heartbeats every `interval` until the broker leaves. They name the directories that failed since the start, which a
    /// new registration leaves out. A node that is the whole cluster sends just as many as its session takes: its controller
    /// dies with it, and no other broker waits for what heartbeats tell.
    pub(crate) async fn run_heartbeats(self: Arc<Self>, life: Life) {
        tokio::select! {
            () = self.beat_until_left(&life) => {}
            () = life.watch_lease() => {}
        }
    }

    async fn beat_until_left(&self, life: &Life) {
        while !self.left.load(Ordering::Acquire) {
            let failed = life.failed_directories();
            let beat = self.heartbeat(life, failed.clone()).await;
            // A broker that is leaving does not come back by itself.
            if beat == ErrorCode::STALE_BROKER_EPOCH && !self.wants_shutdown.load(Ordering::Acquire) {
                self.register_anew(life, &failed).await;
            }
            let wait = match beat {
                // Another controller may be there: the lease does not wait.
                ErrorCode::NETWORK_EXCEPTION | ErrorCode::NOT_CONTROLLER => {
                    HEARTBEAT_AGAIN.min(life.interval)
                }
                _ if life.is_whole_cluster() => life.interval.max(life.session() / 2),
                // The interval may be chosen for a longer session than the controller's.
                _ => life.interval.min(life.session() / 3),
            };
            tokio::select! {
                biased;
                () = self.heartbeat_now.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn register_anew(&self, life: &Life, failed: &[DirectoryId]) {
        life.lease.revoke();
        self.fenced.send_replace(true);
        let directories = life.me.directories.iter().copied().filter(|dir| !failed.contains(dir));
        let anew = Identity { directories: directories.collect(), ..life.me.clone() };
        match self.register(&life.channel, &anew, life.own_session).await {
            Ok(epoch) => life.registered(epoch),
            Err(error) => tracing::warn!("cannot register again: {error}"),
        }
    }

    async fn heartbeat(&self, life: &Life, offline_log_dirs: Vec<DirectoryId>) -> ErrorCode {
        let Life { channel, me, metadata, .. } = life;
        let request = BrokerHeartbeatRequest {
            broker_id: me.node_id.0,
            broker_epoch: self.broker_epoch().0,
            current_metadata_offset: metadata.image().offset.0,
            want_fence: false,
            want_shut_down: self.wants_shutdown.load(Ordering::Acquire),
            offline_log_dirs,
            cordoned_log_dirs: life.cordoned_directories(),
            ..Default::default()
        };
        let sent = life.now();
        // A controller that does not answer leaves time to ask another one before the lease runs out.
        let response = match channel.send_once(&request, life.session() / 2).await {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!("heartbeat: {error}");
                return ErrorCode::NETWORK_EXCEPTION;
            }
        };
        match response.error_code {
            ErrorCode::NONE => {
                // Before others hear that this broker serves.
                life.answered(sent, &response);
                self.fenced.send_if_modified(|fenced| {
                    std::mem::replace(fenced, response.is_fenced) != response.is_fenced
                });
                self.may_shut_down.send_replace(response.should_shut_down);
            }
            ErrorCode::NOT_CONTROLLER => channel.not_controller(),
            ErrorCode::BROKER_ID_NOT_REGISTERED => return ErrorCode::STALE_BROKER_EPOCH,
            // Its controller may stop at the same time.
            error if self.left.load(Ordering::Acquire) => tracing::debug!("heartbeat refused: {error}"),
            error => tracing::warn!("heartbeat refused: {error}"),
        }
        response.error_code
    }
}

/// What heartbeats have to do with.
pub(crate) struct Life {
    pub(crate) channel: ControllerChannel,
    pub(crate) me: Identity,
    pub(crate) metadata: Arc<MetadataCache>,
    /// Goes with the broker; the thread of the heartbeats may stay for a moment.
    pub(crate) replicas: Weak<ReplicaManager>,
    pub(crate) lease: Arc<LeaderLease>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether all that is acknowledged is synced before.
    pub(crate) syncs_first: bool,
    pub(crate) interval: Duration,
    /// As this broker is configured.
    pub(crate) own_session: Duration,
    /// As the controller that answered last has told, ms; 0 if it has not.
    pub(crate) told_session_ms: AtomicI32,
}

impl Life {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.clock.now().0)
    }

    fn failed_directories(&self) -> Vec<DirectoryId> {
        self.replicas.upgrade().map_or_else(Vec::new, |replicas| replicas.failed_directory_ids())
    }

    fn cordoned_directories(&self) -> Option<Vec<DirectoryId>> {
        self.replicas.upgrade().map(|replicas| replicas.cordoned_directory_ids())
    }

    fn registered(&self, epoch: BrokerEpoch) {
        if let Some(replicas) = self.replicas.upgrade() {
            replicas.note_broker_epoch(epoch, self.syncs_first);
        }
    }

    /// The session that counts.
    fn session(&self) -> Duration {
        let told = u64::try_from(self.told_session_ms.load(Ordering::Relaxed)).ok().filter(|ms| *ms > 0);
        LeaderLease::session(self.own_session, told.map(Duration::from_millis))
    }

    /// Whether there is no other broker, and no controller but the one in this process.
    fn is_whole_cluster(&self) -> bool {
        self.channel.controllers().is_only_local() && self.metadata.image().brokers.len() == 1
    }

    /// A controller answered the heartbeat that was sent at `sent`.
    fn answered(&self, sent: Duration, response: &BrokerHeartbeatResponse) {
        self.told_session_ms.store(response.session_timeout_ms, Ordering::Relaxed);
        if response.is_fenced {
            self.lease.revoke();
        } else if !response.is_caught_up {
            tracing::warn!("others lead in place of this broker, and its metadata does not tell yet");
            self.lease.bound(sent, self.session());
        } else if self.is_whole_cluster() {
            self.lease.hold();
        } else {
            self.lease.extend(sent, self.session());
        }
    }

    /// Has those answered that wait for what this broker leads when its lease runs out; requests that come later find out themselves.
    async fn watch_lease(&self) {
        let mut was_valid = false;
        loop {
            let left = self.lease.left(self.now());
            if was_valid && left.is_zero() {
                tracing::warn!(
                    "for too long no controller has confirmed what this broker leads: it leads nothing until one does"
                );
                if let Some(replicas) = self.replicas.upgrade()
                    && tokio::task::spawn_blocking(move || replicas.lease_ran_out()).await.is_err()
                {
                    tracing::error!("answering those who waited panicked; report it");
                }
            }
            was_valid = !left.is_zero();
            let wait = if was_valid { left.min(LOOK_AT_LEASE) } else { self.interval };
            tokio::time::sleep(wait).await;
        }
    }
}

/// What the code alone does not tell: which level of a feature this build does not support.
async fn refusal(channel: &ControllerChannel, error: ErrorCode) -> RegisterError {
    if error == ErrorCode::UNSUPPORTED_VERSION
        && let Ok(told) = channel.api_versions(ASK_WITHIN).await
    {
        let mut finalized = told.finalized_features.iter();
        let unsupported =
            finalized.find_map(|feature| check_supported(&feature.name, feature.max_version_level).err());
        if let Some(unsupported) = unsupported {
            return RegisterError::Level(unsupported);
        }
    }
    RegisterError::Refused(error)
}

fn request(me: &Identity) -> BrokerRegistrationRequest {
    let listeners = me.listeners.iter().map(|listener| broker_registration::Listener {
        name: ByteString::from(listener.name.as_str()),
        host: ByteString::from(listener.host.as_str()),
        port: listener.port,
        security_protocol: listener.protocol.id(),
        ..Default::default()
    });
    let features = SUPPORTED_FEATURES.iter().map(|&(name, min, max)| broker_registration::Feature {
        name: ByteString::from_static(name),
        min_supported_version: min,
        max_supported_version: max,
        ..Default::default()
    });
    BrokerRegistrationRequest {
        broker_id: me.node_id.0,
        cluster_id: me.cluster_id.clone(),
        incarnation_id: me.incarnation_id,
        listeners: listeners.collect(),
        features: features.collect(),
        rack: me.rack.clone(),
        log_dirs: me.directories.clone(),
        previous_broker_epoch: me.previous_epoch.0,
        ..Default::default()
    }
}

#[cfg(test)]
#[path = "lifecycle_test.rs"]
mod tests;
