//! The seam between connections and what answers their requests.

use std::fmt::{self, Debug};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::{FileRange, Lease};

/// What a connection is, for the whole of its life.
#[derive(Clone, Debug)]
pub struct ConnectionContext {
    /// Unique in this process.
    pub id: u64,
    /// Name of the listener that accepted it, as in `listeners`.
    pub listener: Arc<str>,
    /// The peer; loopback with port 0 for an in-memory connection.
    pub peer: SocketAddr,
    /// Our end.
    pub local: SocketAddr,
}

/// Answers the requests of all connections of a listener.
///
/// `call` runs inside the connection's task and must not block. Its future is polled there too: for the first
/// time at once, so what it does before its first wait happens in the order of arrival. When the peer goes
/// away, the future is dropped. A panic costs the connection, not the process.
pub trait Service: Send + Sync + 'static {
    /// What it remembers of one connection.
    type Session: Send + 'static;

    /// A connection was accepted.
    fn open(&self, connection: &Arc<ConnectionContext>) -> Self::Session;

    /// A request arrived: `frame` is all that followed its length, and `lease` holds its bytes until it is answered. Up to
    /// [`SHARED_FRAME`](crate::SHARED_FRAME) it is a slice of what the connection has read: copy what is kept.
    fn call(&self, session: &mut Self::Session, frame: Bytes, lease: &mut Lease) -> Call;
}

/// A reply that is not there yet.
pub type ReplyFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// How a request goes on.
pub enum Call {
    /// Answered.
    Ready(Reply),
    /// To be answered.
    Pending {
        /// Becomes the reply.
        reply: ReplyFuture,
        /// Whether the connection's next request may start before this one has answered. Kafka mutes the
        /// channel, so clients rely on order everywhere but in Produce, whose append happens in the call.
        may_pipeline: bool,
    },
}

impl Call {
    /// A call whose successors wait for its reply.
    pub fn wait(reply: impl Future<Output = Reply> + Send + 'static) -> Self {
        Self::Pending { reply: Box::pin(reply), may_pipeline: false }
    }

    /// A call that its successors may overtake in time, though not in the order of replies.
    pub fn pipeline(reply: impl Future<Output = Reply> + Send + 'static) -> Self {
        Self::Pending { reply: Box::pin(reply), may_pipeline: true }
    }
}

impl Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(reply) => f.debug_tuple("Ready").field(reply).finish(),
            Self::Pending { may_pipeline, .. } => {
                f.debug_struct("Pending").field("may_pipeline", may_pipeline).finish_non_exhaustive()
            }
        }
    }
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Nothing is sent (Produce with acks=0).
    None,
    /// A whole frame: length, response header, body.
    Frame(Vec<u8>),
    /// A whole frame in several pieces.
    Segments(Vec<ReplySegment>),
    /// The connection ends, after the replies before this one.
    Close {
        /// Why, for the log.
        reason: String,
    },
}

impl Reply {
    /// Bytes that it sends.
    pub fn len(&self) -> u64 {
        match self {
            Self::None | Self::Close { .. } => 0,
            Self::Frame(frame) => frame.len() as u64,
            Self::Segments(segments) => segments.iter().map(ReplySegment::len).sum(),
        }
    }

    /// Whether it sends nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A piece of a reply.
#[derive(Clone, Debug)]
pub enum ReplySegment {
    /// From memory.
    Bytes(Bytes),
    /// From a file.
    File(FileRange),
}

impl ReplySegment {
    /// Its length, bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(range) => range.len,
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
