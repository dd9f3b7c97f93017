//! The way to the other voters: RaftMessage over TCP, a connection for each peer and lane.
//!
//! Nothing waits in line here: a request goes out on the connection that is there, or on one that is made for it, or it
//! fails at once and the quorum tries again by its own times. What the quorum gives up (it drops the future) costs the
//! connection only if nothing has come back on it for a while: a peer that is slow keeps it, one that is cut off gets a
//! new one, which does not wait for the retransmissions of the old.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_config::Voter;
use ottla_consensus::{BoxFuture, Lane, RpcKind, Transport, TransportError};
use ottla_network::{ClientOptions, Connection};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::private::RaftMessageRequest;
use ottla_types::{ByteString, Bytes, DirectoryId, NodeId};
use tokio::sync::Mutex;
use tokio::time::Instant;

const LANES: [Lane; 3] = [Lane::Control, Lane::Replication, Lane::Bulk];
/// How long one attempt to connect may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// After a failed attempt: requests fail without another one.
const PAUSE: Duration = Duration::from_millis(20);
/// A connection with unanswered requests and no answer for so long is given up.
const SILENCE: Duration = Duration::from_secs(1);
/// Longer than any deadline of the quorum, which is the one that counts.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Requests on one connection that may be unanswered: the quorum has one or two.
const MAX_IN_FLIGHT: usize = 16;

/// Reaches the other voters of `controller.quorum.voters`.
pub(crate) struct Peers {
    node_id: NodeId,
    directory_id: DirectoryId,
    lanes: BTreeMap<(NodeId, usize), Arc<Line>>,
}

/// One lane to one peer.
struct Line {
    address: String,
    options: ClientOptions,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Open>,
    failed: Option<(Instant, String)>,
}

#[derive(Clone)]
struct Open {
    connection: Connection,
    heard: Arc<parking_lot::Mutex<Instant>>,
}

impl Peers {
    pub(crate) fn new(node_id: NodeId, directory_id: DirectoryId, voters: &[Voter]) -> Self {
        let options = ClientOptions {
            client_id: Some(ByteString::from(format!("controller-{node_id}"))),
            max_in_flight: MAX_IN_FLIGHT,
            ..ClientOptions::default()
        };
        let others = voters.iter().filter(|voter| voter.id != node_id.0);
        let lanes = others.flat_map(|voter| {
            let address = format!("{}:{}", voter.endpoint.host, voter.endpoint.port);
            let options = &options;
            LANES.map(|lane| {
                let (address, options) = (address.clone(), options.clone());
                let line = Line { address, options, state: Mutex::default() };
                ((NodeId(voter.id), index(lane)), Arc::new(line))
            })
        });
        Self { node_id, directory_id, lanes: lanes.collect() }
    }
}

impl Transport for Peers {
    fn send(
        &self,
        to: NodeId,
        kind: RpcKind,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<Bytes, TransportError>> {
        Box::pin(async move {
            let unreachable = |reason: String| TransportError::Unreachable { to, reason };
            let line = self.lanes.get(&(to, index(kind.lane())));
            let line = line.ok_or_else(|| unreachable("it is not in controller.quorum.voters".to_owned()))?;
            let open = line.open().await.map_err(unreachable)?;
            let request = RaftMessageRequest {
                kind: kind.code(),
                from_node: self.node_id.0,
                directory_id: self.directory_id,
                payload,
                ..Default::default()
            };
            let mut watch = Watch { line, open: &open, answered: false };
            let sent = open.connection.request_newest(&request, ANSWER_WITHIN).await;
            watch.answered = sent.is_ok();
            drop(watch);
            match sent {
                Ok(response) if response.error_code == ErrorCode::NONE => Ok(response.payload),
                // It may be older than this node.
                Ok(response) => Err(unreachable(format!("it answers {:?}", response.error_code))),
                Err(error) => Err(TransportError::Failed { to, reason: error.to_string() }),
            }
        })
    }
}

impl Line {
    /// The connection that is there, or a new one. Connecting goes on when the caller stops waiting.
    async fn open(self: &Arc<Self>) -> Result<Open, String> {
        if let Ok(state) = self.state.try_lock()
            && let Some(known) = state.known()
        {
            return known;
        }
        let line = Arc::clone(self);
        let connecting = tokio::spawn(async move {
            let mut state = line.state.lock().await;
            // Another request may have come to an end with it meanwhile.
            if let Some(known) = state.known() {
                return known;
            }
            let made = Connection::connect(&line.address, CONNECT_WITHIN, line.options.clone()).await;
            let made = made.map_err(|error| error.to_string());
            let made = made.map(|connection| Open {
                connection,
                heard: Arc::new(parking_lot::Mutex::new(Instant::now())),
            });
            state.failed = made.as_ref().err().map(|reason| (Instant::now(), reason.clone()));
            state.connection = made.as_ref().ok().cloned();
            made
        });
        connecting.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

impl State {
    /// What is known without an attempt.
    fn known(&self) -> Option<Result<Open, String>> {
        if let Some(open) = self.connection.as_ref().filter(|open| !open.connection.is_closed()) {
            return Some(Ok(open.clone()));
        }
        let failed = self.failed.as_ref().filter(|(at, _)| at.elapsed() < PAUSE);
        failed.map(|(_, reason)| Err(reason.clone()))
    }
}

/// Sees how a request ends, also when it is dropped.
struct Watch<'a> {
    line: &'a Line,
    open: &'a Open,
    answered: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if self.answered {
            *self.open.heard.lock() = Instant::now();
        } else if self.open.heard.lock().elapsed() > SILENCE
            && let Ok(mut state) = self.line.state.try_lock()
        {
            let is_same = |open: &mut Open| Arc::ptr_eq(&open.heard, &self.open.heard);
            // Its driver ends with the last clone.
            state.connection.take_if(is_same);
        }
    }
}

const fn index(lane: Lane) -> usize {
    match lane {
        Lane::Control => 0,
        Lane::Replication => 1,
        Lane::Bulk => 2,
    }
}
