//! What a node knows about its quorum.

use ottla_types::{DirectoryId, LeaderEpoch, NodeId, Offset};

/// What this node does in the quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Votes and follows, or waits for a leader.
    Follower,
    /// Follows, or waits to be taken in, and has no vote.
    Observer,
    /// Asks for votes, or has won but not yet applied the first entry of its own epoch: until then it may not
    /// know all that is committed, and serves nothing.
    Candidate,
    /// Leads, and has applied everything that earlier leaders committed.
    Leader,
    /// Does not take part any more: shut down, or its disk failed.
    Stopped,
}

/// One voter or observer, as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberState {
    /// `node.id`.
    pub id: NodeId,
    /// The identity of its directory.
    pub directory_id: DirectoryId,
    /// `host:port`.
    pub endpoint: String,
    /// The last offset known to be on its disk; known only to the leader.
    pub match_offset: Option<Offset>,
}

/// What this node knows about its quorum. Offsets are those of the last entry, `None` before the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumState {
    /// The leader, this node or another, when there is one.
    pub leader: Option<NodeId>,
    /// Kafka's leader epoch of the metadata partition, which is the controller epoch.
    pub epoch: LeaderEpoch,
    /// What this node does.
    pub role: Role,
    /// On a majority of disks.
    pub committed_offset: Option<Offset>,
    /// Applied to the state machine of this node.
    pub applied_offset: Option<Offset>,
    /// In the log of this node.
    pub last_offset: Option<Offset>,
    /// Covered by the newest snapshot of this node.
    pub snapshot_offset: Option<Offset>,
    /// Before the first entry that is still in the log of this node.
    pub purged_offset: Option<Offset>,
    /// The voters, ordered by id; empty before the quorum has been formed.
    pub voters: Vec<MemberState>,
    /// Those that follow without a vote, ordered by id.
    pub observers: Vec<MemberState>,
    /// Why this node is [`Role::Stopped`], if something failed.
    pub failure: Option<String>,
}

impl QuorumState {
    /// Whether this node leads and may serve.
    pub fn is_leader(&self) -> bool {
        self.role == Role::Leader
    }

    /// The offset that the next entry of this node's log gets (Kafka's log end offset).
    pub fn log_end_offset(&self) -> Offset {
        self.last_offset.map_or(Offset(0), Offset::next)
    }
}
