//! The requests between voters, as bytes.
//!
//! ```text
//!  request   version u8 │ cluster id │ sender's directory u128 │ receiver's directory u128, zero if unknown │ body
//!  response  version u8 │ status u8: 0 and a body, or 1 and a refusal
//! ```

use bytes::Bytes;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, TransferLeaderError, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use ottla_types::{DirectoryId, NodeId, Uuid};

use crate::raft::codec::{Input, Malformed, Output};
use crate::raft::types::{SnapshotMeta, TypeConfig, Vote};
use crate::transport::Destination;

/// Version of the envelope and of all bodies.
const VERSION: u8 = 1;

/// Who talks to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) cluster_id: String,
    pub(crate) from_directory: DirectoryId,
    pub(crate) to_directory: DirectoryId,
}

/// Why a request was not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(pub(crate) String);

pub(crate) fn request(envelope: &Envelope, body: impl FnOnce(&mut Output)) -> Bytes {
    let mut out = Output::default();
    out.u8(VERSION);
    out.sized(envelope.cluster_id.as_bytes());
    out.0.extend_from_slice(&envelope.from_directory.0);
    out.0.extend_from_slice(&envelope.to_directory.0);
    body(&mut out);
    out.finish()
}

/// The envelope; what is left is the body.
pub(crate) fn open_request(input: &mut Input) -> Result<Envelope, Malformed> {
    if input.u8("request")? != VERSION {
        return Err(Malformed("request: a version that this node does not know"));
    }
    Ok(Envelope {
        cluster_id: input.string("cluster id")?,
        from_directory: Uuid(input.array("directory id")?),
        to_directory: Uuid(input.array("directory id")?),
    })
}

pub(crate) fn response(result: Result<Output, Refusal>) -> Bytes {
    let mut out = Output(vec![VERSION]);
    match result {
        Ok(body) => {
            out.u8(0);
            out.0.extend_from_slice(&body.0);
        }
        Err(Refusal(reason)) => {
            out.u8(1);
            out.sized(reason.as_bytes());
        }
    }
    out.finish()
}

/// The body, or why there is none.
pub(crate) fn open_response(bytes: Bytes) -> Result<Input, Refusal> {
    let mut input = Input(bytes);
    let mut open = || {
        if input.u8("response")? != VERSION {
            return Err(Malformed("response: a version that this node does not know"));
        }
        if input.bool("response")? { Ok(Some(input.string("refusal")?)) } else { Ok(None) }
    };
    match open() {
        Ok(None) => Ok(input),
        Ok(Some(reason)) => Err(Refusal(reason)),
        Err(malformed) => Err(Refusal(malformed.to_string())),
    }
}

pub(crate) fn put_append(out: &mut Output, request: &AppendEntriesRequest<TypeConfig>) {
    out.vote(&request.vote);
    out.option(request.prev_log_id, Output::log_id);
    out.option(request.leader_commit, Output::log_id);
    out.count(request.entries.len());
    for entry in &request.entries {
        out.entry(entry);
    }
}

pub(crate) fn take_append(input: &mut Input) -> Result<AppendEntriesRequest<TypeConfig>, Malformed> {
    let vote = input.vote()?;
    let prev_log_id = input.option("append", Input::log_id)?;
    let leader_commit = input.option("append", Input::log_id)?;
    // Grows with what is really there.
    let mut entries = Vec::new();
    for _ in 0..input.u32("append")? {
        entries.push(input.entry()?);
    }
    input.end("append")?;
    Ok(AppendEntriesRequest { vote, prev_log_id, entries, leader_commit })
}

pub(crate) fn put_append_response(out: &mut Output, response: &AppendEntriesResponse<TypeConfig>) {
    match response {
        AppendEntriesResponse::Success => out.u8(0),
        AppendEntriesResponse::PartialSuccess(matching) => {
            out.u8(1);
            out.option(*matching, Output::log_id);
        }
        AppendEntriesResponse::Conflict => out.u8(2),
        AppendEntriesResponse::HigherVote(vote) => {
            out.u8(3);
            out.vote(vote);
        }
    }
}

pub(crate) fn take_append_response(
    input: &mut Input,
) -> Result<AppendEntriesResponse<TypeConfig>, Malformed> {
    let response = match input.u8("append response")? {
        0 => AppendEntriesResponse::Success,
        1 => AppendEntriesResponse::PartialSuccess(input.option("append response", Input::log_id)?),
        2 => AppendEntriesResponse::Conflict,
        3 => AppendEntriesResponse::HigherVote(input.vote()?),
        _ => return Err(Malformed("append response")),
    };
    input.end("append response")?;
    Ok(response)
}

pub(crate) fn put_vote(out: &mut Output, request: &VoteRequest<TypeConfig>) {
    out.vote(&request.vote);
    out.option(request.last_log_id, Output::log_id);
    out.bool(request.leadership_transfer);
}

pub(crate) fn take_vote(input: &mut Input) -> Result<VoteRequest<TypeConfig>, Malformed> {
    let mut request = VoteRequest::new(input.vote()?, input.option("vote", Input::log_id)?);
    request.leadership_transfer = input.bool("vote")?;
    input.end("vote")?;
    Ok(request)
}

pub(crate) fn put_vote_response(out: &mut Output, response: &VoteResponse<TypeConfig>) {
    out.vote(&response.vote);
    out.bool(response.vote_granted);
    out.option(response.last_log_id, Output::log_id);
}

pub(crate) fn take_vote_response(input: &mut Input) -> Result<VoteResponse<TypeConfig>, Malformed> {
    let (vote, granted) = (input.vote()?, input.bool("vote response")?);
    let response = VoteResponse::new(vote, input.option("vote response", Input::log_id)?, granted);
    input.end("vote response")?;
    Ok(response)
}

