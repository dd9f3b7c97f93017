//! Clients: producers that send what nobody else sends, and consumers that read what is committed.

mod consumer;
mod producer;

use std::collections::BTreeMap;

use ottla_env::Rng;
use ottla_types::{LeaderEpoch, NodeId};

pub(crate) use self::consumer::Consumer;
pub(crate) use self::producer::{Kind, Producer};
use crate::cx::Cx;
use crate::message::{Address, Request};

/// Who leads what, as a client believes.
#[derive(Debug, Default)]
pub(crate) struct Leaders {
    known: BTreeMap<i32, (NodeId, LeaderEpoch)>,
    /// The call that asks for it.
    asked: Option<u64>,
}

impl Leaders {
    /// With the leader's epoch.
    fn of(&self, partition: i32) -> Option<(i32, LeaderEpoch)> {
        let (leader, epoch) = self.known.get(&partition)?;
        leader.is_some().then_some((leader.0, *epoch))
    }

    /// Asks any broker.
    fn refresh(&mut self, cx: &mut Cx, me: Address, brokers: i32) {
        let broker = 1 + cx.rng.below(brokers as u64) as i32;
        let timeout = std::time::Duration::from_millis(300);
        self.asked = Some(cx.call(me, Address::Broker(broker), timeout, Request::Metadata));
    }

    /// A broker told; what is older than what is known tells of former leaders (KIP-320).
    fn learn(&mut self, told: Vec<(i32, NodeId, LeaderEpoch)>) {
        for (partition, leader, epoch) in told {
            let known = self.known.entry(partition).or_insert((leader, epoch));
            if epoch >= known.1 {
                *known = (leader, epoch);
            }
        }
    }

    /// Whether `call` was about this.
    fn is_answer(&mut self, call: u64) -> bool {
        self.asked.take_if(|asked| *asked == call).is_some()
    }
}
