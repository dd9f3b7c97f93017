//! One node of the quorum.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::errors::{ClientWriteError, ForwardReason, ForwardToLeader, LinearizableReadError, RaftError};
use openraft::impls::ProgressResponder;
use openraft::{Raft, RaftState, ReadPolicy};
use ottla_env::{Disk, File};
use ottla_types::{DirectoryId, LeaderEpoch, NodeId, Offset};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::config::{QuorumConfig, Timing};
use crate::contact::Contact;
use crate::departures;
use crate::error::{ChangeError, ProposeError, ReadError, StartError};
use crate::join::Joiner;
use crate::log::{EntryKind, LogReader, LogThread, Position};
use crate::members::{Member, Members};
use crate::open::{Opened, open_storage};
use crate::raft::handler::Handler;
use crate::raft::machine::{Growth, Machine};
use crate::raft::network::Network;
use crate::raft::repeats::Repeats;
use crate::raft::store::Store;
use crate::raft::types::{CommittedLeaderId, Payload, TypeConfig, epoch, node_id, offset};
use crate::snapshot::SnapshotStore;
use crate::state::{QuorumState, Role};
use crate::state_machine::StateMachine;
use crate::stop::stop;
use crate::transport::{RpcKind, Transport};
use crate::{formation, observer};

/// Between two attempts of a leader that waits for the first answer of a majority.
const LEASE_PAUSE: Duration = Duration::from_millis(2);

/// A payload that is on the disks of a majority and applied on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its place in the metadata log.
    pub offset: Offset,
    /// The epoch of the leader that proposed it.
    pub epoch: LeaderEpoch,
}

/// A committed entry that carries a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedEntry {
    /// Its place in the metadata log.
    pub offset: Offset,
    /// The epoch of the leader that proposed it.
    pub epoch: LeaderEpoch,
    /// As it was proposed.
    pub payload: Bytes,
}

/// A snapshot of the state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The last offset that it covers.
    pub offset: Offset,
    /// The epoch of the entry there.
    pub epoch: LeaderEpoch,
    /// What the state machine gave.
    pub state: Bytes,
}

/// One node of the quorum. Clones are the same node; it runs until [`Quorum::shutdown`] or until the last clone is
/// dropped, which counts as being killed.
#[derive(Clone)]
pub struct Quorum(Arc<Inner>);

struct Inner {
    node_id: NodeId,
    raft_id: u64,
    raft: Raft<TypeConfig, Machine>,
    members: Members,
    contact: Contact,
    handler: Handler,
    reader: LogReader,
    log_thread: Arc<LogThread>,
    snapshots: SnapshotStore,
    state: watch::Receiver<QuorumState>,
    tasks: Mutex<Vec<AbortHandle>>,
    /// Of the directory, until this node has stopped.
    lock: Mutex<Option<Arc<dyn File>>>,
    timing: Timing,
    max_payload_bytes: usize,
}

