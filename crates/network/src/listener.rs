//! Accepting TCP connections, and stopping in an orderly way.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt::set_tcp_congestion;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::connection::{ConnectionOptions, Shared, Stage, next_connection_id, run};
use crate::{ConnectionContext, ConnectionPermit, ConnectionQuota, Service};

/// After a failed accept (descriptors used up) it is tried again after this, doubling up to the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Where and how to listen.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// Its name in `listeners`, such as `PLAINTEXT`.
    pub name: Arc<str>,
    /// Host name or address; empty means every address.
    pub host: String,
    /// Port; 0 lets the system choose.
    pub port: u16,
    /// `socket.listen.backlog.size`.
    pub backlog: i32,
    /// `socket.send.buffer.bytes`; none lets the system tune it.
    pub send_buffer: Option<usize>,
    /// `socket.receive.buffer.bytes`; none lets the system tune it.
    pub receive_buffer: Option<usize>,
    /// Limits of all listeners together.
    pub quota: Arc<ConnectionQuota>,
    /// Limits of each connection.
    pub connection: ConnectionOptions,
}

impl ListenerConfig {
    /// A listener with Kafka's defaults.
    pub fn new(name: &str, host: &str, port: u16) -> Self {
        Self {
            name: name.into(),
            host: host.to_owned(),
            port,
            backlog: 50,
            send_buffer: None,
            receive_buffer: None,
            quota: ConnectionQuota::unlimited(),
            connection: ConnectionOptions::default(),
        }
    }
}

/// Why a listener cannot start.
#[derive(Debug, Error)]
pub enum BindError {
    /// The host has no address.
    #[error("listener {listener}: cannot resolve host '{host}': {source}; name an address of this machine")]
    Resolve {
        /// Its name.
        listener: Arc<str>,
        /// What was given.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error(
        "listener {listener}: cannot listen on {address}: {source}; choose a free port and an address of this machine"
    )]
    Bind {
        /// Its name.
        listener: Arc<str>,
        /// The address tried last.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A bound listener that does not accept yet: clients queue in its backlog.
#[derive(Debug)]
pub struct Listener {
    config: ListenerConfig,
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds and listens.
    pub async fn bind(config: ListenerConfig) -> Result<Self, BindError> {
        let addresses = resolve(&config).await?;
        let mut failed = None;
        for address in addresses {
            match listen(address, &config).and_then(|socket| Ok((socket.local_addr()?, socket))) {
                Ok((address, socket)) => return Ok(Self { config, socket, address }),
                Err(error) => failed = Some((address, error)),
            }
        }
        let nowhere =
            || (SocketAddr::from((Ipv4Addr::UNSPECIFIED, config.port)), io::ErrorKind::NotFound.into());
        let (address, source) = failed.unwrap_or_else(nowhere);
        Err(BindError::Bind { listener: config.name, address, source })
    }

    /// The address bound, with the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections and has `service` answer them, until the handle stops it or is dropped.
    pub fn serve<S: Service>(self, service: Arc<S>) -> ListenerHandle {
        let (stop, stage) = watch::channel(Stage::Serve);
        let (alive, done) = mpsc::channel(1);
        let Self { config, socket, address } = self;
        let name = Arc::clone(&config.name);
        let shared = Arc::new(Shared::new(service, config.connection.clone()));
        tokio::spawn(Acceptor { config, socket, address, shared, stage, alive }.run());
        ListenerHandle { name, address, stop, done }
    }
}

/// A listener that serves. Dropping it closes the listener and its connections at once.
#[derive(Debug)]
pub struct ListenerHandle {
    name: Arc<str>,
    address: SocketAddr,
    stop: watch::Sender<Stage>,
    /// Ends when the accept loop and all connections have ended.
    done: mpsc::Receiver<()>,
}

impl ListenerHandle {
    /// The address bound, with the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Its name in `listeners`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Stops accepting and starting requests, waits up to `drain` for those in flight, then closes everything.
    /// Says whether all were answered in time.
    pub async fn stop(mut self, drain: Duration) -> bool {
        self.stop.send_replace(Stage::Drain);
        if timeout(drain, self.done.recv()).await.is_ok() {
            return true;
        }
        self.stop.send_replace(Stage::Abort);
        self.done.recv().await;
        false
    }
}

struct Acceptor<S> {
    config: ListenerConfig,
    socket: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared<S>>,
    stage: watch::Receiver<Stage>,
    alive: mpsc::Sender<()>,
}

impl<S: Service> Acceptor<S> {
    async fn run(self) {
        let mut stage = self.stage.clone();
        tokio::select! {
            biased;
            _ = stage.changed() => {}
            () = self.accept_all() => {}
        }
    }

    async fn accept_all(&self) {
        let mut backoff = BACKOFF.0;
        loop {
            self.config.quota.room().await;
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    backoff = BACKOFF.0;
                    self.start(stream, peer);
                }
                Err(error) if is_about_the_peer(&error) => {
                    tracing::debug!("listener {}: accept: {error}", self.config.name);
                }
                Err(error) => {
                    self.shared.options.metrics.accept_errors.add(1);
                    if self.shared.log.check().is_some() {
                        tracing::error!(
                            "listener {}: cannot accept connections: {error}; next try in {} ms (raise the limit of \
                             open files if it is used up)",
                            self.config.name,
                            backoff.as_millis()
                        );
                    }
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF.1);
                }
            }
        }
    }

    fn start(&self, stream: TcpStream, peer: SocketAddr) {
        let metrics = &self.shared.options.metrics;
        let Some(permit) = self.config.quota.admit(peer.ip()) else {
            metrics.rejected.add(1);
            if self.shared.log.check().is_some() {
                let name = &self.config.name;
                tracing::warn!("listener {name}: rejected {peer}: max.connections.per.ip is reached");
            }
            return;
        };
        if let Err(error) = self.prepare(&stream) {
            tracing::debug!("listener {}: {peer}: {error}", self.config.name);
        }
        metrics.accepted.add(1);
        let context = ConnectionContext {
            id: next_connection_id(),
            listener: Arc::clone(&self.config.name),
            peer,
            local: stream.local_addr().unwrap_or(self.address),
        };
        let stage = self.stage.clone();
        let (shared, alive) = (Arc::clone(&self.shared), self.alive.clone());
        tokio::spawn(serve(stream, shared, context, stage, (permit, alive)));
    }

    fn prepare(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(stream);
        socket.set_keepalive(true)?;
        self.config.send_buffer.map_or(Ok(()), |bytes| socket.set_send_buffer_size(bytes))
    }
}

