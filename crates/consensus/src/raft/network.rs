//! The host's transport, as openraft's network: encodes, sets deadlines, sorts errors.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable};
use openraft::network::{RPCOption, RPCTypes, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use ottla_types::DirectoryId;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::config::Timing;
use crate::raft::codec::{Input, Malformed, Output};
use crate::raft::messages::{self, Envelope, Refusal, SnapshotPiece};
use crate::raft::repeats::Repeats;
use crate::raft::sanity;
use crate::raft::types::{Snapshot, TypeConfig, Vote, VoterNode, node_id};
use crate::transport::{Destination, RpcKind, Transport, TransportError};

/// Bytes of a snapshot in one request.
const PIECE_BYTES: usize = 1 << 20;

/// Reaches every peer.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) transport: Arc<dyn Transport>,
    /// Of this node.
    pub(crate) raft_id: u64,
    pub(crate) cluster_id: String,
    pub(crate) directory_id: DirectoryId,
    pub(crate) timing: Timing,
    /// Where members are now: openraft keeps a connection's first address.
    pub(crate) addresses: Arc<Mutex<BTreeMap<u64, String>>>,
    /// When each member last answered.
    pub(crate) answered: Arc<Mutex<BTreeMap<u64, Instant>>>,
    /// Refusals that the log has told.
    pub(crate) told: Arc<Repeats>,
}

/// Why there is no answer to a question.
pub(crate) enum Asked {
    /// Nobody answered.
    Silent,
    /// The other node does not want to.
    Refused(Refusal),
}

/// Reaches one peer.
pub(crate) struct Peer {
    network: Network,
    raft_id: u64,
    to: Destination,
    envelope: Envelope,
    /// How appends are sent: with entries, or as heartbeats on the urgent lane.
    append: RpcKind,
}

impl Network {
    fn peer(&self, target: u64, node: &VoterNode, append: RpcKind) -> Peer {
        let envelope = self.envelope(node.directory_id);
        let to = Destination { id: Some(node_id(target)), endpoint: node.endpoint.clone() };
        Peer { network: self.clone(), raft_id: target, to, envelope, append }
    }

    /// Asks a node whose directory is not known, or does not matter.
    pub(crate) async fn ask(
        &self,
        to: &Destination,
        kind: RpcKind,
        limit: Duration,
        put: impl FnOnce(&mut Output),
    ) -> Result<Input, Asked> {
        let request = messages::request(&self.envelope(DirectoryId::default()), put);
        let sent = tokio::time::timeout(limit, self.transport.send(to, kind, request)).await;
        let answer = sent.map_err(|_| Asked::Silent)?.map_err(|_| Asked::Silent)?;
        messages::open_response(answer).map_err(Asked::Refused)
    }

    pub(crate) fn envelope(&self, to_directory: DirectoryId) -> Envelope {
        Envelope { cluster_id: self.cluster_id.clone(), from_directory: self.directory_id, to_directory }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, node: &VoterNode) -> Peer {
        self.peer(target, node, RpcKind::Append)
    }

    async fn new_heartbeat_client(&mut self, target: u64, node: &VoterNode) -> Peer {
        self.peer(target, node, RpcKind::Heartbeat)
    }
}

