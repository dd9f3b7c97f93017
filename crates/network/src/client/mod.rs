//! Outgoing connections: many requests in flight, responses in the order of the requests.

mod driver;
mod error;
mod liveness;
mod versions;

use std::fmt::{self, Debug};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use ottla_protocol::frame::{decode_response, encode_request_segments};
use ottla_protocol::messages::RequestHeader;
use ottla_protocol::{ByteString, Request, Segment, Version};
use socket2::{SockRef, Socket};
use tokio::net::TcpStream;
use tokio::sync::{OnceCell, mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::client::driver::Outgoing;
use crate::client::versions::PeerVersions;
use crate::{NetworkMetrics, Transport};

pub use crate::client::error::{ConnectError, ConnectionEnd, RequestError};
pub use crate::client::liveness::Liveness;

/// How an outgoing connection behaves.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// What requests carry as client id.
    pub client_id: Option<ByteString>,
    /// Requests that may be unanswered; further ones wait.
    pub max_in_flight: usize,
    /// Responses above this end the connection.
    pub max_response_bytes: usize,
    /// Counts.
    pub metrics: Arc<NetworkMetrics>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            client_id: None,
            max_in_flight: 64,
            max_response_bytes: i32::MAX as usize,
            metrics: Arc::default(),
        }
    }
}

/// A connection to a broker or controller. Clones share it; it closes when the last one is dropped.
#[derive(Clone)]
pub struct Connection {
    outgoing: mpsc::Sender<Outgoing>,
    liveness: Liveness,
    next_id: Arc<AtomicI32>,
    client_id: Option<ByteString>,
    /// What the peer serves, once it was asked.
    peer: Arc<OnceCell<PeerVersions>>,
}

impl Connection {
    /// Connects over TCP to `host:port` within `limit`.
    pub async fn connect(
        address: &str,
        limit: Duration,
        options: ClientOptions,
    ) -> Result<Self, ConnectError> {
        let address = || address.to_owned();
        let timed_out = |_| ConnectError::TimedOut { address: address(), timeout: limit };
        let stream = timeout(limit, open(&address())).await.map_err(timed_out)??;
        stream.set_nodelay(true).map_err(|source| ConnectError::Failed { address: address(), source })?;
        let socket = SockRef::from(&stream);
        let _ = socket.set_keepalive(true); // best effort
        let socket = socket.try_clone().ok().map(Arc::new); // without it, the end is known a little later
        Ok(Self::start(stream, socket, options))
    }

    /// Speaks over `stream`, in a task of its own.
    pub fn over<T: Transport>(stream: T, options: ClientOptions) -> Self {
        Self::start(stream, None, options)
    }

    /// `socket` is the one below `stream`.
    fn start<T: Transport>(stream: T, socket: Option<Arc<Socket>>, options: ClientOptions) -> Self {
        let (outgoing, commands) = mpsc::channel(options.max_in_flight.max(1));
        let (ended, end) = watch::channel(None);
        let client_id = options.client_id.clone();
        let liveness = Liveness::new(socket.as_ref(), end);
        tokio::spawn(async move {
            driver::run(stream, commands, options, ended).await;
            drop(socket);
        });
        Self { outgoing, liveness, next_id: Arc::default(), client_id, peer: Arc::default() }
    }

    /// Sends `request` in `version` and waits up to `limit` for the response.
    pub async fn request<R: Request>(
        &self,
        request: &R,
        version: Version,
        limit: Duration,
    ) -> Result<R::Response, RequestError> {
        let correlation_id = self.next_correlation_id();
        let header = RequestHeader::of::<R>(version, correlation_id, self.client_id.clone());
        let segments = encode_request_segments(&header, request)
            .map_err(|source| RequestError::Encode { api: R::KEY, source })?;
        let frame = self.send(correlation_id, pieces(segments), limit).await?;
        let (_, response) =
            decode_response(frame, version).map_err(|source| RequestError::Decode { api: R::KEY, source })?;
        Ok(response)
    }

    /// Sends a frame, its length included, and waits up to `limit` for the response with the same correlation id:
    /// header and body.
    pub async fn send(
        &self,
        correlation_id: i32,
        frame: Vec<Bytes>,
        limit: Duration,
    ) -> Result<Bytes, RequestError> {
        let (reply, response) = oneshot::channel();
        let outgoing = Outgoing { frame, reply: Some((correlation_id, reply)) };
        let exchange = async {
            self.outgoing.send(outgoing).await.ok()?;
            response.await.ok()
        };
        match timeout(limit, exchange).await {
            Ok(Some(frame)) => Ok(frame),
            Ok(None) => Err(self.closed().await.into()),
            Err(_) => Err(RequestError::TimedOut(limit)),
        }
    }

    /// Sends a frame that has no response (Produce with acks=0); waits only for room in the queue.
    pub async fn send_one_way(&self, frame: Vec<Bytes>) -> Result<(), RequestError> {
        match self.outgoing.send(Outgoing { frame, reply: None }).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.closed().await.into()),
        }
    }

    /// A correlation id that no other request in flight has.
    pub fn next_correlation_id(&self) -> i32 {
        // Kafka's clients keep the negative ones for re-authentication.
        self.next_id.fetch_add(1, Ordering::Relaxed) & i32::MAX
    }

    /// Waits until the connection has ended and says how.
    pub async fn closed(&self) -> ConnectionEnd {
        let mut end = self.liveness.end.clone();
        let gone = || ConnectionEnd::Failed(io::ErrorKind::Other, "the runtime has stopped".to_owned());
        end.wait_for(Option::is_some).await.map_or_else(|_| gone(), |end| end.clone().unwrap_or_else(gone))
    }

    /// To ask whether the peer is still there, without keeping the connection open.
    pub fn liveness(&self) -> Liveness {
        self.liveness.clone()
    }

    /// Whether it has ended.
    pub fn is_closed(&self) -> bool {
        self.liveness.end.borrow().is_some()
    }
}

impl Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("end", &*self.liveness.end.borrow()).finish_non_exhaustive()
    }
}

async fn open(address: &str) -> Result<TcpStream, ConnectError> {
    let address = || address.to_owned();
    let resolved = tokio::net::lookup_host(address()).await;
    let resolved = resolved.map_err(|source| ConnectError::Resolve { address: address(), source })?;
    let mut last = None;
    for candidate in resolved {
        match TcpStream::connect(candidate).await {
            Ok(stream) => return Ok(stream),
            // That nobody listens is known only if it is so at every address.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                last.get_or_insert_with(|| ConnectError::Refused { address: address() });
            }
            Err(source) => last = Some(ConnectError::Failed { address: address(), source }),
        }
    }
    let nowhere =
        || ConnectError::Failed { address: address(), source: io::ErrorKind::AddrNotAvailable.into() };
    Err(last.unwrap_or_else(nowhere))
}

/// The bytes of a request's segments: requests have no records elsewhere.
fn pieces(segments: Vec<Segment>) -> Vec<Bytes> {
    let bytes = segments.into_iter().filter_map(|segment| match segment {
        Segment::Bytes(bytes) => Some(bytes),
        Segment::External { .. } => None,
    });
    bytes.collect()
}

#[cfg(test)]
#[path = "../client_test.rs"]
mod tests;
