//! Serves the requests of other voters.

use std::sync::Arc;

use bytes::Bytes;
use openraft::Raft;
use openraft::async_runtime::WatchReceiver;
use openraft::raft::AppendEntriesResponse;
use ottla_types::{DirectoryId, NodeId};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::Timing;
use crate::error::ChangeError;
use crate::members::{Member, Members};
use crate::raft::codec::{Input, Output};
use crate::raft::machine::Machine;
use crate::raft::messages::{self, Envelope, Identity, JoinAnswer, Refusal, SnapshotPiece};
use crate::raft::repeats::Repeats;
use crate::raft::sanity::Known;
use crate::raft::types::{Snapshot, TypeConfig, Vote, known_node_id, node_id};
use crate::state_machine::SnapshotCheck;
use crate::transport::{Destination, RpcKind};

/// The receiving side of a node.
pub(crate) struct Handler {
    pub(crate) raft: Raft<TypeConfig, Machine>,
    pub(crate) cluster_id: String,
    pub(crate) directory_id: DirectoryId,
    pub(crate) max_snapshot_bytes: u64,
    /// Of the state machine.
    pub(crate) snapshot_check: SnapshotCheck,
    pub(crate) timing: Timing,
    pub(crate) incoming: Mutex<Option<Incoming>>,
    /// Why a quorum does not take this node, whose log is empty, for the voter that it claims to be.
    pub(crate) forgotten: watch::Sender<Option<String>>,
    /// When a leader last sent something that was taken.
    pub(crate) heard: Arc<Mutex<Option<Instant>>>,
    /// Refusals that the log has told.
    pub(crate) told: Repeats,
}

/// A snapshot that arrives piece by piece.
#[derive(Debug)]
pub(crate) struct Incoming {
    from: NodeId,
    vote: Vote,
    total: u64,
    bytes: Vec<u8>,
}

impl Handler {
    /// The answer to a request of `from`, whose identity the host has checked.
    pub(crate) async fn handle(&self, kind: RpcKind, from: NodeId, payload: Bytes) -> Bytes {
        let result = self.serve(kind, from, payload).await;
        if let Err(refusal) = &result
            && self.told.is_news(&format!("{from}: {refusal}"))
        {
            tracing::warn!(%from, ?kind, %refusal, "refused a request of another controller");
        }
        messages::response(result)
    }

    async fn serve(&self, kind: RpcKind, from: NodeId, payload: Bytes) -> Result<Output, Refusal> {
        let malformed = |e: crate::raft::codec::Malformed| Refusal(e.to_string());
        let mut input = Input(payload);
        let envelope = messages::open_request(&mut input).map_err(malformed)?;
        self.check(&envelope)?;
        let mut out = Output::default();
        match kind {
            RpcKind::Append | RpcKind::Heartbeat => {
                let request = messages::take_append(&mut input).map_err(malformed)?;
                self.known(from).check_append(&request)?;
                let response = self.raft.append_entries(request).await.map_err(|e| Refusal(e.to_string()))?;
                if !matches!(response, AppendEntriesResponse::HigherVote(_)) {
                    *self.heard.lock() = Some(Instant::now());
                }
                messages::put_append_response(&mut out, &response);
            }
            RpcKind::Vote => {
                let request = messages::take_vote(&mut input).map_err(malformed)?;
                self.known(from).check_vote(&request)?;
                let response = self.raft.vote(request).await.map_err(|e| Refusal(e.to_string()))?;
                messages::put_vote_response(&mut out, &response);
            }
            RpcKind::PreVote => {
                let request = messages::take_vote(&mut input).map_err(malformed)?;
                self.known(from).check_vote(&request)?;
                let response = self.raft.pre_vote(request).await.map_err(|e| Refusal(e.to_string()))?;
                messages::put_vote_response(&mut out, &response);
            }
            RpcKind::Transfer => {
                let request = messages::take_transfer(&mut input).map_err(malformed)?;
                self.known(from).check_transfer(&request)?;
                let response =
                    self.raft.handle_transfer_leader(request).await.map_err(|e| Refusal(e.to_string()))?;
                messages::put_transfer_response(&mut out, &response);
            }
            RpcKind::Snapshot => {
                let piece = messages::take_snapshot(&mut input).map_err(malformed)?;
                self.known(from).check_snapshot(&piece)?;
                let (sent, vote) = (piece.vote, self.snapshot(from, piece).await?);
                out.vote(&vote);
                // A higher one says that another leads.
                if vote == sent {
                    *self.heard.lock() = Some(Instant::now());
                }
            }
            RpcKind::Identify => {
                input.end("identify").map_err(malformed)?;
                let has_log = self.raft.is_initialized().await.map_err(|e| Refusal(e.to_string()))?;
                messages::put_identity(&mut out, Identity { directory_id: self.directory_id, has_log });
            }
            RpcKind::Join => {
                let (raft_id, endpoint) = messages::take_join(&mut input).map_err(malformed)?;
                if known_node_id(raft_id) != Some(from) {
                    return Err(Refusal(format!("node {from} does not have the Raft id {raft_id:#x}")));
                }
                let member = Member { id: from, directory_id: envelope.from_directory, endpoint };
                messages::put_join_answer(&mut out, &self.join(&member, raft_id).await?);
            }
        }
        Ok(out)
    }

