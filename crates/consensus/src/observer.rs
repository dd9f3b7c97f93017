//! Turns openraft's metrics into [`QuorumState`].

use openraft::async_runtime::WatchReceiver;
use openraft::errors::Fatal;
use openraft::metrics::RaftMetrics;
use openraft::{Raft, ServerState};
use ottla_types::{LeaderEpoch, NodeId};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::raft::machine::Machine;
use crate::raft::types::{LogId, TypeConfig, epoch, node_id, offset, raft_id};
use crate::state::{QuorumState, Role, VoterState};

/// Keeps the state up to date in a task of its own.
pub(crate) fn spawn(
    id: NodeId,
    raft: &Raft<TypeConfig, Machine>,
) -> (watch::Receiver<QuorumState>, AbortHandle) {
    let mut metrics = raft.metrics();
    let first = state_of(id, &metrics.borrow_watched());
    let (sender, receiver) = watch::channel(first);
    let ticker = raft.clone();
    let task = tokio::spawn(async move {
        while metrics.changed().await.is_ok() {
            // The guard holds openraft up: it must not live across anything slow.
            let state = state_of(id, &metrics.borrow_and_update());
            ticker.runtime_config().tick(needs_ticks(id, &state));
            sender.send_if_modified(|current| {
                let is_new = *current != state;
                if is_new {
                    report(id, current, &state);
                    *current = state;
                }
                is_new
            });
        }
    });
    (receiver, task.abort_handle())
}

fn state_of(id: NodeId, metrics: &RaftMetrics<TypeConfig>) -> QuorumState {
    let at = |log_id: &Option<LogId>| log_id.map(|log_id| offset(log_id.index));
    // A leader may serve when it has applied an entry of its own epoch: only then does it know what is committed.
    let is_ready = metrics.last_applied.is_some_and(|last| last.leader_id.term == metrics.current_term);
    let role = match metrics.state {
        _ if metrics.running_state.is_err() => Role::Stopped,
        ServerState::Leader if is_ready => Role::Leader,
        ServerState::Leader | ServerState::Candidate => Role::Candidate,
        ServerState::Follower | ServerState::Learner => Role::Follower,
        ServerState::Shutdown => Role::Stopped,
    };
    let leader = metrics.current_leader.map(node_id).filter(|&leader| match role {
        Role::Leader => true,
        Role::Follower | Role::Candidate => leader != id,
        Role::Stopped => false,
    });
    let membership = metrics.membership_config.membership();
    let voters = membership.voter_ids().filter_map(|voter| {
        let node = membership.get_node(&voter)?;
        let matching = metrics.replication.as_ref().and_then(|replication| replication.get(&voter));
        let own = (voter == raft_id(id) && metrics.replication.is_some())
            .then_some(metrics.last_log_index)
            .flatten();
        Some(VoterState {
            id: node_id(voter),
            directory_id: node.directory_id,
            endpoint: node.endpoint.clone(),
            match_offset: matching.and_then(at).or_else(|| own.map(offset)),
        })
    });
    let mut voters: Vec<_> = voters.collect();
    voters.sort_by_key(|voter| voter.id);
    QuorumState {
        leader,
        epoch: if metrics.current_term == 0 { LeaderEpoch(-1) } else { epoch(metrics.current_term) },
        role,
        committed_offset: at(&metrics.local_committed),
        applied_offset: at(&metrics.last_applied),
        last_offset: metrics.last_log_index.map(offset),
        snapshot_offset: at(&metrics.snapshot),
        purged_offset: at(&metrics.purged),
        voters,
        failure: match &metrics.running_state {
            Ok(()) | Err(Fatal::Stopped) => None,
            Err(failure) => Some(failure.to_string()),
        },
    }
}

/// A leader that is the only voter has nobody to send heartbeats to and no election to win: its clock stands still, so
/// that an idle node sleeps. It runs again as soon as there is a second voter, or another role.
fn needs_ticks(id: NodeId, state: &QuorumState) -> bool {
    let is_alone = matches!(state.voters.as_slice(), [only] if only.id == id);
    !(is_alone && state.role == Role::Leader)
}

fn report(id: NodeId, old: &QuorumState, new: &QuorumState) {
    if let Some(failure) = new.failure.as_ref().filter(|_| old.failure.is_none()) {
        tracing::error!(node = %id, failure, "this node has left the metadata quorum");
    } else if (old.leader, old.role, old.epoch) != (new.leader, new.role, new.epoch) {
        tracing::info!(node = %id, role = ?new.role, epoch = new.epoch.0, leader = ?new.leader.map(|id| id.0),
            "metadata quorum");
    }
}

#[cfg(test)]
mod tests {
    use ottla_types::Uuid;

    use super::*;

    fn state(role: Role, voters: &[i32]) -> QuorumState {
        let voter = |&id: &i32| VoterState {
            id: NodeId(id),
            directory_id: Uuid::ZERO,
            endpoint: String::new(),
            match_offset: None,
        };
        QuorumState {
            leader: None,
            epoch: LeaderEpoch(1),
            role,
            committed_offset: None,
            applied_offset: None,
            last_offset: None,
            snapshot_offset: None,
            purged_offset: None,
            voters: voters.iter().map(voter).collect(),
            failure: None,
        }
    }

    #[test]
    fn only_a_leader_without_other_voters_does_without_a_clock() {
        assert!(!needs_ticks(NodeId(1), &state(Role::Leader, &[1])));
        for needy in [
            state(Role::Leader, &[1, 2, 3]),
            state(Role::Leader, &[2]),
            state(Role::Candidate, &[1]),
            state(Role::Follower, &[1, 2, 3]),
            state(Role::Follower, &[]),
        ] {
            assert!(needs_ticks(NodeId(1), &needy), "{needy:?}");
        }
    }
}
