//! A connection that many requests share: each is sent at once, answers find their requests by
//! correlation id. Two tasks drive it; it closes when the last handle goes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ottla_protocol::frame::{decode_response, encode_request_segments, peek_correlation_id};
use ottla_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse, RequestHeader};
use ottla_protocol::{ApiMessage, ByteString, ErrorCode, Request, Segment};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::chunks::Chunks;
use super::pending::Pending;
use super::versions::Versions;
use crate::{ClientConfig, ClientError, Result};

/// Frames that may wait to be written; further senders wait.
const QUEUE_LEN: usize = 64;
/// How much room is made for an answer at once, whatever its length claims.
const READ_STEP: usize = 1 << 20;
/// The first version of ApiVersions that is asked for; brokers answer any that they lack (KIP-511).
const FIRST_API_VERSIONS: i16 = 3;

type Waiter = oneshot::Sender<Result<Bytes>>;

/// A connection to one broker, after ApiVersions.
#[derive(Debug)]
pub(crate) struct Connection {
    broker: Arc<str>,
    client_id: ByteString,
    request_timeout: Duration,
    versions: Versions,
    pending: Arc<Mutex<Pending<Waiter>>>,
    frames: mpsc::Sender<Vec<Segment>>,
    tasks: [AbortHandle; 2],
}

/// An answer on its way.
#[must_use = "the request was sent, but nobody reads its answer"]
pub(crate) struct Reply {
    receiver: oneshot::Receiver<Result<Bytes>>,
    version: i16,
    deadline: tokio::time::Instant,
}

impl Connection {
    /// Connects to `address` (`host:port`) and learns what the broker speaks.
    pub(crate) async fn open(address: &str, config: &ClientConfig) -> Result<Self> {
        let unreachable = |reason: String| ClientError::Unreachable { addresses: address.to_owned(), reason };
        let connecting = tokio::time::timeout(config.connect_timeout, TcpStream::connect(address));
        let stream = connecting
            .await
            .map_err(|_| unreachable(format!("no answer within {:?}", config.connect_timeout)))?
            .map_err(|e| unreachable(e.to_string()))?;
        stream.set_nodelay(true).map_err(|e| unreachable(e.to_string()))?;
        let (read, write) = stream.into_split();
        let broker: Arc<str> = address.into();
        let pending = Arc::new(Mutex::new(Pending::new()));
        let (frames, queue) = mpsc::channel(QUEUE_LEN);
        let reader = read_answers(read, Arc::clone(&pending), Arc::clone(&broker), config.max_response_len);
        let writer = write_frames(write, queue, Arc::clone(&pending), Arc::clone(&broker));
        let tasks = [tokio::spawn(reader).abort_handle(), tokio::spawn(writer).abort_handle()];
        let mut connection = Self {
            broker,
            client_id: config.client_id.as_str().into(),
            request_timeout: config.request_timeout,
            versions: Versions::default(),
            pending,
            frames,
            tasks,
        };
        // A process that stands still is connected to by its system: only an answer shows that it is there.
        let patience = config.connect_timeout.min(config.request_timeout);
        connection.versions = Versions::new(&connection.ask_versions(patience).await?);
        Ok(connection)
    }

    /// The broker's address.
    pub(crate) fn broker(&self) -> &str {
        &self.broker
    }