impl Quorum {
    /// Starts this node: recovers its log, restores the newest snapshot, applies what is known to be committed, and
    /// takes part from then on. If the log is empty it forms the quorum, or asks to be taken in where no voters are named.
    /// When this node is the only voter, it leads and has applied its whole log on return; otherwise watch
    /// [`Quorum::state`]. Needs a tokio runtime with timers.
    pub async fn start(
        config: QuorumConfig,
        disk: Arc<dyn Disk>,
        state_machine: Box<dyn StateMachine>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, StartError> {
        config.validate()?;
        let Opened { log, snapshots, is_empty, raft_id, lock } = open_storage(&config, disk).await?;
        let (reader, log_thread) = (log.reader(), log.thread());

        let growth = Growth::new(config.limits.snapshot_interval_bytes);
        let snapshot_check = state_machine.snapshot_check();
        let machine = Machine::new(state_machine, snapshots.clone(), Arc::clone(&growth));
        let network = Network {
            transport,
            raft_id,
            cluster_id: config.cluster_id.clone(),
            directory_id: config.directory_id,
            timing: config.timing,
            addresses: Arc::default(),
            answered: Arc::default(),
            told: Arc::new(Repeats::default()),
        };
        let raft_config = config.to_raft()?;
        let raft = Raft::new(raft_id, Arc::new(raft_config), network.clone(), Store::new(log), machine)
            .await
            .map_err(|e| StartError::Raft(e.to_string()))?;

        let (state, observer) = observer::spawn(&raft, Arc::clone(&network.addresses));
        let snapshotter = tokio::spawn(snapshot_when_due(raft.clone(), growth)).abort_handle();
        let members = Members { raft: raft.clone() };
        let forgetting = departures::forget_silent_observers(members.clone(), config.timing.observer_timeout);
        let contact = Contact {
            raft: raft.clone(),
            heard: Arc::default(),
            answered: Arc::clone(&network.answered),
            patience: config.timing.election_max * 3,
        };
        let heard = Arc::clone(&contact.heard);
        let resigning = departures::resign_when_removed(raft.clone(), config.timing);
        let mut tasks = vec![
            observer,
            snapshotter,
            tokio::spawn(forgetting).abort_handle(),
            tokio::spawn(resigning).abort_handle(),
            tokio::spawn(contact.clone().keep_telling()).abort_handle(),
        ];
        // Where the voters are fixed, they find each other.
        if !config.bootstrap.is_empty() {
            let joiner = Joiner {
                raft: raft.clone(),
                network: network.clone(),
                endpoint: config.endpoint.clone(),
                bootstrap: config.bootstrap.clone(),
                state: state.clone(),
                heard: Arc::clone(&heard),
            };
            tasks.push(tokio::spawn(joiner.keep_joined()).abort_handle());
        }
        let handler = Handler {
            raft: raft.clone(),
            cluster_id: config.cluster_id.clone(),
            directory_id: config.directory_id,
            max_snapshot_bytes: config.limits.max_snapshot_bytes,
            snapshot_check,
            timing: config.timing,
            incoming: Mutex::new(None),
            forgotten: watch::Sender::new(None),
            heard,
            told: Repeats::default(),
        };
        let quorum = Self(Arc::new(Inner {
            node_id: config.node_id,
            raft: raft.clone(),
            handler,
            reader,
            log_thread,
            snapshots,
            state,
            tasks: Mutex::new(tasks),
            lock: Mutex::new(Some(lock)),
            members,
            contact,
            raft_id,
            timing: config.timing,
            max_payload_bytes: config.limits.max_payload_bytes,
        }));
        if is_empty && !config.voters.is_empty() {
            if let Some(data) = &config.data_in {
                return Err(StartError::NoMetadata { path: config.data_dir.clone(), data: data.clone() });
            }
            let forming = formation::form(config, raft, network).await?;
            quorum.0.tasks.lock().extend(forming);
        }
        quorum.lead_if_alone().await?;
        Ok(quorum)
    }

    /// This node.
    pub fn node_id(&self) -> NodeId {
        self.0.node_id
    }

    /// What this node knows, and news about it.
    pub fn state(&self) -> watch::Receiver<QuorumState> {
        self.0.state.clone()
    }

    /// Why no leader is known that is there, with the voters that do not answer; `None` while one is heard, or this node leads and
    /// a majority answers it. [`QuorumState::leader`] may name one that has died.
    pub fn missing_leader(&self) -> Option<String> {
        self.0.contact.missing()
    }

    /// Returns with the reason and the remedy when another voter has told this node, whose log is empty, that the
    /// quorum knows it on another directory: it was wiped, and will not be taken. Never returns otherwise.
    pub async fn forgotten(&self) -> String {
        let mut forgotten = self.0.handler.forgotten.subscribe();
        // The sender lives in `self`.
        forgotten.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone()).unwrap_or_default()
    }

    /// Serves a request that another voter sent through its [`Transport`]. `from` must be authenticated by the host.
    /// Errors travel inside of the answer.
    pub async fn handle_rpc(&self, kind: RpcKind, from: NodeId, payload: Bytes) -> Bytes {
        self.0.handler.handle(kind, from, payload).await
    }

    /// Appends a payload to the log; returns when it is on the disks of a majority and applied here. Waits for as long
    /// as that takes: who stops waiting does not know whether it will be committed.
    pub async fn propose(&self, payload: Bytes) -> Result<Committed, ProposeError> {
        self.write(payload, None).await
    }

    /// The same, but only if this node still leads in `epoch`, so that a decision taken on the state of that epoch
    /// cannot slip into a later one.
    pub async fn propose_in(&self, epoch: LeaderEpoch, payload: Bytes) -> Result<Committed, ProposeError> {
        self.write(payload, Some(u64::try_from(epoch.0).unwrap_or_default())).await
    }

    /// Returns when this node is sure to lead and has applied everything that was committed before the call.
    pub async fn read_barrier(&self) -> Result<(), ReadError> {
        self.leads_by(ReadPolicy::ReadIndex).await
    }

    /// Whether a majority has answered this node within the lease (`Timing::election_max`): so long no other node was elected. Sends nothing
    /// itself and waits only for entries of an own, new term.
    pub async fn confirm_leadership(&self) -> Result<(), ReadError> {
        // Nobody can be elected beside the only voter, whose clock stands still.
        let alone = {
            let state = self.0.state.borrow();
            state.is_leader() && matches!(state.voters.as_slice(), [only] if only.id == self.0.node_id)
        };
        if alone {
            self.check_running().map_err(ReadError::Stopped)
        } else {
            self.leads_by(ReadPolicy::LeaseRead).await
        }
    }

