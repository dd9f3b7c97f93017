//! The quorum as the controller uses it: a trait, so that decisions can be tested without a disk.

use bytes::Bytes;
use std::time::Duration;

use ottla_consensus::{
    BoxFuture, ChangeError, Member, ProposeError, Quorum, QuorumState, ReadError, RpcKind,
};
use ottla_types::{DirectoryId, LeaderEpoch, NodeId, Offset};
use tokio::sync::watch;

/// A log that a majority agrees on, and that applies what is committed to this node's state machine.
pub(crate) trait MetadataLog: Send + Sync + 'static {
    /// Where the quorum stands, and news about it.
    fn states(&self) -> watch::Receiver<QuorumState>;
    /// Returns the log offset once the payload is committed and applied on this node; only if it leads in `epoch`.
    fn propose(&self, epoch: LeaderEpoch, payload: Bytes) -> BoxFuture<'_, Result<Offset, ProposeError>>;
    /// Returns once it is sure that no other node leads.
    fn confirm_leadership(&self) -> BoxFuture<'_, Result<(), ReadError>>;
    /// Answers another voter.
    fn handle_rpc(&self, from: NodeId, kind: RpcKind, payload: Bytes) -> BoxFuture<'_, Bytes>;
    /// Returns with the reason if the quorum knows this node on another directory.
    fn forgotten(&self) -> BoxFuture<'_, String>;
    /// Has another voter lead, if this one does.
    fn transfer(&self, to: NodeId) -> BoxFuture<'_, ()>;
    /// Makes an observer that has the whole log a voter.
    fn add_voter<'a>(&'a self, voter: &'a Member, limit: Duration) -> BoxFuture<'a, Result<(), ChangeError>>;
    /// Takes the vote from a node.
    fn remove_voter(
        &self,
        id: NodeId,
        directory_id: DirectoryId,
        limit: Duration,
    ) -> BoxFuture<'_, Result<(), ChangeError>>;
    /// Notes where a voter is now.
    fn update_voter<'a>(
        &'a self,
        voter: &'a Member,
        limit: Duration,
    ) -> BoxFuture<'a, Result<(), ChangeError>>;
    /// Why no leader is known that is there; `None` while one is.
    fn missing_leader(&self) -> Option<String>;
    /// Leaves the quorum.
    fn shut_down(&self) -> BoxFuture<'_, ()>;

    /// Where the quorum stands.
    fn state(&self) -> QuorumState {
        self.states().borrow().clone()
    }
}

impl MetadataLog for Quorum {
    fn states(&self) -> watch::Receiver<QuorumState> {
        Self::state(self)
    }

    fn propose(&self, epoch: LeaderEpoch, payload: Bytes) -> BoxFuture<'_, Result<Offset, ProposeError>> {
        Box::pin(async move { Ok(self.propose_in(epoch, payload).await?.offset) })
    }

    fn handle_rpc(&self, from: NodeId, kind: RpcKind, payload: Bytes) -> BoxFuture<'_, Bytes> {
        Box::pin(Self::handle_rpc(self, kind, from, payload))
    }

    fn confirm_leadership(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        Box::pin(Self::confirm_leadership(self))
    }

    fn forgotten(&self) -> BoxFuture<'_, String> {
        Box::pin(Self::forgotten(self))
    }

    fn transfer(&self, to: NodeId) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Err(error) = self.transfer_leadership(to).await {
                tracing::warn!(%to, "leadership is not handed over: {error}");
            }
        })
    }

    fn add_voter<'a>(&'a self, voter: &'a Member, limit: Duration) -> BoxFuture<'a, Result<(), ChangeError>> {
        Box::pin(Self::add_voter(self, voter, limit))
    }

    fn remove_voter(
        &self,
        id: NodeId,
        directory_id: DirectoryId,
        limit: Duration,
    ) -> BoxFuture<'_, Result<(), ChangeError>> {
        Box::pin(Self::remove_voter(self, id, directory_id, limit))
    }

    fn update_voter<'a>(
        &'a self,
        voter: &'a Member,
        limit: Duration,
    ) -> BoxFuture<'a, Result<(), ChangeError>> {
        Box::pin(Self::update_voter(self, voter, limit))
    }

    fn missing_leader(&self) -> Option<String> {
        Self::missing_leader(self)
    }

    fn shut_down(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.shutdown())
    }
}
