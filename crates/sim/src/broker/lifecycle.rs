//! Registration and heartbeats (in place of the tasks in `crates/broker/src/lifecycle.rs`).

use std::time::Duration;

use ottla_metadata::image::SUPPORTED_FEATURES;
use ottla_metadata::image::{Endpoint, FeatureRange};
use ottla_metadata::plan::{Heartbeat, Registration};
use ottla_types::{BrokerEpoch, NodeId};

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
            // Every stop here is a crash.
            previous_epoch: BrokerEpoch::NONE,
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
        if is_first {
            self.feed(cx);
            cx.remind(me, LAG_MAX / 2, Timer::IsrRound);
            cx.remind(me, Duration::from_secs(1), Timer::Checkpoints);
        }
        self.heartbeat(cx);
    }

    /// At once, unless one is under way.
    pub(super) fn heartbeat(&mut self, cx: &mut Cx) {
        let (me, id) = (self.address(), self.id);
        let Some(running) = &mut self.running else { return };
        if running.calls.values().any(|call| matches!(call, Call::Heartbeat | Call::Register)) {
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
        let call = cx.call(me, to, SESSION, Request::Heartbeat(heartbeat));
        running.calls.insert(call, Call::Heartbeat);
    }

    pub(super) fn heartbeat_answered(&mut self, cx: &mut Cx, response: Response) {
        let me = self.address();
        let Some(running) = &mut self.running else { return };
        match response {
            Response::Heartbeat(Ok(answer)) => running.fenced = answer.is_fenced,
            Response::Heartbeat(Err(_)) => {
                running.fenced = true;
                return self.register(cx);
            }
            _ => {}
        }
        cx.remind(me, INTERVAL, Timer::Heartbeat);
    }
}