impl Peer {
    /// Sends a request and reads the answer to it, within `limit`.
    async fn call<T>(
        &self,
        kind: RpcKind,
        limit: Duration,
        put: impl FnOnce(&mut Output),
        take: impl FnOnce(&mut Input) -> Result<T, Malformed>,
    ) -> Result<T, RPCError<TypeConfig>> {
        let request = messages::request(&self.envelope, put);
        let to = self.destination();
        let sent = self.network.transport.send(&to, kind, request);
        let answer = match tokio::time::timeout(limit, sent).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error @ TransportError::Unreachable { .. })) => {
                return Err(Unreachable::new(&error).into());
            }
            Ok(Err(error @ TransportError::Failed { .. })) => return Err(NetworkError::new(&error).into()),
            Err(_) => return Err(self.timeout(kind, limit).into()),
        };
        self.network.answered.lock().insert(self.raft_id, Instant::now());
        // A refusal passes when somebody acts: asking again at once is pointless.
        let mut body = messages::open_response(answer).map_err(|refusal| {
            if self.network.told.is_news(&refusal.0) {
                tracing::warn!(to = %self.to, ?kind, %refusal, "a controller refused a request");
            }
            Unreachable::new(&refusal)
        })?;
        Ok(take(&mut body).map_err(|malformed| {
            if self.network.told.is_news(&format!("{}: {malformed}", self.to)) {
                tracing::warn!(to = %self.to, ?kind, %malformed, "a controller's answer is not taken");
            }
            Unreachable::new(&malformed)
        })?)
    }

    fn destination(&self) -> Destination {
        let moved = self.network.addresses.lock().get(&self.raft_id).cloned();
        moved.map_or_else(|| self.to.clone(), |endpoint| Destination { endpoint, ..self.to.clone() })
    }

    fn timeout(&self, kind: RpcKind, timeout: Duration) -> Timeout<TypeConfig> {
        let action = match kind {
            RpcKind::Append | RpcKind::Heartbeat => RPCTypes::AppendEntries,
            RpcKind::Vote | RpcKind::PreVote | RpcKind::Identify | RpcKind::Join => RPCTypes::Vote,
            RpcKind::Snapshot => RPCTypes::InstallSnapshot,
            RpcKind::Transfer => RPCTypes::TransferLeader,
        };
        Timeout { action, id: self.network.raft_id, target: self.raft_id, timeout }
    }
}

/// Reads the answer to a question for a vote.
fn take_vote(
    request: &VoteRequest<TypeConfig>,
) -> impl FnOnce(&mut Input) -> Result<VoteResponse<TypeConfig>, Malformed> {
    let asked = request.vote;
    move |input| {
        let response = messages::take_vote_response(input)?;
        sanity::check_answered(&asked, &response.vote).map(|()| response)
    }
}

impl RaftNetworkV2<TypeConfig> for Peer {
    type SnapshotData = Bytes;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        // openraft's limit is one heartbeat; entries may take as long as the follower's disk does.
        let limit = match self.append {
            RpcKind::Append => self.network.timing.append_timeout,
            _ => option.hard_ttl(),
        };
        let put = |out: &mut Output| messages::put_append(out, &request);
        let take = |input: &mut Input| {
            let response = messages::take_append_response(input)?;
            sanity::check_appended(&request, &response).map(|()| response)
        };
        self.call(self.append, limit, put, take).await
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        let put = |out: &mut Output| messages::put_vote(out, &request);
        self.call(RpcKind::Vote, option.hard_ttl(), put, take_vote(&request)).await
    }

    /// Explicit, because the default grants every vote.
    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        let put = |out: &mut Output| messages::put_vote(out, &request);
        self.call(RpcKind::PreVote, option.hard_ttl(), put, take_vote(&request)).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        tokio::select! {
            biased;
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = self.send_pieces(vote, snapshot) => Ok(sent?),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RPCError<TypeConfig>> {
        let put = |out: &mut Output| messages::put_transfer(out, &request);
        let take = |input: &mut Input| {
            let response = messages::take_transfer_response(input)?;
            sanity::check_transferred(&request, &response).map(|()| response)
        };
        self.call(RpcKind::Transfer, option.hard_ttl(), put, take).await
    }
}

impl Peer {
    /// Sends a snapshot piece by piece. The peer answers each with its vote; a higher one ends it.
    async fn send_pieces(
        &self,
        vote: Vote,
        snapshot: Snapshot,
    ) -> Result<SnapshotResponse<TypeConfig>, RPCError<TypeConfig>> {
        let Snapshot { meta, snapshot: mut rest } = snapshot;
        let total = rest.len() as u64;
        let mut offset = 0;
        loop {
            let bytes = rest.split_to(rest.len().min(PIECE_BYTES));
            let sent = bytes.len() as u64;
            let piece = SnapshotPiece { vote, meta: meta.clone(), total, offset, bytes };
            let take = |input: &mut Input| {
                let answered = input.vote()?;
                input.end("snapshot response")?;
                sanity::check_answered(&vote, &answered).map(|()| answered)
            };
            let limit = self.network.timing.snapshot_timeout;
            let answered =
                self.call(RpcKind::Snapshot, limit, |out| messages::put_snapshot(out, &piece), take).await?;
            offset += sent;
            if answered != vote || offset == total {
                return Ok(SnapshotResponse::new(answered));
            }
        }
    }
}