    /// What this node can compare a request of `from` with.
    fn known(&self, from: NodeId) -> Known {
        Known::new(&self.raft.metrics().borrow_watched(), from)
    }

    /// A voter is its id and its directory: one whose directory was emptied has forgotten its votes, and may not
    /// vote as if it were the old one (KIP-853). The sender may be newer than the members that this node knows of.
    fn check(&self, envelope: &Envelope) -> Result<(), Refusal> {
        if envelope.cluster_id != self.cluster_id {
            return Err(Refusal(format!(
                "this voter belongs to cluster {}, not {}: check controller.quorum.voters and \
                 controller.quorum.bootstrap.servers",
                self.cluster_id, envelope.cluster_id
            )));
        }
        if !envelope.to_directory.is_zero() && envelope.to_directory != self.directory_id {
            let refusal = format!(
                "the quorum knows this voter with directory {}, but it runs on {}: give it back its directory, or remove \
                 the voter and add it anew; for that, start it with controller.quorum.bootstrap.servers in place of \
                 controller.quorum.voters",
                envelope.to_directory, self.directory_id
            );
            if self.knows_nobody() {
                self.forgotten.send_replace(Some(refusal.clone()));
            }
            return Err(Refusal(refusal));
        }
        Ok(())
    }

    /// Takes a node in as an observer, if this node leads.
    async fn join(&self, member: &Member, raft_id: u64) -> Result<JoinAnswer, Refusal> {
        let members = Members { raft: self.raft.clone() };
        match members.add_observer(member, raft_id, self.timing.append_timeout / 2).await {
            Ok(()) => Ok(JoinAnswer::Member),
            Err(ChangeError::NotLeader { .. }) => {
                Ok(self.leader().map_or(JoinAnswer::Later, JoinAnswer::Leader))
            }
            Err(ChangeError::InProgress | ChangeError::TimedOut | ChangeError::Unknown) => {
                Ok(JoinAnswer::Later)
            }
            Err(error) => Err(Refusal(error.to_string())),
        }
    }

    /// Another node that leads.
    fn leader(&self) -> Option<Destination> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let leader = metrics.current_leader.filter(|leader| *leader != metrics.id)?;
        let node = metrics.membership_config.membership().get_node(&leader)?;
        Some(Destination { id: Some(node_id(leader)), endpoint: node.endpoint.clone() })
    }

    /// Whether the log of this node has not even a first entry, which names the voters.
    fn knows_nobody(&self) -> bool {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        metrics.membership_config.membership().nodes().next().is_none()
    }

    /// Keeps a piece; installs the snapshot with the last one. The vote of this node tells the leader how it stands.
    async fn snapshot(&self, from: NodeId, piece: SnapshotPiece) -> Result<Vote, Refusal> {
        let (vote, meta) = (piece.vote, piece.meta.clone());
        let Some(bytes) = self.collect(from, piece)? else { return Ok(vote) };
        let (bytes, check) = (Bytes::from(bytes), self.snapshot_check);
        let checked = bytes.clone();
        // openraft writes it to disk first, where each start would fail on it.
        let check = tokio::task::spawn_blocking(move || check(&checked).map_err(|e| e.to_string()));
        check.await.unwrap_or_else(|e| Err(e.to_string())).map_err(|e| {
            Refusal(format!(
                "the snapshot up to {} cannot be read: {e}",
                meta.last_log_id.map_or(0, |last| last.index)
            ))
        })?;
        let snapshot = Snapshot { meta, snapshot: bytes };
        let installed = self.raft.install_full_snapshot(vote, snapshot).await;
        Ok(installed.map_err(|e| Refusal(e.to_string()))?.vote)
    }

    /// Adds a piece to what has arrived; all of it when it is complete. Memory grows with what arrives, never with
    /// what is announced.
    fn collect(&self, from: NodeId, piece: SnapshotPiece) -> Result<Option<Vec<u8>>, Refusal> {
        let SnapshotPiece { vote, total, offset, bytes, .. } = piece;
        if total > self.max_snapshot_bytes {
            return Err(Refusal(format!(
                "a snapshot of {total} bytes is larger than {}",
                self.max_snapshot_bytes
            )));
        }
        let mut slot = self.incoming.lock();
        if offset == 0 {
            *slot = Some(Incoming { from, vote, total, bytes: Vec::new() });
        }
        let fits = |i: &&mut Incoming| {
            let here = i.bytes.len() as u64;
            i.from == from
                && i.vote == vote
                && i.total == total
                && here == offset
                && offset.checked_add(bytes.len() as u64).is_some_and(|end| end <= total)
                && (!bytes.is_empty() || total == 0)
        };
        let Some(incoming) = slot.as_mut().filter(fits) else {
            *slot = None;
            return Err(Refusal("a piece of a snapshot is out of order: begin again".to_owned()));
        };
        incoming.bytes.extend_from_slice(&bytes);
        if incoming.bytes.len() as u64 == total {
            return Ok(slot.take().map(|incoming| incoming.bytes));
        }
        Ok(None)
    }
}
