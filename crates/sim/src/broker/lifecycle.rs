//! Registration and heartbeats (in place of the tasks in `crates/broker/src/lifecycle.rs`).

use std::time::Duration;

use ottla_metadata::image::{Endpoint, FeatureRange, SUPPORTED_FEATURES};
use ottla_metadata::plan::{Heartbeat, Registration};
use ottla_types::NodeId;

use super::{Broker, CLUSTER, Call, LAG_MAX, RETRY};
use crate::cx::{Cx, Timer};
use crate::message::{Address, Request, Response};

/// `broker.heartbeat.interval.ms`
const INTERVAL: Duration = Duration::from_millis(250);
/// `broker.session.timeout.ms`
pub(crate) const SESSION: Duration = Duration::from_millis(1500);

impl Broker {
    pub(super) fn register(&mut self, cx: &mut Cx) {
        let (me, id) = (self.address(), self.id);
        let Some(running) = &mut self.running else { return };
        let registration = Registration {
            broker: NodeId(id),
            cluster_id: CLUSTER.into(),
            incarnation_id: running.incarnation,
            endpoints: vec![Endpoint {
                listener: "PLAINTEXT".into(),
                host: "localhost".into(),
                port: 9092,
                security_protocol: 0,
            }],
            features: SUPPORTED_FEATURES
                .iter()
                .map(|&(name, min, max)| FeatureRange { name: name.into(), min, max })
                .collect(),
            rack: None,
            directories: vec![running.dir.directory_id()],
            previous_epoch: running.previous_epoch,
        };
        let to = Address::Controller(running.controller);
        let call = cx.call(me, to, SESSION, Request::Register(Box::new(registration)));
        running.calls.insert(call, Call::Register);
    }

    pub(super) fn registered(&mut self, cx: &mut Cx, response: Response) {
        let (me, id) = (self.address(), self.id);
        let Some(running) = &mut self.running else { return };
        let Response::Registered(Ok(epoch)) = response else {
            return cx.remind(me, RETRY, Timer::Register);
        };
        cx.note(format_args!("broker {id} is registered with epoch {epoch}"));
        let is_first = !running.epoch.is_some();
        running.epoch = epoch;
        // Before its first heartbeat can unfence it.
        match running.dir.note_broker_epoch(epoch) {
            Ok(()) => drop(cx.history.noted.insert((NodeId(id), epoch))),
            Err(error) => cx.note(format_args!("broker {id} cannot note its epoch: {error}")),
        }
        if is_first {
            self.feed(cx);
            cx.remind(me, LAG_MAX / 2, Timer::IsrRound);
            cx.remind(me, INTERVAL, Timer::Lease);
            cx.remind(me, Duration::from_secs(1), Timer::Checkpoints);
        }
        self.heartbeat(cx);
    }

    /// At once, unless one is under way.
    pub(super) fn heartbeat(&mut self, cx: &mut Cx) {
        let (me, id) = (self.address(), self.id);
        let Some(running) = &mut self.running else { return };
        if running.calls.values().any(|call| matches!(call, Call::Heartbeat { .. } | Call::Register)) {
            return;
        }
        let heartbeat = Heartbeat {
            broker: NodeId(id),
            epoch: running.epoch,
            metadata_offset: running.image.offset,
            want_fence: false,
            want_shut_down: false,
            offline_directories: Vec::new(),
            cordoned_directories: None,
        };
        let to = Address::Controller(running.controller);
        let sent = cx.monotonic_since_start(id);
        // A controller that does not answer leaves time to ask another one before the lease runs out.
        let call = cx.call(me, to, SESSION / 2, Request::Heartbeat(heartbeat));
        running.calls.insert(call, Call::Heartbeat { sent });
    }

    pub(super) fn heartbeat_answered(&mut self, cx: &mut Cx, sent: Duration, response: Response) {
        let me = self.address();
        let Some(running) = &mut self.running else { return };
        match response {
            Response::Heartbeat(Ok(answer)) => {
                let is_unfenced =
                    std::mem::replace(&mut running.fenced, answer.is_fenced) && !answer.is_fenced;
                match (answer.is_fenced, answer.is_caught_up) {
                    (true, _) => running.lease.revoke(),
                    (false, true) => running.lease.extend(sent, SESSION),
                    (false, false) => {
                        running.lease.bound(sent, SESSION);
                        cx.counts.add("leases not prolonged");
                    }
                }
                if is_unfenced {
                    self.set_strays_aside(cx);
                }
                cx.remind(me, INTERVAL, Timer::Heartbeat);
            }
            Response::Heartbeat(Err(_)) => {
                running.fenced = true;
                running.lease.revoke();
                self.register(cx);
            }
            _ => cx.remind(me, RETRY, Timer::Heartbeat),
        }
    }

    /// Has those answered that wait for what this broker leads when its lease runs out.
    pub(super) fn watch_lease(&mut self, cx: &mut Cx) {
        let (me, now) = (self.address(), cx.monotonic_since_start(self.id));
        let Some(running) = &mut self.running else { return };
        let left = running.lease.left(now);
        if running.lease_lasted && left.is_zero() {
            if !running.fenced {
                cx.counts.add("lease expiries");
                cx.note(format_args!("broker {}: its lease ran out", self.id));
            }
            running.partitions.values().for_each(|hosted| hosted.bare.lease_ran_out());
        }
        running.lease_lasted = !left.is_zero();
        // No timer is finer.
        let wait = if running.lease_lasted { left.max(Duration::from_millis(1)) } else { INTERVAL };
        cx.remind(me, wait, Timer::Lease);
    }
}