    async fn leads_by(&self, policy: ReadPolicy) -> Result<(), ReadError> {
        self.check_running().map_err(ReadError::Stopped)?;
        let deadline = Instant::now() + self.0.timing.election_max * 2;
        loop {
            match self.0.raft.ensure_linearizable(policy.clone()).await {
                Ok(_) => return Ok(()),
                Err(RaftError::Fatal(e)) => return Err(ReadError::Stopped(e.to_string())),
                Err(RaftError::APIError(LinearizableReadError::QuorumNotEnough(_))) => {
                    return Err(ReadError::Unavailable);
                }
                Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(to))) => {
                    match self.rejected(&to) {
                        Rejected::NotLeader(leader) => return Err(ReadError::NotLeader { leader }),
                        Rejected::Later if Instant::now() < deadline => tokio::time::sleep(LEASE_PAUSE).await,
                        Rejected::Later => return Err(ReadError::Unavailable),
                    }
                }
            }
        }
    }

    /// Applied payloads from offset `from` on, at least one if there is any, then as many as fit `max_bytes`. The
    /// second value is the offset to continue from: the quorum's own entries are skipped. Reads the disk for what is
    /// not recent.
    pub fn read(&self, from: Offset, max_bytes: usize) -> Result<(Vec<CommittedEntry>, Offset), ReadError> {
        let from_index = u64::try_from(from.0).unwrap_or_default();
        let applied = self.0.state.borrow().applied_offset;
        let end = applied.map_or(0, |applied| u64::try_from(applied.0).map_or(0, |index| index + 1));
        if self.0.reader.state().purged.is_some_and(|purged| from_index <= purged.index) {
            return Err(ReadError::BeforeLogStart);
        }
        let entries =
            self.0.reader.read(from_index, end, max_bytes).map_err(|e| ReadError::Stopped(e.to_string()))?;
        // A purge may have come between.
        if from_index < end && entries.first().is_none_or(|first| first.position.index != from_index) {
            return Err(ReadError::BeforeLogStart);
        }
        let next = entries.last().map_or(from_index, |entry| entry.position.index + 1);
        let payloads = entries.into_iter().filter(|entry| entry.kind == EntryKind::Payload).map(|entry| {
            let Position { epoch: term, index } = entry.position;
            CommittedEntry { offset: offset(index), epoch: epoch(term), payload: entry.body }
        });
        Ok((payloads.collect(), offset(next)))
    }

    /// The newest snapshot, for readers that are before the start of the log. Blocks on the disk.
    pub fn snapshot(&self) -> Result<Option<StoredSnapshot>, ReadError> {
        let stopped = |e: io::Error| ReadError::Stopped(e.to_string());
        let newest = self.0.snapshots.read_newest().map_err(stopped)?;
        Ok(newest.map(|(Position { epoch: term, index }, file)| StoredSnapshot {
            offset: offset(index),
            epoch: epoch(term),
            state: file.state,
        }))
    }

    /// Takes a snapshot soon, whatever the configured interval.
    pub async fn trigger_snapshot(&self) -> Result<(), ReadError> {
        self.0.raft.trigger().snapshot().await.map_err(|e| ReadError::Stopped(e.to_string()))
    }

    /// Hands leadership to another voter, if this node leads; watch [`Quorum::state`] for the outcome.
    pub async fn transfer_leadership(&self, to: NodeId) -> Result<(), ReadError> {
        let voter = self.0.raft.voter_ids().find(|id| node_id(*id) == to);
        // Who is no voter any more cannot lead.
        let Some(voter) = voter else { return Ok(()) };
        let asked = self.0.raft.trigger().transfer_leader(voter).await;
        asked.map_err(|e| ReadError::Stopped(e.to_string()))
    }

    /// Makes an observer a voter, if this node leads; waits up to `limit` for the observer to have the whole log, and for the
    /// change to be committed.
    pub async fn add_voter(&self, voter: &Member, limit: Duration) -> Result<(), ChangeError> {
        self.check_running().map_err(ChangeError::Stopped)?;
        self.0.members.add_voter(voter, limit).await
    }

    /// Takes the vote from a node, if this node leads; returns when that is committed. A leader that removes itself hands over
    /// to another voter. The node goes on as an observer while it is there.
    pub async fn remove_voter(
        &self,
        id: NodeId,
        directory_id: DirectoryId,
        limit: Duration,
    ) -> Result<(), ChangeError> {
        self.check_running().map_err(ChangeError::Stopped)?;
        self.0.members.remove_voter(id, directory_id, limit).await
    }

    /// Notes where a voter is reached now, if this node leads.
    pub async fn update_voter(&self, voter: &Member, limit: Duration) -> Result<(), ChangeError> {
        self.check_running().map_err(ChangeError::Stopped)?;
        self.0.members.update_voter(voter, limit).await
    }

    /// Stops taking part, marks the log as complete and returns when all of it is on disk. Where the disk does not take it, the rest is
    /// dropped after some seconds: nothing of it was acknowledged.
    pub async fn shutdown(&self) {
        if stop(self.0.raft.clone(), Arc::clone(&self.0.log_thread), || self.0.abort_tasks()).await {
            self.0.lock.lock().take();
        }
    }

    /// Stops at once, as a killed process does: nothing more is written, nobody is told. For tests; dropping the last
    /// clone does the same.
    pub fn kill(&self) {
        self.0.kill();
    }

    async fn write(&self, payload: Bytes, expected: Option<u64>) -> Result<Committed, ProposeError> {
        let (size, max) = (payload.len(), self.0.max_payload_bytes);
        if size > max {
            return Err(ProposeError::TooLarge { size, max });
        }
        self.check_running().map_err(ProposeError::Stopped)?;
        let deadline = Instant::now() + self.0.timing.election_max * 2;
        loop {
            let (responder, answer) = ProgressResponder::complete_only();
            let mut request = self.0.raft.write(Payload(payload.clone())).responder(responder);
            if let Some(expected) = expected {
                request = request.with_leader(CommittedLeaderId::new(expected));
            }
            request.await.map_err(|e| ProposeError::Stopped(e.to_string()))?;
            let to = match answer.await {
                Ok(Ok(written)) => {
                    let (index, term) = (written.log_id.index, written.log_id.leader_id.term);
                    return Ok(Committed { offset: offset(index), epoch: epoch(term) });
                }
                Ok(Err(ClientWriteError::ForwardToLeader(to))) => to,
                // The others are about entries that were appended, or cannot happen to payloads.
                Ok(Err(_)) | Err(_) => return Err(ProposeError::Unknown),
            };
            match self.rejected(&to) {
                Rejected::NotLeader(leader) => return Err(ProposeError::NotLeader { leader }),
                Rejected::Later if Instant::now() < deadline => tokio::time::sleep(LEASE_PAUSE).await,
                Rejected::Later => return Err(ProposeError::Unavailable),
            }
        }
    }

    fn rejected(&self, to: &ForwardToLeader<TypeConfig>) -> Rejected {
        match to.reason {
            // A new leader takes nothing before a majority has answered it once: that is "ask me again".
            ForwardReason::LeaseExpired => Rejected::Later,
            ForwardReason::NotLeader | ForwardReason::LeadershipTransfer => {
                let leader = to.leader_id.map(node_id).filter(|&leader| leader != self.0.node_id);
                Rejected::NotLeader(leader)
            }
        }
    }

    fn check_running(&self) -> Result<(), String> {
        let state = self.0.state.borrow();
        if state.role != Role::Stopped {
            return Ok(());
        }
        Err(state.failure.clone().unwrap_or_else(|| "it was shut down".to_owned()))
    }

    /// The only voter need not wait for anybody, so it does not wait for an election timeout either.
    async fn lead_if_alone(&self) -> Result<(), StartError> {
        let raft = &self.0.raft;
        let id = self.0.raft_id;
        let is_alone =
            move |state: &RaftState<TypeConfig>| state.membership_state.effective().voter_ids().eq([id]);
        if !raft.with_raft_state(is_alone).await.map_err(|e| StartError::Raft(e.to_string()))? {
            return Ok(());
        }
        raft.trigger().elect(false).await.map_err(|e| StartError::Raft(e.to_string()))?;
        let mut state = self.state();
        let settled = state.wait_for(|state| matches!(state.role, Role::Leader | Role::Stopped)).await;
        match settled.as_deref() {
            Ok(QuorumState { role: Role::Leader, .. }) => Ok(()),
            Ok(state) => Err(StartError::Raft(state.failure.clone().unwrap_or_default())),
            Err(_) => Err(StartError::Raft("stopped while starting".to_owned())),
        }
    }
}

enum Rejected {
    NotLeader(Option<NodeId>),
    Later,
}

impl std::fmt::Debug for Quorum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Quorum")
            .field("node_id", &self.0.node_id)
            .field("state", &*self.0.state.borrow())
            .finish()
    }
}

impl Inner {
    fn abort_tasks(&self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }

    fn kill(&self) {
        self.abort_tasks();
        self.log_thread.abandon();
        self.lock.lock().take();
        // openraft stops only when told to, and only a runtime can tell it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let raft = self.raft.clone();
            runtime.spawn(async move { raft.shutdown().await });
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn snapshot_when_due(raft: Raft<TypeConfig, Machine>, growth: Arc<Growth>) {
    loop {
        growth.is_due.notified().await;
        if raft.trigger().snapshot().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
#[path = "quorum_test.rs"]
mod tests;
