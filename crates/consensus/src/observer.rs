//! Turns openraft's metrics into [`QuorumState`].

use std::collections::BTreeMap;
use std::sync::Arc;

use openraft::async_runtime::WatchReceiver;
use openraft::errors::Fatal;
use openraft::metrics::RaftMetrics;
use openraft::{Raft, ServerState};
use ottla_types::{LeaderEpoch, NodeId};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::raft::machine::Machine;
use crate::raft::types::{LogId, TypeConfig, epoch, node_id, offset};
use crate::state::{MemberState, QuorumState, Role};

/// Why a node has stopped whose Raft task ended without a word.
const PANICKED: &str = "the Raft task panicked; what it said is in the log and on standard error";

/// Keeps the state up to date in a task of its own.
pub(crate) fn spawn(
    raft: &Raft<TypeConfig, Machine>,
    addresses: Arc<Mutex<BTreeMap<u64, String>>>,
) -> (watch::Receiver<QuorumState>, AbortHandle) {
    let mut metrics = raft.metrics();
    let first = state_of(&metrics.borrow_watched());
    let (sender, receiver) = watch::channel(first);
    let (ticker, id) = (raft.clone(), node_id(*raft.node_id()));
    let task = tokio::spawn(async move {
        while metrics.changed().await.is_ok() {
            // The guard holds openraft up: it must not live across anything slow.
            let state = {
                let metrics = metrics.borrow_and_update();
                let members = metrics.membership_config.membership().nodes();
                *addresses.lock() = members.map(|(id, node)| (*id, node.endpoint.clone())).collect();
                state_of(&metrics)
            };
            ticker.runtime_config().tick(needs_ticks(&state));
            sender.send_if_modified(|current| {
                let is_new = *current != state;
                if is_new {
                    report(id, current, &state);
                    *current = state;
                }
                is_new
            });
        }
        // openraft says why it stops before it goes, except when it panics.
        sender.send_if_modified(|current| {
            let is_dead = current.role != Role::Stopped;
            if is_dead {
                let failure = Some(PANICKED.to_owned());
                let state = QuorumState { role: Role::Stopped, leader: None, failure, ..current.clone() };
                report(id, current, &state);
                *current = state;
            }
            is_dead
        });
    });
    (receiver, task.abort_handle())
}

fn state_of(metrics: &RaftMetrics<TypeConfig>) -> QuorumState {
    let at = |log_id: &Option<LogId>| log_id.map(|log_id| offset(log_id.index));
    // A leader may serve when it has applied an entry of its own epoch: only then does it know what is committed.
    let is_ready = metrics.last_applied.is_some_and(|last| last.leader_id.term == metrics.current_term);
    let role = match metrics.state {
        _ if metrics.running_state.is_err() => Role::Stopped,
        ServerState::Leader if is_ready => Role::Leader,
        ServerState::Leader | ServerState::Candidate => Role::Candidate,
        ServerState::Follower => Role::Follower,
        ServerState::Learner => Role::Observer,
        ServerState::Shutdown => Role::Stopped,
    };
    let leader = metrics.current_leader.filter(|&leader| match role {
        Role::Leader => true,
        Role::Follower | Role::Observer | Role::Candidate => leader != metrics.id,
        Role::Stopped => false,
    });
    let membership = metrics.membership_config.membership();
    let members = |ids: &mut dyn Iterator<Item = u64>| {
        let members = ids.filter_map(|id| {
            let node = membership.get_node(&id)?;
            let matching = metrics.replication.as_ref().and_then(|replication| replication.get(&id));
            let is_own = id == metrics.id && metrics.replication.is_some();
            let own = metrics.last_log_index.filter(|_| is_own);
            Some(MemberState {
                id: node_id(id),
                directory_id: node.directory_id,
                endpoint: node.endpoint.clone(),
                match_offset: matching.and_then(at).or_else(|| own.map(offset)),
            })
        });
        let mut members: Vec<_> = members.collect();
        members.sort_by_key(|member| member.id);
        members
    };
    QuorumState {
        leader: leader.map(node_id),
        epoch: if metrics.current_term == 0 { LeaderEpoch(-1) } else { epoch(metrics.current_term) },
        role,
        committed_offset: at(&metrics.local_committed),
        applied_offset: at(&metrics.last_applied),
        last_offset: metrics.last_log_index.map(offset),
        snapshot_offset: at(&metrics.snapshot),
        purged_offset: at(&metrics.purged),
        voters: members(&mut membership.voter_ids()),
        observers: members(&mut membership.learner_ids()),
        failure: match &metrics.running_state {
            Ok(()) | Err(Fatal::Stopped) => None,
            Err(failure) => Some(failure.to_string()),
        },
    }
}

/// A leader that is the only member has nobody to send heartbeats to and no election to win: its clock stands still, so
/// that an idle node sleeps. It runs again as soon as there is a second member, or another role.
fn needs_ticks(state: &QuorumState) -> bool {
    let is_alone = state.voters.len() == 1 && state.observers.is_empty();
    // One that was removed leads for a moment without being a voter.
    let is_voter = state.voters.iter().any(|voter| Some(voter.id) == state.leader);
    !(is_alone && is_voter && state.role == Role::Leader)
}

fn report(id: NodeId, old: &QuorumState, new: &QuorumState) {
    if let Some(failure) = new.failure.as_ref().filter(|_| old.failure.is_none()) {
        tracing::error!(node = %id, failure, "this node has left the metadata quorum");
    } else if (old.leader, old.role, old.epoch) != (new.leader, new.role, new.epoch) {
        let leader = new.leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string());
        tracing::info!(node = %id, role = ?new.role, epoch = new.epoch.0, %leader, "metadata quorum");
    }
}

#[cfg(test)]
mod tests {
    use ottla_types::Uuid;

    use super::*;

    fn state(role: Role, voters: &[i32], observers: &[i32]) -> QuorumState {
        let member = |&id: &i32| MemberState {
            id: NodeId(id),
            directory_id: Uuid::ZERO,
            endpoint: String::new(),
            match_offset: None,
        };
        QuorumState {
            leader: (role == Role::Leader).then_some(NodeId(1)),
            epoch: LeaderEpoch(1),
            role,
            committed_offset: None,
            applied_offset: None,
            last_offset: None,
            snapshot_offset: None,
            purged_offset: None,
            voters: voters.iter().map(member).collect(),
            observers: observers.iter().map(member).collect(),
            failure: None,
        }
    }

    #[test]
    fn only_a_leader_without_other_members_does_without_a_clock() {
        assert!(!needs_ticks(&state(Role::Leader, &[1], &[])));
        for needy in [
            state(Role::Leader, &[1, 2, 3], &[]),
            state(Role::Leader, &[1], &[2]),
            state(Role::Leader, &[2], &[]),
            state(Role::Candidate, &[1], &[]),
            state(Role::Follower, &[1, 2, 3], &[]),
            state(Role::Observer, &[], &[]),
        ] {
            assert!(needs_ticks(&needy), "{needy:?}");
        }
    }
}
