//! Asking the controller for other in-sync replicas (in place of `crates/broker/src/isr_changes.rs`).

use std::time::Duration;

use ottla_metadata::image::LeaderRecoveryState;
use ottla_metadata::plan::{AlterPartition, AlterPartitionError};
use ottla_replication::AlterIsr;
use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId};

use super::{Broker, Call, LAG_MAX, RETRY};
use crate::cx::{Cx, Timer};
use crate::layout;
use crate::message::{Address, Request, Response};

/// After a refusal.
const REFUSED: Duration = Duration::from_millis(200);
const TIMEOUT: Duration = Duration::from_secs(2);

impl Broker {
    pub(super) fn isr_round(&mut self, cx: &mut Cx) {
        let Some(running) = &self.running else { return };
        for partition in running.partitions.keys().copied().collect::<Vec<_>>() {
            self.ask_isr(cx, partition);
        }
        cx.remind(self.address(), LAG_MAX / 2, Timer::IsrRound);
    }

    pub(super) fn ask_isr(&mut self, cx: &mut Cx, partition: i32) {
        let (me, id) = (self.address(), NodeId(self.id));
        let Some(running) = &mut self.running else { return };
        let is_asked = |call: &Call| matches!(call, Call::Isr { partition: p, .. } if *p == partition);
        if running.calls.values().any(is_asked) {
            return;
        }
        let (topic, index) = layout::named(partition);
        let Some(topic) = running.image.topics.by_name(topic.as_str()).map(|topic| topic.id) else { return };
        let Some(hosted) = running.partitions.get(&partition) else { return };
        let Some((epoch, change)) = hosted.bare.wanted_isr(LAG_MAX, &running.image) else { return };
        let own = running.epoch;
        let member = |&(member, epoch): &(NodeId, Option<BrokerEpoch>)| {
            (member, if member == id { own } else { epoch.unwrap_or(BrokerEpoch::NONE) })
        };
        let wish = AlterPartition {
            topic,
            index,
            leader_epoch: epoch,
            partition_epoch: change.partition_epoch,
            isr: change.isr.iter().map(member).collect(),
            recovery: LeaderRecoveryState::Recovered,
        };
        let request = Request::AlterPartition { broker: id, epoch: own, wish };
        let call = cx.call(me, Address::Controller(running.controller), TIMEOUT, request);
        running.calls.insert(call, Call::Isr { partition, epoch, change });
    }

    pub(super) fn isr_answered(
        &mut self,
        cx: &mut Cx,
        partition: i32,
        epoch: LeaderEpoch,
        change: &AlterIsr,
        response: Response,
    ) {
        let me = self.address();
        let Some(hosted) = self.hosted(partition) else { return };
        let outcome = match response {
            Response::AlterPartition(Ok(outcome)) => *outcome,
            // The request as a whole was refused, or this is no active controller.
            _ => return cx.remind(me, RETRY, Timer::Isr { partition }),
        };
        match outcome {
            Ok(_) => hosted.bare.isr_changed(epoch, change),
            Err(AlterPartitionError::IneligibleReplica { .. }) => {
                hosted.bare.isr_refused(epoch, change);
                cx.remind(me, REFUSED, Timer::Isr { partition });
            }
            // The metadata will tell.
            Err(_) => {}
        }
    }
}
