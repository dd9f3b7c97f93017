//! Members that leave by themselves: a leader that has lost its vote hands over, observers that are gone are forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::{Instant as _, Raft};
use ottla_types::NodeId;
use tokio::time::Instant;

use crate::config::Timing;
use crate::members::Members;
use crate::raft::machine::Machine;
use crate::raft::types::{TypeConfig, node_id};

/// A leader that is no voter any more, once that is committed, hands over to the voter that is furthest along.
pub(crate) async fn resign_when_removed(raft: Raft<TypeConfig, Machine>, timing: Timing) {
    let mut metrics = raft.metrics();
    loop {
        let successor = {
            let seen = metrics.borrow_and_update();
            let members = &seen.membership_config;
            let is_removed = seen.state.is_leader()
                && *members.log_id() <= seen.local_committed
                && !members.voter_ids().any(|id| id == seen.id);
            let has = |id: &u64| seen.replication.as_ref().and_then(|all| all.get(id).copied().flatten());
            if is_removed { members.voter_ids().max_by_key(has) } else { None }
        };
        let Some(successor) = successor else {
            if metrics.changed().await.is_err() {
                return;
            }
            continue;
        };
        // Who asked for it gets the answer first.
        tokio::time::sleep(timing.heartbeat).await;
        tracing::info!(to = %node_id(successor), "this leader is no voter any more: it hands over");
        if raft.trigger().transfer_leader(successor).await.is_err() {
            return;
        }
        tokio::time::sleep(timing.election_max * 2).await;
    }
}

/// Forgets observers that have not answered for `silence`, while this node leads.
pub(crate) async fn forget_silent_observers(members: Members, silence: Duration) {
    let mut heard: BTreeMap<u64, Instant> = BTreeMap::new();
    let mut metrics = members.raft.metrics();
    loop {
        let observers = {
            let seen = metrics.borrow_and_update();
            let observers = seen.membership_config.membership().learner_ids();
            let observers: Vec<u64> = observers.filter(|id| *id != seen.id).collect();
            let answers = seen.heartbeat.as_ref();
            answers.map(|answers| {
                let silent = |id: u64| answers.get(&id).copied().flatten().map(|at| at.elapsed());
                observers.into_iter().map(|id| (id, silent(id))).collect::<Vec<_>>()
            })
        };
        let Some(observers) = observers.filter(|observers| !observers.is_empty()) else {
            heard.clear();
            if metrics.changed().await.is_err() {
                return;
            }
            continue;
        };
        heard.retain(|id, _| observers.iter().any(|(observer, _)| observer == id));
        for (id, silent) in observers {
            let known = heard.entry(id).or_insert_with(Instant::now);
            *known =
                silent.and_then(|silent| Instant::now().checked_sub(silent)).unwrap_or(*known).max(*known);
        }
        let gone = heard.iter().filter(|(_, at)| at.elapsed() >= silence);
        let gone: BTreeSet<u64> = gone.map(|(id, _)| *id).collect();
        if !gone.is_empty() {
            let ids: Vec<NodeId> = gone.iter().map(|id| node_id(*id)).collect();
            tracing::warn!(?ids, "observers of the metadata quorum have been silent for long: forgotten");
            if let Err(error) = members.forget(&gone, silence).await {
                tracing::debug!("they could not be forgotten: {error}");
            }
        }
        tokio::time::sleep(silence / 4).await;
    }
}
