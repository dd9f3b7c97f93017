//! Whether this node is in touch with its quorum. openraft names the last leader until there is another one, also if it is dead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::metrics::RaftMetrics;
use openraft::{Instant as _, Raft, ServerState};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::raft::machine::Machine;
use crate::raft::types::{TypeConfig, node_id};

/// How often the log tells what is waited for.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What is known of the other nodes.
#[derive(Clone)]
pub(crate) struct Contact {
    pub(crate) raft: Raft<TypeConfig, Machine>,
    /// When a leader last sent something that was taken.
    pub(crate) heard: Arc<Mutex<Option<Instant>>>,
    /// When each node last answered a request of this one, by Raft id.
    pub(crate) answered: Arc<Mutex<BTreeMap<u64, Instant>>>,
    /// Longer than an election takes.
    pub(crate) patience: Duration,
}

impl Contact {
    /// Why this node knows no leader that is there: `None` while it hears one, or leads and a majority answers.
    pub(crate) fn missing(&self) -> Option<String> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        if self.silence(&metrics).is_some_and(|silence| silence < self.patience) {
            return None;
        }
        let mut voters: Vec<_> = metrics.membership_config.membership().voter_ids().collect();
        voters.sort_by_key(|id| node_id(*id));
        let answered = self.answered.lock();
        let is_silent =
            |id: &&u64| **id != metrics.id && answered.get(id).is_none_or(|at| at.elapsed() >= self.patience);
        let silent: Vec<_> = voters.iter().filter(is_silent).copied().collect();
        let nodes = metrics.membership_config.membership();
        let name = |id: &u64| match nodes.get_node(id) {
            Some(node) => format!("{} ({})", node_id(*id), node.endpoint),
            None => node_id(*id).to_string(),
        };
        let names = |ids: &[u64]| ids.iter().map(name).collect::<Vec<_>>().join(", ");
        Some(match (voters.as_slice(), silent.as_slice()) {
            ([], _) => "no leader has taken this node in yet".to_owned(),
            (_, []) => "no leader; the voters answer, and elect one".to_owned(),
            (all, silent) => format!(
                "no leader; of {} voters {} have to answer, and these do not: {}",
                all.len(),
                all.len() / 2 + 1,
                names(silent)
            ),
        })
    }

    /// How long ago the leader was heard, or, where this node leads, a majority; `None` if never.
    fn silence(&self, metrics: &RaftMetrics<TypeConfig>) -> Option<Duration> {
        match metrics.state {
            ServerState::Leader => {
                let is_alone = metrics.membership_config.membership().voter_ids().eq([metrics.id]);
                let acked = metrics.last_quorum_acked.map(|at| at.elapsed());
                if is_alone { Some(Duration::ZERO) } else { acked }
            }
            ServerState::Follower | ServerState::Learner => {
                metrics.current_leader.and_then(|_| self.heard.lock().map(|at| at.elapsed()))
            }
            ServerState::Candidate | ServerState::Shutdown => None,
        }
    }

    /// Tells every ten seconds what a voter waits for; observers tell it while they ask to be taken in.
    pub(crate) async fn keep_telling(self) {
        loop {
            tokio::time::sleep(TELL_EVERY).await;
            let is_voter = {
                let metrics = self.raft.metrics();
                let metrics = metrics.borrow_watched();
                metrics.membership_config.membership().voter_ids().any(|id| id == metrics.id)
            };
            if let Some(missing) = self.missing().filter(|_| is_voter) {
                tracing::warn!("the metadata quorum has {missing}");
            }
        }
    }
}