/// Serves one connection; `held` goes when it has ended.
async fn serve<S: Service>(
    stream: TcpStream,
    shared: Arc<Shared<S>>,
    context: ConnectionContext,
    stage: watch::Receiver<Stage>,
    held: (ConnectionPermit, mpsc::Sender<()>),
) {
    run(stream, &shared, context, stage).await;
    drop(held);
}

async fn resolve(config: &ListenerConfig) -> Result<Vec<SocketAddr>, BindError> {
    if config.host.is_empty() {
        // One socket for both families where the system allows it.
        let every: [IpAddr; 2] = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
        return Ok(every.map(|address| SocketAddr::new(address, config.port)).into());
    }
    let host = config.host.trim_start_matches('[').trim_end_matches(']');
    match tokio::net::lookup_host((host, config.port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(source) => {
            let (listener, host) = (Arc::clone(&config.name), config.host.clone());
            Err(BindError::Resolve { listener, host, source })
        }
    }
}

fn listen(address: SocketAddr, config: &ListenerConfig) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    if let Some(bytes) = config.receive_buffer {
        // Before listening: accepted sockets inherit it, and the window scale is agreed on in the handshake.
        socket.set_recv_buffer_size(bytes)?;
    }
    if address.ip().is_loopback() {
        // Nothing can be congested there: what the system's default does for other paths, such as BBR's pacing with a timer
        // for each burst, only costs. Every kernel has Reno, and everybody may choose it; accepted sockets inherit it, while
        // one that has begun to pace would go on.
        set_tcp_congestion(&socket, "reno")?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(config.backlog)?;
    TcpListener::from_std(socket.into())
}

/// Whether accept failed because of the connection that it would have returned (accept(2) lists them).
fn is_about_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::Interrupted
            | Kind::TimedOut
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
    )
}

#[cfg(test)]
mod tests {
    use rustix::net::sockopt::tcp_congestion;

    use super::*;

    #[tokio::test]
    async fn nothing_is_paced_within_the_machine() {
        let config = ListenerConfig::new("PLAINTEXT", "127.0.0.1", 0);
        let listener = Listener::bind(config).await.unwrap();
        assert_eq!(tcp_congestion(&listener.socket).unwrap(), "reno");
    }
}