    /// Whether it still works, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        lock(&self.pending).closed().is_none()
    }

    /// Sends `request` in the highest common version and waits for the answer.
    pub(crate) async fn call<R: Request>(&self, request: &R) -> Result<R::Response> {
        self.call_within(request, self.request_timeout).await
    }

    /// Like [`Connection::call`] with another timeout, for requests that brokers hold.
    pub(crate) async fn call_within<R: Request>(
        &self,
        request: &R,
        timeout: Duration,
    ) -> Result<R::Response> {
        let reply = self.send(request, timeout).await?;
        self.receive::<R>(reply).await
    }

    /// Sends `request`; requests go out in the order of these calls.
    pub(crate) async fn send<R: Request>(&self, request: &R, timeout: Duration) -> Result<Reply> {
        let version = self.version_of::<R>()?;
        let (id, receiver) = self.expect_answer()?;
        let deadline = tokio::time::Instant::now() + timeout;
        self.put(id, version, request).await?;
        Ok(Reply { receiver, version, deadline })
    }

    /// Sends a request that brokers do not answer: Produce with acks 0.
    pub(crate) async fn send_unanswered<R: Request>(&self, request: &R) -> Result<()> {
        let version = self.version_of::<R>()?;
        let id = lock(&self.pending).next_id();
        self.put(id, version, request).await
    }

    /// Waits for an answer. One that does not come in time breaks the connection: later ones on it
    /// would be late too.
    pub(crate) async fn receive<R: Request>(&self, reply: Reply) -> Result<R::Response> {
        let bytes = match tokio::time::timeout_at(reply.deadline, reply.receiver).await {
            Ok(Ok(answer)) => answer?,
            Ok(Err(_)) => return Err(self.lost("it was closed")),
            Err(_) => {
                let reason = format!("{} was not answered in time", R::KEY.name());
                fail(&self.pending, &self.broker, &reason);
                return Err(self.lost(&reason));
            }
        };
        decode_response::<R::Response>(bytes, reply.version).map(|(_, r)| r).map_err(|e| self.malformed(&e))
    }

    /// The version in which `R` would be sent.
    pub(crate) fn version_of<R: Request>(&self) -> Result<i16> {
        self.versions.pick(R::KEY, &R::VERSIONS).map_err(|offered| ClientError::UnsupportedVersion {
            broker: self.broker.to_string(),
            api: R::KEY.name().to_owned(),
            offered,
            needed: format!("one of {} to {}", R::VERSIONS.start(), R::VERSIONS.end()),
        })
    }

    /// Asks in version 3; a broker that lacks it answers in version 0, naming what it has.
    async fn ask_versions(&self, patience: Duration) -> Result<ApiVersionsResponse> {
        let mut version = FIRST_API_VERSIONS;
        loop {
            let request = ApiVersionsRequest {
                client_software_name: "ottla".into(),
                client_software_version: env!("CARGO_PKG_VERSION").into(),
                ..ApiVersionsRequest::default()
            };
            let (id, receiver) = self.expect_answer()?;
            let deadline = tokio::time::Instant::now() + patience;
            self.put(id, version, &request).await?;
            let bytes = match tokio::time::timeout_at(deadline, receiver).await {
                Ok(Ok(answer)) => answer?,
                Ok(Err(_)) => return Err(self.lost("it was closed during the first exchange")),
                Err(_) => return Err(self.lost("ApiVersions was not answered; is this a Kafka listener?")),
            };
            // The header is the same in every version; a refusal's body is of version 0.
            let refused = |b: &Bytes| b.get(4..6) == Some(&ErrorCode::UNSUPPORTED_VERSION.0.to_be_bytes());
            if version == 0 || !refused(&bytes) {
                return decode_response(bytes, version).map(|(_, r)| r).map_err(|e| self.malformed(&e));
            }
            let (_, refusal): (_, ApiVersionsResponse) =
                decode_response(bytes, 0).map_err(|e| self.malformed(&e))?;
            let ours = 0..=version - 1;
            version = Versions::new(&refusal).pick(ApiVersionsRequest::KEY, &ours).unwrap_or(0);
        }
    }

    fn expect_answer(&self) -> Result<(i32, oneshot::Receiver<Result<Bytes>>)> {
        let (sender, receiver) = oneshot::channel();
        let mut pending = lock(&self.pending);
        let id = pending.next_id();
        pending.add(id, sender).map_err(|reason| self.lost(&reason))?;
        Ok((id, receiver))
    }

    async fn put<R: ApiMessage>(&self, id: i32, version: i16, request: &R) -> Result<()> {
        let header = RequestHeader::of::<R>(version, id, Some(self.client_id.clone()));
        let frame = encode_request_segments(&header, request).map_err(|e| ClientError::UnsupportedVersion {
            broker: self.broker.to_string(),
            api: R::KEY.name().to_owned(),
            offered: format!("at most version {version}"),
            needed: format!("a newer one ({e})"),
        });
        let frame = match frame {
            Ok(frame) => frame,
            Err(e) => {
                lock(&self.pending).take(id);
                return Err(e);
            }
        };
        self.frames.send(frame).await.map_err(|_| {
            let reason = lock(&self.pending).closed().unwrap_or("it was closed").to_owned();
            self.lost(&reason)
        })
    }

    fn lost(&self, reason: &str) -> ClientError {
        ClientError::Disconnected { broker: self.broker.to_string(), reason: reason.to_owned() }
    }

    fn malformed(&self, error: &impl std::fmt::Display) -> ClientError {
        ClientError::Malformed { broker: self.broker.to_string(), reason: error.to_string() }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        fail(&self.pending, &self.broker, "it was closed");
    }
}

