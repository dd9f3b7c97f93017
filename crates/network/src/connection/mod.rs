//! One connection: one task that reads requests, polls their futures and writes replies in order.

mod driver;
mod in_flight;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use thiserror::Error;
use tokio::io::DuplexStream;
use tokio::sync::watch;

use crate::connection::driver::Driver;
use crate::log_limit::LogLimit;
use crate::{ConnectionContext, FrameError, NetworkMetrics, RequestBudget, Service, Transport};

/// How often a connection looks whether it is idle or stalled, and gives unused memory back.
const TICK: Duration = Duration::from_secs(10);

/// The limits of a connection. Every connection of a listener shares one.
#[derive(Clone, Debug)]
pub struct ConnectionOptions {
    /// `socket.request.max.bytes`.
    pub max_request_bytes: usize,
    /// `connections.max.idle.ms`.
    pub max_idle: Duration,
    /// How long the peer may pause in the middle of a request, whose bytes others may be waiting for.
    pub max_stall: Duration,
    /// Requests of one connection that may be unanswered.
    pub max_in_flight: usize,
    /// Bytes of requests and of unsent replies above which the next request of a connection waits.
    pub max_in_flight_bytes: u64,
    /// Admits request bodies; shared by all listeners.
    pub budget: Arc<RequestBudget>,
    /// Counts.
    pub metrics: Arc<NetworkMetrics>,
}

impl Default for ConnectionOptions {
    /// Kafka's defaults where it has them; no budget.
    fn default() -> Self {
        Self {
            max_request_bytes: 104_857_600,
            max_idle: Duration::from_secs(600),
            max_stall: Duration::from_secs(30),
            max_in_flight: 16,
            max_in_flight_bytes: 4 * 1024 * 1024,
            budget: RequestBudget::unlimited(),
            metrics: Arc::default(),
        }
    }
}

/// Why a connection ended.
#[derive(Debug, Error)]
pub enum CloseReason {
    /// The peer ended it in an orderly way.
    #[error("closed by the peer")]
    PeerClosed,
    /// The peer or the network ended it.
    #[error("connection failed: {0}")]
    Failed(#[from] io::Error),
    /// Nothing happened for `connections.max.idle.ms`.
    #[error("idle for {} s (connections.max.idle.ms)", .0.as_secs())]
    Idle(Duration),
    /// The peer paused in the middle of a request.
    #[error("no bytes for {} s in the middle of a request", .0.as_secs())]
    Stalled(Duration),
    /// The peer sent a large request too slowly while others waited for the memory that it held.
    #[error(
        "only {came} bytes of a request came within {} s, while others waited for memory; raise \
         queued.max.request.bytes if such clients are to be served",
        .took.as_secs()
    )]
    TooSlow {
        /// Bytes that came.
        came: usize,
        /// Since the request began.
        took: Duration,
    },
    /// The listener stops.
    #[error("the listener stops")]
    Stopping,
    /// What arrived is not a frame.
    #[error(transparent)]
    BadFrame(#[from] FrameError),
    /// The service refused to go on: [`crate::Reply::Close`].
    #[error("{0}")]
    Refused(String),
    /// The service panicked.
    #[error("request handler panicked: {0}")]
    Panicked(String),
}

/// What a listener tells its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Serve.
    Serve,
    /// Start no further request, answer those in flight, close.
    Drain,
    /// Close.
    Abort,
}

/// What the connections of one listener share.
pub(crate) struct Shared<S> {
    pub(crate) service: Arc<S>,
    pub(crate) options: ConnectionOptions,
    pub(crate) log: LogLimit,
}

impl<S> Shared<S> {
    pub(crate) fn new(service: Arc<S>, options: ConnectionOptions) -> Self {
        Self { service, options, log: LogLimit::new(10) }
    }
}

/// Serves `stream` until it ends and says why. For streams that no listener accepted, such as in-memory ones:
/// dropping the future closes the connection.
pub async fn serve_stream<T: Transport, S: Service>(
    stream: T,
    service: Arc<S>,
    context: ConnectionContext,
    options: ConnectionOptions,
) -> CloseReason {
    let (_keep, stage) = watch::channel(Stage::Serve);
    let shared = Shared::new(service, options);
    run(stream, &shared, context, stage).await
}

/// Connects to `service` in memory; serves it in a task of its own until the returned end is dropped.
pub fn serve_in_memory<S: Service>(
    service: Arc<S>,
    listener: Arc<str>,
    options: ConnectionOptions,
) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(256 * 1024);
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let context = ConnectionContext { id: next_connection_id(), listener, peer: nowhere, local: nowhere };
    tokio::spawn(serve_stream(ours, service, context, options));
    theirs
}

/// A number that no other connection of this process has.
pub fn next_connection_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Serves one connection, counts and logs its end.
pub(crate) async fn run<T: Transport, S: Service>(
    stream: T,
    shared: &Shared<S>,
    context: ConnectionContext,
    mut stage: watch::Receiver<Stage>,
) -> CloseReason {
    let metrics = &shared.options.metrics;
    let context = Arc::new(context);
    let open = Open::new(metrics);
    let mut driver = Driver::new(stream, shared, &context);
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let reason = loop {
        tokio::select! {
            biased;
            reason = std::future::poll_fn(|cx| driver.poll(cx)) => break reason,
            _ = ticks.tick() => {
                if let Poll::Ready(reason) = driver.tick() {
                    break reason;
                }
            }
            changed = stage.changed() => {
                let now = *stage.borrow_and_update();
                if changed.is_err() || now == Stage::Abort {
                    break CloseReason::Stopping;
                }
                driver.drain();
            }
        }
    };
    drop(driver);
    drop(open);
    record(&reason, shared, &context);
    reason
}

/// Counts a connection for as long as it lives, however it ends.
struct Open<'a>(&'a NetworkMetrics);

impl<'a> Open<'a> {
    fn new(metrics: &'a NetworkMetrics) -> Self {
        metrics.connections.add(1);
        Self(metrics)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.connections.sub(1);
    }
}

fn record<S>(reason: &CloseReason, shared: &Shared<S>, context: &ConnectionContext) {
    let metrics = &shared.options.metrics;
    let (id, peer, listener) = (context.id, context.peer, &*context.listener);
    match reason {
        CloseReason::Panicked(_) => {
            metrics.closed_panic.add(1);
            tracing::error!("closed connection {id} from {peer} on {listener}: {reason}");
        }
        CloseReason::BadFrame(_)
        | CloseReason::Refused(_)
        | CloseReason::Stalled(_)
        | CloseReason::TooSlow { .. } => {
            metrics.closed_bad_input.add(1);
            match shared.log.check() {
                None => {}
                Some(0) => tracing::warn!("closed connection {id} from {peer} on {listener}: {reason}"),
                Some(more) => tracing::warn!(
                    "closed connection {id} from {peer} on {listener}: {reason} ({more} more such lines left out)"
                ),
            }
        }
        CloseReason::Idle(_) => {
            metrics.closed_idle.add(1);
            tracing::debug!("closed connection {id} from {peer} on {listener}: {reason}");
        }
        CloseReason::PeerClosed | CloseReason::Failed(_) | CloseReason::Stopping => {
            tracing::debug!("closed connection {id} from {peer} on {listener}: {reason}");
        }
    }
}

#[cfg(test)]
mod connection_test;
