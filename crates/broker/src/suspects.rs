//! Leaders that may be dead or replaced while the metadata still names them.
//!
//! Clients are told LEADER_NOT_AVAILABLE for what they lead, and ask again within milliseconds. A client that is told the old
//! leader once more takes that for the truth, and librdkafka then asks only a second later.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ottla_env::Monotonic;
use ottla_metadata::image::BrokerImage;
use ottla_types::{BrokerEpoch, NodeId};
use parking_lot::Mutex;

/// The brokers whose connections have ended, as the replica fetchers see it. Bounded by the brokers that are followed.
#[derive(Debug, Default)]
pub(crate) struct LostBrokers {
    lost: Mutex<Vec<Lost>>,
    is_any: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Lost {
    id: NodeId,
    /// Another incarnation is not meant.
    epoch: BrokerEpoch,
    /// By then the controller has decided.
    until: Monotonic,
}

impl LostBrokers {
    /// The connection to a broker ended, or it refuses one. The controller decides within `session` what that means.
    pub(crate) fn lose(&self, id: NodeId, epoch: BrokerEpoch, now: Monotonic, session: Duration) {
        let mut lost = self.lost.lock();
        // How often it is tried in vain does not prolong the doubt.
        if lost.iter().any(|known| known.id == id && known.epoch == epoch) {
            return;
        }
        lost.retain(|known| known.id != id);
        lost.push(Lost { id, epoch, until: now + session });
        self.is_any.store(true, Ordering::Release);
    }

    /// The broker answers.
    pub(crate) fn find(&self, id: NodeId) {
        if self.is_any.load(Ordering::Acquire) {
            let mut lost = self.lost.lock();
            lost.retain(|known| known.id != id);
            self.is_any.store(!lost.is_empty(), Ordering::Release);
        }
    }

    /// Those that are lost at `now`, and `myself` if this broker may not serve.
    pub(crate) fn suspects(&self, myself: Option<NodeId>, now: Monotonic) -> Suspects {
        let lost = match self.is_any.load(Ordering::Acquire) {
            true => self.lost.lock().iter().filter(|lost| now < lost.until).copied().collect(),
            false => Vec::new(),
        };
        Suspects { myself, lost }
    }
}

/// The brokers that are not named as leaders in one answer.
#[derive(Debug)]
pub(crate) struct Suspects {
    myself: Option<NodeId>,
    lost: Vec<Lost>,
}

impl Suspects {
    pub(crate) fn include(&self, broker: &BrokerImage) -> bool {
        let is_lost = |lost: &Lost| lost.id == broker.id && lost.epoch == broker.epoch;
        self.myself == Some(broker.id) || self.lost.iter().any(is_lost)
    }
}

#[cfg(test)]
mod tests {
    use ottla_types::Uuid;

    use super::*;

    const SESSION: Duration = Duration::from_secs(2);

    fn broker(id: i32, epoch: i64) -> BrokerImage {
        BrokerImage {
            id: NodeId(id),
            epoch: BrokerEpoch(epoch),
            incarnation_id: Uuid::ZERO,
            endpoints: Vec::new(),
            features: Vec::new(),
            rack: None,
            fenced: false,
            in_controlled_shutdown: false,
            directories: Vec::new(),
            cordoned_directories: None,
        }
    }

    fn at(ms: u64) -> Monotonic {
        Monotonic::default() + Duration::from_millis(ms)
    }

    #[test]
    fn a_lost_broker_is_suspect_until_it_answers_or_has_restarted_or_the_controller_had_time_to_decide() {
        let lost = LostBrokers::default();
        lost.lose(NodeId(2), BrokerEpoch(7), at(0), SESSION);
        let suspects = lost.suspects(None, at(1000));
        assert!(suspects.include(&broker(2, 7)) && !suspects.include(&broker(3, 7)));
        assert!(!suspects.include(&broker(2, 9)), "another incarnation");
        lost.lose(NodeId(2), BrokerEpoch(7), at(1500), SESSION);
        assert!(!lost.suspects(None, at(2000)).include(&broker(2, 7)), "the controller left it in office");
        lost.lose(NodeId(3), BrokerEpoch(1), at(2000), SESSION);
        lost.find(NodeId(3));
        assert!(!lost.suspects(None, at(2001)).include(&broker(3, 1)));
    }

    #[test]
    fn who_has_no_lease_suspects_itself() {
        let suspects = LostBrokers::default().suspects(Some(NodeId(1)), at(0));
        assert!(suspects.include(&broker(1, 1)) && !suspects.include(&broker(2, 1)));
    }
}