async fn write_frames(
    mut write: OwnedWriteHalf,
    mut queue: mpsc::Receiver<Vec<Segment>>,
    pending: Arc<Mutex<Pending<Waiter>>>,
    broker: Arc<str>,
) {
    let mut frames = Vec::with_capacity(QUEUE_LEN);
    while queue.recv_many(&mut frames, QUEUE_LEN).await > 0 {
        let mut chunks = Chunks::default();
        for segment in frames.drain(..).flatten() {
            if let Segment::Bytes(bytes) = segment {
                chunks.push(bytes);
            }
        }
        if let Err(e) = write.write_all_buf(&mut chunks).await {
            fail(&pending, &broker, &e.to_string());
            return;
        }
    }
}

async fn read_answers(
    mut read: OwnedReadHalf,
    pending: Arc<Mutex<Pending<Waiter>>>,
    broker: Arc<str>,
    max_len: usize,
) {
    let mut buffer = BytesMut::new();
    let reason = loop {
        let frame = match read_frame(&mut read, &mut buffer, max_len).await {
            Ok(frame) => frame,
            Err(reason) => break reason,
        };
        let Ok(id) = peek_correlation_id(&frame) else { break "an answer without a header".to_owned() };
        // Nobody waits for it any more if its caller gave up.
        match lock(&pending).take(id) {
            Some(waiter) => drop(waiter.send(Ok(frame))),
            None => break format!("an answer to a request ({id}) that was not sent"),
        }
    };
    fail(&pending, &broker, &reason);
}

/// The next frame without its length. `buffer` keeps what was read beyond it.
async fn read_frame(
    read: &mut OwnedReadHalf,
    buffer: &mut BytesMut,
    max_len: usize,
) -> Result<Bytes, String> {
    fill(read, buffer, 4).await?;
    let len = buffer.first_chunk().map_or(-1, |b| i32::from_be_bytes(*b));
    let len = usize::try_from(len).ok().filter(|len| *len <= max_len);
    let len =
        len.ok_or_else(|| format!("an answer over the limit of {max_len} bytes, or no Kafka answer"))?;
    fill(read, buffer, 4 + len).await?;
    Ok(buffer.split_to(4 + len).freeze().slice(4..))
}

async fn fill(read: &mut OwnedReadHalf, buffer: &mut BytesMut, len: usize) -> Result<(), String> {
    while buffer.len() < len {
        buffer.reserve((len - buffer.len()).clamp(8 * 1024, READ_STEP));
        match read.read_buf(buffer).await {
            Ok(0) => return Err("the broker closed it".to_owned()),
            Ok(_) => {}
            Err(e) => return Err(e.to_string()),
        }
    }
    Ok(())
}

/// Closes the connection: everyone who waits learns why.
fn fail(pending: &Mutex<Pending<Waiter>>, broker: &str, reason: &str) {
    for waiter in lock(pending).close(reason) {
        let error = ClientError::Disconnected { broker: broker.to_owned(), reason: reason.to_owned() };
        drop(waiter.send(Err(error)));
    }
}

/// A poisoned lock still holds a usable table: nothing is changed halfway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
