//! How a node that nobody sends anything to finds the quorum: it asks the controllers that it knows of to be taken in as an
//! observer. So does one that was forgotten, or removed, while it was away.

use std::sync::Arc;
use std::time::Duration;

use openraft::Raft;
use openraft::async_runtime::WatchReceiver;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::raft::codec::Output;
use crate::raft::machine::Machine;
use crate::raft::messages::{self, JoinAnswer};
use crate::raft::network::{Asked, Network};
use crate::raft::types::{TypeConfig, node_id};
use crate::state::{QuorumState, Role};
use crate::transport::{Destination, RpcKind};

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(100);

/// What asking takes.
pub(crate) struct Joiner {
    pub(crate) raft: Raft<TypeConfig, Machine>,
    pub(crate) network: Network,
    /// Where this node is reached.
    pub(crate) endpoint: String,
    /// `controller.quorum.bootstrap.servers`.
    pub(crate) bootstrap: Vec<String>,
    pub(crate) state: watch::Receiver<QuorumState>,
    /// When a leader last sent something that was taken.
    pub(crate) heard: Arc<Mutex<Option<Instant>>>,
}

impl Joiner {
    /// Asks whenever this node has not heard of a leader for longer than an election takes.
    pub(crate) async fn keep_joined(self) {
        let mut state = self.state.clone();
        let patience = self.network.timing.election_max * 3;
        loop {
            if state.wait_for(|state| state.role != Role::Leader).await.is_err() {
                return;
            }
            let silence = self.heard.lock().map(|at| at.elapsed());
            match silence {
                Some(silence) if silence < patience => sleep(patience - silence).await,
                _ => {
                    self.ask_around().await;
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Asks until one has taken this node in; who leads is asked next.
    async fn ask_around(&self) {
        let mut waiting = self.known();
        let mut asked: Vec<String> = Vec::new();
        while let Some(to) = waiting.pop() {
            if to.endpoint.is_empty() || to.endpoint == self.endpoint || asked.contains(&to.endpoint) {
                continue;
            }
            asked.push(to.endpoint.clone());
            match self.ask(&to).await {
                Some(JoinAnswer::Member) => return,
                Some(JoinAnswer::Leader(leader)) => waiting.push(leader),
                Some(JoinAnswer::Later) | None => {}
            }
        }
        let text = "not part of the metadata quorum yet";
        // There is nobody to ask before a node that begins alone leads.
        if !asked.is_empty() && self.network.told.is_news(text) {
            tracing::info!("this node is {text}: asked {}, no leader has taken it in", asked.join(", "));
        }
    }

    async fn ask(&self, to: &Destination) -> Option<JoinAnswer> {
        let limit = self.network.timing.append_timeout;
        let put = |out: &mut Output| messages::put_join(out, self.network.raft_id, &self.endpoint);
        match self.network.ask(to, RpcKind::Join, limit, put).await {
            Ok(mut body) => messages::take_join_answer(&mut body).ok(),
            Err(Asked::Refused(refusal)) => {
                if self.network.told.is_news(&refusal.0) {
                    tracing::warn!(%to, %refusal, "a controller does not take this node in");
                }
                None
            }
            Err(Asked::Silent) => None,
        }
    }

    /// Everybody to ask: first, which is last in the list, those that took part when this node last heard of it.
    fn known(&self) -> Vec<Destination> {
        let servers = self.bootstrap.iter().rev();
        let servers = servers.map(|endpoint| Destination { id: None, endpoint: endpoint.clone() });
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let members = metrics.membership_config.membership();
        let members = members
            .nodes()
            .map(|(id, node)| Destination { id: Some(node_id(*id)), endpoint: node.endpoint.clone() });
        servers.chain(members).collect()
    }
}
