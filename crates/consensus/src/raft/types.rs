//! The types that openraft is instantiated with, and how they translate to ours.

use std::fmt;

use bytes::Bytes;
use openraft::alias::{LogIdOf, VoteOf};
use openraft::impls::leader_id_std;
use openraft::vote::RaftLeaderId;
use openraft::{Membership, StoredMembership};
use ottla_types::{DirectoryId, LeaderEpoch, NodeId, Offset};

use crate::log::{Ballot, Position};

openraft::declare_raft_types!(
    /// Standard Raft: at most one leader per term, so that a term can serve as controller epoch.
    pub(crate) TypeConfig:
        D = Payload,
        R = (),
        NodeId = u64,
        Node = VoterNode,
        Term = u64,
        LeaderId = leader_id_std::LeaderId<Self::Term, Self::NodeId>,
);

pub(crate) type CommittedLeaderId = <leader_id_std::LeaderId<u64, u64> as RaftLeaderId>::Committed;
pub(crate) type LogId = LogIdOf<TypeConfig>;
pub(crate) type Vote = VoteOf<TypeConfig>;
pub(crate) type Entry = openraft::alias::EntryOf<TypeConfig>;
pub(crate) type Voters = Membership<u64, VoterNode>;
pub(crate) type StoredVoters = StoredMembership<CommittedLeaderId, u64, VoterNode>;
pub(crate) type SnapshotMeta = openraft::alias::SnapshotMetaOf<TypeConfig>;
pub(crate) type Snapshot = openraft::alias::SnapshotOf<TypeConfig, Bytes>;

/// What is proposed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Payload(pub(crate) Bytes);

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What the log knows about a voter or observer beside its id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VoterNode {
    pub(crate) directory_id: DirectoryId,
    pub(crate) endpoint: String,
}

pub(crate) fn log_id(position: Position) -> LogId {
    LogId::new(CommittedLeaderId::new(position.epoch), position.index)
}

pub(crate) fn position(log_id: LogId) -> Position {
    Position { epoch: log_id.leader_id.term, index: log_id.index }
}

pub(crate) fn vote(ballot: Ballot) -> Vote {
    let Ballot { epoch, node, committed } = ballot;
    if committed { Vote::new_committed(epoch, node) } else { Vote::new(epoch, node) }
}

pub(crate) const fn ballot(vote: &Vote) -> Ballot {
    Ballot { epoch: vote.leader_id.term, node: vote.leader_id.voted_for, committed: vote.committed }
}

/// Raft's id of a node that was named when the quorum was formed: `node.id`, which is never negative.
pub(crate) fn founder_id(id: NodeId) -> u64 {
    u64::try_from(id.0).unwrap_or_default()
}

/// Raft's id of a node that joined later: of the node and its directory. A node whose directory was emptied is another one to
/// Raft: under its old id it would replay a log in which it once voted, perhaps alone, and might elect itself.
pub(crate) fn joiner_id(id: NodeId, directory_id: DirectoryId) -> u64 {
    let [a, b, c, d, ..] = directory_id.0;
    u64::from(u32::from_be_bytes([a, b, c, d]).max(1)) << 32 | founder_id(id)
}

/// Whose Raft id it is; `None` if no node has such a one.
pub(crate) fn known_node_id(raft_id: u64) -> Option<NodeId> {
    i32::try_from(raft_id & u64::from(u32::MAX)).ok().map(NodeId)
}

/// Whose Raft id it is, of those that were checked when they came in.
pub(crate) fn node_id(raft_id: u64) -> NodeId {
    known_node_id(raft_id).unwrap_or(NodeId(i32::MAX))
}

pub(crate) fn offset(index: u64) -> Offset {
    Offset(i64::try_from(index).unwrap_or(i64::MAX))
}

pub(crate) fn epoch(term: u64) -> LeaderEpoch {
    LeaderEpoch(i32::try_from(term).unwrap_or(i32::MAX))
}
