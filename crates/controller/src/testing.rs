//! A controller on a log in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ottla_consensus::{
    BoxFuture, ChangeError, Member, MemberState, ProposeError, QuorumConfig, QuorumState, ReadError, Role,
    RpcKind, StateMachine,
};
use ottla_env::{ManualClock, SeededRng};
use ottla_metadata::Settings;
use ottla_metadata::image::SUPPORTED_FEATURES;
use ottla_protocol::messages::broker_registration::Feature;
use ottla_protocol::{ApiKey, Request};
use ottla_server::RequestContext;
use ottla_types::{Bytes, DirectoryId, LeaderEpoch, NodeId, Offset, Uuid};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use crate::metadata_log::MetadataLog;
use crate::published::{MetadataStateMachine, Published};
use crate::{Controller, ControllerConfig};

pub(crate) const CLUSTER: &str = "test-cluster";
/// Where the log starts: the first entries are the quorum's own.
const FIRST_OFFSET: i64 = 7;

/// A log that commits at once, unless told otherwise.
pub(crate) struct FakeLog {
    machine: Mutex<MetadataStateMachine>,
    state: watch::Sender<QuorumState>,
    next: Mutex<Offset>,
    /// What proposals fail with.
    pub(crate) failure: Mutex<Option<ProposeError>>,
    /// A permit for each proposal that may go on.
    pub(crate) gate: Semaphore,
    /// How many proposals were made.
    pub(crate) proposals: Mutex<usize>,
    /// Whether the other voters have fallen silent.
    pub(crate) is_cut_off: AtomicBool,
}

impl FakeLog {
    pub(crate) fn new(published: &Arc<Published>) -> Arc<Self> {
        let state = QuorumState {
            leader: Some(NodeId(1)),
            epoch: LeaderEpoch(1),
            role: Role::Leader,
            committed_offset: None,
            applied_offset: None,
            last_offset: None,
            snapshot_offset: None,
            purged_offset: None,
            voters: vec![MemberState {
                id: NodeId(1),
                directory_id: Uuid::METADATA_TOPIC,
                endpoint: String::new(),
                match_offset: Some(Offset(41)),
            }],
            observers: Vec::new(),
            failure: None,
        };
        Arc::new(Self {
            machine: Mutex::new(MetadataStateMachine(Arc::clone(published))),
            state: watch::Sender::new(state),
            next: Mutex::new(Offset(FIRST_OFFSET)),
            failure: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            proposals: Mutex::default(),
            is_cut_off: AtomicBool::new(false),
        })
    }

    /// Leads from now on in `epoch`, or follows node 2.
    pub(crate) fn lead(&self, epoch: Option<i32>) {
        self.state.send_modify(|state| match epoch {
            Some(epoch) => {
                state.role = Role::Leader;
                state.leader = Some(NodeId(1));
                state.epoch = LeaderEpoch(epoch);
            }
            None => {
                state.role = Role::Follower;
                state.leader = Some(NodeId(2));
            }
        });
    }

    /// Has the quorum one more voter.
    pub(crate) fn add_voter(&self, id: NodeId, endpoint: &str) {
        self.state.send_modify(|state| {
            state.voters.push(MemberState {
                id,
                directory_id: Uuid::METADATA_TOPIC,
                endpoint: endpoint.to_owned(),
                match_offset: None,
            });
        });
    }

    /// Commits a payload, whoever made it.
    pub(crate) fn commit(&self, payload: &Bytes) -> Offset {
        let mut next = self.next.lock();
        let offset = *next;
        *next = offset.next();
        // An error has been published.
        let _ = self.machine.lock().apply(offset, self.state.borrow().epoch, payload);
        offset
    }
}

impl MetadataLog for FakeLog {
    fn states(&self) -> watch::Receiver<QuorumState> {
        self.state.subscribe()
    }

