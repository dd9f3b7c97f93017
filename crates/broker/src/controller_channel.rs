//! The way to the controllers: over TCP, or in memory to a controller of the same process, by the same messages.
//!
//! A channel is one connection at a time, to the controller that leads as far as this broker knows. When it fails, or
//! the controller says that another one leads, the next is tried. Requests that must not wait for each other
//! (heartbeats, the metadata feed, forwarded requests) have channels of their own.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use ottla_network::{ClientOptions, ConnectError, Connection, RequestError};
use ottla_protocol::frame::encode_response;
use ottla_protocol::messages::ApiVersionsResponse;
use ottla_protocol::{ErrorCode, Request, Version};
use ottla_server::RequestContext;
use ottla_types::{LeaderEpoch, NodeId};
use parking_lot::Mutex;
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tokio::time::Instant;

/// Between two tries.
const RETRY_BACKOFF: Duration = Duration::from_millis(20);
const MAX_RETRY_BACKOFF: Duration = Duration::from_millis(500);
/// How long one connection attempt may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// Where a controller is.
#[derive(Clone)]
pub enum ControllerRoute {
    /// In this process: each call opens a connection.
    InMemory(Arc<dyn Fn() -> DuplexStream + Send + Sync>),
    /// Elsewhere.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

impl Debug for ControllerRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InMemory(_) => f.write_str("this process"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// The controllers that this broker knows of, and which of them leads.
#[derive(Debug)]
pub struct Controllers {
    routes: Vec<(Option<NodeId>, ControllerRoute)>,
    active: watch::Sender<Active>,
}

/// The controller that is asked.
#[derive(Clone, Copy, Debug)]
struct Active {
    /// Index of the route to use.
    index: usize,
    /// The newest epoch that a leader was told of: word of older ones comes late.
    epoch: LeaderEpoch,
}

impl Controllers {
    /// `routes` with the controllers' node ids where they are known.
    pub fn new(routes: Vec<(Option<NodeId>, ControllerRoute)>) -> Arc<Self> {
        let active = watch::Sender::new(Active { index: 0, epoch: LeaderEpoch(-1) });
        Arc::new(Self { routes, active })
    }

    /// Whether the only controller is in this process: it cannot go without this broker, nor lose its office.
    pub(crate) fn is_only_local(&self) -> bool {
        matches!(self.routes.as_slice(), [(_, ControllerRoute::InMemory(_))])
    }

    /// `leader` leads the quorum in `epoch`. The same epoch has the same leader: whoever has learnt that it cannot be
    /// reached is not sent back.
    pub(crate) fn leads(&self, leader: NodeId, epoch: LeaderEpoch) {
        let Some(index) = self.routes.iter().position(|(id, _)| *id == Some(leader)) else { return };
        self.active.send_if_modified(|active| {
            if epoch <= active.epoch {
                return false;
            }
            let before = std::mem::replace(active, Active { index, epoch });
            before.index != index
        });
    }

    /// The route at `failed` did not lead anywhere: try the next, unless somebody else has moved on already.
    fn rotate(&self, failed: usize) {
        let next = (failed + 1) % self.routes.len().max(1);
        self.active.send_if_modified(|active| {
            // Otherwise another channel has found out first.
            let moves = active.index == failed && next != failed;
            if moves {
                active.index = next;
            }
            moves
        });
    }

    /// Returns when another route than `index` is to be used.
    async fn moved_from(&self, index: usize) {
        // The sender lives in `self`.
        let _ = self.active.subscribe().wait_for(|active| active.index != index).await;
    }

    fn active(&self) -> Option<(usize, ControllerRoute)> {
        let index = self.active.borrow().index;
        self.routes.get(index).map(|(_, route)| (index, route.clone()))
    }
}

/// Why a controller did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    #[error(
        "no controller is configured; set controller.quorum.voters or controller.quorum.bootstrap.servers"
    )]
    NoController,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("no controller answered within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("another controller leads now")]
    Moved,
}

/// One connection to the active controller.
#[derive(Debug)]
pub struct ControllerChannel {
    controllers: Arc<Controllers>,
    current: Mutex<Option<(usize, Connection)>>,
    options: ClientOptions,
    timeout: Duration,
}

impl ControllerChannel {
    /// A channel whose requests are given up after `timeout`.
    pub(crate) fn new(controllers: Arc<Controllers>, options: ClientOptions, timeout: Duration) -> Self {
        Self { controllers, current: Mutex::new(None), options, timeout }
    }

    /// The controllers that it leads to.
    pub(crate) fn controllers(&self) -> &Controllers {
        &self.controllers
    }

    /// Sends `request` in the highest version that the controller knows too.
    pub(crate) async fn send<R: Request>(&self, request: &R) -> Result<R::Response, ChannelError> {
        self.send_up_to(request, *R::VERSIONS.end(), self.timeout).await
    }

    /// Sends `request` once, waiting at most `timeout`, and no longer than the controller asked is the one to ask.
    pub(crate) async fn send_once<R: Request>(
        &self,
        request: &R,
        timeout: Duration,
    ) -> Result<R::Response, ChannelError> {
        self.send_to_active(request, *R::VERSIONS.end(), timeout).await
    }

    /// What the controller that is asked serves and supports, and what is finalized.
    pub(crate) async fn api_versions(&self, timeout: Duration) -> Result<ApiVersionsResponse, ChannelError> {
        let (index, connection) = self.connection().await?;
        connection.api_versions(timeout).await.map_err(|error| self.failed(index, error).into())
    }

