//! The metadata, as it comes from a controller (in place of `crates/broker/src/metadata_feed.rs` and
//! `replica_manager/apply.rs`).

use std::sync::Arc;
use std::time::Duration;

use ottla_broker::{BarePartition, Refused};
use ottla_metadata::{LocalChange, MetadataChange, MetadataDelta, decode_batch};
use ottla_replication::{PartitionState, RoleChange};
use ottla_types::{Bytes, LeaderEpoch, NodeId, Offset, TopicIdPartition, TopicPartition};

use super::{Broker, Call, Hosted, RETRY};
use crate::cx::{Cx, Timer};
use crate::layout;
use crate::message::{Address, Request, Response};

/// How long a controller may hold a request for which it has nothing.
pub(crate) const MAX_WAIT: Duration = Duration::from_millis(500);
/// How often a broker whose metadata is held back looks again.
const HELD: Duration = Duration::from_millis(20);
pub(crate) const MIN_INSYNC_REPLICAS: usize = 2;

impl Broker {
    pub(super) fn feed(&mut self, cx: &mut Cx) {
        let me = self.address();
        if cx.now < self.metadata_held_until {
            return cx.remind(me, HELD, Timer::Feed);
        }
        let controllers = self.controllers;
        let Some(running) = &mut self.running else { return };
        // Brokers follow any controller.
        let asked =
            if cx.one_in(4) { cx.between(1, controllers as u64 + 1) as i32 } else { running.controller };
        let request = Request::FetchMetadata { after: running.follower.pulled().offset };
        let timeout = MAX_WAIT + Duration::from_secs(2);
        let call = cx.call(me, Address::Controller(asked), timeout, request);
        running.calls.insert(call, Call::Feed);
    }

    pub(super) fn metadata_came(&mut self, cx: &mut Cx, response: Response) {
        let me = self.address();
        let Response::Metadata { batches, leader } = response else {
            return cx.remind(me, RETRY, Timer::Feed);
        };
        if cx.now < self.metadata_held_until {
            return cx.remind(me, HELD, Timer::Feed);
        }
        if let (Some(running), Some(leader)) = (&mut self.running, leader) {
            running.controller = leader;
        }
        if let Err(error) = self.advance(cx, &batches) {
            cx.history.unmet.push(format!("broker {} cannot apply the metadata: {error}", self.id));
        }
        self.feed(cx);
    }

