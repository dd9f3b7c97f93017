//! The way to the controllers: over TCP, or in memory to a controller of the same process, by the same messages.
//!
//! A channel is one connection at a time, to the controller that leads as far as this broker knows. When it fails, or
//! the controller says that another one leads, the next is tried. Requests that must not wait for each other
//! (heartbeats, the metadata feed, forwarded requests) have channels of their own.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use ottla_config::Endpoint;
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
/// How long one connection attempt may take; at most half of what is left for the request, so that another controller can be asked
/// where the address of this one leads nowhere.
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
    routes: Mutex<Routes>,
    active: watch::Sender<Active>,
}

/// The ways to controllers: those of the configuration, and those that the quorum has told of.
#[derive(Debug, Default)]
struct Routes {
    /// By a number that no other route ever gets.
    by_index: BTreeMap<usize, Route>,
    next: usize,
}

#[derive(Debug)]
struct Route {
    id: Option<NodeId>,
    to: ControllerRoute,
    is_configured: bool,
    /// The configuration also tells whose it is.
    is_named: bool,
}

/// A controller of the quorum, as the quorum knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownController {
    /// `node.id`.
    pub id: NodeId,
    /// Of its controller listener.
    pub host: String,
    /// Of its controller listener.
    pub port: u16,
}

/// The controller that is asked.
#[derive(Clone, Copy, Debug)]
struct Active {
    /// Number of the route to use.
    index: usize,
    /// The newest epoch that a leader was told of: word of older ones comes late.
    epoch: LeaderEpoch,
}

impl Controllers {
    /// `routes` with the controllers' node ids where they are known.
    pub fn new(routes: Vec<(Option<NodeId>, ControllerRoute)>) -> Arc<Self> {
        let active = watch::Sender::new(Active { index: 0, epoch: LeaderEpoch(-1) });
        let mut known = Routes::default();
        for (id, to) in routes {
            known.add(Route { id, to, is_configured: true, is_named: id.is_some() });
        }
        Arc::new(Self { routes: Mutex::new(known), active })
    }

    /// These are the controllers now: where voters come and go, the configuration does not name them all. What it names stays
    /// known, in case that all others are gone, and where it tells who is there, it knows best.
    pub fn learn(&self, controllers: &[KnownController]) {
        let mut routes = self.routes.lock();
        let is_known = |route: &Route| {
            route.is_configured
                || controllers.iter().any(|one| route.leads_to(one) && route.id == Some(one.id))
        };
        // Who is asked may have lost its vote, as by what it was asked for, and answers for a moment yet.
        let index = self.active.borrow().index;
        let is_elsewhere = |route: &Route| controllers.iter().any(|one| route.id == Some(one.id));
        routes.by_index.retain(|at, route| is_known(route) || *at == index && !is_elsewhere(route));
        for route in routes.by_index.values_mut().filter(|route| !route.is_named) {
            route.id = controllers.iter().find(|one| route.leads_to(one)).map(|one| one.id);
        }
        for one in controllers {
            if routes.by_index.values().all(|route| route.id != Some(one.id)) {
                let to = ControllerRoute::Tcp { host: one.host.clone(), port: one.port };
                routes.add(Route { id: Some(one.id), to, is_configured: false, is_named: false });
            }
        }
        if !routes.by_index.contains_key(&index) {
            let next = routes.after(index);
            self.active.send_modify(|active| active.index = next);
        }
    }

    /// Where controllers are asked over TCP.
    pub fn addresses(&self) -> Vec<String> {
        let routes = self.routes.lock();
        let addresses = routes.by_index.values().filter_map(|route| match &route.to {
            ControllerRoute::Tcp { host, port } => {
                Some(Endpoint { host: host.clone(), port: *port }.to_string())
            }
            ControllerRoute::InMemory(_) => None,
        });
        addresses.collect()
    }

    /// Whether the only controller is in this process: it cannot go without this broker, nor lose its office.
    pub(crate) fn is_only_local(&self) -> bool {
        self.routes.lock().by_index.values().all(|route| matches!(route.to, ControllerRoute::InMemory(_)))
    }

    /// `leader` leads the quorum in `epoch`. The same epoch has the same leader: whoever has learnt that it cannot be
    /// reached is not sent back.
    pub(crate) fn leads(&self, leader: NodeId, epoch: LeaderEpoch) {
        let index = {
            let routes = self.routes.lock();
            routes.by_index.iter().find(|(_, route)| route.id == Some(leader)).map(|(index, _)| *index)
        };
        let Some(index) = index else { return };
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
        let next = self.routes.lock().after(failed);
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
        self.routes.lock().by_index.get(&index).map(|route| (index, route.to.clone()))
    }
}

impl Routes {
    fn add(&mut self, route: Route) {
        self.by_index.insert(self.next, route);
        self.next += 1;
    }

    /// The next to try after `index`, in a circle.
    fn after(&self, index: usize) -> usize {
        let mut later = self.by_index.range(index + 1..);
        later.next().or_else(|| self.by_index.first_key_value()).map_or(0, |(index, _)| *index)
    }
}

