//! What openraft gets to see of other nodes. It trusts its peers: what none that keeps to the protocol sends, it takes for a reason to panic, or
//! stores, and then every start meets it again.

use openraft::EntryPayload;
use openraft::metrics::RaftMetrics;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, TransferLeaderError, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest,
};
use ottla_types::NodeId;

use crate::log::{Ballot, Position};
use crate::raft::codec::Malformed;
use crate::raft::messages::{Refusal, SnapshotPiece};
use crate::raft::types::{LogId, TypeConfig, Vote, Voters, ballot, known_node_id, position};

/// Each epoch is an election: nobody is so many ahead.
const LEAP: u64 = 1_000_000;
/// The last epoch that is taken: Kafka's are `i32`, and elections are to come.
pub(crate) const MAX_EPOCH: u64 = (1 << 31) - 1 - LEAP;
/// The last index that is taken: Kafka's offsets are `i64`, and entries are to come.
pub(crate) const MAX_INDEX: u64 = 1 << 62;

/// What a request is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Of this node; 0 before it has any.
    epoch: u64,
    committed: Option<Position>,
    /// Who sent the request.
    from: NodeId,
}

impl Known {
    pub(crate) fn new(metrics: &RaftMetrics<TypeConfig>, from: NodeId) -> Self {
        Self { epoch: metrics.current_term, committed: metrics.local_committed.map(position), from }
    }

    /// Entries follow each other, none is beyond its leader's epoch, and none contradicts what is committed.
    pub(crate) fn check_append(&self, request: &AppendEntriesRequest<TypeConfig>) -> Result<(), Refusal> {
        let leader = self.check_leader(&request.vote)?;
        let mut last = request.prev_log_id.map(position);
        if let Some(prev) = last {
            self.check_position(prev, leader)?;
        }
        if let Some(commit) = request.leader_commit {
            check_limits(position(commit), leader)?;
        }
        for entry in &request.entries {
            let at = position(entry.log_id);
            let next = last.map_or(0, |last| last.index.saturating_add(1));
            if at.index != next {
                return refuse(format!("entry {} is sent in the place of {next}", at.index));
            }
            if let Some(last) = last.filter(|last| at.epoch < last.epoch) {
                return refuse(format!(
                    "entry {} is of epoch {}, the one before of {}",
                    at.index, at.epoch, last.epoch
                ));
            }
            self.check_position(at, leader)?;
            if let EntryPayload::Membership(voters) = &entry.payload {
                check_voters(voters)?;
            }
            last = Some(at);
        }
        Ok(())
    }

    /// The sender asks for itself, for an epoch in which it does not lead yet.
    pub(crate) fn check_vote(&self, request: &VoteRequest<TypeConfig>) -> Result<(), Refusal> {
        let Ballot { epoch, committed, .. } = self.check_ballot(&request.vote)?;
        if committed {
            return refuse(format!("a vote is asked for that is won already, in epoch {epoch}"));
        }
        request.last_log_id.map_or(Ok(()), |last| check_limits(position(last), epoch))
    }

    /// The sender leads.
    pub(crate) fn check_transfer(&self, request: &TransferLeaderRequest<TypeConfig>) -> Result<(), Refusal> {
        let leader = self.check_leader(request.from_leader())?;
        request.last_log_id().map_or(Ok(()), |last| check_limits(position(*last), leader))
    }

    /// The snapshot ends where there can be an entry, and names its voters.
    pub(crate) fn check_snapshot(&self, piece: &SnapshotPiece) -> Result<(), Refusal> {
        let leader = self.check_leader(&piece.vote)?;
        let Some(last) = piece.meta.last_log_id.map(position) else {
            return refuse("a snapshot of nothing".to_owned());
        };
        self.check_position(last, leader)?;
        let members = &piece.meta.last_membership;
        let named_at = members.log_id().map(position);
        if named_at.is_none_or(|at| at.index > last.index || at.epoch > last.epoch) {
            return refuse(format!("a snapshot up to {} names voters of another time", last.index));
        }
        check_voters(members.membership())
    }

    fn check_leader(&self, vote: &Vote) -> Result<u64, Refusal> {
        match self.check_ballot(vote)? {
            Ballot { epoch, committed: true, .. } => Ok(epoch),
            Ballot { epoch, .. } => refuse(format!("the sender does not lead in epoch {epoch}")),
        }
    }

