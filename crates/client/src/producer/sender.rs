//! The task that moves batches from the accumulator to the brokers.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ottla_types::{NodeId, TopicName, TopicPartition};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::accumulator::{Accumulator, Drained, Ready};
use super::config::ProducerConfig;
use super::identity;
use super::lane::{self, Completion};
use super::partitioner::Sticky;
use crate::ClientError;
use crate::backoff::Backoff;
use crate::cluster::{Cluster, Want};

/// What the producer's handle and its task share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) cluster: Arc<Cluster>,
    pub(super) config: ProducerConfig,
    pub(super) state: Mutex<State>,
    /// Something was appended, flushed, or learnt.
    pub(super) wake: Notify,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) accumulator: Accumulator,
    pub(super) sticky: HashMap<TopicName, Sticky>,
    /// Why the producer cannot go on.
    pub(super) fatal: Option<ClientError>,
    refreshing: bool,
}

impl State {
    pub(super) fn new(accumulator: Accumulator) -> Self {
        Self { accumulator, sticky: HashMap::new(), fatal: None, refreshing: false }
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until aborted.
pub(super) async fn run(shared: Arc<Shared>) {
    let (completions, mut completed) = mpsc::channel::<Completion>(64);
    let mut lanes = Lanes { shared: Arc::clone(&shared), completions, by_node: HashMap::new() };
    let mut identity_backoff = backoff(&shared);
    loop {
        if shared.lock().accumulator.needs_identity() {
            match identity::fetch(&shared.cluster).await {
                Ok(identity) => {
                    identity_backoff = backoff(&shared);
                    shared.lock().accumulator.set_identity(identity);
                }
                Err(e) if e.is_retriable() => tokio::time::sleep(identity_backoff.pause()).await,
                Err(e) => stop(&shared, &e),
            }
        }
        let drained = drain(&shared, &lanes);
        let next = drained.next;
        if !drained.leaderless.is_empty() {
            refresh(&shared, drained.leaderless.iter().map(|p| p.topic.clone()).collect());
        }
        for (node, ready) in drained.by_node {
            lanes.send(node, ready).await;
        }
        let far = Instant::now() + shared.cluster.config.metadata_max_age;
        tokio::select! {
            Some(completion) = completed.recv() => {
                lanes.answered(completion.node);
                take_back(&shared, completion);
            }
            () = shared.wake.notified() => {}
            () = tokio::time::sleep_until(next.unwrap_or(far)) => {}
        }
    }
}

fn backoff(shared: &Shared) -> Backoff {
    Backoff::new(shared.cluster.config.retry_backoff, shared.cluster.config.retry_backoff_max)
}

fn drain(shared: &Shared, lanes: &Lanes) -> Drained {
    let metadata = shared.cluster.metadata();
    let now = Instant::now();
    let mut state = shared.lock();
    if let Err(e) = state.accumulator.prepare(now) {
        tracing::error!(error = %e, "a batch could not be numbered anew");
    }
    let leader = |p: &TopicPartition| metadata.partition(&p.topic, p.partition)?.leader;
    state.accumulator.drain(now, leader, |node| lanes.has_room(node))
}

fn take_back(shared: &Arc<Shared>, completion: Completion) {
    let now = Instant::now();
    let mut stale = HashSet::new();
    let mut state = shared.lock();
    for (partition, batch, attempt) in completion.attempts {
        if state.accumulator.complete(now, &partition, batch, attempt) {
            stale.insert(partition.topic);
        }
    }
    drop(state);
    if !stale.is_empty() {
        refresh(shared, stale);
    }
}

/// Fetches metadata aside, one request at a time.
fn refresh(shared: &Arc<Shared>, topics: HashSet<TopicName>) {
    let mut state = shared.lock();
    if state.refreshing {
        return;
    }
    state.refreshing = true;
    drop(state);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let topics: Vec<_> = topics.into_iter().collect();
        let refreshed = shared.cluster.refresh(Want::Topics(&topics), false).await;
        if !refreshed.is_ok_and(|errors| errors.is_empty()) {
            tokio::time::sleep(shared.cluster.config.retry_backoff).await;
        }
        shared.lock().refreshing = false;
        shared.wake.notify_one();
    });
}

fn stop(shared: &Shared, error: &ClientError) {
    let mut state = shared.lock();
    state.accumulator.fail_all(error);
    state.fatal.get_or_insert_with(|| error.clone());
}

/// One task and a count of unanswered requests per broker.
struct Lanes {
    shared: Arc<Shared>,
    completions: mpsc::Sender<Completion>,
    by_node: HashMap<NodeId, (mpsc::Sender<Vec<Ready>>, usize)>,
}

impl Lanes {
    fn has_room(&self, node: NodeId) -> bool {
        self.by_node.get(&node).is_none_or(|(_, unanswered)| *unanswered < self.shared.config.max_in_flight)
    }

    async fn send(&mut self, node: NodeId, ready: Vec<Ready>) {
        let shared = &self.shared;
        let completions = &self.completions;
        let (lane, unanswered) = self.by_node.entry(node).or_insert_with(|| {
            (lane::start(Arc::clone(&shared.cluster), &shared.config, node, completions.clone()), 0)
        });
        *unanswered += 1;
        // The lane lives as long as this sender.
        let _ = lane.send(ready).await;
    }

    fn answered(&mut self, node: NodeId) {
        if let Some((_, unanswered)) = self.by_node.get_mut(&node) {
            *unanswered = unanswered.saturating_sub(1);
        }
    }
}