impl Route {
    fn leads_to(&self, controller: &KnownController) -> bool {
        matches!(&self.to, ControllerRoute::Tcp { host, port }
            if *host == controller.host && *port == controller.port)
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
        let (index, route) = self.controllers.active().ok_or(ChannelError::NoController)?;
        let connection = self.connection(index, route, timeout).await?;
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
        let (index, route) = self.controllers.active().ok_or(ChannelError::NoController)?;
        let exchange = async {
            let connection = self.connection(index, route, timeout).await?;
            let sent = connection.request_up_to(request, version, timeout).await;
            sent.map_err(|error| self.failed(index, error).into())
        };
        tokio::select! {
            biased;
            sent = exchange => sent,
            () = self.controllers.moved_from(index) => Err(ChannelError::Moved),
        }
    }

    /// The connection to the controller at `index`, for a request that may take `timeout`.
    async fn connection(
        &self,
        index: usize,
        route: ControllerRoute,
        timeout: Duration,
    ) -> Result<Connection, ChannelError> {
        if let Some((at, connection)) = &*self.current.lock()
            && *at == index
            && !connection.is_closed()
        {
            return Ok(connection.clone());
        }
        let connection = match route {
            ControllerRoute::InMemory(open) => Connection::over(open(), self.options.clone()),
            ControllerRoute::Tcp { host, port } => {
                let within = CONNECT_WITHIN.min(timeout / 2);
                match Connection::connect(&format!("{host}:{port}"), within, self.options.clone()).await {
                    Ok(connection) => connection,
                    Err(error) => {
                        self.controllers.rotate(index);
                        return Err(error.into());
                    }
                }
            }
        };
        *self.current.lock() = Some((index, connection.clone()));
        Ok(connection)
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

/// Whether the response says in all its places that another controller leads. One that was deposed while it decided says so too: as with
/// Kafka, what is asked again may have been done already, and is answered so (TOPIC_ALREADY_EXISTS). Where the code stands differs
/// from API to API, but the request knows.
fn says_not_controller<R: Request>(request: &R, response: &R::Response, version: Version) -> bool {
    let shaped = |error| encode_response(0, version, &request.error_response(version, error)).ok();
    let given = encode_response(0, version, response).ok();
    // The quorum itself says so by the code of partitions. A request for nothing has the same answer in all cases.
    let refusals = [ErrorCode::NOT_CONTROLLER, ErrorCode::NOT_LEADER_OR_FOLLOWER].map(shaped);
    given.is_some() && given != shaped(ErrorCode::NONE) && refusals.contains(&given)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: i32, port: u16) -> KnownController {
        KnownController { id: NodeId(id), host: "h".to_owned(), port }
    }

    fn tcp(port: u16) -> ControllerRoute {
        ControllerRoute::Tcp { host: "h".to_owned(), port }
    }

    #[test]
    fn controllers_come_and_go() {
        let controllers = Controllers::new(vec![(None, tcp(1))]);
        controllers.learn(&[known(1, 1), known(2, 2)]);
        assert_eq!(controllers.addresses(), ["h:1", "h:2"]);
        controllers.leads(NodeId(2), LeaderEpoch(1));
        assert_eq!(format!("{:?}", controllers.active().unwrap().1), "h:2");
        // The one that is asked has moved.
        controllers.learn(&[known(2, 3), known(4, 4)]);
        assert_eq!(controllers.addresses(), ["h:1", "h:3", "h:4"], "what is configured stays");
        let (index, _) = controllers.active().unwrap();
        controllers.rotate(index);
        assert_ne!(controllers.active().unwrap().0, index);
        for _ in 0..3 {
            controllers.rotate(controllers.active().unwrap().0);
        }
        controllers.leads(NodeId(4), LeaderEpoch(2));
        assert_eq!(format!("{:?}", controllers.active().unwrap().1), "h:4");
    }

    #[tokio::test]
    async fn the_controller_that_is_asked_stays_although_it_has_lost_its_vote_until_another_leads() {
        let controllers = Controllers::new(vec![(None, tcp(1))]);
        controllers.learn(&[known(1, 1), known(2, 2), known(3, 3)]);
        controllers.leads(NodeId(2), LeaderEpoch(1));
        let (asked, _) = controllers.active().unwrap();
        controllers.learn(&[known(1, 1), known(3, 3)]);
        let moved = tokio::time::timeout(Duration::ZERO, controllers.moved_from(asked)).await;
        assert!(moved.is_err(), "the request to it goes on");
        controllers.learn(&[known(1, 1), known(3, 3)]);
        assert_eq!(controllers.active().unwrap().0, asked);
        controllers.leads(NodeId(3), LeaderEpoch(2));
        controllers.moved_from(asked).await;
        controllers.learn(&[known(1, 1), known(3, 3)]);
        assert_eq!(controllers.addresses(), ["h:1", "h:3"]);
    }

    #[test]
    fn the_controller_of_this_process_stays_the_only_one_until_there_is_another() {
        let open = || tokio::io::duplex(1).0;
        let controllers =
            Controllers::new(vec![(Some(NodeId(1)), ControllerRoute::InMemory(Arc::new(open)))]);
        controllers.learn(&[known(1, 1)]);
        assert!(controllers.is_only_local());
        controllers.learn(&[known(1, 1), known(2, 2)]);
        assert!(!controllers.is_only_local());
    }
}
