//! Changes of who takes part: one node at a time, by one entry of the log, as Kafka's KIP-853 has it.
//!
//! ```text
//!  a node asks to join ──▶ observer: gets the log ──▶ has it all ──▶ add_voter ──▶ voter
//!                             ▲ │ silent for long: forgotten                          │
//!                             └─┴───────────────────── remove_voter ◀─────────────────┘
//! ```
//!
//! - Old and new voters differ by one, so any two majorities of them share a node.
//! - The leader proposes a change only once an entry of its own epoch is committed, and the change before is.
//! - A change counts from the moment it is in a node's log, and is done when the majority of the new voters has it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ChangeMembershipError, ClientWriteError, ForwardReason, RaftError};
use openraft::raft::Precondition;
use openraft::{ChangeMembers, EntryPayload, Raft};
use ottla_types::{DirectoryId, NodeId};
use tokio::time::Instant;

use crate::error::ChangeError;
use crate::raft::machine::Machine;
use crate::raft::types::{StoredVoters, TypeConfig, VoterNode, Voters, node_id};

/// Between two attempts, while something that passes by itself is in the way.
const PAUSE: Duration = Duration::from_millis(20);
/// Voters and observers together. Each costs the leader connections and a task.
const MAX_MEMBERS: usize = 100;

/// A node of the quorum: the two ids are who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// `node.id`.
    pub id: NodeId,
    /// The identity of its directory.
    pub directory_id: DirectoryId,
    /// `host:port` of its controller listener.
    pub endpoint: String,
}

/// Changes the members, on the leader.
#[derive(Clone)]
pub(crate) struct Members {
    pub(crate) raft: Raft<TypeConfig, Machine>,
}

/// What the members are to be.
enum Next {
    /// These voters, among these nodes.
    Members(BTreeSet<u64>, BTreeMap<u64, VoterNode>),
    /// The node is at another place.
    Moved(u64, VoterNode),
}

impl Members {
    /// Has a node follow as an observer, if it takes no part yet, under the Raft id that it goes by: one that was a member
    /// before keeps that. It replaces its former self on another directory, unless that votes.
    pub(crate) async fn add_observer(
        &self,
        new: &Member,
        raft_id: u64,
        limit: Duration,
    ) -> Result<(), ChangeError> {
        let decide = |members: &Voters| {
            if let Some((id, known)) = find(members, new.id, new.directory_id) {
                return Ok((known.endpoint != new.endpoint).then(|| Next::Moved(id, new.node())));
            }
            let (voters, mut nodes) = parts(members);
            nodes.retain(|id, _| voters.contains(id) || node_id(*id) != new.id);
            if nodes.len() >= MAX_MEMBERS || nodes.contains_key(&raft_id) {
                return Err(ChangeError::Full { id: new.id, members: nodes.len() });
            }
            nodes.insert(raft_id, new.node());
            Ok(Some(Next::Members(voters, nodes)))
        };
        self.change(Instant::now() + limit, decide).await
    }

    /// Makes an observer that has the whole log a voter; waits for both, up to `limit`.
    pub(crate) async fn add_voter(&self, new: &Member, limit: Duration) -> Result<(), ChangeError> {
        let deadline = Instant::now() + limit;
        let is_new = |members: &Voters| match members.voter_ids().any(|id| node_id(id) == new.id) {
            true => Err(ChangeError::Duplicate { id: new.id, voters: describe(members) }),
            false => Ok(()),
        };
        is_new(self.observed().membership())?;
        self.caught_up(new, deadline).await?;
        let has_moved = |members: &Voters| {
            let found = find(members, new.id, new.directory_id);
            let moved = found.filter(|(_, node)| node.endpoint != new.endpoint);
            Ok(moved.map(|(id, _)| Next::Moved(id, new.node())))
        };
        self.change(deadline, has_moved).await?;
        let decide = |members: &Voters| {
            is_new(members)?;
            let lagging = ChangeError::Lagging { id: new.id, directory_id: new.directory_id };
            let (id, _) = find(members, new.id, new.directory_id).ok_or(lagging)?;
            let (mut voters, nodes) = parts(members);
            voters.insert(id);
            Ok(Some(Next::Members(voters, nodes)))
        };
        self.change(deadline, decide).await
    }