pub(crate) fn put_transfer(out: &mut Output, request: &TransferLeaderRequest<TypeConfig>) {
    out.vote(request.from_leader());
    out.u64(*request.to_node_id());
    out.option(request.last_log_id().copied(), Output::log_id);
}

pub(crate) fn take_transfer(input: &mut Input) -> Result<TransferLeaderRequest<TypeConfig>, Malformed> {
    let (from, to) = (input.vote()?, input.u64("transfer")?);
    let last = input.option("transfer", Input::log_id)?;
    input.end("transfer")?;
    Ok(TransferLeaderRequest::new(from, to, last))
}

pub(crate) fn put_transfer_response(out: &mut Output, response: &TransferLeaderResponse<TypeConfig>) {
    match response {
        Ok(()) => out.u8(0),
        Err(TransferLeaderError::VoteChanged { expected, actual }) => {
            out.u8(1);
            out.vote(expected);
            out.vote(actual);
        }
        Err(TransferLeaderError::LogNotFlushed { expected, actual }) => {
            out.u8(2);
            out.option(*expected, Output::log_id);
            out.option(*actual, Output::log_id);
        }
    }
}

pub(crate) fn take_transfer_response(
    input: &mut Input,
) -> Result<TransferLeaderResponse<TypeConfig>, Malformed> {
    const WHAT: &str = "transfer response";
    let response = match input.u8(WHAT)? {
        0 => Ok(()),
        1 => Err(TransferLeaderError::VoteChanged { expected: input.vote()?, actual: input.vote()? }),
        2 => Err(TransferLeaderError::LogNotFlushed {
            expected: input.option(WHAT, Input::log_id)?,
            actual: input.option(WHAT, Input::log_id)?,
        }),
        _ => return Err(Malformed(WHAT)),
    };
    input.end(WHAT)?;
    Ok(response)
}

/// A piece of a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotPiece {
    pub(crate) vote: Vote,
    pub(crate) meta: SnapshotMeta,
    /// Bytes of the whole snapshot.
    pub(crate) total: u64,
    /// Where the piece begins in it.
    pub(crate) offset: u64,
    pub(crate) bytes: Bytes,
}

pub(crate) fn put_snapshot(out: &mut Output, piece: &SnapshotPiece) {
    out.vote(&piece.vote);
    out.snapshot_meta(&piece.meta);
    out.u64(piece.total);
    out.u64(piece.offset);
    out.sized(&piece.bytes);
}

pub(crate) fn take_snapshot(input: &mut Input) -> Result<SnapshotPiece, Malformed> {
    const WHAT: &str = "snapshot";
    let (vote, meta) = (input.vote()?, input.snapshot_meta()?);
    let (total, offset, bytes) = (input.u64(WHAT)?, input.u64(WHAT)?, input.sized(WHAT)?);
    input.end(WHAT)?;
    Ok(SnapshotPiece { vote, meta, total, offset, bytes })
}

/// What a node says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) directory_id: DirectoryId,
    /// Whether its log has entries, so that it must not be formed again.
    pub(crate) has_log: bool,
}

pub(crate) fn put_identity(out: &mut Output, identity: Identity) {
    out.0.extend_from_slice(&identity.directory_id.0);
    out.bool(identity.has_log);
}

pub(crate) fn take_identity(input: &mut Input) -> Result<Identity, Malformed> {
    let directory_id = Uuid(input.array("identity")?);
    let has_log = input.bool("identity")?;
    input.end("identity")?;
    Ok(Identity { directory_id, has_log })
}

/// A host name of DNS, and a port.
const MAX_ENDPOINT_BYTES: usize = 255 + 6;

/// What a node that wants to join is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JoinAnswer {
    /// It takes part, as a voter or an observer.
    Member,
    /// Another node leads: it may be asked there.
    Leader(Destination),
    /// Nobody leads, or not yet.
    Later,
}

/// What the envelope does not tell of the sender: its Raft id and its endpoint.
pub(crate) fn put_join(out: &mut Output, raft_id: u64, endpoint: &str) {
    out.u64(raft_id);
    out.sized(endpoint.as_bytes());
}

pub(crate) fn take_join(input: &mut Input) -> Result<(u64, String), Malformed> {
    let raft_id = input.u64("join")?;
    let endpoint = input.string("join")?;
    input.end("join")?;
    if endpoint.len() > MAX_ENDPOINT_BYTES {
        return Err(Malformed("join: the endpoint is too long"));
    }
    Ok((raft_id, endpoint))
}

pub(crate) fn put_join_answer(out: &mut Output, answer: &JoinAnswer) {
    match answer {
        JoinAnswer::Member => out.u8(0),
        JoinAnswer::Leader(Destination { id, endpoint }) => {
            out.u8(1);
            out.u32(id.and_then(|id| u32::try_from(id.0).ok()).unwrap_or(u32::MAX));
            out.sized(endpoint.as_bytes());
        }
        JoinAnswer::Later => out.u8(2),
    }
}

pub(crate) fn take_join_answer(input: &mut Input) -> Result<JoinAnswer, Malformed> {
    const WHAT: &str = "join answer";
    let answer = match input.u8(WHAT)? {
        0 => JoinAnswer::Member,
        1 => {
            let id = i32::try_from(input.u32(WHAT)?).ok().map(NodeId);
            JoinAnswer::Leader(Destination { id, endpoint: input.string(WHAT)? })
        }
        2 => JoinAnswer::Later,
        _ => return Err(Malformed(WHAT)),
    };
    input.end(WHAT)?;
    Ok(answer)
}