    /// Applies all of an answer as one change.
    fn advance(&mut self, cx: &mut Cx, batches: &[Bytes]) -> Result<(), String> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let (mut after, mut delta) = (running.follower.pulled().clone(), MetadataDelta::default());
        for payload in batches {
            let batch = decode_batch(payload.clone()).map_err(|error| error.to_string())?;
            if batch.last_offset() > after.offset {
                let (next, change) = after.apply(&batch.records).map_err(|error| error.to_string())?;
                after = next;
                delta.merge(change);
            }
        }
        if after.offset == running.follower.pulled().offset {
            return Ok(());
        }
        let Some(change) = running.follower.take(after, delta, running.epoch) else { return Ok(()) };
        let MetadataChange { before, after, delta } = change;
        let changes = delta.topics.local_changes(NodeId(self.id), &before, &after);
        running.image = after;
        for (change, _) in &changes.removed {
            self.let_go(cx, change);
        }
        for change in changes.leads.iter().chain(&changes.follows) {
            self.take_on(cx, change)?;
        }
        if self.running.as_ref().is_some_and(|running| running.fenced) {
            self.heartbeat(cx);
        }
        Ok(())
    }

    fn take_on(&mut self, cx: &mut Cx, change: &LocalChange) -> Result<(), String> {
        let (me, id) = (self.address(), self.id);
        let number = layout::number(&change.topic, change.index);
        let Some(running) = &mut self.running else { return Ok(()) };
        if !running.partitions.contains_key(&number) {
            let named = id_of(change);
            let log = match running.dir.open_or_create_log(&named, Arc::clone(&running.config), cx.wall_ms())
            {
                Ok(log) => log,
                Err(error) => {
                    running.broken = Some(error.to_string());
                    return Ok(());
                }
            };
            let (config, clock) = (Arc::clone(&running.config), cx.clock(id));
            let lease = Arc::clone(&running.lease);
            let bare = BarePartition::new(named, NodeId(id), log, config, MIN_INSYNC_REPLICAS, clock, lease);
            running.partitions.insert(number, Hosted::new(bare));
        }
        let Some(hosted) = running.partitions.get_mut(&number) else { return Ok(()) };
        let partition = &change.partition;
        let role = hosted.bare.handle_partition_state(PartitionState {
            leader: partition.leader,
            leader_epoch: partition.leader_epoch,
            partition_epoch: partition.partition_epoch,
            replicas: partition.replicas.to_vec(),
            isr: partition.isr.to_vec(),
            min_insync_replicas: MIN_INSYNC_REPLICAS,
        });
        if role != RoleChange::None {
            let (epoch, isr) = (partition.leader_epoch, &partition.isr);
            cx.note(format_args!("broker {id} partition {number} epoch {epoch} isr {isr:?}: {role:?}"));
        }
        match role {
            RoleChange::BecameFollower { leader } => {
                hosted.following = Some(leader);
                hosted.fetching = None;
                cx.remind(me, Duration::ZERO, Timer::Fetch { partition: number });
            }
            RoleChange::BecameLeader { .. } | RoleChange::WentOffline => hosted.following = None,
            RoleChange::None | RoleChange::LeaderUpdated => {}
        }
        Ok(())
    }

    /// The replica was moved away.
    fn let_go(&mut self, cx: &mut Cx, change: &LocalChange) {
        let number = layout::number(&change.topic, change.index);
        let me = self.address();
        let Some(hosted) = self.hosted(number) else { return };
        hosted.bare.leave();
        for parked in std::mem::take(&mut hosted.parked) {
            cx.answer(me, parked.caller, Response::Fetched(Err(Refused::NotLeader)));
        }
        self.answer_producers(cx, number);
        cx.note(format_args!("broker {} partition {number} is let go of", self.id));
        let Some(running) = &mut self.running else { return };
        running.partitions.remove(&number);
        if let Err(error) = running.dir.delete_logs(&[id_of(change)]) {
            cx.note(format_args!("broker {} partition {number} is not deleted: {error}", self.id));
        }
    }

    /// The metadata is complete: what is on disk and nobody's goes (in place of `replica_manager/strays.rs`).
    pub(super) fn set_strays_aside(&mut self, cx: &mut Cx) {
        let id = NodeId(self.id);
        let Some(running) = &self.running else { return };
        let is_ours = |stray: &TopicIdPartition| {
            let at = &stray.topic_partition;
            let given = running.image.topics.partition(stray.topic_id, at.partition);
            given.is_some_and(|partition| partition.is_replica(id))
        };
        let strays: Vec<_> = running.dir.partitions().into_iter().filter(|at| !is_ours(at)).collect();
        if let Err(error) = running.dir.set_aside(&strays, &mut Vec::new()) {
            cx.note(format_args!("broker {id} cannot set strays aside: {error}"));
        }
    }

    /// Who leads what, as far as this broker knows: without a lease it does not know about itself.
    pub(super) fn leaders(&self, cx: &Cx) -> Vec<(i32, NodeId, LeaderEpoch)> {
        let Some(running) = &self.running else { return Vec::new() };
        let has_lease = running.lease.is_valid(cx.monotonic_since_start(self.id));
        let known = |leader: NodeId| leader.0 != self.id || has_lease;
        let leaders = layout::partitions(&running.image);
        leaders
            .map(|(number, partition)| (number, partition.leader, partition.leader_epoch))
            .map(|(number, leader, epoch)| (number, if known(leader) { leader } else { NodeId::NONE }, epoch))
            .collect()
    }
}

fn id_of(change: &LocalChange) -> TopicIdPartition {
    let topic_partition = TopicPartition::new(change.topic.name.clone(), change.index);
    TopicIdPartition { topic_id: change.topic.id, topic_partition }
}

impl Hosted {
    fn new(bare: BarePartition) -> Self {
        Self {
            bare,
            following: None,
            fetching: None,
            synced: None,
            producers: Vec::new(),
            parked: Vec::new(),
            sync_due: None,
            syncing: None,
            seen: (Offset::ZERO, Offset::ZERO, LeaderEpoch::NONE),
        }
    }
}
