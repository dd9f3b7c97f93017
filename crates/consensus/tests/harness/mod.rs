//! Voters in one process: an in-memory transport that can cut nodes off, and a state machine that remembers.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared by several tests, which may fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use ottla_consensus::{
    BoxFuture, Destination, Limits, Member, NoTransport, Quorum, QuorumConfig, QuorumState, Role, RpcKind,
    StateMachine, StateMachineError, Timing, Transport, TransportError, Voter,
};
use ottla_env::Disk;
use ottla_types::{DirectoryId, LeaderEpoch, NodeId, Offset, Uuid};
use tokio::time::timeout;

/// Longer than anything here should take, even on a busy machine.
pub const LONG: Duration = Duration::from_secs(20);

/// What a state machine was told; shared with the test.
#[derive(Clone, Debug, Default)]
pub struct Recorder(pub Arc<Mutex<BTreeMap<i64, (i32, Bytes)>>>);

impl Recorder {
    pub fn offsets(&self) -> Vec<i64> {
        self.0.lock().unwrap().keys().copied().collect()
    }

    pub fn payloads(&self) -> Vec<Bytes> {
        self.0.lock().unwrap().values().map(|(_, payload)| payload.clone()).collect()
    }
}

impl StateMachine for Recorder {
    fn apply(
        &mut self,
        offset: Offset,
        epoch: LeaderEpoch,
        payload: &Bytes,
    ) -> Result<(), StateMachineError> {
        let mut log = self.0.lock().unwrap();
        assert!(log.last_key_value().is_none_or(|(&last, _)| last < offset.0), "offsets only grow");
        log.insert(offset.0, (epoch.0, payload.clone()));
        Ok(())
    }

    fn snapshot(&self) -> Result<Bytes, StateMachineError> {
        let mut out = BytesMut::new();
        for (&offset, (epoch, payload)) in self.0.lock().unwrap().iter() {
            out.put_i64(offset);
            out.put_i32(*epoch);
            out.put_u32(payload.len() as u32);
            out.put_slice(payload);
        }
        Ok(out.freeze())
    }

    fn restore(&mut self, offset: Offset, _: LeaderEpoch, snapshot: &Bytes) -> Result<(), StateMachineError> {
        let mut rest = snapshot.clone();
        let mut log = BTreeMap::new();
        while rest.has_remaining() {
            let (at, epoch, len) = (rest.try_get_i64()?, rest.try_get_i32()?, rest.try_get_u32()?);
            assert!(at <= offset.0);
            log.insert(at, (epoch, rest.split_to(len as usize)));
        }
        *self.0.lock().unwrap() = log;
        Ok(())
    }
}

/// The wires between the voters.
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<Wires>>);

#[derive(Default)]
struct Wires {
    nodes: BTreeMap<i32, Quorum>,
    cut: BTreeSet<i32>,
    sent: BTreeMap<&'static str, u64>,
}

impl Hub {
    pub fn plug(&self, quorum: &Quorum) {
        self.plug_at(quorum.node_id().0, quorum);
    }

    /// The node is reached at the endpoint of `place`.
    pub fn plug_at(&self, place: i32, quorum: &Quorum) {
        self.0.lock().unwrap().nodes.insert(place, quorum.clone());
    }

    pub fn unplug(&self, node: i32) {
        self.0.lock().unwrap().nodes.remove(&node);
    }

    /// Nothing reaches the node or leaves it.
    pub fn cut(&self, node: i32) {
        self.0.lock().unwrap().cut.insert(node);
    }

    pub fn heal(&self, node: i32) {
        self.0.lock().unwrap().cut.remove(&node);
    }

    pub fn transport(&self, from: i32) -> Arc<dyn Transport> {
        Arc::new(Wire { hub: self.clone(), from })
    }
}

struct Wire {
    hub: Hub,
    from: i32,
}

impl Transport for Wire {
    fn send<'a>(
        &'a self,
        to: &'a Destination,
        kind: RpcKind,
        payload: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, TransportError>> {
        Box::pin(async move {
            // Members carry their endpoints, and nothing else leads to them.
            let id = to.endpoint.strip_prefix("node-").and_then(|rest| rest.strip_suffix(":9093"));
            let target = id.and_then(|id| id.parse().ok()).and_then(|id: i32| {
                let wires = self.hub.0.lock().unwrap();
                let is_cut = wires.cut.contains(&self.from) || wires.cut.contains(&id);
                wires.nodes.get(&id).filter(|_| !is_cut).cloned()
            });
            let Some(target) = target else {
                return Err(TransportError::Unreachable { to: to.clone(), reason: "cut".to_owned() });
            };
            Ok(target.handle_rpc(kind, NodeId(self.from), payload).await)
        })
    }
}

/// Short times, for tests whose nodes have nothing else to do.
pub fn quick() -> Timing {
    Timing {
        heartbeat: Duration::from_millis(20),
        election_min: Duration::from_millis(100),
        election_max: Duration::from_millis(200),
        ..Timing::default()
    }
}