    /// The controller at the other end does not lead: the next request goes to the next one.
    pub(crate) fn not_controller(&self) {
        if let Some((index, _)) = self.current.lock().take() {
            self.controllers.rotate(index);
        }
    }

    async fn send_up_to<R: Request>(
        &self,
        request: &R,
        version: Version,
        timeout: Duration,
    ) -> Result<R::Response, ChannelError> {
        let deadline = Instant::now() + timeout;
        let mut backoff = RETRY_BACKOFF;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut refused = None;
            let error: ChannelError = match self.send_to_active(request, version, left).await {
                Ok(response)
                    if !self.controllers.is_only_local()
                        && says_not_controller(request, &response, version) =>
                {
                    self.not_controller();
                    refused = Some(response);
                    ChannelError::Moved
                }
                Ok(response) => return Ok(response),
                // What cannot be written or read will not get better.
                Err(ChannelError::Request(error)) if !is_of_the_connection(&error) => {
                    return Err(error.into());
                }
                Err(error) => error,
            };
            if Instant::now() + backoff >= deadline {
                tracing::debug!("the controller does not answer: {error}");
                if let Some(response) = refused {
                    return Ok(response);
                }
                return Err(ChannelError::TimedOut(timeout));
            }
            tokio::time::sleep(backoff).await;
            backoff = (backoff * 2).min(MAX_RETRY_BACKOFF);
        }
    }

    /// Asks the active controller once; one that hangs is left as soon as another leads.
    async fn send_to_active<R: Request>(
        &self,
        request: &R,
        version: Version,
        timeout: Duration,
    ) -> Result<R::Response, ChannelError> {
        let (index, connection) = self.connection().await?;
        tokio::select! {
            biased;
            sent = connection.request_up_to(request, version, timeout) => {
                sent.map_err(|error| self.failed(index, error).into())
            }
            () = self.controllers.moved_from(index) => Err(ChannelError::Moved),
        }
    }

    async fn connection(&self) -> Result<(usize, Connection), ChannelError> {
        let (index, route) = self.controllers.active().ok_or(ChannelError::NoController)?;
        if let Some((at, connection)) = &*self.current.lock()
            && *at == index
            && !connection.is_closed()
        {
            return Ok((index, connection.clone()));
        }
        let connection = match route {
            ControllerRoute::InMemory(open) => Connection::over(open(), self.options.clone()),
            ControllerRoute::Tcp { host, port } => {
                match Connection::connect(&format!("{host}:{port}"), CONNECT_WITHIN, self.options.clone())
                    .await
                {
                    Ok(connection) => connection,
                    Err(error) => {
                        self.controllers.rotate(index);
                        return Err(error.into());
                    }
                }
            }
        };
        *self.current.lock() = Some((index, connection.clone()));
        Ok((index, connection))
    }

    /// A connection that ends tells nothing of its controller: whether that is there, connecting again tells.
    fn failed(&self, index: usize, error: RequestError) -> RequestError {
        match error {
            RequestError::Ended(_) => {
                self.current.lock().take();
            }
            RequestError::TimedOut(_) => {
                self.current.lock().take();
                self.controllers.rotate(index);
            }
            RequestError::Encode { .. }
            | RequestError::Decode { .. }
            | RequestError::NoCommonVersion { .. }
            | RequestError::Refused { .. } => {}
        }
        error
    }
}

/// Whether another connection, or a later time, may bring an answer.
const fn is_of_the_connection(error: &RequestError) -> bool {
    matches!(error, RequestError::Ended(_) | RequestError::TimedOut(_))
}

/// Whether the response says in all its places that another controller leads. Controllers answer so before they decide
/// anything; where the code stands differs from API to API, but the request knows.
fn says_not_controller<R: Request>(request: &R, response: &R::Response, version: Version) -> bool {
    let refusal = |error| encode_response(0, version, &request.error_response(version, error));
    match (
        encode_response(0, version, response),
        refusal(ErrorCode::NOT_CONTROLLER),
        refusal(ErrorCode::NONE),
    ) {
        // A request for nothing has the same answer in both cases.
        (Ok(given), Ok(refusal), Ok(nothing)) => given == refusal && refusal != nothing,
        _ => false,
    }
}

impl ottla_server::ControllerChannel for ControllerChannel {
    async fn forward<R: Request + Send + Sync>(
        &self,
        cx: &RequestContext,
        request: &R,
    ) -> Result<R::Response, ErrorCode>
    where
        R::Response: Send,
    {
        // In no higher version than the client's, so that the controller answers what that version can carry.
        self.send_up_to(request, cx.version, self.timeout).await.map_err(|error| {
            tracing::warn!("cannot forward {}: {error}", cx.api_key);
            match error {
                ChannelError::NoController | ChannelError::Connect(_) => ErrorCode::NOT_CONTROLLER,
                // The controller is older than this broker, and its version cannot say what the client wants.
                ChannelError::Request(RequestError::Encode { .. } | RequestError::NoCommonVersion { .. }) => {
                    ErrorCode::UNSUPPORTED_VERSION
                }
                ChannelError::Request(_) | ChannelError::TimedOut(_) | ChannelError::Moved => {
                    ErrorCode::REQUEST_TIMED_OUT
                }
            }
        })
    }
}