    fn check_ballot(&self, vote: &Vote) -> Result<Ballot, Refusal> {
        let ballot = ballot(vote);
        check_epoch(self.epoch, ballot.epoch).map_err(|Malformed(what)| {
            Refusal(format!("{what}: {}, here it is {}", ballot.epoch, self.epoch))
        })?;
        if known_node_id(ballot.node) != Some(self.from) {
            return refuse(format!("the vote of Raft id {:#x} is not the sender's", ballot.node));
        }
        Ok(ballot)
    }

    fn check_position(&self, at: Position, leader: u64) -> Result<(), Refusal> {
        check_limits(at, leader)?;
        // A leader that was replaced may have other entries: it is told so by its vote.
        let committed = self.committed.filter(|_| leader >= self.epoch);
        let contradicts = |committed: Position| {
            at.index <= committed.index && at.epoch > committed.epoch
                || at.index >= committed.index && at.epoch < committed.epoch
        };
        match committed.filter(|committed| contradicts(*committed)) {
            Some(committed) => refuse(format!(
                "index {} of epoch {} contradicts index {} of epoch {}, which is committed",
                at.index, at.epoch, committed.index, committed.epoch
            )),
            None => Ok(()),
        }
    }
}

/// That the epoch in an answer is one which the quorum can have come to; `asked` is this node's own vote.
pub(crate) fn check_answered(asked: &Vote, answered: &Vote) -> Result<(), Malformed> {
    check_epoch(ballot(asked).epoch, ballot(answered).epoch)
}

/// The same for each vote in an answer; and a follower has nothing from an append but what was in it.
pub(crate) fn check_appended(
    request: &AppendEntriesRequest<TypeConfig>,
    response: &AppendEntriesResponse<TypeConfig>,
) -> Result<(), Malformed> {
    match response {
        AppendEntriesResponse::HigherVote(vote) => check_answered(&request.vote, vote),
        AppendEntriesResponse::PartialSuccess(matching) => {
            let sent = request.entries.last().map(|entry| entry.log_id).or(request.prev_log_id);
            let index = |log_id: &LogId| log_id.index;
            match matching.as_ref().map(index) <= sent.as_ref().map(index) {
                true => Ok(()),
                false => Err(Malformed("append response: it has more than was sent")),
            }
        }
        AppendEntriesResponse::Success | AppendEntriesResponse::Conflict => Ok(()),
    }
}

/// The same for the answer to a leader that hands over.
pub(crate) fn check_transferred(
    request: &TransferLeaderRequest<TypeConfig>,
    response: &TransferLeaderResponse<TypeConfig>,
) -> Result<(), Malformed> {
    match response {
        Err(TransferLeaderError::VoteChanged { actual, .. }) => check_answered(request.from_leader(), actual),
        _ => Ok(()),
    }
}

/// A node without a past takes any epoch that leaves room: its quorum may be old.
fn check_epoch(own: u64, given: u64) -> Result<(), Malformed> {
    if given > MAX_EPOCH || own > 0 && given > own.saturating_add(LEAP) {
        return Err(Malformed("vote: its epoch is too far ahead"));
    }
    Ok(())
}

fn check_limits(at: Position, leader: u64) -> Result<(), Refusal> {
    if at.index > MAX_INDEX {
        return refuse(format!("index {} is beyond {MAX_INDEX}", at.index));
    }
    if at.epoch > leader {
        return refuse(format!("index {} is of epoch {}, after the sender's, {leader}", at.index, at.epoch));
    }
    Ok(())
}

fn check_voters(voters: &Voters) -> Result<(), Refusal> {
    if voters.voter_ids().next().is_none() || voters.get_joint_config().len() > 2 {
        return refuse("these are no voters: there are none, or more than two sets of them".to_owned());
    }
    match voters.nodes().find(|(id, _)| known_node_id(**id).is_none()) {
        Some((id, _)) => refuse(format!("{id:#x} is no Raft id of a node")),
        None => Ok(()),
    }
}

fn refuse<T>(reason: String) -> Result<T, Refusal> {
    Err(Refusal(reason))
}

#[cfg(test)]
#[path = "sanity_test.rs"]
mod tests;