pub fn config(id: i32, voters: &[i32], dir: &Path, timing: Timing, limits: Limits) -> QuorumConfig {
    QuorumConfig {
        node_id: NodeId(id),
        directory_id: directory(id),
        cluster_id: "cluster".to_owned(),
        voters: voters.iter().map(|&id| Voter { id: NodeId(id), endpoint: endpoint(id) }).collect(),
        endpoint: endpoint(id),
        bootstrap: Vec::new(),
        data_dir: dir.to_owned(),
        data_in: None,
        initial_state: None,
        timing,
        limits,
    }
}

pub fn directory(id: i32) -> DirectoryId {
    Uuid([id as u8; 16])
}

pub fn endpoint(id: i32) -> String {
    format!("node-{id}:9093")
}

/// A node as the quorum is to know it.
pub fn member(id: i32) -> Member {
    Member { id: NodeId(id), directory_id: directory(id), endpoint: endpoint(id) }
}

/// A quorum of one.
pub async fn alone(disk: Arc<dyn Disk>, dir: &Path, recorder: &Recorder, limits: Limits) -> Quorum {
    let config = config(1, &[1], dir, Timing::default(), limits);
    Quorum::start(config, disk, Box::new(recorder.clone()), Arc::new(NoTransport)).await.unwrap()
}

/// Waits until the node's state is as wanted.
pub async fn until(quorum: &Quorum, what: &str, wanted: impl FnMut(&QuorumState) -> bool) -> QuorumState {
    let mut state = quorum.state();
    match timeout(LONG, state.wait_for(wanted)).await {
        Ok(Ok(state)) => state.clone(),
        Ok(Err(_)) => panic!("node {} ended while waiting until {what}", quorum.node_id()),
        Err(_) => panic!("node {} never saw that {what}: {:?}", quorum.node_id(), *quorum.state().borrow()),
    }
}

/// Several voters.
pub struct Cluster {
    pub hub: Hub,
    pub voters: Vec<i32>,
    pub running: BTreeMap<i32, (Quorum, Recorder)>,
    root: std::path::PathBuf,
    disk: Arc<dyn Disk>,
    pub timing: Timing,
    limits: Limits,
}

impl Cluster {
    pub async fn start(count: i32, root: &Path, disk: Arc<dyn Disk>, timing: Timing, limits: Limits) -> Self {
        let voters = (1..=count).collect();
        let (hub, running) = (Hub::default(), BTreeMap::new());
        let mut cluster = Self { hub, voters, running, root: root.to_owned(), disk, timing, limits };
        for id in cluster.voters.clone() {
            cluster.start_node(id).await;
        }
        cluster
    }

    pub async fn start_node(&mut self, id: i32) {
        let config = config(id, &self.voters, &self.dir(id), self.timing, self.limits);
        self.start_with(config).await;
    }

    /// Starts a node that is to be found by the quorum that node 1, or else 2 or 3, knows.
    pub async fn start_joining(&mut self, id: i32, directory_id: DirectoryId) -> Quorum {
        self.start_with(self.joining(id, directory_id)).await
    }

    pub fn joining(&self, id: i32, directory_id: DirectoryId) -> QuorumConfig {
        QuorumConfig {
            voters: Vec::new(),
            bootstrap: (1..=3).map(endpoint).collect(),
            directory_id,
            ..config(id, &[id], &self.dir(id), self.timing, self.limits)
        }
    }

    pub async fn start_with(&mut self, config: QuorumConfig) -> Quorum {
        let (id, recorder) = (config.node_id.0, Recorder::default());
        let transport = self.hub.transport(id);
        let quorum = Quorum::start(config, Arc::clone(&self.disk), Box::new(recorder.clone()), transport)
            .await
            .unwrap();
        self.hub.plug(&quorum);
        self.running.insert(id, (quorum.clone(), recorder));
        quorum
    }

    pub fn dir(&self, id: i32) -> std::path::PathBuf {
        self.root.join(id.to_string())
    }

    /// Takes a node away without a word to the others.
    pub fn kill(&mut self, id: i32) -> Recorder {
        self.hub.unplug(id);
        let (quorum, recorder) = self.running.remove(&id).unwrap();
        quorum.kill();
        recorder
    }

    /// Waits for a leader among the running nodes, other than `not`.
    pub async fn leader(&self, not: Option<i32>) -> Quorum {
        let mut waiting = tokio::task::JoinSet::new();
        for (quorum, _) in self.running.values().filter(|(quorum, _)| Some(quorum.node_id().0) != not) {
            let quorum = quorum.clone();
            waiting.spawn(async move {
                until(&quorum, "it leads", |state| state.role == Role::Leader).await;
                quorum
            });
        }
        timeout(LONG, waiting.join_next()).await.unwrap().unwrap().unwrap()
    }
}
