//! Copies the logs of the partitions that this broker follows, from each leader's broker (Kafka's `ReplicaFetcherThread`).
//!
//! ```text
//!  role changes ─▶ ReplicaFetchers: which partitions of which leader
//!                        │ one Session a leader and fetcher (`num.replica.fetchers`)
//!                        ▼
//!  Session: positions ─▶ Fetch ─▶ append, truncate or start anew ─▶ synced ─▶ positions …
//! ```
//!
//! Who is fetched from is known here; what a partition does with the answer is in `replica_manager/follow.rs`.

mod request;
mod session;

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use ottla_types::{NodeId, TopicPartition};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use self::session::Session;
use crate::Broker;
use crate::replica_manager::{Partition, RoleChanged};

/// Which partitions are followed, and from which brokers.
#[derive(Debug)]
pub(crate) struct ReplicaFetchers {
    /// `num.replica.fetchers`.
    per_leader: u64,
    inner: Mutex<Inner>,
    /// There is a new leader to fetch from.
    wake: Notify,
}

/// One of the fetchers of a leader.
type FetcherId = (NodeId, u64);

#[derive(Debug, Default)]
struct Inner {
    fetchers: HashMap<FetcherId, Arc<Followed>>,
    /// Who fetches a partition.
    of: HashMap<TopicPartition, FetcherId>,
    /// Fetchers that do not run yet.
    to_start: Vec<FetcherId>,
}

/// The partitions of one fetcher.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    partitions: Mutex<BTreeMap<TopicPartition, Arc<Partition>>>,
    /// One has come.
    added: Notify,
}

impl Followed {
    fn all(&self) -> Vec<Arc<Partition>> {
        self.partitions.lock().values().map(Arc::clone).collect()
    }
}

impl ReplicaFetchers {
    /// At most `per_leader` fetchers from each broker.
    pub(crate) fn new(per_leader: i32) -> Self {
        let per_leader = u64::try_from(per_leader).unwrap_or(1).max(1);
        Self { per_leader, inner: Mutex::default(), wake: Notify::new() }
    }

    /// This broker's role in a partition changed.
    pub(crate) fn role_changed(&self, change: &RoleChanged) {
        match change {
            RoleChanged::Follows(partition, leader) => self.follow(partition, *leader),
            RoleChanged::WillLead(at) | RoleChanged::Left(at) => self.leave(at),
            RoleChanged::Leads(partition, _) => self.leave(&partition.id().topic_partition),
        }
    }

    fn follow(&self, partition: &Arc<Partition>, leader: NodeId) {
        let at = partition.id().topic_partition.clone();
        self.leave(&at);
        let mut hasher = DefaultHasher::new();
        at.hash(&mut hasher);
        let fetcher = (leader, hasher.finish() % self.per_leader);
        let mut inner = self.inner.lock();
        inner.of.insert(at.clone(), fetcher);
        let Inner { fetchers, to_start, .. } = &mut *inner;
        let followed = fetchers.entry(fetcher).or_insert_with(|| {
            to_start.push(fetcher);
            self.wake.notify_one();
            Arc::default()
        });
        followed.partitions.lock().insert(at, Arc::clone(partition));
        followed.added.notify_one();
    }

    fn leave(&self, at: &TopicPartition) {
        let mut inner = self.inner.lock();
        if let Some(fetcher) = inner.of.remove(at)
            && let Some(followed) = inner.fetchers.get(&fetcher)
        {
            followed.partitions.lock().remove(at);
        }
    }

    /// Fetches, for as long as the broker runs. A fetcher without partitions has no connection.
    pub(crate) async fn run(self: Arc<Self>, broker: Arc<Broker>) {
        // Ends its tasks with itself.
        let mut sessions = JoinSet::new();
        loop {
            let to_start: Vec<_> = {
                let mut inner = self.inner.lock();
                let ids = std::mem::take(&mut inner.to_start);
                ids.into_iter().filter_map(|id| Some((id, Arc::clone(inner.fetchers.get(&id)?)))).collect()
            };
            for ((leader, number), followed) in to_start {
                sessions.spawn(Session::new(Arc::clone(&broker), leader, number, followed).run());
            }
            self.wake.notified().await;
        }
    }
}