    /// Takes the vote from a node, which goes on as an observer while it lives, unless it has a new directory already.
    pub(crate) async fn remove_voter(
        &self,
        id: NodeId,
        directory_id: DirectoryId,
        limit: Duration,
    ) -> Result<(), ChangeError> {
        let decide = |members: &Voters| {
            let (mut voters, mut nodes) = parts(members);
            let found = find(members, id, directory_id).filter(|(raft_id, _)| voters.remove(raft_id));
            let Some((removed, _)) = found else {
                return Err(ChangeError::NotFound { id, directory_id, voters: describe(members) });
            };
            if nodes.keys().any(|other| *other != removed && node_id(*other) == id) {
                nodes.remove(&removed);
            }
            if voters.is_empty() {
                return Err(ChangeError::LastVoter { id });
            }
            Ok(Some(Next::Members(voters, nodes)))
        };
        self.change(Instant::now() + limit, decide).await
    }

    /// Notes where a voter is reached now.
    pub(crate) async fn update_voter(&self, voter: &Member, limit: Duration) -> Result<(), ChangeError> {
        let decide = |members: &Voters| {
            let found = find(members, voter.id, voter.directory_id);
            let found = found.filter(|(id, _)| members.voter_ids().any(|voter| voter == *id));
            let (id, node) = found.ok_or_else(|| ChangeError::NotFound {
                id: voter.id,
                directory_id: voter.directory_id,
                voters: describe(members),
            })?;
            Ok((node.endpoint != voter.endpoint).then(|| Next::Moved(id, voter.node())))
        };
        self.change(Instant::now() + limit, decide).await
    }

    /// Forgets observers.
    pub(crate) async fn forget(&self, gone: &BTreeSet<u64>, limit: Duration) -> Result<(), ChangeError> {
        let decide = |members: &Voters| {
            let (voters, mut nodes) = parts(members);
            let before = nodes.len();
            nodes.retain(|id, _| voters.contains(id) || !gone.contains(id));
            Ok((nodes.len() < before).then_some(Next::Members(voters, nodes)))
        };
        self.change(Instant::now() + limit, decide).await
    }

    /// Proposes what `decide` makes of the members, again on the newest ones where somebody else was quicker, and returns
    /// when it is committed. `None` is nothing to change.
    async fn change(
        &self,
        deadline: Instant,
        decide: impl Fn(&Voters) -> Result<Option<Next>, ChangeError>,
    ) -> Result<(), ChangeError> {
        loop {
            if !self.raft.is_leader() {
                return Err(self.not_leader());
            }
            let observed = self.observed();
            let Some(next) = decide(observed.membership())? else { return Ok(()) };
            let proposed = tokio::time::timeout_at(deadline, self.propose(&observed, next)).await;
            let Ok(proposed) = proposed else { return Err(ChangeError::TimedOut) };
            match proposed {
                Ok(()) => return Ok(()),
                Err(Failed::For(error)) => return Err(error),
                Err(Failed::Now) if Instant::now() + PAUSE < deadline => tokio::time::sleep(PAUSE).await,
                Err(Failed::Now) => return Err(ChangeError::InProgress),
            }
        }
    }

