//! Which of the partitions that this broker leads want other in-sync replicas (KIP-497). What is wanted is decided in
//! `ottla-replication`; `isr_changes.rs` asks the controller.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_replication::AlterIsr;
use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, TopicIdPartition};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::partition::Partition;

/// The partitions that this broker leads and others follow.
#[derive(Debug, Default)]
pub(crate) struct InSync {
    led: Mutex<HashMap<TopicIdPartition, Arc<Partition>>>,
    /// Those to look at before the next round over all.
    noted: Mutex<HashMap<TopicIdPartition, Arc<Partition>>>,
    wake: Notify,
    log_starts: Notify,
}

impl InSync {
    /// This broker leads a partition that others follow.
    pub(super) fn lead(&self, partition: &Arc<Partition>) {
        self.led.lock().insert(partition.id().clone(), Arc::clone(partition));
    }

    /// It does not lead it any more.
    pub(super) fn forget(&self, id: &TopicIdPartition) {
        self.led.lock().remove(id);
        self.noted.lock().remove(id);
    }

    /// A change is likely.
    pub(crate) fn look_at(&self, partition: &Arc<Partition>) {
        self.noted.lock().insert(partition.id().clone(), Arc::clone(partition));
        self.wake.notify_one();
    }

    /// All of them.
    pub(crate) fn led(&self) -> Vec<Arc<Partition>> {
        self.led.lock().values().map(Arc::clone).collect()
    }

    /// Those that were to be looked at.
    pub(crate) fn take_noted(&self) -> Vec<Arc<Partition>> {
        std::mem::take(&mut *self.noted.lock()).into_values().collect()
    }

    /// A follower's log begins elsewhere.
    pub(super) fn log_start_moved(&self) {
        self.log_starts.notify_waiters();
    }

    /// Ends when a follower's log begins elsewhere than at this call.
    pub(crate) fn log_start_moves(&self) -> Notified<'_> {
        self.log_starts.notified()
    }

    /// Waits until there is something to look at.
    pub(crate) async fn noted(&self) {
        self.wake.notified().await;
    }
}

impl Partition {
    /// The change of the in-sync set to ask the controller for: the one that it has not answered, or what is wanted now.
    pub(crate) fn wanted_isr(
        &self,
        lag_max: Duration,
        eligible: impl Fn(NodeId, Option<BrokerEpoch>) -> bool,
    ) -> Option<(LeaderEpoch, AlterIsr)> {
        let now = self.now();
        let mut state = self.look();
        let epoch = state.replica.leader_epoch();
        let leader = state.replica.leader_mut().ok()?;
        let change = match leader.unanswered_isr() {
            Some(change) => change.clone(),
            None => leader.propose_isr(now, lag_max, eligible)?,
        };
        Some((epoch, change))
    }

    /// The controller made a change that this leader asked for in `leader_epoch`; the metadata will say so too, and then it counts.
    pub(crate) fn isr_changed(&self, leader_epoch: LeaderEpoch, change: &AlterIsr) {
        let mut state = self.look();
        if state.replica.leader_epoch() == leader_epoch
            && let Ok(leader) = state.replica.leader_mut()
        {
            leader.handle_alter_isr_made(change);
        }
    }

    /// The controller refused a change that this leader asked for in `leader_epoch`, and made none.
    pub(crate) fn isr_refused(&self, leader_epoch: LeaderEpoch, change: &AlterIsr) {
        let mut state = self.look();
        if state.replica.leader_epoch() != leader_epoch {
            return;
        }
        let moved = match state.replica.leader_mut() {
            Ok(leader) if leader.isr_in_flight() == Some(change) => leader.handle_alter_isr_refused(),
            _ => None,
        };
        if let Some(high_watermark) = moved {
            state.publish(high_watermark);
        }
        drop(state);
        if let Some(high_watermark) = moved {
            self.notify(high_watermark);
        }
    }
}
