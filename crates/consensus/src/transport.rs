//! How the quorum's nodes reach each other. The quorum gives and takes opaque bytes; connections are the host's.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use ottla_types::NodeId;

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a request between voters asks for; the code is part of the private Raft API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RpcKind {
    /// Entries to store.
    Append,
    /// A sign of life of the leader, without entries.
    Heartbeat,
    /// A vote.
    Vote,
    /// Whether a vote would be given; changes nothing at the receiver.
    PreVote,
    /// A piece of a snapshot.
    Snapshot,
    /// The leader hands its role over.
    Transfer,
    /// Who are you, and have you been in a quorum before?
    Identify,
    /// A node wants to follow the quorum as an observer.
    Join,
}

/// Requests of one lane may share a connection; those of two lanes must not wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Small and urgent: heartbeats and elections.
    Control,
    /// Log entries.
    Replication,
    /// Snapshots.
    Bulk,
}

impl RpcKind {
    /// Every kind, in the order of its code.
    pub const ALL: [Self; 8] = [
        Self::Append,
        Self::Heartbeat,
        Self::Vote,
        Self::PreVote,
        Self::Snapshot,
        Self::Transfer,
        Self::Identify,
        Self::Join,
    ];

    /// Its code on the wire.
    pub const fn code(self) -> i8 {
        match self {
            Self::Append => 0,
            Self::Heartbeat => 1,
            Self::Vote => 2,
            Self::PreVote => 3,
            Self::Snapshot => 4,
            Self::Transfer => 5,
            Self::Identify => 6,
            Self::Join => 7,
        }
    }

    /// The kind of a code; `None` for one that this version does not know.
    pub fn from_code(code: i8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Which connection it belongs on.
    pub const fn lane(self) -> Lane {
        match self {
            Self::Append => Lane::Replication,
            Self::Snapshot => Lane::Bulk,
            Self::Heartbeat | Self::Vote | Self::PreVote | Self::Transfer | Self::Identify | Self::Join => {
                Lane::Control
            }
        }
    }
}

/// Whom a request is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// `node.id`, if it is known.
    pub id: Option<NodeId>,
    /// `host:port` of its controller listener as the quorum knows it; empty if it does not.
    pub endpoint: String,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "controller {id} ({})", self.endpoint),
            None => write!(f, "the controller at {}", self.endpoint),
        }
    }
}

/// Sends requests to other nodes of the quorum.
pub trait Transport: Send + Sync + 'static {
    /// Sends `payload` to the controller listener of `to`, to be given to its
    /// [`Quorum::handle_rpc`](crate::Quorum::handle_rpc), and returns what that answered. The quorum sets a deadline on
    /// every call and drops the future when it passes.
    fn send<'a>(
        &'a self,
        to: &'a Destination,
        kind: RpcKind,
        payload: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, TransportError>>;
}

/// A request that was not answered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransportError {
    /// There is no connection and none can be made; asking again at once is pointless.
    #[error("{to} cannot be reached: {reason}")]
    Unreachable {
        /// Whom.
        to: Destination,
        /// Why.
        reason: String,
    },
    /// The request may or may not have arrived.
    #[error("the request to {to} failed: {reason}")]
    Failed {
        /// Whom.
        to: Destination,
        /// Why.
        reason: String,
    },
}

/// For a quorum of one: there is nobody to reach.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTransport;

impl Transport for NoTransport {
    fn send<'a>(
        &'a self,
        to: &'a Destination,
        _: RpcKind,
        _: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, TransportError>> {
        let reason = "this node has no transport to other voters".to_owned();
        Box::pin(async move { Err(TransportError::Unreachable { to: to.clone(), reason }) })
    }
}