    async fn propose(&self, observed: &StoredVoters, next: Next) -> Result<(), Failed> {
        let unchanged = [Precondition::LastMembershipLogId { last_membership_log_id: *observed.log_id() }];
        let proposed = match next {
            Next::Members(voters, nodes) => {
                let raft =
                    |error: &dyn std::fmt::Display| Failed::For(ChangeError::Stopped(error.to_string()));
                let members = Voters::new(vec![voters], nodes).map_err(|error| raft(&error))?;
                self.raft.append_membership(members, EntryPayload::Blank, unchanged).await
            }
            Next::Moved(id, node) => {
                let moved = ChangeMembers::SetNodes(BTreeMap::from([(id, node)]));
                self.raft.change_membership_if(moved, true, unchanged).await
            }
        };
        proposed.map(|_| ()).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: RaftError<TypeConfig, ClientWriteError<TypeConfig>>) -> Failed {
        match error {
            RaftError::Fatal(error) => Failed::For(ChangeError::Stopped(error.to_string())),
            RaftError::APIError(ClientWriteError::ForwardToLeader(to)) => match to.reason {
                ForwardReason::LeaseExpired => Failed::Now,
                ForwardReason::NotLeader | ForwardReason::LeadershipTransfer => {
                    Failed::For(ChangeError::NotLeader { leader: to.leader_id.map(node_id) })
                }
            },
            RaftError::APIError(ClientWriteError::LogEntryDiscarded(_)) => Failed::For(ChangeError::Unknown),
            RaftError::APIError(ClientWriteError::PreconditionFailed(_)) => Failed::Now,
            RaftError::APIError(ClientWriteError::ChangeMembershipError(
                ChangeMembershipError::InProgress(_) | ChangeMembershipError::UncommittedLeaderLog(_),
            )) => Failed::Now,
            // Changes are built on what was observed, so the others do not happen.
            RaftError::APIError(ClientWriteError::ChangeMembershipError(error)) => {
                Failed::For(ChangeError::Stopped(error.to_string()))
            }
        }
    }

    /// Waits until an observer has everything that this leader has now.
    async fn caught_up(&self, new: &Member, deadline: Instant) -> Result<(), ChangeError> {
        let mut metrics = self.raft.metrics();
        let target = metrics.borrow_watched().last_log_index;
        loop {
            {
                let seen = metrics.borrow_and_update();
                let Some(replication) = &seen.replication else { return Err(self.not_leader()) };
                let found = find(seen.membership_config.membership(), new.id, new.directory_id);
                let has = found.and_then(|(id, _)| replication.get(&id)).and_then(|at| at.map(|at| at.index));
                if has >= target {
                    return Ok(());
                }
            }
            match tokio::time::timeout_at(deadline, metrics.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(ChangeError::Stopped("it was shut down".to_owned())),
                Err(_) => {
                    return Err(ChangeError::Lagging { id: new.id, directory_id: new.directory_id });
                }
            }
        }
    }

    /// The members of the newest entry that names any, committed or not.
    fn observed(&self) -> StoredVoters {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        (*metrics.membership_config).clone()
    }

    fn not_leader(&self) -> ChangeError {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        ChangeError::NotLeader { leader: metrics.current_leader.map(node_id) }
    }
}

/// Why a change was not made.
enum Failed {
    For(ChangeError),
    /// That passes: a change before this one, or a majority that has yet to answer.
    Now,
}

impl Member {
    fn node(&self) -> VoterNode {
        VoterNode { directory_id: self.directory_id, endpoint: self.endpoint.clone() }
    }
}

/// The node of that id on that directory.
pub(crate) fn find(members: &Voters, id: NodeId, directory_id: DirectoryId) -> Option<(u64, &VoterNode)> {
    let mut nodes = members.nodes().map(|(raft_id, node)| (*raft_id, node));
    nodes.find(|(raft_id, node)| node_id(*raft_id) == id && node.directory_id == directory_id)
}

/// Voters and all nodes. Only what other versions may have left has two sets of voters: all of them vote then.
fn parts(members: &Voters) -> (BTreeSet<u64>, BTreeMap<u64, VoterNode>) {
    (members.voter_ids().collect(), members.nodes().map(|(id, node)| (*id, node.clone())).collect())
}

fn describe(members: &Voters) -> String {
    let voters =
        members.voter_ids().filter_map(|id| Some((node_id(id), members.get_node(&id)?.directory_id)));
    let mut voters: Vec<_> = voters.collect();
    voters.sort_unstable();
    let voters = voters.into_iter().map(|(id, directory_id)| format!("{id} (directory {directory_id})"));
    voters.collect::<Vec<_>>().join(", ")
}