    fn propose(&self, _: LeaderEpoch, payload: Bytes) -> BoxFuture<'_, Result<Offset, ProposeError>> {
        Box::pin(async move {
            *self.proposals.lock() += 1;
            if let Ok(permit) = self.gate.acquire().await {
                permit.forget();
            }
            match self.failure.lock().clone() {
                Some(failure) => Err(failure),
                None => Ok(self.commit(&payload)),
            }
        })
    }

    fn handle_rpc(&self, _: NodeId, _: RpcKind, payload: Bytes) -> BoxFuture<'_, Bytes> {
        Box::pin(async move { payload })
    }

    fn confirm_leadership(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        let leads = self.state.borrow().is_leader() && !self.is_cut_off.load(Ordering::Relaxed);
        Box::pin(async move { if leads { Ok(()) } else { Err(ReadError::Unavailable) } })
    }

    fn missing_leader(&self) -> Option<String> {
        self.is_cut_off.load(Ordering::Relaxed).then(|| "no leader".to_owned())
    }

    fn forgotten(&self) -> BoxFuture<'_, String> {
        Box::pin(std::future::pending())
    }

    fn transfer(&self, to: NodeId) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.state.send_modify(|state| {
                state.role = Role::Follower;
                state.leader = Some(to);
            });
        })
    }

    fn add_voter<'a>(&'a self, voter: &'a Member, _: Duration) -> BoxFuture<'a, Result<(), ChangeError>> {
        self.state.send_modify(|state| state.voters.push(voter_state(voter)));
        Box::pin(async { Ok(()) })
    }

    fn remove_voter(
        &self,
        id: NodeId,
        directory_id: DirectoryId,
        _: Duration,
    ) -> BoxFuture<'_, Result<(), ChangeError>> {
        let removed = self.state.send_if_modified(|state| {
            let before = state.voters.len();
            state.voters.retain(|voter| (voter.id, voter.directory_id) != (id, directory_id));
            state.voters.len() < before
        });
        let unknown = ChangeError::NotFound { id, directory_id, voters: String::new() };
        Box::pin(async move { if removed { Ok(()) } else { Err(unknown) } })
    }

    fn update_voter<'a>(&'a self, voter: &'a Member, _: Duration) -> BoxFuture<'a, Result<(), ChangeError>> {
        self.state.send_modify(|state| {
            state.voters.retain(|known| known.id != voter.id);
            state.voters.push(voter_state(voter));
        });
        Box::pin(async { Ok(()) })
    }

    fn shut_down(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn voter_state(voter: &Member) -> MemberState {
    MemberState {
        id: voter.id,
        directory_id: voter.directory_id,
        endpoint: voter.endpoint.clone(),
        match_offset: None,
    }
}

/// What a broker of this version says that it supports.
pub(crate) fn features() -> Vec<Feature> {
    let features = SUPPORTED_FEATURES.iter().map(|&(name, min, max)| Feature {
        name: name.into(),
        min_supported_version: min,
        max_supported_version: max,
        ..Default::default()
    });
    features.collect()
}

/// A controller that leads, its log and its clock.
pub(crate) struct Fixture {
    pub(crate) controller: Arc<Controller>,
    pub(crate) log: Arc<FakeLog>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let published = Published::new();
        let log = FakeLog::new(&published);
        let clock = Arc::new(ManualClock::default());
        let quorum = QuorumConfig::standalone(NodeId(1), Uuid::METADATA_TOPIC, CLUSTER, "unused");
        let config = ControllerConfig::new(quorum, Settings::default());
        let rng = Box::new(SeededRng::new(1));
        let metadata_log: Arc<dyn MetadataLog> = log.clone();
        let controller = Controller::on_log(config, metadata_log, published, clock.clone(), rng);
        let mut offsets = controller.subscribe();
        offsets.wait_for(|offset| offset.0 >= 0).await.unwrap();
        Self { controller, log, clock }
    }
}

/// The circumstances of a request of type `R` in its newest version.
pub(crate) fn cx<R: Request>() -> RequestContext {
    RequestContext::internal(R::KEY, *R::VERSIONS.end(), "CONTROLLER")
}

/// The same in `version`.
pub(crate) fn cx_in(key: ApiKey, version: i16) -> RequestContext {
    RequestContext::internal(key, version, "CONTROLLER")
}
