//! Listeners, the connection loop and outgoing connections.
//!
//! Bytes come in as frames and go out as segments. One task per connection and none per request: a request's
//! future is polled inside its connection's task, replies leave in the order of the requests, and what the peer
//! has not been sent yet holds back what it may ask for next.
//!
//! What it does not do: it does not know requests beyond their length, except for the headers of outgoing ones;
//! it opens no file (see [`AsFile`]); it never reserves memory for a length that a peer claims.
//!
//! Entry points: [`Listener`] and [`Service`]; [`Connection`] for the other direction.

mod budget;
mod client;
mod connection;
mod file_range;
mod frame;
mod listener;
mod log_limit;
mod metrics;
mod outbound;
mod quota;
mod residency;
mod service;
mod share;
mod transport;

pub use crate::budget::RequestBudget;
pub use crate::client::{ClientOptions, ConnectError, Connection, ConnectionEnd, Liveness, RequestError};
pub use crate::connection::{
    CloseReason, ConnectionOptions, next_connection_id, serve_in_memory, serve_stream,
};
pub use crate::file_range::{AsFile, FileRange};
pub use crate::frame::{FrameError, SHARED_FRAME};
pub use crate::listener::{BindError, Listener, ListenerConfig, ListenerHandle};
pub use crate::metrics::{Count, NetworkMetrics};
pub use crate::quota::{ConnectionPermit, ConnectionQuota};
pub use crate::service::{Call, ConnectionContext, Reply, ReplyFuture, ReplySegment, Service};
pub use crate::share::Lease;
pub use crate::transport::Transport;
